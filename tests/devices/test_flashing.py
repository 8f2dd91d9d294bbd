"""Uploads: stand-ins for the upload tools check what they get; real firmware boots from it."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import struct
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runec.boards import LinkKind, load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import Target, flash, flashing, plan_flash, run
from runec.devices.emulator import Device
from runec.devices.errors import LockedChipError
from runec.devices.frames import Frame, FrameReader
from runec.devices.labwired import SimulatorTransport
from runec.devices.messages import parse_hello
from runec.devices.transport import StreamTransport, Transport
from runec.diagnostics import MachineError, UsageError
from runec.firmware import DeviceRune, build, held_firmware, upload_way
from runec.frontend import analyse
from runec.tools import Finished, find_tool, run_tool
from runec.vm import InputReader, Inputs
from tests.devices.esp_images import AT, FACTORY, esp_flash

NOOP = Path(__file__).resolve().parents[2] / "examples" / "noop"
INPUTS = Inputs(raw=(NOOP / "input.bin",))
PT_LOAD = 1

# Files are named by arguments, in braces in OpenOCD's commands, or in J-Link's script.
STAND_IN = """\
#!{python}
import json, re, shlex, sys
from pathlib import Path
given = [*sys.argv[1:]]
if "read_flash" in given:
    print("Chip is ESP32-C3 (QFN32) (revision v0.4)")
    Path(given[-1]).write_bytes(Path({flash!r}).read_bytes())
    sys.exit()
named = [*given, *re.findall(r"[{{]([^{{}}]+)[}}]", " ".join(given))]
if "-CommandFile" in given:
    named += shlex.split(Path(given[-1]).read_text())
