"""`runec monitor`: a process at a pseudo-terminal with a device behind it."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from serial.tools import list_ports

from runec.boards import load_board
from runec.cli import flash, monitor
from runec.container import Rune, read_rune
from runec.devices import Flashed
from runec.devices.monitor import Watched
from tests.devices import conftest as paper
from tests.devices import plugged_port

DEVICES = Path(__file__).resolve().parents[1] / "devices"
LIMIT_S = 60


def counting(size: int = 1) -> Callable[[], Generator[tuple[object, ...], bytes, bytes]]:
    """Runs that need no input and count, in a tensor of i32[size]."""
    number = 0

    def run() -> Generator[tuple[object, ...], bytes, bytes]:
        nonlocal number
        number += 1
        tensor = {"element-type": "i32", "dimensions": [size], "elements": [number] * size}
        return json.dumps({"2": [tensor]}, separators=(",", ":")).encode() + b"\n"
        yield ()

    return run


@pytest.fixture
def dice_rune(runec: Callable[..., Any], tmp_path: Path) -> Path:
    """A rune that needs no file and writes one i32, as `counting` does."""
    folder = tmp_path / "dice"
    folder.mkdir()
    (folder / "Runefile.yml").write_text(
        "version: 1\nimage: runicos/base\npipeline:\n"
        "  dice: {capability: RAND, outputs: [{type: i32, dimensions: [1]}]}\n"
        "  serial: {out: serial, inputs: [dice]}\n"
    )
    assert runec("build", folder, "-o", folder / "dice.rune").code == 0
    return folder / "dice.rune"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "ttyACM0"
    with plugged_port.plugged(plugged_port.Paper(paper.Device(counting())), path):
        yield path


@contextmanager
def started(*words: str | Path, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "runec", "monitor", *map(str, words)]
    with subprocess.Popen(command, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def test_results_come_as_lines_and_the_rest_goes_to_stderr(
    runec: Callable[..., Any], port: Path
) -> None:
    done = runec("monitor", "--port", port, "--every", "0", "--count", "2")
    assert done.code == 0, done.stderr
    assert [json.loads(line)["2"][0]["elements"] for line in done.stdout.splitlines()] == [[1], [2]]
    assert "paper, firmware 0.1.0, wasm3+tflm" in done.stderr


def test_programs_get_one_event_a_line(runec: Callable[..., Any], port: Path) -> None:
    done = runec(
        *("monitor", "--port", f"{port}@9600", "--every", "0", "--count", "2", "--format", "json")
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events] == ["connected", "result", "result"]
    assert events[0]["board"] == "paper"
    assert events[2]["outputs"]["2"][0]["elements"] == [2]
    assert done.stderr == ""


def failing(*failed: int) -> Callable[[], Generator[tuple[object, ...], bytes, bytes]]:
    """Runs that count; those of the numbers given end in a trap."""
    number = 0

    def run() -> Generator[tuple[object, ...], bytes, bytes]:
        nonlocal number
        number += 1
        if number in failed:
            yield "error", 301, "mod360", ""
        return b'{"2":[]}\n'

    return run


@pytest.mark.parametrize(("failed", "code"), [((), 0), ((1,), 3), ((2,), 3), ((1, 2), 3)])
def test_a_counted_run_that_fails_shows_in_the_exit_code(
    runec: Callable[..., Any], tmp_path: Path, failed: tuple[int, ...], code: int
) -> None:
    with plugged_port.plugged(plugged_port.Paper(paper.Device(failing(*failed))), tmp_path / "p"):
        words = ("monitor", "--port", tmp_path / "p", "--every", "0", "--count", "2")
        done = runec(*words)
    assert done.code == code
    assert done.stderr.count("error[R0907]") == len(failed)
    assert len(re.findall(r"^\d\d:\d\d:\d\d\.\d{3} run failed$", done.stderr, re.MULTILINE)) == len(
        failed
    )
    assert done.stdout == '{"2":[]}\n' * (2 - len(failed))


def test_programs_get_times_and_the_names_of_outputs(
    runec: Callable[..., Any], dice_rune: Path, tmp_path: Path
) -> None:
    digest = read_rune(dice_rune.read_bytes(), source="dice").digest
    before = datetime.now(UTC)
    with plugged_port.plugged(
        plugged_port.Paper(paper.Device(counting(), digest=digest or b"")), tmp_path / "p"
    ):
        words = ("--port", tmp_path / "p", "--every", "0", "--count", "2", "--format", "json")
        done = runec("monitor", dice_rune, *words)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event.get("names") for event in events] == [None, {"2": "serial"}, {"2": "serial"}]
    times = [datetime.fromisoformat(event["time"]) for event in events]
    assert times == sorted(times)
    assert before - timedelta(seconds=1) < times[0] <= times[-1] <= datetime.now(UTC)


def test_people_get_times_and_names_in_a_terminal(dice_rune: Path, tmp_path: Path) -> None:
    digest = read_rune(dice_rune.read_bytes(), source="dice").digest
    master, slave = pty.openpty()
    words = (dice_rune, "--port", tmp_path / "p", "--every", "0", "--count", "1")
    with (
        plugged_port.plugged(
            plugged_port.Paper(paper.Device(counting(), digest=digest or b"")), tmp_path / "p"
        ),
        started(*words, stdout=slave, stderr=subprocess.PIPE) as process,
    ):
        assert process.wait(LIMIT_S) == 0
        seen = os.read(master, 4096).decode()
        os.close(slave)
    os.close(master)
    assert re.match(r'\d\d:\d\d:\d\d\.\d{3} 2=serial \{"2":\[', seen)


def test_another_board_than_the_one_named_is_told(
    runec: Callable[..., Any], port: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--port", port, "--every", "0", "--count", "1")
    done = runec("monitor", "-b", "esp32c3", *words)
    assert done.code == 0, done.stderr
    assert "warning[R1112]: this is the board paper, not esp32c3" in done.stderr
    assert "--board paper" in done.stderr
    assert '"elements":[1]' in done.stdout, "what it says is shown all the same"
    told = runec("monitor", "-b", "esp32c3", *words, "--format", "json")
    assert json.loads(told.stderr)["code"] == "R1112"
    paper = msgspec.structs.replace(load_board("esp32c3"), id="paper")
    monkeypatch.setattr(monitor, "load_board", lambda _: paper)
    assert "R1112" not in runec("monitor", "-b", "paper", *words).stderr
    assert "R1112" not in runec("monitor", *words).stderr


def test_an_emulator_that_cannot_carry_the_link_is_refused_before_a_firmware_is_built(
    runec: Callable[..., Any], noop_rune: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "deaf.toml").write_text(
        'inherits = "esp32"\nid = "deaf"\nname = "d"\nverified = []\n'
        '[emulator.overrides.hal]\nlink = "uart"\n'
    )
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path))
    for words in (("monitor", noop_rune), ("run", noop_rune)):
        done = runec(*words, "--on", "emulator:deaf")
        assert done.code == 1
        assert "error[R0931]: the emulator labwired (esp32) has no UART" in done.stderr
        assert 'link = "rtt"' in done.stderr
    assert not (tmp_path / "cache" / "firmware").exists()


def test_ctrl_c_ends_it_cleanly(port: Path) -> None:
    with started(
        *("--port", port, "--every", "0.05"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b'"elements":[1]' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, words
        assert words.splitlines()[-1] == b"stopped"


def test_numbers_are_drawn_in_the_terminal(port: Path) -> None:
    master, slave = pty.openpty()
    seen = b""
    environment = {**os.environ, "TERM": "xterm"}
    with started(
        *("--port", port, "--every", "0.02", "--plot", "--count", "20"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
    ) as process:
        os.close(slave)
        limit_s = time.monotonic() + LIMIT_S
        while time.monotonic() < limit_s and select.select([master], [], [], LIMIT_S)[0]:
            try:
                seen += os.read(master, 4096)
            except OSError:
                break  # the other end is closed
        assert process.wait(LIMIT_S) == 0
    os.close(master)
    last = re.findall(r"2 +([▁▂▃▄▅▆▇█]+) +(\d+)", seen.decode())[-1]
    assert {"▁", "█"} <= set(last[0])
    assert last[1] == "20"
    assert seen.decode().count("\x1b[?25h") == seen.decode().count("\x1b[?25l") > 0


@pytest.mark.parametrize("more", [["--format", "json"], []])
def test_no_terminal_no_drawing(runec: Callable[..., Any], port: Path, more: list[str]) -> None:
    done = runec("monitor", "--port", port, "--plot", *more)
    assert done.code == 2
    assert "--plot" in done.stderr


def test_the_only_board_is_found_by_its_usb_id_and_two_are_listed(
    runec: Callable[..., Any], port: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    monkeypatch.setattr(list_ports, "comports", lambda: found)

    def plug(device: str, vendor: int, product: int) -> None:
        found.append(SimpleNamespace(device=device, vid=vendor, pid=product, description="n/a"))

    none = runec("monitor")
    assert none.code == 4
    assert "error[R0942]" in none.stderr
    plug(str(port), 0x0483, 0x374B)
    one = runec("monitor", "--every", "0", "--count", "1")
    assert one.code == 0, one.stderr
    assert f"found {port} (0483:374b)" in one.stderr
    plug("/dev/ttyUSB9", 0x10C4, 0xEA60)
    two = runec("monitor")
    assert two.code == 2
    assert "error[R0943]" in two.stderr
    assert "/dev/ttyUSB9" in two.stderr
    assert runec("monitor", "-b", "nucleo_f401re", "--count", "1").code == 0


def test_one_usb_id_of_boards_that_differ_in_speed_is_not_guessed(
    runec: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = load_board("nucleo_f401re"), load_board("esp32c3")
    assert slow.hal.baud != fast.hal.baud
    same = msgspec.structs.replace(fast, usb_ids=slow.usb_ids)
    item = SimpleNamespace(device="/dev/ttyX", vid=0x0483, pid=0x374B, description="n/a")
    monkeypatch.setattr(list_ports, "comports", lambda: [item])
    monkeypatch.setattr(monitor, "load_boards", lambda: [slow, same])
    done = runec("monitor")
    assert done.code == 2
    assert "nucleo_f401re or esp32c3" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--on", "host"],
        ["--on", "emulator:netduinoplus2"],
        ["--on", "serial:/dev/a", "--port", "/dev/b"],
        ["--on", "serial:/dev/a", "--board", "esp32c3"],
        ["--on", "serial:/dev/a", "--listen", "--count", "1"],
    ],
)
def test_what_does_not_go_together_is_a_mistake_of_usage(
    runec: Callable[..., Any], words: list[str]
) -> None:
    done = runec("monitor", *words)
    assert (done.code, done.stdout) == (2, "")


def test_an_upload_goes_on_as_a_monitor(
    runec: Callable[..., Any],
    port: Path,
    dice_rune: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest = read_rune(dice_rune.read_bytes(), source="dice").digest
    with plugged_port.plugged(
        plugged_port.Paper(paper.Device(counting(), digest=digest or b"")), port.parent / "b"
    ):
        monkeypatch.setattr(flash, "flash", lambda *_, port, **__: Flashed(port, "esptool", "uart"))

        def once(rune: Rune, *, every_s: float) -> Watched:
            return Watched(rune, every_s=every_s, count=1)

        monkeypatch.setattr(flash, "Watched", once)
        done = runec("flash", dice_rune, "-b", "esp32c3", "-p", port.parent / "b", "--monitor")
    assert done.code == 0, done.stderr
    assert '"elements":[1]' in done.stdout
    assert f"dice is on esp32c3 ({port.parent / 'b'})" in done.stderr


def test_after_an_upload_it_is_said_where_the_rune_runs(
    runec: Callable[..., Any], noop_rune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)

    def done(*_: object, port: str | None, framework: str, **__: object) -> Flashed:
        return Flashed(port, "tool", "rtt" if framework == "bare" and rtt else "uart")

    rtt = False
    monkeypatch.setattr(flash, "flash", done)
    at_port = runec("flash", noop_rune, "-b", "esp32c3", "-p", "/dev/ttyUSB0")
    assert f"runec run {noop_rune} --on serial:/dev/ttyUSB0@921600" in at_port.stderr
    assert f"runec monitor {noop_rune} --port /dev/ttyUSB0@921600" in at_port.stderr
    probe = runec("flash", noop_rune, "-b", "nucleo_f401re")
    assert probe.code == 0
    assert "the link is 115200 baud on USART2" in probe.stderr
    arduino = runec("flash", noop_rune, "-b", "nucleo_f401re", "--framework", "arduino")
    assert "the link is 115200 baud on the core's Serial" in arduino.stderr
    rtt = True
    in_ram = runec("flash", noop_rune, "-b", "nucleo_f401re", "--link", "rtt")
    assert "rtt server" in in_ram.stderr


def test_what_is_said_to_run_next_can_be_pasted_into_a_shell(
    runec: Callable[..., Any], noop_rune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    monkeypatch.setattr(flash, "flash", lambda *_, port, **__: Flashed(port, "tool", "uart"))
    rune = noop_rune.with_name("my rune's.rune")
    rune.write_bytes(noop_rune.read_bytes())
    said = runec("flash", rune, "-b", "esp32c3", "-p", "/dev/serial/by id").stderr.splitlines()
    run, watch = (
        shlex.split(line.partition(": ")[2].removesuffix(", with its inputs"))
        for line in said
        if line.startswith(("run: ", "monitor: "))
    )
    assert run[2:] == [str(rune), "--on", "serial:/dev/serial/by id@921600"]
    assert watch[2:] == [str(rune), "--port", "/dev/serial/by id@921600"]


def test_a_link_in_ram_is_not_watched_at_a_serial_port(
    runec: Callable[..., Any], noop_rune: Path
) -> None:
    words = ("flash", noop_rune, "-b", "nucleo_f401re", "--link", "rtt", "--monitor")
    for more in ((), ("--port", "/dev/ttyACM0")):
        done = runec(*words, *more)
        assert done.code == 2
        assert "--port socket://" in done.stderr


def test_a_board_that_wants_the_vendors_build_says_so_after_the_other(
    runec: Callable[..., Any], noop_rune: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flash, "flash", lambda *_, port, **__: Flashed(port, "tool", "uart"))
    said = "note: a real esp32 needs the vendor's build, --framework arduino"
    words = ("flash", noop_rune, "-b", "esp32", "-p", "/dev/ttyUSB0")
    bare = runec(*words).stderr
    assert bare.index("noop is on esp32 (/dev/ttyUSB0)") < bare.index(said)
    assert f"runec monitor {noop_rune} --port /dev/ttyUSB0@115200" in bare
    assert said not in runec(*words, "--framework", "arduino").stderr
    assert "vendor's build" not in runec("flash", noop_rune, "-b", "esp32c3", "-p", "/dev/p").stderr


SENSED = """
version: 1
image: runicos/base
pipeline:
  motion: {capability: ACCEL, outputs: [{type: F32, dimensions: [4, 3]}], args: {n: 4, hz: 200}}
  serial: {out: SERIAL, inputs: [motion]}
