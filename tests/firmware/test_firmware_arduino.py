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

import msgspec
import pytest

from runec.boards import Board, load_board, load_boards
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.data import data_dir
from runec.devices.emulator import provider
from runec.devices.session import Session
from runec.devices.transport import StreamTransport
from runec.diagnostics import MachineError, RunecError, UsageError
from runec.firmware import (
    BudgetError,
    DeviceRune,
    Project,
    build,
    build_project,
    create_project,
    load_project,
    platform_to_fetch,
)
from runec.firmware.budget import ram_bounds
from runec.firmware.elf import ElfSection, ElfSizes
from runec.firmware.pio import pio_environment, pio_program
from runec.frontend import analyse
from runec.tools import Finished
from runec.vm import InputReader, Inputs, run_rune_bytes

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
# What the builders of the vendors' platforms compile for the chip with.
_M4F = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16")
MACHINES = {
    "ststm32": (*_M4F, "-mfloat-abi=hard"),
    "nordicnrf52": (*_M4F, "-mfloat-abi=softfp"),
}
# One board for each compiler and ABI.
FAMILIES = sorted(
    {
        (board.toolchain.prefix, board.vendor.platform): board.id
        for board in BOARDS
        if board.vendor
    }.values()
)


@pytest.fixture
def make(example_rune: MakeRune, tmp_path: Path) -> Callable[[str, str], Project]:
    def create(example: str, board: str) -> Project:
        folder = tmp_path / "a project"
        return create_project(
            DeviceRune.of(example_rune(example)), load_board(board), folder, framework="arduino"
        )

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
    assert found["platform"] == f"{vendor.platform}@{vendor.version}"
    assert found["board"] == vendor.board
    assert found["framework"] == ["arduino"]
    assert found["upload_protocol"] == vendor.upload_protocol
    assert "-ffp-contract=off" in found["build_flags"]
    for flag in found["build_flags"]:
        if flag.startswith("-I"):
            assert (project.directory / flag[2:]).is_dir()


@pytest.mark.parametrize("board_id", [board.id for board in BOARDS])
def test_the_vendor_chooses_the_machine_and_its_fpu(
    make: Callable[[str, str], Project], board_id: str
) -> None:
    project = make("sine", board_id)
    found = settings(project)
    flags = [*found["build_flags"], *found["build_src_flags"]]
    for path in (project.directory / "lib").glob("*/library.json"):
        flags += json.loads(path.read_text())["build"]["flags"]
    words = [word for flag in flags for word in flag.split()]
    assert [word for word in words if word.startswith("-m")] == []
    assert {word for word in words if "fast-math" in word or "fp-contract" in word} == {
        "-ffp-contract=off"
    }
    assert found["build_unflags"] == ["-ffast-math"]


def test_only_platform_and_compiler_come_from_elsewhere(
    make: Callable[[str, str], Project],
) -> None:
    project = make("sine", "esp32c3")
    folder = project.directory
    assert not (folder / "platform").exists()
    assert {path.name for path in (folder / "lib").iterdir()} == {
        *("runevm", "hal", "wasm3", "engine_wasm3", "tflm"),
        *("model_tflm", "model_tflm_2", "model_tflm_3"),  # each with flags of its own
    }
    for path in (folder / "lib").glob("*/library.json"):
        about = json.loads(path.read_text())
        for name in about["build"]["srcFilter"]:
            assert (path.parent / name.removeprefix("+<").removesuffix(">")).is_file()
        for flag in about["build"]["flags"]:
            option, _, headers = flag.partition(" ")
            assert option in ("-iquote", "-isystem") or "/" not in flag
            assert not headers or (folder / headers).is_dir()
    assert load_project(folder) == project