files = {{each: Path(each).read_bytes().hex() for each in named if Path(each).is_file()}}
Path({told!r}).write_text(json.dumps({{"arguments": given, "files": files}}))
"""


@pytest.fixture(scope="module")
def noop() -> Rune:
    pipeline = analyse(NOOP / "Runefile.yml").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


@pytest.fixture
def port() -> Iterator[str]:
    """A serial port that is there."""
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


@dataclass(frozen=True)
class Told:
    """What a stand-in was given; files as their bytes."""

    arguments: list[str]
    files: dict[str, bytes]


@pytest.fixture
def stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Callable[[], Told]]:
    """Put a stand-in for an upload tool into PATH; gives what reads what it was given."""

    def make(name: str) -> Callable[[], Told]:
        told = tmp_path / "told.json"
        program = tmp_path / "bin" / name
        program.parent.mkdir()
        flash = tmp_path / "flash.bin"
        flash.write_bytes(esp_flash(FACTORY))
        program.write_text(STAND_IN.format(python=sys.executable, told=str(told), flash=str(flash)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

        def read() -> Told:
            found = json.loads(told.read_text())
            files = {name: bytes.fromhex(text) for name, text in found["files"].items()}
            return Told(found["arguments"], files)

        return read

    return make


def loaded(elf: bytes, origin: int, size: int) -> bytes:
    """The bytes that an ELF puts into a region of flash, by its program headers alone."""
    assert elf[:6] == b"\x7fELF\x01\x01"
    table, step, count = struct.unpack_from("<I10xHH", elf, 28)
    image = bytearray()
    for number in range(count):
        kind, at, _, address, length = struct.unpack_from("<5I", elf, table + number * step)
        if kind == PT_LOAD and length and origin <= address < origin + size:
            start = address - origin
            image.extend(bytes(max(start + length - len(image), 0)))
            image[start : start + length] = elf[at : at + length]
    return bytes(image)


def test_esptool_gets_both_images_whole_at_their_offsets_and_the_port(
    noop: Rune, port: str, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    board = load_board("esp32c3")
    told = stand_in("esptool")
    steps: list[str] = []

    def progress(what: str) -> Any:
        steps.append(what)
        return contextlib.nullcontext()

    done = flash(noop, board, port=port, progress=progress)
    assert (done.port, done.tool) == (port, "esptool")
    assert steps == [
        "reading esp32c3",
        "building the firmware for esp32c3",
        "uploading with esptool",
    ]
    given = told()
    *front, first, image, second, constants = given.arguments
    assert front == ["--chip", "esp32c3", "--port", port, "write_flash"]
    assert (int(first, 0), int(second, 0)) == (0, 0x200000)
    memory = board.memory
    assert memory.constants is not None
    with held_firmware(DeviceRune.of(noop), board) as built:
        elf = built.elf.read_bytes()
    whole = loaded(elf, memory.code.origin, memory.code.size_bytes)
    # The boot ROM takes what begins with this twice; see the board's file.
    assert whole[:8] == struct.pack("<2I", 0xAEDB041D, 0xAEDB041D)
    assert given.files[image] == whole
    rest = loaded(elf, memory.constants.origin, memory.constants.size_bytes)
    assert given.files[constants] == rest
    assert len(rest) > 10_000


def test_a_debug_probe_gets_the_program_and_needs_no_port(
    noop: Rune, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    board = load_board("netduinoplus2")
    told = stand_in("pyocd")
    assert flash(noop, board, protocol="pyocd").port is None
    given = told()
    front = ["flash", "--no-wait", "--target", "stm32f405rgtx", "-O", "auto_unlock=false"]
    assert given.arguments[:6] == front
    ((_, content),) = given.files.items()
    with held_firmware(DeviceRune.of(noop), board) as built:
        assert content == built.elf.read_bytes()


def objcopied(elf: Path, tmp_path: Path) -> bytes:
    """The same by the binary utilities: all sections that are loaded, in one piece."""
    made = tmp_path / "objcopied.bin"
    run_tool(["arm-none-eabi-objcopy", "-O", "binary", elf, made])
    return made.read_bytes()


@pytest.mark.parametrize("board_id", ["nucleo_f401re", "nrf52_dk"])
def test_openocd_gets_the_program_and_where_it_stands(
    noop: Rune, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]], board_id: str
) -> None:
    board = load_board(board_id)
    told = stand_in("openocd")
    assert flash(noop, board, port=None).port is None
    given = told()
    ((path, content),) = given.files.items()
    assert given.arguments[-2:] == ["-c", f"program {{{path}}} verify reset exit"]
    uploaded = tmp_path / "uploaded.elf"
    uploaded.write_bytes(content)
    memory = board.memory
    # `program` writes what the headers load; the vectors are first, and the rune is in it.
    whole = loaded(content, memory.code.origin, memory.code.size_bytes)
    stack, entry = struct.unpack_from("<2I", whole)
    assert memory.ram.origin < stack <= memory.ram.origin + memory.ram.size_bytes
    assert entry == struct.unpack_from("<I", content, 24)[0]
    assert noop.data in whole
    assert whole == objcopied(uploaded, tmp_path)
    with held_firmware(DeviceRune.of(noop), board) as built:
        assert whole == built.image.read_bytes()


def test_jlink_gets_the_whole_image_and_its_address(
    noop: Rune, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    board = load_board("nrf52840_dk")
    told = stand_in("JLinkExe")
    assert flash(noop, board, protocol="jlink").port is None
    given = told()
    assert given.arguments[:2] == ["-device", "nRF52840_xxAA"]
    script = next(text for name, text in given.files.items() if name == given.arguments[-1])
    halt, line, *_ = script.decode().splitlines()
    assert halt == "h"
    load, path, address = shlex.split(line)
    assert (load, int(address, 0)) == ("loadbin", board.memory.code.origin)
    with held_firmware(DeviceRune.of(noop), board) as built:
        elf = built.elf.read_bytes()
        assert given.files[path] == objcopied(built.elf, tmp_path)
    assert given.files[path] == loaded(elf, board.memory.code.origin, 1 << 20)


def esp_app(image: bytes) -> tuple[int, dict[int, bytes]]:
    """The entry of an application image and its segments by their address, but for the filling."""
    magic, count, _, _, entry = struct.unpack_from("<4BI", image)
    assert magic == 0xE9
    at, segments = 24, {}
    for _ in range(count):
        address, length = struct.unpack_from("<2I", image, at)
        if address:
            segments[address] = image[at + 8 : at + 8 + length]
        at += 8 + length
    return entry, segments


def uploaded_app(
    noop: Rune, port: str, told: Callable[[], Told], link: LinkKind
) -> tuple[int, dict[int, bytes]]:
    """What esptool was given for an esp32: entry and segments, checked against the program."""
    board = load_board("esp32").with_link(link)
    done = flash(noop, board, port=port)
    assert (done.port, done.link) == (port, link)
    given = told()
    *front, offset, image = given.arguments
    assert front == ["--chip", "esp32", "--port", port, "write_flash"]
    assert int(offset, 0) == 0x10000
    entry, segments = esp_app(given.files[image])
    memory = board.memory
    with held_firmware(DeviceRune.of(noop), board) as built:
        elf = built.elf.read_bytes()
    assert entry == struct.unpack_from("<I", elf, 24)[0]
    assert memory.constants is not None
    assert set(segments) == {memory.code.origin, memory.constants.origin}
    for region in (memory.code, memory.constants):
        expected = loaded(elf, region.origin, region.size_bytes)
        # Words: what is behind the last byte is nobody's.
        assert segments[region.origin] == expected + bytes(-len(expected) % 4)
        assert len(expected) > 10_000
    return entry, segments


def test_esptool_gets_an_application_whose_segments_are_the_programs(
    noop: Rune, port: str, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    told = stand_in("esptool")
    _, segments = uploaded_app(noop, port, told, load_board("esp32").hal.link)
    assert noop.data in segments[0x3F40_0020]


def boot(transport: Transport, rune: Rune) -> list[bytes]:
    with Device(
        transport, rune, name="image", booting=True, start_s=60, timeout_s=60, log=None
    ) as device:
        return list(device.run_bytes(InputReader(INPUTS), repeats=2))


def on_host(rune: Rune) -> list[bytes]:
    return [f"{line}\n".encode() for line in run(rune, INPUTS, Target("host"), repeats=2)]


@pytest.mark.emulated
def test_the_image_that_dfu_util_gets_boots(
    noop: Rune, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    told = stand_in("dfu-util")
    flash(noop, load_board("netduinoplus2"))
    given = told()
    *front, path = given.arguments
    assert front == ["-d", "0483:df11", "-a", "0", "-s", "0x08000000:leave", "-D"]
    image = tmp_path / "uploaded.bin"
    image.write_bytes(given.files[path])
    program = find_tool("qemu-system-arm", hint="apt-get install qemu-system-arm")
    machine = ["-M", "netduinoplus2", "-icount", "shift=0", "-nographic", "-monitor", "none"]
    # A raw image, no ELF: the machine loads it where its flash is and starts at its vectors.
    # The console is USART2, the second one of the machine's ports.
    console = ["-serial", "null", "-serial", "stdio"]
    command: list[str | Path] = [program, *machine, *console, "-kernel", image]
    assert boot(StreamTransport(command, name="qemu"), noop) == on_host(noop)


RISC_V, ARM, XTENSA = 243, 40, 94


def elf_around(*parts: tuple[int, bytes], entry: int, machine: int = RISC_V) -> bytes:
    """An ELF that holds raw images at their addresses, and nothing else."""
    at = 52 + 32 * len(parts)
    sizes = (52, 32, len(parts), 0, 0, 0)
    head = struct.pack("<16s2H5I6H", b"\x7fELF\1\1\1", 2, machine, 1, entry, 52, 0, 0, *sizes)
    table = b""
    for address, content in parts:
        size = len(content)
        table += struct.pack("<8I", PT_LOAD, at, address, address, size, size, 7, 4)
        at += size
    return head + table + b"".join(content for _, content in parts)


@pytest.mark.emulated
def test_the_images_that_esptool_gets_boot(
    noop: Rune, port: str, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    told = stand_in("esptool")
    board = load_board("esp32c3")
    flash(noop, board, port=port)
    given = told()
    image, constants = (given.files[given.arguments[index]] for index in (-3, -1))
    memory = board.memory
    assert memory.constants is not None
    # labwired takes ELFs alone; the chip's ROM starts after the two words of the header.
    elf = tmp_path / "uploaded.elf"
    start = memory.code.origin + 8
    parts = ((memory.code.origin, image), (memory.constants.origin, constants))
    elf.write_bytes(elf_around(*parts, entry=start))
    assert boot(SimulatorTransport(elf, "esp32c3"), noop) == on_host(noop)


@pytest.mark.emulated
def test_the_program_that_openocd_gets_boots_from_its_vectors(
    noop: Rune, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    board = load_board("nucleo_f401re").emulated()
    told = stand_in("openocd")
    flash(noop, board)
    ((_, content),) = told().files.items()
    code = board.memory.code
    whole = loaded(content, code.origin, code.size_bytes)
    # Nothing of the program but what is in flash afterwards.
    elf = tmp_path / "uploaded.elf"
    (entry,) = struct.unpack_from("<I", whole, 4)
    elf.write_bytes(elf_around((code.origin, whole), entry=entry, machine=ARM))
    assert boot(SimulatorTransport(elf, "stm32f401"), noop) == on_host(noop)


def refilled(elf: bytes, entry: int, parts: dict[int, bytes]) -> bytes:
    """A program with nothing left of it but symbols and headers, its contents from raw images."""
    made = bytearray(elf)
    struct.pack_into("<I", made, 24, entry)
    table, step, count = struct.unpack_from("<I10xHH", elf, 28)
    for number in range(count):
        kind, at, _, address, length = struct.unpack_from("<5I", elf, table + number * step)
        if kind == PT_LOAD and length:
            origin = max(start for start in parts if start <= address)
            part = parts[origin][address - origin :][:length]
            made[at : at + length] = bytes(length)
            made[at : at + len(part)] = part
    return bytes(made)


@pytest.mark.emulated
def test_the_application_that_esptool_gets_boots_and_says_on_the_uart_what_it_carries(
    noop: Rune, port: str, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    entry, segments = uploaded_app(noop, port, stand_in("esptool"), "uart")
    elf = tmp_path / "uploaded.elf"
    elf.write_bytes(elf_around(*segments.items(), entry=entry, machine=XTENSA))
    said = b""
    with contextlib.closing(SimulatorTransport(elf, "esp32")) as transport:
        # Nobody can answer: the emulated UART receives nothing.
        while said.count(b"\0") < 2:
            assert transport.time_ms() < 60_000
            said += transport.receive(transport.time_ms() + 1000, time.monotonic() + 60)
    _, frame = FrameReader().feed(said)
    assert isinstance(frame, Frame)
    hello = parse_hello(frame.body)
    assert (hello.board, hello.digest, hello.status) == ("esp32", noop.digest, 0)


@pytest.mark.emulated
def test_the_application_with_its_link_in_ram_runs_as_on_the_host(
    noop: Rune, port: str, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    entry, segments = uploaded_app(noop, port, stand_in("esptool"), "rtt")
    board = load_board("esp32")
    with held_firmware(DeviceRune.of(noop), board.with_link("rtt")) as built:
        program = built.elf.read_bytes()
    elf = tmp_path / "uploaded.elf"
    elf.write_bytes(refilled(program, entry, segments))
    transport = SimulatorTransport(elf, "esp32", rtt_in=board.memory.ram)
    assert boot(transport, noop) == on_host(noop)


def test_a_port_that_is_named_where_a_probe_writes_is_not_written_over(
    noop: Rune, port: str, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    told = stand_in("openocd")
    assert flash(noop, load_board("nucleo_f401re"), port=port).port is None
    assert not any(port in word for word in told().arguments)


@pytest.mark.parametrize(
    ("board_id", "protocol"),
    [("esp32c3", None), ("esp32", None), ("nrf52_dk", None), ("nrf52_dk", "jlink")],
)
def test_a_plan_names_what_the_upload_tool_is_started_with(
    noop: Rune,
    port: str,
    stand_in: Callable[[str], Callable[[], Told]],
    board_id: str,
    protocol: str | None,
) -> None:
    board = load_board(board_id)
    way = upload_way(board, protocol)
    assert way is not None
    told = stand_in(way.command[0])
    plan = plan_flash(noop, board, port=port, protocol=protocol)
    assert plan.missing == ()
    # The command that is shown does what is shown.
    done = run_tool(plan.command)
    assert done.returncode == 0, done.stdout + done.stderr
    given = told()
    assert plan.tool is not None
    # What is shown works anywhere; the builder works in the project.
    folder = plan.command[plan.command.index("--project-dir") + 1]
    words, lines = (
        [each.replace(f"{folder}/", "") for each in shown]
        for shown in (plan.tool.words, plan.tool.script)
    )
    assert words == [way.command[0], *given.arguments]
    script = given.files.get(given.arguments[-1], b"") if plan.tool.script else b""
    assert script.decode().splitlines() == lines
    assert plan.port == (port if way.needs_port else None)


@pytest.mark.parametrize("at", ["building", "uploading"])
def test_a_vendors_platform_that_cannot_be_fetched_is_told_as_such(
    noop: Rune, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    words = Finished(1, "HTTPClientError: \n", "")
    if at == "building":
        monkeypatch.setattr(build, "run_tool", lambda *_, **__: words)
    else:
        monkeypatch.setattr(flashing, "build_project", lambda *_, **__: None)
        monkeypatch.setattr(flashing, "run_tool", lambda *_, **__: words)
    with pytest.raises(MachineError) as caught:
        flash(noop, load_board("nucleo_f401re"), framework="arduino")
    assert caught.value.code == "R0823"
    assert "pio pkg install -g -p ststm32" in str(caught.value.hint)


def test_a_link_in_ram_is_on_serial_with_the_vendors_core(
    noop: Rune, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flashing, "build_project", lambda *_, **__: None)
    monkeypatch.setattr(flashing, "run_tool", lambda *_, **__: Finished(0, "", ""))
    board = load_board("nucleo_f401re").with_link("rtt")
    assert flash(noop, board, framework="arduino").link == "uart"


def test_a_tool_that_is_not_there_names_what_installs_it(
    noop: Rune, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = {"openocd": "sudo apt-get install openocd", "pyocd": "pip install pyocd"}
    for protocol, command in expected.items():
        with pytest.raises(MachineError) as caught:
            flash(noop, load_board("nucleo_f401re"), protocol=protocol)
        assert (caught.value.code, caught.value.hint) == ("R1004", command)
    with pytest.raises(MachineError) as esp:
        flash(noop, load_board("esp32c3"), port=port)
    assert esp.value.hint == "pip install 'esptool>=5'"


def test_an_unknown_protocol_is_told_before_anything_is_built(noop: Rune) -> None:
    with pytest.raises(UsageError) as caught:
        flash(noop, load_board("esp32c3"), protocol="esptol")
    assert (caught.value.code, caught.value.hint) == ("R0805", 'did you mean "esptool"?')


# An OpenOCD whose chip is locked until it was erased, or for ever.
LOCKED = """\
#!{python}
import json, sys
from pathlib import Path
calls = Path({calls!r})
done = json.loads(calls.read_text()) if calls.exists() else []
calls.write_text(json.dumps([*done, sys.argv[1:]]))
if "nrf52_recover" in sys.argv:
    sys.exit()