"""
BOARD_WITH_SENSOR = """
inherits = "nrf52840_dk"
id = "node"
name = "Node"
verified = []

[[sensors]]
name = "adxl345"
measures = "acceleration"
bus = "I2C"
"""


@pytest.mark.emulated
def test_an_emulated_board_feels_the_recording_at_each_run_as_with_run(
    runec: Callable[..., Any], here: Path
) -> None:
    (here / "Runefile.yml").write_text(SENSED)
    (here / "node.toml").write_text(BOARD_WITH_SENSOR)
    (here / "r.csv").write_text("9.80665,0,0\n0,9.80665,0\n0,0,9.80665\n-9.80665,0,0\n")
    words = (".", "--accel", "r.csv", "--on", "emulator:./node.toml", "--input", "sensor")
    done = runec("monitor", *words, "--every", "0", "--count", "2")
    assert done.code == 0, done.stderr
    ran = runec("run", *words, "-r", "2")
    assert done.stdout == ran.stdout
    first, second = map(json.loads, done.stdout.splitlines())
    assert first == second
    ((tensor,),) = first.values()
    unit = 9.80665
    expected = [unit, 0, 0, 0, unit, 0, 0, 0, unit, -unit, 0, 0]
    assert tensor["elements"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.emulated
def test_an_emulated_board_is_watched(
    runec: Callable[..., Any], noop_rune: Path, here: Path
) -> None:
    done = runec(
        *("monitor", noop_rune, "--raw", here / "noop/input.bin", "--on", "emulator:netduinoplus2"),
        *("--every", "0", "--count", "3"),
    )
    assert done.code == 0, done.stderr
    assert done.stdout.count("[0,1,2,3]") == 3