def test_the_hal_uses_no_more_than_the_core_api(make: Callable[[str, str], Project]) -> None:
    lib = make("noop", "esp32c3").directory / "lib"
    command = ["avr-g++", "-mmcu=atmega2560", "-DF_CPU=16000000L", "-DARDUINO=10819"]
    command += ["-DARDUINO_AVR_MEGA2560", "-DARDUINO_ARCH_AVR", "-std=gnu++11", "-fsyntax-only"]
    command += [f"-I{AVR_CORE / folder}" for folder in ("cores/arduino", "variants/mega")]
    command += ["-DHAL_BAUD=115200", "-DHAL_STACK_BYTES=4096", "-DHAL_CORE_STACK_BYTES=2048"]
    command += [f"-I{lib / 'runevm/include'}"]
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
                flags = [word for flag in about["flags"] for word in flag.split()]
                compile_one(project, board, source, [*common, *flags], folder)
                count += 1
    own = [word for flag in settings(project)["build_src_flags"] for word in flag.split()]
    for source in sorted((project.directory / "src").iterdir()):
        if source.suffix != ".h":
            compile_one(project, board, source, [*common, *own], folder)
            count += 1
    return count


def compile_one(
    project: Project, board: Board, source: Path, flags: list[str], folder: Path
) -> None:
    is_cpp = source.suffix == ".cc"
    compiler = board.toolchain.prefix + ("g++" if is_cpp else "gcc")
    assert board.vendor is not None
    machine = MACHINES.get(board.vendor.platform, board.toolchain.flags)
    command = [compiler, *machine, "-O0", *flags]
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


# What Arduino cores, newlib and start-up files define as well, most of them in plain objects.
TAKEN = {
    *("_ZdlPv", "_ZdlPvj", "_ZdaPv", "_ZdaPvj", "_Znwj", "_Znaj"),
    *("__cxa_pure_virtual", "__cxa_deleted_virtual", "__cxa_guard_acquire", "__cxa_atexit"),
    *("_sbrk", "_exit", "_kill", "_getpid", "_write", "_read", "_close", "_fstat", "_isatty"),
    *("abort", "exit", "malloc", "free", "calloc", "realloc", "printf", "puts", "memcpy", "memset"),
    *("__assert_func", "__errno", "main", "init", "yield", "millis", "micros", "delay"),
    *("Reset_Handler", "HardFault_Handler", "SysTick_Handler", "Default_Handler"),
}


