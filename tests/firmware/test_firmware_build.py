from __future__ import annotations

import hashlib
import os
import re
import shlex
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from runec.boards import load_board
from runec.container import Rune
from runec.diagnostics import MachineError, UsageError, UserFileError
from runec.firmware import DeviceRune, build, build_project, create_project, upload_command
from runec.firmware.elf import read_elf
from runec.firmware.pio import pio_environment
from runec.tools import Finished

MakeRune = Callable[[str], Rune]


@pytest.fixture
def failing_build(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let PlatformIO fail with a given output."""

    def install(output: str) -> None:
        def run_tool(_command: Sequence[str | Path], *, environment: Mapping[str, str]) -> Finished:
            assert environment["PLATFORMIO_SETTING_ENABLE_TELEMETRY"] == "no"
            return Finished(1, "", output)

        monkeypatch.setattr(build, "run_tool", run_tool)

    return install


def test_a_third_board_builds_with_no_network_and_a_second_time_nothing_is_made(
    example_rune: MakeRune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = tmp_path / "boards"
    boards.mkdir()
    (boards / "third.toml").write_text(
        'inherits = "netduinoplus2"\nid = "third"\nname = "A third board"\nverified = []\n'
        "[memory]\nram = { size_bytes = 65_536 }\n"
    )
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(boards))
    # Where nothing listens: a builder that wants the network would fail.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    rune = example_rune("noop")
    folder = tmp_path / "a folder with spaces"

    first = build_project(create_project(DeviceRune.of(rune), load_board("third"), folder))
    data = first.elf.read_bytes()
    symbols = read_elf(data, 0x20000000, 65_536).symbols
    listing = subprocess.run(
        ["arm-none-eabi-size", "-A", first.elf], capture_output=True, text=True, check=True
    )
    sizes = {
        words[0]: (int(words[1]), int(words[2]))
        for words in map(str.split, listing.stdout.splitlines())
        if len(words) == 3 and words[1].isdigit()
    }
    ram = sum(size for size, address in sizes.values() if address >= 0x20000000)
    stored = (".start", ".text", ".rodata", ".rune", ".data")
    assert first.ram_bytes == ram
    assert first.flash_bytes == sum(sizes[name][0] for name in stored)
    assert first.image.stat().st_size >= first.flash_bytes - 32
    assert sizes[".stack"][0] == first.stack_bytes
    assert rune.data in first.image.read_bytes()
    assert data.find(rune.data) >= 0
    allocators = {"malloc", "_malloc_r", "calloc", "realloc", "_sbrk", "_Znwj"}
    assert not allocators & set(symbols), "no heap, so nothing may allocate"

    log: list[str] = []
    create_project(DeviceRune.of(rune), load_board("third"), folder)
    second = build_project(folder, log=log.append)
    assert second == first
    assert second.elf.read_bytes() == data
    assert not [line for line in log if line.startswith(("Compiling", "Linking", "Making"))]


def test_a_missing_compiler_is_named_with_its_packages(
    example_rune: MakeRune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("esp32c3"), tmp_path / "p"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError) as caught:
        build_project(project)
    assert caught.value.code == "R0820"
    assert caught.value.exit_code == 4
    assert "riscv64-unknown-elf-gcc" in caught.value.message
    assert "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "said",
    [
        ("ld: region `RAM' overflowed by 1234 bytes", UserFileError, "R0811"),
        ("ld: region `CODE' overflowed by 1234 bytes", UserFileError, "R0812"),
        ("ld: region `CONSTANTS' overflowed by 1234 bytes", UserFileError, "R0812"),
        ("lib/a.cc:1:10: fatal error: cstdint: No such file or directory", MachineError, "R0820"),
        ("lib/a.c:1:10: fatal error: stdint.h: No such file or directory", MachineError, "R0820"),
        ("*** [firmware.elf] Error 1", MachineError, "R0821"),
        ("error writing x.o: No space left on device", MachineError, "R1001"),
        ("Fatal error: can't create .pio/x.o: Permission denied", MachineError, "R1002"),
        ("OSError: [Errno 30] Read-only file system: '.sconsign'", MachineError, "R1002"),
        ("sh: 1: arm-none-eabi-gcc: Permission denied", MachineError, "R0821"),
    ],
)
def test_what_the_builder_says_becomes_an_error_of_ours(
    example_rune: MakeRune,
    tmp_path: Path,
    failing_build: Callable[[str], None],
    said: tuple[str, type[Exception], str],
) -> None:
    line, kind, code = said
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("netduinoplus2"), tmp_path / "p"
    )
    failing_build(f"Compiling x\n{line}\n")
    log: list[str] = []
    with pytest.raises(kind) as caught:
        build_project(project, log=log.append)
    assert getattr(caught.value, "code", "") == code
    assert line in log
    if "1234" in line:
        assert "1234 bytes more" in str(caught.value)


def test_a_failed_build_names_the_trusted_flags_of_the_board_file(
    example_rune: MakeRune, tmp_path: Path, failing_build: Callable[[str], None]
) -> None:
    board = load_board("netduinoplus2")
    flags = ("-mthumb", "-wrapper", "false")
    tools = msgspec.structs.replace(board.toolchain, flags=flags)
    board = msgspec.structs.replace(board, toolchain=tools)
    project = create_project(DeviceRune.of(example_rune("noop")), board, tmp_path / "p")
    failing_build("*** [firmware.elf] Error 1\n")
    with pytest.raises(MachineError) as caught:
        build_project(project)
    assert caught.value.notes[-1] == "trusted flags of the board file netduinoplus2: -wrapper false"


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_firmware(
    example_rune: MakeRune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("netduinoplus2"), tmp_path / "p"
    )
    access = os.access

    def refused(path: Path, mode: int) -> bool:
        return path != project.directory and access(path, mode)

    monkeypatch.setattr(os, "access", refused)
    with pytest.raises(MachineError) as caught:
        build_project(project)
    assert caught.value.code == "R1002"
    assert "report" not in str(caught.value.hint)
    monkeypatch.undo()
    built = build_project(project)
    monkeypatch.setattr(os, "access", refused)
    assert build_project(project) == built, "what is built already is only measured"


@pytest.mark.parametrize("where", ["project", "cache"])
def test_a_path_that_scons_would_not_find_is_refused_with_the_reason(
    example_rune: MakeRune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    folder = tmp_path / ("a$b" if where == "project" else "ab")
    project = create_project(DeviceRune.of(example_rune("noop")), load_board("esp32c3"), folder)
    if where == "cache":
        monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "${HOME}"))
    with pytest.raises(MachineError, match=r"reads \$ as the start of a variable") as caught:
        build_project(project)
    assert caught.value.code == "R0821"
    assert not (folder / ".pio").exists()


def test_a_folder_without_a_project_cannot_be_built(tmp_path: Path) -> None:
    with pytest.raises(UserFileError) as caught:
        build_project(tmp_path)
    assert caught.value.code == "R1003"


def test_the_upload_command_is_platformios_and_stands_alone(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("esp32c3"), tmp_path / "p"
    )
    command = upload_command(project, port="/dev/ttyUSB0")
    assert command[0] == "env"
    assert command[-2:] == ["--upload-port", "/dev/ttyUSB0"]
    assert command[command.index("--target") :][:2] == ["--target", "upload"]
    assert any(word.startswith("PLATFORMIO_CORE_DIR=") for word in command)
    assert upload_command(tmp_path / "p", port="/dev/ttyUSB0") == command


def test_an_upload_runs_the_boards_command_with_the_images(
    example_rune: MakeRune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "esptool").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$UPLOADED"\n')
    (tools / "esptool").chmod(0o755)
    monkeypatch.setenv("UPLOADED", str(tmp_path / "uploaded"))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "my }; [exec id] project"  # Tcl, as OpenOCD reads it
    project = create_project(DeviceRune.of(example_rune("noop")), load_board("esp32c3"), folder)
    done = subprocess.run(
        upload_command(project, port="/dev/ttyX"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    words = (tmp_path / "uploaded").read_text().splitlines()
    assert words[:4] == ["--chip", "esp32c3", "--port", "/dev/ttyX"]
    assert words[6] == ".pio/build/firmware/image.bin"
    code, constants = folder / words[6], folder / words[8]
    assert (words[5], words[7]) == ("0x0", "0x200000")
    # The boot ROM starts a chip whose flash begins so.
    assert struct.unpack("<2I", code.read_bytes()[:8]) == (0xAEDB041D, 0xAEDB041D)
    (entry,) = struct.unpack_from("<I", code.with_name("firmware.elf").read_bytes(), 24)
    assert entry == project.board.memory.code.origin + 8
    assert example_rune("noop").data in constants.read_bytes()

    done = subprocess.run(upload_command(project), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "this board needs --upload-port" in done.stdout + done.stderr


def test_an_esp32_gets_an_application_image_that_maps_its_code_and_constants(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("esp32"), tmp_path / "p"
    )
    built = build_project(project)
    image = built.elf.with_name("app.bin").read_bytes()
    magic, count, _mode, _flash, entry = struct.unpack_from("<4BI", image)
    assert magic == 0xE9
    assert entry == struct.unpack_from("<I", built.elf.read_bytes(), 24)[0]
    assert struct.unpack_from("<H", image, 12) == (0,), "the chip's number"
    at, checksum, found = 24, 0xEF, {}
    for _ in range(count):
        address, length = struct.unpack_from("<II", image, at)
        data = image[at + 8 : at + 8 + length]
        for byte in data:
            checksum ^= byte
        if address:
            # The flash cache maps pages of 64 KiB; an application starts at one.
            assert (at + 8) % 65536 == address % 65536
            found[address] = data
        at += 8 + length
    memory = project.board.memory
    assert memory.constants is not None
    code, constants = found.pop(memory.code.origin), found.pop(memory.constants.origin)
    assert found == {}
    assert code.startswith(built.image.read_bytes())
    assert example_rune("noop").data in constants
    end = -(-(at + 1) // 16) * 16
    assert image[end - 1] == checksum
    assert image[end:] == hashlib.sha256(image[:end]).digest()


PROBES = {
    ("nucleo_f401re", None): ("openocd", "target/stm32f4x.cfg", "program {", ".elf} verify reset"),
    ("disco_f407vg", "pyocd"): ("pyocd", "stm32f407vgtx", "firmware.elf"),
    ("nrf52840_dk", "jlink"): ("JLinkExe", "nRF52840_xxAA", "upload.script"),
    ("nrf52_dk", None): ("openocd", "interface/jlink.cfg", "target/nrf52.cfg"),
    ("netduinoplus2", None): ("dfu-util", "0x08000000:leave", "image.bin"),
}


@pytest.mark.parametrize(("board", "protocol"), PROBES)
def test_each_protocol_runs_its_tool_with_what_it_needs(
    example_rune: MakeRune,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    board: str,
    protocol: str | None,
) -> None:
    tool, *words = PROBES[board, protocol]
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / tool).write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$UPLOADED"\n')
    (tools / tool).chmod(0o755)
    monkeypatch.setenv("UPLOADED", str(tmp_path / "uploaded"))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board(board), tmp_path / "my project"
    )
    command = upload_command(project, protocol=protocol)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    given = (tmp_path / "uploaded").read_text()
    for word in words:
        assert word in given
    if protocol == "jlink":
        script = (tmp_path / "my project" / given.splitlines()[-1]).read_text().splitlines()
        load, image, address = shlex.split(script[1])
        assert (script[0], load, address) == ("h", "loadbin", "0x00000000")
        assert script[-1] == "exit"
        assert image.endswith("image.bin")
    # No loose ends: every name in braces was known.
    assert not re.search(r"\{[a-z_]+\}", given)


def test_a_protocol_that_a_board_does_not_have_is_a_mistake_of_usage(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("nrf52840_dk"), tmp_path / "p"
    )
    with pytest.raises(UsageError) as caught:
        upload_command(project, protocol="jlnk")
    assert (caught.value.code, caught.value.hint) == ("R0805", 'did you mean "jlink"?')
    with pytest.raises(UsageError) as caught:
        upload_command(project, protocol="dfu")
    assert caught.value.hint == "use one of openocd, pyocd, jlink"


def test_bytes_that_are_no_program_are_refused() -> None:
    for data in (b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(60)):
        with pytest.raises(ValueError, match="not a 32-bit"):
            read_elf(data, 0, 1)


def test_the_upload_command_can_be_pasted_into_a_shell(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("esp32c3"), tmp_path / "it's mine"
    )
    command = upload_command(project)
    assert shlex.split(shlex.join(command)) == command


def test_a_cache_that_cannot_be_written_is_told_before_the_builder_stumbles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path))
    pio_environment()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(MachineError) as caught:
        pio_environment()
    assert caught.value.code == "R1002"
    assert str(tmp_path) in caught.value.message


def test_a_build_prunes_the_objects_that_scons_keeps(
    example_rune: MakeRune,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failing_build: Callable[[str], None],
) -> None:
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "OBJECTS_BYTES_MAX", 15)
    old, new = (tmp_path / "cache" / "objects" / "AB" / name for name in ("old", "new"))
    old.parent.mkdir(parents=True)
    for path in (old, new):
        path.write_bytes(bytes(10))
    when = old.stat().st_mtime - 100_000
    os.utime(old, (when, when))
    failing_build("no matter")
    project = create_project(
        DeviceRune.of(example_rune("noop")), load_board("netduinoplus2"), tmp_path / "p"
    )
    with pytest.raises(MachineError):
        build_project(project)
    assert (old.exists(), new.exists()) == (False, True)
