from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from serial.tools import list_ports

from runec.boards import Board, load_boards
from runec.cli import firmware as firmware_verb
from runec.cli import rune_sources
from runec.container import Rune, read_rune
from runec.diagnostics import MachineError
from tests.common import without_engine_sources

EXPECTED = '{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}\n'
# A rune can be built for these: not every board has the memory for one.
BOARDS = [board for board in load_boards() if "builds" in board.verified]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_build_writes_a_rune_named_after_the_folder(runec: Callable[..., Any], here: Path) -> None:
    done = runec("build", "noop/Runefile.yml")
    assert (done.code, done.stdout) == (0, "")
    assert files(here) == {"noop", "noop.rune"}
    rune = read_rune((here / "noop.rune").read_bytes())
    assert rune.name == "noop"
    assert "built noop.rune" in done.stderr
    for word in ("code", "linear memory", "models and resources", "arena", "file"):
        assert word in done.stderr


def test_build_refuses_an_empty_name_and_takes_none_for_a_path(
    runec: Callable[..., Any], here: Path
) -> None:
    done = runec("build", "noop", "-n", "")
    assert (done.code, done.stdout) == (2, "")
    assert "--name is empty" in done.stderr
    assert runec("build", "noop", "-n", "../up").code == 0
    assert (here / ".._up.rune").is_file()
    assert not (here.parent / "up.rune").exists()


@pytest.mark.parametrize("output", ["", ".", "/", ".."])
def test_build_writes_no_rune_in_the_place_of_a_folder(
    runec: Callable[..., Any], here: Path, output: str
) -> None:
    done = runec("build", "noop", "-o", output)
    assert done.code == 4
    assert "error[R1002]: cannot write" in done.stderr
    assert sorted(path.name for path in here.iterdir()) == ["noop"]