@pytest.mark.emulated
def test_nothing_is_defined_that_a_core_defines_but_weakly(
    make: Callable[[str, str], Project], tmp_path: Path
) -> None:
    board = load_board("nucleo_f401re")
    objects = tmp_path / "objects"
    objects.mkdir()
    cross_compile(make("sine", board.id), board, objects)
    # hal.cpp is compiled with the core alone; it defines the functions of runevm_hal.h.
    listed = subprocess.run(
        ["arm-none-eabi-nm", "-g", "--defined-only", *map(str, objects.glob("*.o"))],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    defined = {
        words[2]: words[1] for line in listed.splitlines() if len(words := line.split()) == 3
    }
    assert {"runec_firmware_start", "expf", "_ZdlPv"} <= defined.keys()
    assert {name for name in TAKEN & defined.keys() if defined[name] not in "WV"} == set()


def install_stand_in(folder: Path, board: Board) -> dict[str, str]:
    """Install the stand-in as the board's platform; return PlatformIO's environment."""
    assert board.vendor is not None
    shutil.copytree(STAND_IN / "core", folder / "core")
    platform = folder / "platforms" / board.vendor.platform
    shutil.copytree(STAND_IN / "platform", platform)
    about = platform / "platform.json"
    text = about.read_text().replace("PLATFORM", board.vendor.platform)
    about.write_text(text.replace("1.0.0", board.vendor.version or "1.0.0"))
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
    pipeline = analyse(EXAMPLES / example / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    project = create_project(
        DeviceRune.of(rune), board, tmp_path / "a project", framework="arduino"
    )
    # Pointers of the host are twice as long as a board's.
    config = project.directory / "src" / "firmware_config.h"
    larger = re.sub(
        r"(FIRMWARE_(?:POOL|ARENA)_BYTES) (\d+)u",
        lambda found: f"{found[1]} {4 * int(found[2])}u",
        config.read_text(),
    )
    config.write_text(larger)
    log: list[str] = []
    with pytest.raises(ValueError, match="32-bit"):
        # Only its size cannot be read: it is not a firmware.
        build_project(project, log=log.append)
    program = project.directory / ".pio" / "build" / "firmware" / "firmware.elf"
    inputs = Inputs(raw=(EXAMPLES / example / "input.bin",))
    provide = provider(rune.require_graph(), InputReader(inputs))
    with closing(StreamTransport([program], name="the stand-in")) as transport:
        session = Session(transport, name="the stand-in")
        hello = session.greet(booting=True, timeout_s=10)
        assert (hello.status, hello.board) == (0, board.id)
        result = session.run(provide, timeout_s=10)
    with closing(run_rune_bytes(rune, inputs)) as expected:
        assert result == next(expected)


@pytest.mark.parametrize(
    ("macro", "is_measured"),
    [("ARDUINO_ARCH_STM32", True), ("ARDUINO_ARCH_NRF5", True), ("ARDUINO_ARCH_AVR", False)],
)
def test_the_stack_is_measured_where_the_core_leaves_it_alone(
    tmp_path: Path, macro: str, is_measured: bool
) -> None:
    (tmp_path / "main.cpp").write_text(
        """#include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        extern "C" {
        #include "firmware.h"
        }
        static runec_stack stack;
        static __attribute__((noinline)) void take(size_t bytes) {
            volatile char *room = (volatile char *)__builtin_alloca(bytes);
            for (size_t i = 0; i < bytes; i++) room[i] = 1;
        }
        void runec_firmware_start(runec_stack given) { stack = given; }
        void runec_firmware_serve() {
            if (stack.used_bytes == nullptr) { puts("unknown"); exit(0); }
            take(3000);
            const unsigned before = stack.used_bytes(nullptr);
            take(20000);
            printf("%u %u\\n", before, (unsigned)stack.used_bytes(nullptr));
            exit(0);
        }
        """
    )
    run_on_the_stand_in(tmp_path, "-DHAL_STACK_BYTES=65536", f"-D{macro}", "-O1")
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True)
    if not is_measured:
        assert done.stdout == "unknown\n"
        return
    before, after = map(int, done.stdout.split())
    assert 3000 < before < 5000
    assert 20_000 < after < 22_000


def test_a_task_of_freertos_reports_its_own_high_water_mark(tmp_path: Path) -> None:
    (tmp_path / "Arduino.h").write_text(
        f"""#include "{STAND_IN / "core" / "Arduino.h"}"
        typedef uint8_t StackType_t;
        #define CONFIG_FREERTOS_UNICORE 1
        void disableCore0WDT();
        static inline unsigned uxTaskGetStackHighWaterMark(void *task) {{ return task ? 0 : 1500; }}
        """
    )
    (tmp_path / "main.cpp").write_text(
        """#include <stdio.h>
        #include <stdlib.h>
        extern "C" {
        #include "firmware.h"
        }
        #include "runevm_hal.h"
        static bool is_watched = true;
        void disableCore0WDT() { is_watched = false; }
        static runec_stack stack;
        void runec_firmware_start(runec_stack given) { stack = given; runevm_hal_init(); }
        void runec_firmware_serve() {
            if (!is_watched) printf("%u", (unsigned)stack.used_bytes(nullptr));
            exit(0);
        }
        """
    )
    run_on_the_stand_in(tmp_path, "-DHAL_STACK_BYTES=8192", "-DARDUINO_ARCH_ESP32")
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 8192 + 2048 - 1500


def test_a_port_that_takes_nothing_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "main.cpp").write_text(
        """#include <Arduino.h>
        #include "runevm_hal.h"
        extern "C" {
        #include "firmware.h"
        }
        SerialPort Serial;
        static unsigned long now;
        unsigned long millis() { return now += 10; }
        unsigned long micros() { return now * 1000; }
        void SerialPort::begin(unsigned long) {}
        int SerialPort::read() { return -1; }
        size_t SerialPort::write(const uint8_t *, size_t) { return 0; }
        void yield() {}
        void pinMode(uint32_t, uint32_t) {}
        void digitalWrite(uint32_t, uint32_t) {}
        void runec_firmware_start(runec_stack) {}
        void runec_firmware_serve() {}
        int main() {
            const uint8_t bytes[4] = {0};
            runevm_hal_write(bytes, sizeof bytes);
            return now > 1000;
        }
        """
    )
    run_on_the_stand_in(tmp_path, "-DHAL_STACK_BYTES=8192", core=False)
    subprocess.run([tmp_path / "program"], check=True, timeout=20)