if {for_ever} or not any("nrf52_recover" in each for each in done):
    print("nRF52 device has AP lock engaged (see UICR APPROTECT register).", file=sys.stderr)
    print("** OpenOCD init failed **", file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put an OpenOCD with a locked chip into PATH; gives the file with the words of its calls."""

    def make(*, for_ever: bool = False) -> Path:
        calls, program = tmp_path / "calls.json", tmp_path / "bin" / "openocd"
        program.parent.mkdir()
        program.write_text(
            LOCKED.format(python=sys.executable, calls=str(calls), for_ever=for_ever)
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        return calls

    return make


def test_a_locked_chip_is_not_erased_unasked(noop: Rune, locked: Callable[..., Path]) -> None:
    calls = locked()
    with pytest.raises(LockedChipError) as caught:
        flash(noop, load_board("nrf52_dk"))
    assert caught.value.can_unlock
    ((*_, program),) = json.loads(calls.read_text())
    assert program.startswith("program ")


def test_a_chip_that_is_unlocked_is_erased_once_then_written(
    noop: Rune, locked: Callable[..., Path]
) -> None:
    calls = locked()
    steps: list[str] = []
    said: list[str] = []

    def progress(what: str) -> Any:
        steps.append(what)
        return contextlib.nullcontext()

    flash(noop, load_board("nrf52_dk"), unlock=True, progress=progress, say=said.append)
    assert steps[-3:] == [
        "uploading with openocd",
        "erasing and unlocking nrf52_dk",
        "uploading with openocd",
    ]
    first, erases, last = json.loads(calls.read_text())
    assert first == last
    assert erases[:6] == first[:6]
    assert "nrf52_recover" in erases
    assert [line.partition(" to ")[0] for line in said] == [
        "nrf52_dk: overwrites flash from 0x00000000"
    ]


def test_a_chip_that_stays_locked_is_told_after_one_attempt(
    noop: Rune, locked: Callable[..., Path]
) -> None:
    calls = locked(for_ever=True)
    with pytest.raises(LockedChipError):
        flash(noop, load_board("nrf52840_dk"), unlock=True)
    assert len(json.loads(calls.read_text())) == 3


def test_what_is_overwritten_is_told_before_it_is(
    noop: Rune, port: str, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    stand_in("esptool")
    said: list[str] = []
    flash(noop, load_board("esp32"), port=port, say=said.append)
    (line,) = said
    assert line.startswith("esp32 (ESP32-C3 (QFN32), revision 0.4): overwrites the application")
    assert line.endswith("factory at 0x10000; loader and partition table stay")


def test_a_board_with_another_table_is_not_written(
    noop: Rune, port: str, tmp_path: Path, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    stand_in("esptool")
    (tmp_path / "flash.bin").write_bytes(esp_flash(AT))
    with pytest.raises(MachineError) as caught:
        flash(noop, load_board("esp32"), port=port)
    assert caught.value.code == "R0832"
    assert not (tmp_path / "told.json").exists()


@pytest.mark.skipif(shutil.which("esptool") is not None, reason="esptool 5 is installed here")
def test_esptool_may_have_its_older_name(
    noop: Rune, port: str, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    told = stand_in("esptool.py")
    board = load_board("esp32c3")
    plan = plan_flash(noop, board, port=port)
    assert plan.missing == ()
    assert plan.tool is not None
    assert plan.tool.words[0] == "esptool.py"
    assert flash(noop, board, port=port).port == port
    assert "write_flash" in told().arguments


def test_dfu_util_that_lost_a_program_that_had_started_has_written_it(
    noop: Rune, monkeypatch: pytest.MonkeyPatch, stand_in: Callable[[str], Callable[[], Told]]
) -> None:
    stand_in("dfu-util")
    monkeypatch.setattr(flashing, "build_project", lambda *_, **__: None)
    said = Finished(
        1,
        "Download done.\nFile downloaded successfully\n",
        "dfu-util: Error during download get_status\n",
    )
    monkeypatch.setattr(flashing, "run_tool", lambda *_, **__: said)
    assert flash(noop, load_board("netduinoplus2")).tool == "dfu-util"
    lost = Finished(1, "Download\t[===   ]  15%\n", said.stderr)
    monkeypatch.setattr(flashing, "run_tool", lambda *_, **__: lost)
    with pytest.raises(MachineError) as caught:
        flash(noop, load_board("netduinoplus2"))
    assert caught.value.code == "R0920"