def test_build_takes_the_runefile_of_the_current_folder(
    runec: Callable[..., Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here / "noop")
    assert runec("build", "-o", here / "a.rune", "--name", "other").code == 0
    assert read_rune((here / "a.rune").read_bytes()).name == "other"
    Path("Runefile.yml").unlink()
    assert runec("build", "-o", here / "b.rune").code == 0, "the legacy dialect"
    Path("Runefile").unlink()
    done = runec("build")
    assert done.code == 1
    assert "error[R1103]: no Runefile.yml or Runefile in this folder" in done.stderr


def test_build_takes_the_runefile_of_a_folder(runec: Callable[..., Any], here: Path) -> None:
    assert runec("build", "noop", "-o", "a.rune").code == 0
    assert runec("build", here / "noop" / "Runefile.yml", "-o", "b.rune").code == 0
    assert Path("a.rune").read_bytes() == Path("b.rune").read_bytes()
    (here / "none").mkdir()
    done = runec("build", "none")
    assert done.code == 1
    assert "error[R1103]: no Runefile.yml or Runefile in none" in done.stderr


@pytest.mark.usefixtures("here")
def test_the_name_of_a_rune_leads_to_no_other_folder_and_commands_no_terminal(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "../up\x1b[31m"
    assert runec("build", "noop", "-n", name, "-o", "a.rune").code == 0
    shown = runec("inspect", "a.rune").stdout
    assert "../up" in shown
    assert "\x1b" not in shown
    folders: list[Path] = []

    def stop(_rune: Rune, _board: Board, folder: Path, **_options: object) -> NoReturn:
        folders.append(folder)
        raise MachineError("R0821", "far enough")

    monkeypatch.setattr(firmware_verb, "create_project", stop)
    board = BOARDS[0].id
    assert runec("firmware", "build", "a.rune", "--board", board).code == 4
    assert folders == [Path(f"_up__31m-{board}")]


def test_two_runes_whose_folders_have_one_name_do_not_take_it_from_one_another(
    runec: Callable[..., Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_engine_sources(monkeypatch)

    def stop(*_: object, **__: object) -> NoReturn:
        raise MachineError("R0821", "far enough")

    monkeypatch.setattr(firmware_verb, "build_project", stop)
    for number, name in enumerate(("a$b", "a'b")):
        assert runec("build", "noop", "-n", name, "-o", f"{number}.rune").code == 0
    assert runec("firmware", "build", "0.rune", "-b", "esp32c3").code == 4
    manifest = here / "a_b-esp32c3" / "runec-project.json"
    before = manifest.read_bytes()
    assert json.loads(before)["rune"] == "a$b"
    second = runec("firmware", "build", "1.rune", "-b", "esp32c3")
    assert second.code == 1
    assert "error[R0816]" in second.stderr
    assert "-d" in second.stderr
    assert manifest.read_bytes() == before
    assert runec("firmware", "build", "0.rune", "-b", "esp32c3").code == 4, "it is its own still"


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("build", "noop", "-o", "file/x.rune"), "with -o"),
        (("schema", "-o", "file/x.json"), "with -o"),
        (("firmware", "new", "noop", "-b", "esp32c3", "-d", "file/x"), "with -d"),
        (("new", "file/x"), None),
    ],
)
def test_what_cannot_be_written_is_told_with_the_option_that_the_verb_has(
    runec: Callable[..., Any],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    option: str | None,
) -> None:
    without_engine_sources(monkeypatch)
    (here / "file").write_text("no folder")
    done = runec(*words)
    assert done.code == 4
    hint = done.stderr.split("help: ")[-1]
    assert "choose another" in hint
    assert option in hint if option else "-o" not in hint.split()


def test_build_tells_programs_the_sizes(runec: Callable[..., Any], here: Path) -> None:
    done = runec("build", "noop/Runefile.yml", "--format", "json")
    sizes = json.loads(done.stdout)
    data = (here / "noop.rune").read_bytes()
    graph = read_rune(data).require_graph()
    assert sizes == {
        "name": "noop",
        "path": "noop.rune",
        "code_bytes": graph.code_bytes,
        "linear_memory_bytes": graph.memory_used,
        "models_and_resources_bytes": 0,
        "arena_bytes": 0,
        "file_bytes": len(data),
    }
    assert done.stderr == ""


def test_a_wrong_runefile_is_shown_with_a_caret_and_writes_nothing(
    runec: Callable[..., Any], here: Path
) -> None:
    runefile = here / "noop" / "Runefile.yml"
    runefile.write_text(runefile.read_text().replace("RAW", "RAVV"))
    done = runec("build", runefile)
    assert (done.code, done.stdout) == (1, "")
    assert f"{runefile}:" in done.stderr
    assert "^" in done.stderr
    assert "= help: " in done.stderr
    assert files(here) == {"noop"}


def test_a_wrong_runefile_is_json_for_programs(runec: Callable[..., Any], here: Path) -> None:
    runefile = here / "noop" / "Runefile.yml"
    runefile.write_text(runefile.read_text().replace("RAW", "RAVV"))
    errors = [
        json.loads(line)
        for line in runec("build", runefile, "--format", "json").stderr.splitlines()
    ]
    assert errors[0]["file"] == str(runefile)
    assert errors[0]["line"] > 1


def test_build_says_what_the_machine_lacks(
    runec: Callable[..., Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(*_: object, **__: object) -> None:
        raise MachineError("R0501", "no C compiler", hint="apt install clang lld")

    monkeypatch.setattr(rune_sources, "compile_pipeline", no_compiler)
    done = runec("build", "noop/Runefile.yml")
    assert done.code == 4
    assert "apt install clang lld" in done.stderr
    assert files(here) == {"noop"}


def test_an_interrupted_build_leaves_the_old_rune(
    runec: Callable[..., Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runec("build", "noop/Runefile.yml").code == 0
    old = (here / "noop.rune").read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    assert runec("build", "noop/Runefile.yml").code == 130
    assert files(here) == {"noop", "noop.rune"}
    assert (here / "noop.rune").read_bytes() == old


def test_an_output_that_cannot_be_written_is_the_machines_fault(
    runec: Callable[..., Any], here: Path
) -> None:
    (here / "file").write_bytes(b"")
    done = runec("build", "noop/Runefile.yml", "-o", here / "file" / "x.rune")
    assert done.code == 4
    assert "error[R1002]" in done.stderr


def test_run_prints_one_line_a_run_and_nothing_else(
    runec: Callable[..., Any], here: Path, noop_rune: Path
) -> None:
    done = runec("run", noop_rune, "--raw", here / "noop" / "input.bin")
    assert (done.code, done.stdout, done.stderr) == (0, EXPECTED, "Running rune: noop.rune\n")
    assert runec("run", noop_rune, "--raw", "noop/input.bin", "-r", "3").stdout == EXPECTED * 3


def test_run_takes_inputs_and_options_under_their_old_names(
    runec: Callable[..., Any], noop_rune: Path, here: Path
) -> None:
    assert here == Path.cwd()
    done = runec(
        *("run", noop_rune, "--raw", "noop/input.bin", "--raw", "noop/input.bin"),
        *("--accel", "a.csv", "--wav", "b.wav", "--img", "c.png", "--random", "42"),
        *("--engine", "wasm3", "--timeout", "30", "--on", "host"),
    )
    assert (done.code, done.stdout) == (0, EXPECTED)


RUN_MISTAKES = {
    "no input": ([], 1, "RAW"),
    "a missing file": (["--raw", "nowhere.bin"], 1, "nowhere.bin"),
    "an unknown place": (["--on", "moon"], 2, "host, emulator:BOARD"),
    "an emulator without a board": (["--on", "emulator:"], 2, "host, emulator:BOARD"),
    "an unknown board": (["--on", "emulator:nope"], 2, "no such board: 'nope'"),
}


@pytest.mark.parametrize("case", RUN_MISTAKES)
def test_mistakes_of_a_run_are_told_with_their_exit_code(
    runec: Callable[..., Any], noop_rune: Path, case: str
) -> None:
    arguments, code, words = RUN_MISTAKES[case]
    done = runec("run", noop_rune, *arguments)
    assert (done.code, done.stdout) == (code, "")
    assert words in done.stderr
    assert "= help: " in done.stderr


@pytest.mark.parametrize("verb", ["run", "inspect"])
@pytest.mark.parametrize("content", [None, b"", b"no rune", b"\0asm\1\0\0\0"])
def test_a_file_that_is_no_rune_is_refused(
    runec: Callable[..., Any], tmp_path: Path, verb: str, content: bytes | None
) -> None:
    path = tmp_path / "x.rune"
    if content is not None:
        path.write_bytes(content)
    done = runec(verb, path)
    assert (done.code, done.stdout) == (1, "")
    assert str(path) in done.stderr


def test_inspect_shows_stages_sizes_and_digest(runec: Callable[..., Any], noop_rune: Path) -> None:
    shown = runec("inspect", noop_rune).stdout
    rune = read_rune(noop_rune.read_bytes())
    assert rune.digest is not None
    assert rune.digest.hex() in shown
    assert f"{len(rune.data)} bytes" in shown
    assert "capability RAW" in shown
    assert "i32[4]" in shown
    assert "output SERIAL" in shown


def test_inspect_gives_programs_the_graph(runec: Callable[..., Any], noop_rune: Path) -> None:
    found = json.loads(runec("inspect", noop_rune, "--format", "json").stdout)
    assert found["file_bytes"] == noop_rune.stat().st_size
    assert found["graph"]["stages"] == ["input", "serial"]


def test_boards_are_listed_and_shown(runec: Callable[..., Any]) -> None:
    boards = load_boards()
    listed = runec("boards").stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == [board.id for board in boards]
    rows = [json.loads(line) for line in runec("boards", "--format", "json").stdout.splitlines()]
    assert [row["id"] for row in rows] == [board.id for board in boards]
    shown = runec("boards", "show", boards[0].id).stdout
    assert boards[0].name in shown
    assert boards[0].cpu.name in shown


def test_a_board_is_shown_whole_and_with_where_it_has_it_from(runec: Callable[..., Any]) -> None:
    done = runec("boards", "show", "disco_f407vg")
    for word in (
        "STM32F407VG, Cortex-M4F, 168 MHz",
        "128 KiB at 0x20000000  (from stm32f4)",
        "HAL_PLL_N = 0x150  (from stm32f4)",
        "lis3dsh (acceleration), SPI1",
        "0483:374b",
        "jlink, with J-Link",
        "ststm32@19.6.0, board disco_f407vg, framework arduino",
        "labwired, stm32f407",
        "No board was at hand",
    ):
        assert word in done.stdout, word
    found = json.loads(runec("boards", "show", "disco_f407vg", "--format", "json").stdout)
    assert found["origins"]["toolchain.prefix"] == "arm"
    assert found["origins"]["cpu.name"] == "disco_f407vg"
    assert found["hal"]["defines"]["HAL_PLL_N"] == 336


def test_a_wrong_board_file_beside_the_project_is_drawn(
    runec: Callable[..., Any], noop_rune: Path, here: Path
) -> None:
    (here / "mine.toml").write_text('inherits = "nrf52_dk"\nid = "mine"\nnam = "Mine"\n')
    done = runec("firmware", "new", noop_rune, "--board", "mine.toml", "-d", "p")
    assert (done.code, done.stdout) == (1, "")
    assert "mine.toml:3:1" in done.stderr
    assert 'did you mean "name"?' in done.stderr
    (here / "mine.toml").write_text(
        'inherits = "nrf52_dk"\nid = "mine"\nname = "Mine"\nverified = []\n'
    )
    done = runec("firmware", "new", noop_rune, "--board", "mine.toml", "-d", "p")
    assert (done.code, done.stdout) == (0, "p\n"), done.stderr


def test_components_are_listed_with_version_and_licence(runec: Callable[..., Any]) -> None:
    rows = [
        json.loads(line)
        for line in runec("components", "list", "--format", "json").stdout.splitlines()
    ]
    listed = runec("components", "list").stdout
    assert rows
    for row in rows:
        assert len(row["sha256"]) == 64
        assert row["version"] in listed
        assert row["licence"] in listed


def test_an_unknown_component_is_a_mistake_of_usage(runec: Callable[..., Any]) -> None:
    done = runec("components", "fetch", "nothing")
    assert (done.code, done.stdout) == (2, "")


def test_a_firmware_project_is_written_and_told(
    runec: Callable[..., Any], noop_rune: Path, here: Path
) -> None:
    board = BOARDS[0].id
    done = runec("firmware", "new", noop_rune, "--board", board, "-d", "project")
    assert (done.code, done.stdout) == (0, "project\n"), done.stderr
    assert (here / "project" / "platformio.ini").is_file()
    refused = runec("firmware", "new", noop_rune, "--board", board, "-d", "noop")
    assert refused.code == 1
    assert "noop" in refused.stderr


def test_a_project_that_is_none_cannot_be_built(runec: Callable[..., Any], here: Path) -> None:
    done = runec("firmware", "build", here / "noop")
    assert (done.code, done.stdout) == (2, "")
    assert "noop is not a firmware project: a Runefile in it needs --board" in done.stderr


def test_folder_and_board_do_not_go_together(runec: Callable[..., Any], here: Path) -> None:
    assert runec("firmware", "build", here / "noop", "--board", "x").code == 2


def test_a_board_says_what_silicon_wants_and_where_its_link_is(runec: Callable[..., Any]) -> None:
    shown = " ".join(runec("boards", "show", "esp32").stdout.split())
    assert "silicon needs --framework arduino: the bare-metal firmware is made by" in shown
    assert "link on the console" in shown
    assert (
        "emulator labwired, esp32 in the emulator: 240 MHz in the emulator: the link is in" in shown
    )
    assert "RAM, for a debugger in the emulator: HAL_CLOCK_FIXED = 0x1" in shown
    assert "memory with the core: flash 1310720 bytes, RAM 124580 bytes" in shown
    assert "taken by the core: flash 204800 bytes, RAM 16384 bytes" in shown
    told = json.loads(runec("boards", "show", "esp32", "--format", "json").stdout)
    assert told["vendor"]["preferred_because"]
    assert (told["hal"]["link"], told["emulator"]["overrides"]["hal"]["link"]) == ("uart", "rtt")
    other = runec("boards", "show", "netduinoplus2").stdout
    assert "0483:df11, no serial port" in other
    assert "or PlatformIO's platformio/toolchain-gccarmnoneeabi@" in other
    assert "silicon" not in other


def test_flashing_shows_its_command(runec: Callable[..., Any], noop_rune: Path) -> None:
    ways = {board.id: board.upload for board in BOARDS if board.upload is not None}
    for board_id, way in ways.items():
        done = runec("flash", noop_rune, "--board", board_id, "--port", "/dev/p", "--dry-run")
        assert done.code == 0, done.stderr
        command, tool = map(shlex.split, done.stdout.splitlines())
        assert command[-2:] == (
            ["--upload-port", "/dev/p"] if way.needs_port else ["--target", "upload"]
        )
        assert tool[0] == way.command[0]
        assert ("/dev/p" in tool) == way.needs_port
        assert "missing: cannot open the serial port /dev/p" in done.stderr
    assert ways


def test_a_dry_run_looks_for_the_port_as_an_upload_does(
    runec: Callable[..., Any], noop_rune: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def plug(*names: str) -> None:
        found: list[Any] = [
            SimpleNamespace(device=str(tmp_path / name), vid=0x10C4, pid=0xEA60, description=None)
            for name in names
        ]
        for name in names:
            (tmp_path / name).touch()
        monkeypatch.setattr(list_ports, "comports", lambda: found)

    words = ("flash", noop_rune, "--board", "esp32", "--dry-run", "--format", "json")
    plug("tty0")
    told = json.loads(runec(*words).stdout)
    assert told["port"] == str(tmp_path / "tty0")
    assert told["tool"][:6] == ["esptool", "--chip", "esp32", "--port", told["port"], "write_flash"]
    assert told["tool"][6] == "0x10000"
    assert Path(told["tool"][7]).name == "app.bin"
    assert told["command"][-2:] == ["--upload-port", told["port"]]
    assert "R0942" not in [each["code"] for each in told["missing"]]

    plug("tty0", "tty1")
    done = runec(*words)
    assert (done.code, json.loads(done.stderr)["code"]) == (2, "R0943")

    plug()
    done = runec(*words)
    told = json.loads(done.stdout)
    assert (done.code, told["port"], told["link"]) == (0, "PORT", "uart")
    assert "R0942" in [each["code"] for each in told["missing"]]


def test_a_dry_run_for_a_vendors_platform_knows_no_tool(
    runec: Callable[..., Any], noop_rune: Path
) -> None:
    words = ("flash", noop_rune, "--board", "nucleo_f401re", "--framework", "arduino", "--dry-run")
    done = runec(*words, "--protocol", "jlink", "--format", "json")
    told = json.loads(done.stdout)
    assert (told["tool"], told["port"], told["missing"]) == (None, None, [])
    project = Path(told["command"][told["command"].index("--project-dir") + 1])
    assert "upload_protocol = jlink\n" in (project / "platformio.ini").read_text()
    unknown = runec(*words, "--protocol", "openocd")
    assert unknown.code == 2
    assert "use one of stlink, jlink, blackmagic" in unknown.stderr
    assert "starts the vendor's upload tool" in runec(*words).stderr


def test_a_link_in_ram_is_refused_where_the_vendors_core_speaks_on_serial(
    runec: Callable[..., Any], noop_rune: Path, tmp_path: Path
) -> None:
    more = ("--board", "esp32", "--framework", "arduino", "--link", "rtt")
    for verb in (("flash", noop_rune), ("firmware", "new", noop_rune, "-d", tmp_path / "p")):
        done = runec(*verb, *more)
        assert done.code == 2
        assert "the link is on Serial" in done.stderr


@pytest.mark.parametrize(
    "verb", [("flash",), ("firmware", "new", "-d", "p"), ("firmware", "build"), ("size",)]
)
def test_an_engine_that_is_none_is_refused_with_those_that_are(
    runec: Callable[..., Any], noop_rune: Path, verb: tuple[str, ...]
) -> None:
    done = runec(*verb, noop_rune, "--board", "esp32", "--backend", "tvm")
    assert done.code == 2
    assert "'tvm' is not one of 'wasm3', 'aot'" in done.stderr


def test_the_engine_can_be_named(
    runec: Callable[..., Any], noop_rune: Path, tmp_path: Path
) -> None:
    words = ("--board", "esp32", "--backend", "wasm3")
    assert runec("flash", noop_rune, *words, "--dry-run").code == 0
    assert runec("firmware", "new", noop_rune, *words, "-d", tmp_path / "p").code == 0


def test_flashing_asks_for_the_port_that_a_board_needs(
    runec: Callable[..., Any], noop_rune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    boards = [board for board in load_boards() if board.upload and board.upload.needs_port]
    assert boards
    done = runec("flash", noop_rune, "--board", boards[0].id)
    assert done.code == 4, done.stderr
    assert "error[R0942]" in done.stderr
    assert "--port" in done.stderr


def test_the_doctor_finds_what_is_there_and_what_is_not(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [json.loads(line) for line in runec("doctor", "--format", "json").stdout.splitlines()]
    by_part = {row["part"]: row for row in rows}
    assert by_part["python"]["status"] == "ok"
    assert by_part["pywasm3"]["status"] == "ok"
    for board in load_boards():
        assert f"{board.toolchain.prefix}gcc" in by_part

    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    done = runec("doctor")
    assert done.code == 4
    assert "error[R1106]" in done.stderr
    for board in load_boards():
        assert set(board.toolchain.packages) <= set(done.stderr.split())
        assert f"{board.toolchain.prefix}gcc" in done.stderr
    assert "missing" in done.stdout