def run_on_the_stand_in(folder: Path, *flags: str, core: bool = True) -> None:
    """Compile `main.cpp` of a folder and the HAL to `program`, with the host's compiler."""
    templates = data_dir("firmware_templates")
    hal = templates / "hal"
    include = (folder, hal / "common", templates / "runevm" / "include", STAND_IN / "core")
    sources = [hal / "arduino" / "hal.cpp", *([STAND_IN / "core" / "core.cpp"] if core else [])]
    command = ["g++", "-DHAL_BAUD=9600", "-DHAL_CORE_STACK_BYTES=2048", *flags]
    command += ["-o", "program", "main.cpp", *map(str, sources), *(f"-I{each}" for each in include)]
    subprocess.run(command, check=True, cwd=folder)


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
    command = ["g++", "-DHAL_BAUD=9600", "-DHAL_STACK_BYTES=4096", "-DHAL_CORE_STACK_BYTES=2048"]
    command += ["-o", "program", "main.cpp"]
    command += [*map(str, sources), *(f"-I{folder}" for folder in folders)]
    subprocess.run(command, check=True, cwd=tmp_path)
    done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True)
    assert done.stderr == "pin 5 1\npin 5 0\n"


def failing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    said = "\n".join(("Compiling .pio/build/firmware/lib1/runevm/src/error.c.o", *lines))
    monkeypatch.setattr(build, "run_tool", lambda *_, **__: Finished(1, "", said))


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (
            "ld: region `dram0_0_seg' overflowed by 1234 bytes",
            "R0811",
            "needs 1234 bytes more RAM than the 124580 of ESP32-DevKitC with its Arduino core",
        ),
        (
            "ld: region `drom0_0_seg' overflowed by 1234 bytes",
            "R0812",
            "needs 1234 bytes more flash than the 1310720 of ESP32-DevKitC with its Arduino core",
        ),
        (
            "Error: The program size (92 bytes) is greater than maximum allowed (12 bytes)",
            "R0812",
            "needs 80 bytes more flash than the 1310720",
        ),
        (
            "ld: region `iram0_0_seg' overflowed by 96 bytes",
            "R0824",
            "needs 96 bytes more than the region iram0_0_seg",
        ),
    ],
)
def test_a_vendors_region_that_overflows_is_named(
    make: Callable[[str, str], Project],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    code: str,
    told: str,
) -> None:
    failing(monkeypatch, line, "collect2: error: ld returned 1 exit status")
    with pytest.raises(RunecError) as caught:
        build_project(make("sine", "esp32"))
    assert caught.value.code == code
    assert told in caught.value.message
    assert caught.value.notes[-1] == line
    assert re.search(r"\besp32\b(?!c)", caught.value.hint or "") is None


