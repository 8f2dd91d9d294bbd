"""The project for a vendor's platform; what needs PlatformIO's registry is done by stand-ins."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runec.boards import Board, load_board, load_boards
from runec.codegen import compile_pipeline
from runec.container import Rune, read_rune, write_rune, writer
from runec.data import data_dir
from runec.devices.emulator import provider
from runec.devices.session import Session
from runec.devices.transport import StreamTransport
from runec.diagnostics import MachineError, UsageError
from runec.firmware import (
    Project,
    build,
    build_project,
    create_project,
    load_project,
    platform_to_fetch,
)
from runec.firmware.pio import pio_environment, pio_program
from runec.frontend import analyse
from runec.models import measure_arena
from runec.tools import Finished
from runec.vm import Feed, Inputs, run_rune_bytes

MakeRune = Callable[[str], Rune]
HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
STAND_IN = HERE / "arduino_stand_in"
AVR_CORE = Path("/usr/share/arduino/hardware/arduino/avr")
BOARDS = [board for board in load_boards() if board.vendor and "builds" in board.verified]
# What the three cores define that third-party sources look at, and the oldest standards of them.
CORE_DEFINES = {
    "espressif32": ("ESP32", "ESP_PLATFORM", "ARDUINO_ARCH_ESP32"),
    "ststm32": ("STM32F4xx", "STM32F401xE", "ARDUINO_ARCH_STM32"),
    "nordicnrf52": ("NRF52840_XXAA", "ARDUINO_ARCH_NRF5"),
}
STANDARDS = {".c": "-std=gnu99", ".cc": "-std=gnu++11"}
# One board for each compiler.
FAMILIES = sorted({board.toolchain.prefix: board.id for board in BOARDS}.values())


@pytest.fixture
def make(example_rune: MakeRune, tmp_path: Path) -> Callable[[str, str], Project]:
    def create(example: str, board: str) -> Project:
        folder = tmp_path / "a project"
        return create_project(example_rune(example), load_board(board), folder, framework="arduino")

    return create


def settings(project: Project) -> dict[str, Any]:
    """Return the environment of a project as PlatformIO reads it."""
    command = [str(pio_program()), "project", "config", "--json-output"]
    command += ["--project-dir", str(project.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name: dict(options) for name, options in json.loads(done.stdout)}["env:firmware"]


@pytest.mark.parametrize("board_id", [board.id for board in BOARDS])
def test_platformio_reads_the_settings(make: Callable[[str, str], Project], board_id: str) -> None:
    project = make("noop", board_id)
    vendor = load_board(board_id).vendor
    assert vendor is not None
    found = settings(project)
    assert found["platform"] == vendor.platform
    assert found["board"] == vendor.board
    assert found["framework"] == ["arduino"]
    assert found["upload_protocol"] == vendor.upload_protocol
    assert "-ffp-contract=off" in found["build_flags"]
    for flag in found["build_flags"]:
        if flag.startswith("-I"):
            assert (project.directory / flag[2:]).is_dir()


def test_only_platform_and_compiler_come_from_elsewhere(
    make: Callable[[str, str], Project],
) -> None:
    project = make("sine", "esp32c3")
    folder = project.directory
    assert not (folder / "platform").exists()
    assert {path.name for path in (folder / "lib").iterdir()} == {
        *("runevm", "hal", "wasm3", "engine_wasm3", "tflm", "model_tflm")
    }
    for path in (folder / "lib").glob("*/library.json"):
        about = json.loads(path.read_text())
        for name in about["build"]["srcFilter"]:
            assert (path.parent / name.removeprefix("+<").removesuffix(">")).is_file()
        assert not [flag for flag in about["build"]["flags"] if "/" in flag]
    assert load_project(folder) == project


def test_the_hal_uses_no_more_than_the_core_api(make: Callable[[str, str], Project]) -> None:
    lib = make("noop", "esp32c3").directory / "lib"
    command = ["avr-g++", "-mmcu=atmega2560", "-DF_CPU=16000000L", "-DARDUINO=10819"]
    command += ["-DARDUINO_AVR_MEGA2560", "-DARDUINO_ARCH_AVR", "-std=gnu++11", "-fsyntax-only"]
    command += [f"-I{AVR_CORE / folder}" for folder in ("cores/arduino", "variants/mega")]
    command += ["-DHAL_BAUD=115200", "-DHAL_STACK_BYTES=4096", f"-I{lib / 'runevm/include'}"]
    command += ["-Os", "-Wall", "-Wextra", "-Werror", str(lib / "hal" / "hal.cpp")]
    subprocess.run(command, check=True)


def cross_compile(project: Project, board: Board, folder: Path) -> int:
    """Compile `lib/` and `src/` but the HAL as PlatformIO would; return how many files."""
    assert board.vendor is not None
    count = 0
    common = [flag for flag in settings(project)["build_flags"] if flag != "-ffast-math"]
    names = ("ARDUINO=10812", "PLATFORMIO=60116", *CORE_DEFINES[board.vendor.platform])
    common += [f"-D{name}" for name in names]
    # For the one header of the ESP32's core that the engine includes.
    common += ["-I", str(STAND_IN / "esp32")]
    for library in sorted((project.directory / "lib").glob("*/library.json")):
        about = json.loads(library.read_text())["build"]
        for name in about["srcFilter"]:
            source = library.parent / name.removeprefix("+<").removesuffix(">")
            if source.name != "hal.cpp":
                compile_one(project, board, source, [*common, *about["flags"]], folder)
                count += 1
    for source in sorted((project.directory / "src").iterdir()):
        if source.suffix != ".h":
            compile_one(project, board, source, common, folder)
            count += 1
    return count


def compile_one(
    project: Project, board: Board, source: Path, flags: list[str], folder: Path
) -> None:
    is_cpp = source.suffix == ".cc"
    compiler = board.toolchain.prefix + ("g++" if is_cpp else "gcc")
    command = [compiler, *board.toolchain.flags, "-O0", *flags]
    if is_cpp:
        command += ["-fno-exceptions", "-fno-rtti", *cxx_headers(board)]
    if source.suffix in STANDARDS:
        command.append(STANDARDS[source.suffix])
    target = folder / f"{source.name}.o"
    subprocess.run([*command, "-c", source, "-o", target], check=True, cwd=project.directory)


def cxx_headers(board: Board) -> list[str]:
    other = board.toolchain.cxx_headers_from
    if not other:
        return []
    done = subprocess.run(
        [other, "-E", "-x", "c++", "-v", "/dev/null"], capture_output=True, text=True, check=True
    )
    folders = re.findall(r"^ (\S*/c\+\+/\S*)$", done.stderr, flags=re.MULTILINE)
    return [part for folder in folders for part in ("-isystem", folder)]


@pytest.mark.emulated
@pytest.mark.parametrize("board_id", FAMILIES)
def test_the_libraries_compile_for_every_family(
    make: Callable[[str, str], Project], board_id: str, tmp_path: Path
) -> None:
    board = load_board(board_id)
    assert cross_compile(make("sine", board_id), board, tmp_path) > 40


def install_stand_in(folder: Path, board: Board) -> dict[str, str]:
    """Install the stand-in as the board's platform; return PlatformIO's environment."""
    assert board.vendor is not None
    shutil.copytree(STAND_IN / "core", folder / "core")
    platform = folder / "platforms" / board.vendor.platform
    shutil.copytree(STAND_IN / "platform", platform)
    about = platform / "platform.json"
    about.write_text(about.read_text().replace("PLATFORM", board.vendor.platform))
    manifest = {
        "name": "This computer",
        "vendor": "somebody",
        "url": "https://example.org",
        "frameworks": ["arduino"],
        "build": {"mcu": "host", "f_cpu": "1000000000L"},
        "upload": {"maximum_size": 1 << 24, "maximum_ram_size": 1 << 24},
    }
    (platform / "boards").mkdir()
    (platform / "boards" / f"{board.vendor.board}.json").write_text(json.dumps(manifest))
    return {**pio_environment(), "PLATFORMIO_PLATFORMS_DIR": str(folder / "platforms")}


@pytest.mark.emulated
@pytest.mark.parametrize("example", ["noop", "sine"])
def test_platformio_builds_what_answers_as_the_host_does(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    example: str,
) -> None:
    board = load_board("esp32c3")
    environment = install_stand_in(tmp_path, board)
    monkeypatch.setattr(build, "project_environment", lambda _project: environment)
    # Pointers of this computer are twice as long as a board's.
    monkeypatch.setattr(writer, "measure_arena", lambda data: 4 * measure_arena(data))
    pipeline = analyse(EXAMPLES / example / "Runefile.yml").pipeline
    rune = read_rune(write_rune(pipeline, compile_pipeline(pipeline)))
    project = create_project(rune, board, tmp_path / "a project", framework="arduino")
    config = project.directory / "src" / "firmware_config.h"
    larger = re.sub(
        r"(FIRMWARE_POOL_BYTES) (\d+)u",
        lambda found: f"{found[1]} {4 * int(found[2])}u",
        config.read_text(),
    )
    config.write_text(larger)
    settings_file = project.directory / "platformio.ini"
    flags = "build_flags =\n    -DRUNEVM_TFLM_SLOT_BYTES=512u\n"
    settings_file.write_text(settings_file.read_text().replace("build_flags =\n", flags))
    log: list[str] = []
    with pytest.raises(ValueError, match="32-bit"):
        # It is no firmware: only its size cannot be told.
        build_project(project, log=log.append)
    program = project.directory / ".pio" / "build" / "firmware" / "firmware.elf"
    inputs = Inputs(raw=(EXAMPLES / example / "input.bin",))
    provide = provider(rune.require_graph(), Feed(inputs))
    with closing(StreamTransport([program], name="the stand-in")) as transport:
        session = Session(transport, name="the stand-in")
        hello = session.greet(booting=True, timeout_s=10)
        assert (hello.status, hello.board) == (0, board.id)
        result = session.run(provide, timeout_s=10)
    with closing(run_rune_bytes(rune, inputs)) as expected:
        assert result == next(expected)


def test_a_pin_is_an_output_before_it_is_driven(tmp_path: Path) -> None:
    (tmp_path / "main.cpp").write_text(
        """#include <stdlib.h>
        extern "C" {
        #include "firmware.h"
        }
        #include "runevm_hal.h"
        void runec_firmware_start(runec_stack) {
            runevm_hal_pin_configure(5, 1);
            runevm_hal_pin_write(5, 0);
            exit(0);
        }
        void runec_firmware_serve() {}
        """
    )
    templates = data_dir("firmware_templates")
    folders = [
        templates / "hal" / "common",
        templates / "runevm" / "include",
        STAND_IN / "core",
    ]
    sources = [templates / "hal" / "arduino" / "hal.cpp", STAND_IN / "core" / "core.cpp"]
    command = ["g++", "-DHAL_BAUD=9600", "-DHAL_STACK_BYTES=4096", "-o", "program", "main.cpp"]
    command += [*map(str, sources), *(f"-I{folder}" for folder in folders)]
    subprocess.run(command, check=True, cwd=tmp_path)
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True)
    assert done.stderr == "pin 5 1\npin 5 0\n"


def test_a_registry_that_does_not_answer_is_told(
    make: Callable[[str, str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make("noop", "esp32c3")
    # What PlatformIO 6.1 prints without a network.
    said = "Platform Manager: Installing espressif32\nHTTPClientError: \n"
    monkeypatch.setattr(build, "run_tool", lambda *_, **__: Finished(1, "", said))
    with pytest.raises(MachineError) as caught:
        build_project(project)
    assert caught.value.code == "R0823"
    assert "pio pkg install -g -p espressif32" in (caught.value.hint or "")


def test_a_platform_that_is_not_there_has_to_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = load_board("esp32c3")
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    assert platform_to_fetch(board, "arduino") == "espressif32"
    assert platform_to_fetch(board, "bare") is None
    (tmp_path / "platforms" / "espressif32").mkdir(parents=True)
    assert platform_to_fetch(board, "arduino") is None
    monkeypatch.delenv("PLATFORMIO_CORE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert platform_to_fetch(board, "arduino") == "espressif32"
    (tmp_path / ".platformio" / "platforms" / "espressif32").mkdir(parents=True)
    assert platform_to_fetch(board, "arduino") is None


def test_a_framework_that_is_none_is_guessed(example_rune: MakeRune, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        create_project(
            example_rune("noop"), load_board("esp32c3"), tmp_path / "p", framework="ardunio"
        )
    assert (caught.value.code, caught.value.hint) == ("R0803", "did you mean 'arduino'?")