def test_a_symbol_that_is_defined_twice_is_shown(
    make: Callable[[str, str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = "new.cpp:(.text._ZdlPv+0x0): multiple definition of `operator delete(void*)'"
    failing(monkeypatch, twice, "collect2: error: ld returned 1 exit status", "*** [x] Error 1")
    with pytest.raises(MachineError) as caught:
        build_project(make("sine", "nucleo_f401re"))
    assert (caught.value.code, caught.value.notes) == ("R0821", (twice,))


def test_a_header_of_the_vendors_is_not_looked_for_in_debian(
    make: Callable[[str, str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = "hal.cpp:5:10: fatal error: Arduino.h: No such file or directory"
    failing(monkeypatch, missing)
    with pytest.raises(MachineError) as caught:
        build_project(make("noop", "esp32c3"))
    assert (caught.value.code, caught.value.notes) == ("R0821", (missing,))


def with_core_memory(board_id: str, **sizes: int) -> Board:
    """Return a board whose linker script leaves so many bytes of `ram` or `flash`."""
    board = load_board(board_id)
    assert board.vendor is not None
    memory = board.with_vendor().memory
    regions = {
        name: msgspec.structs.replace(memory.ram if name == "ram" else memory.code, size_bytes=size)
        for name, size in sizes.items()
    }
    given = msgspec.structs.replace(board.vendor.memory, **regions)
    vendor = msgspec.structs.replace(board.vendor, memory=given)
    return msgspec.structs.replace(board, vendor=vendor)


@pytest.mark.parametrize(
    ("sizes", "code"), [({"ram": 30_000}, "R0811"), ({"flash": 200_000}, "R0812")]
)
def test_what_a_core_leaves_is_the_budget(
    example_rune: MakeRune, tmp_path: Path, sizes: dict[str, int], code: str
) -> None:
    board = with_core_memory("esp32", **sizes)
    folder = tmp_path / "a project"
    with pytest.raises(BudgetError) as caught:
        create_project(DeviceRune.of(example_rune("sine")), board, folder, framework="arduino")
    assert caught.value.code == code
    assert "ESP32-DevKitC with its Arduino core" in caught.value.message
    assert any("the Arduino core and the rest" in note for note in caught.value.notes)
    assert "esp32c3" in (caught.value.hint or "")
    assert "mps2_an386" not in (caught.value.hint or "")  # it has no Arduino core
    assert not folder.exists()
    create_project(
        DeviceRune.of(example_rune("sine")), board, folder
    )  # bare metal has the whole chip


def test_the_stack_of_an_esp32_is_not_static_ram(example_rune: MakeRune, tmp_path: Path) -> None:
    rune = example_rune("microspeech")
    project = create_project(
        DeviceRune.of(rune), load_board("esp32"), tmp_path / "p", framework="arduino"
    )
    bounds = ram_bounds(project.plan, project.board)
    assert project.plan.stack_bytes == 65_536
    assert bounds.least < 124_580
    of_stm32 = load_board("nucleo_f401re").with_vendor()
    stack = ram_bounds(project.plan, of_stm32).least - bounds.least
    assert stack > 65_536 - 16_384  # less what core and ESP-IDF take of the ESP32's


def test_a_stack_for_which_no_room_is_left_is_refused_after_the_build(
    make: Callable[[str, str], Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make("noop", "nucleo_f401re")
    stack = project.plan.stack_bytes + 2048

    def link(static_bytes: int) -> None:
        monkeypatch.setattr(build, "run_tool", lambda *_, **__: Finished(0, "", ""))
        sizes = ElfSizes({".bss": ElfSection(0, static_bytes)}, {})
        monkeypatch.setattr(build, "read_elf", lambda *_: sizes)
        monkeypatch.setattr(build, "read_file", lambda *_: b"")

    room = project.board.memory.ram.size_bytes
    link(room - stack)
    assert build_project(project).ram_bytes == room
    link(room - stack + 8)
    with pytest.raises(BudgetError) as caught:
        build_project(project)
    assert "needs 8 bytes more RAM than the 98304" in caught.value.message


def test_pinned_versions_and_what_the_manifest_lacks_are_in_the_settings(
    make: Callable[[str, str], Project],
) -> None:
    found = settings(make("noop", "nrf52840_dk"))
    assert found["platform"] == "nordicnrf52@10.11.0"
    assert found["board_build.arduino.ldscript"] == "nrf52840_xxaa.ld"
    assert {"-UNRF52", "-DNRF52840_XXAA", "-D__STACK_SIZE=18432"} <= {*found["build_flags"]}
    assert not [flag for flag in found["build_flags"] if "RUNEC_" in flag or "TF_LITE" in flag]


@pytest.mark.parametrize(
    ("core", "kept"),
    [
        ("ARDUINO_ARCH_ESP32", "RTC_NOINIT_ATTR"),
        ("ARDUINO_ARCH_STM32", '__attribute__((section(".noinit")))'),
        ("ARDUINO_ARCH_NRF5", ""),
    ],
)
def test_a_restart_keeps_what_says_that_a_rune_was_being_loaded(
    make: Callable[[str, str], Project], core: str, kept: str
) -> None:
    config = make("noop", "esp32").directory / "src" / "firmware_config.h"
    command = ["gcc", "-E", "-dM", f"-D{core}", "-I", str(STAND_IN / "esp32"), str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"#define FIRMWARE_KEPT {kept}".rstrip() in map(str.rstrip, done.stdout.splitlines())


def test_pins_of_an_nrf52_are_numbered_as_on_the_chip(tmp_path: Path) -> None:
    board = load_board("nrf52840_dk")
    vendor = board.vendor
    assert vendor is not None
    assert (vendor.pins, vendor.variant, vendor.serial_pins) == ("number", "Generic", (8, 6))
    text = (
        "version: 1\nimage: runicos/base\npipeline:\n"
        "  a: {capability: RAW, outputs: [{type: u8, dimensions: [1]}]}\n"
        "  led: {out: PIN, inputs: [a], args: {pin: P1.03}}\n"
    )
    (tmp_path / "Runefile.yml").write_text(text)
    pipeline = analyse(tmp_path / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    project = create_project(DeviceRune.of(rune), board, tmp_path / "p", framework="arduino")
    config = (project.directory / "src" / "firmware_config.h").read_text()
    assert ", 35u, false" in config


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
    assert "pio pkg install -g -p espressif32@6.13.0" in (caught.value.hint or "")


def pretend_platform(folder: Path, version: str) -> None:
    folder.mkdir(parents=True)
    (folder / "platform.json").write_text(json.dumps({"version": version}))


def test_a_platform_that_is_not_there_has_to_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = load_board("esp32c3")
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    assert platform_to_fetch(board, "arduino") == "espressif32@6.13.0"
    assert platform_to_fetch(board, "bare") is None
    platforms = tmp_path / "platforms"
    pretend_platform(platforms / "espressif32", "6.5.0")
    assert platform_to_fetch(board, "arduino") == "espressif32@6.13.0"
    pretend_platform(platforms / "espressif32@6.13.0", "6.13.0")
    assert platform_to_fetch(board, "arduino") is None
    monkeypatch.delenv("PLATFORMIO_CORE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert platform_to_fetch(board, "arduino") == "espressif32@6.13.0"
    pretend_platform(tmp_path / ".platformio" / "platforms" / "espressif32", "6.13.0")
    assert platform_to_fetch(board, "arduino") is None


def test_a_framework_that_is_none_is_guessed(example_rune: MakeRune, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        create_project(
            DeviceRune.of(example_rune("noop")),
            load_board("esp32c3"),
            tmp_path / "p",
            framework="ardunio",
        )
    assert (caught.value.code, caught.value.hint) == ("R0803", 'did you mean "arduino"?')
