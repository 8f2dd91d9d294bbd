"""The flash drivers of `hal/`, on the host, against controllers that keep to their manuals.

`fake_flash.cpp` is such a controller for each family: keys, locks, widths, time, caches, what may
be written where. Simulators know little of that: this is where a wrong order of registers shows.
`test_flash_on_boards.py` has the same drivers compiled for the chips.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import pytest

from runec.data import data_dir
from tests.common import made_once

HERE = Path(__file__).resolve().parent
HAL = data_dir("firmware_templates") / "hal"
INCLUDE = data_dir("firmware_templates") / "hal" / "common"
SANITIZERS = "-fsanitize=address,undefined"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
OK, REFUSED, NOT_ERASED, FAILED, DIFFERS = "0", "-1", "-2", "-3", "-4"
KIB = 1024


@dataclass(frozen=True)
class Family:
    """A controller, its driver's files, and the sectors that the manual lists."""

    fake: str
    drivers: tuple[str, ...]
    start: int
    sectors_kib: tuple[int, ...]
    page_kib: int = 1
    config: str = "0"
    reports: bool = True  # that something is protected
    clock_hz: int = 1000  # what sets how long the driver waits, in polls of the fake

    @property
    def edges(self) -> list[int]:
        return list(accumulate((size * KIB for size in self.sectors_kib), initial=self.start))


F4 = ("stm32f4/flash_controller.c",)
FAMILIES = {
    # RM0090, table 5; RM0368, table 5 has the first eight.
    "stm32f407": Family("F4", F4, 0x0800_0000, (*[16] * 4, 64, *[128] * 7), config="705"),
    "stm32f401": Family("F4", F4, 0x0800_0000, (*[16] * 4, 64, *[128] * 3), config="705"),
    # PM0075, tables 2 and 3.
    "stm32f103c8": Family("F1", ("stm32f1/fpec.c",), 0x0800_0000, (1,) * 64),
    "stm32f103ze": Family("F1", ("stm32f1/fpec.c",), 0x0800_0000, (2,) * 256, page_kib=2),
    "nrf52832": Family("NRF", ("nrf52/nvmc.c",), 0, (4,) * 128, reports=False),
    # Any data sheet of a serial NOR flash: sectors of 4 KiB.
    "esp32": Family(
        "ESP32",
        ("esp/spi_flash.c", "esp32/cache.c"),
        0x3F7E_0000,
        (4,) * 32,
        config="1b16000 80000000 70000020 6c000003 on 67592",
        reports=False,
        clock_hz=800_000,
    ),
    "esp32c3": Family(
        "ESP32C3",
        ("esp/spi_flash.c", "esp32c3/cache.c"),
        0x3C20_0000,
        (4,) * 512,
        config="1b16000 80000000 70000020 6c000003 on 68",
        reports=False,
        clock_hz=800_000,
    ),
}


class Session:
    """A fake controller in a process of its own."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, what: str, *values: int | str) -> str:
        words = [what, *(f"{value:x}" if isinstance(value, int) else value for value in values)]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def dump(self, address: int, length: int) -> bytes:
        return bytes.fromhex(self("dump", address, length))

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


Start = Callable[..., Session]


def compile_objects(family: Family, folder: Path) -> None:
    sources = [HAL / "flash" / "flash.c", HERE / "fake_flash.cpp"]
    sources += [HAL / name for name in family.drivers]
    command = ["g++", "-std=c++17", "-xc++", "-O1", "-g", "-fno-pie", SANITIZERS, *WARNINGS]
    command += [f"-DFAKE_{family.fake}", f"-DHAL_CLOCK_HZ={family.clock_hz}u"]
    command += [f"-DHAL_FLASH_PAGE_BYTES={family.page_kib * KIB}u", f"-I{INCLUDE}"]
    command += ["-DHAL_STORAGE_OFFSET=0xF0000u"]
    command += [f"-I{(HAL / name).parent}" for name in ("stm32/stm32_flash.h", *family.drivers)]
    command += [f"-I{HAL / 'flash'}", f"-I{HAL / 'common'}"]
    command += ["-include", str(HERE / "fake_flash.h"), "-c"]
    subprocess.run([*command, *map(str, sources)], check=True, cwd=folder)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Family], Path]:
    """Compile a family's driver and its fake: the folder of the objects."""

    def compiled(family: Family) -> Path:
        return made_once(
            tmp_path_factory,
            f"flash-{family.fake}-{family.page_kib}",
            lambda folder: compile_objects(family, folder),
        )

    return compiled


@pytest.fixture(scope="module")
def programs(
    objects: Callable[[Family], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Family, int, int], Path]:
    """Link a session: the linker script's places are what it is linked with."""
    made: dict[tuple[Path, int, int, int], Path] = {}
    folder = tmp_path_factory.mktemp("sessions")

    def linked(family: Family, program_bytes: int, code_bytes: int) -> Path:
        parts = objects(family)
        key = (parts, family.start, program_bytes, code_bytes)
        if key not in made:
            made[key] = folder / f"session{len(made)}"
            places = {"flash_start": 0, "flash_end": code_bytes, "program_end": program_bytes}
            command = ["g++", "-no-pie", SANITIZERS, "-o", str(made[key])]
            command += map(str, sorted(parts.glob("*.o")))
            if family.fake.startswith("ESP"):
                command.append("-Wl,--defsym=runec_ram_code_end=runec_ram_code_start+12")
            for name, offset in places.items():
                command.append(f"-Wl,--defsym=runec_{name}={family.start + offset:#x}")
            subprocess.run(command, check=True)
        return made[key]

    return linked


@pytest.fixture
def start(programs: Callable[[Family, int, int], Path]) -> Iterator[Start]:
    """Start a session with a program of that many bytes in flash; it must end without a sin."""
    running: list[Session] = []

    def session(family: Family, program_bytes: int, code_bytes: int | None = None) -> Session:
        whole = family.edges[-1] - family.start
        running.append(Session(programs(family, program_bytes, code_bytes or whole)))
        return running[-1]

    yield session
    sins = [each("sins") for each in running]
    for each in running:
        each.close()
        assert each.process.returncode == 0
    assert sins == [""] * len(running)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


def is_closed(session: Session, family: Family) -> bool:
    return session("locked") == "1" and session("config") == family.config


def test_sectors_are_those_of_the_manual(start: Start, family: Family) -> None:
    session = start(family, 100)
    for first, end in pairwise(family.edges):
        for address in (first, first + 4, (first + end) // 2, end - 1):
            assert session("sector", address) == f"{first:x} {end - first:x}"
    outside = [family.edges[-1], family.edges[-1] + 0x20_0000, 0x2000_0000, 0xFFFF_FFFF]
    if family.start:
        outside += [0, family.start - 1]
    for address in outside:
        assert session("sector", address) == "0 0"


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_free_are_the_sectors_that_hold_nothing_of_the_program(
    start: Start, family: Family, extra: int
) -> None:
    edges = family.edges
    for sector in (1, 3, len(edges) // 2, len(edges) - 1):
        session = start(family, edges[sector] - family.start + extra)
        found = session("free")
        first = edges[sector] if extra <= 0 else edges[min(sector + 1, len(edges) - 1)]
        size = edges[-1] - first
        assert found == (f"{first:x} {size:x}" if size else "0 0")
        if size:
            assert session("erase", first) == OK
            assert session("write", first, "01") == OK
        before = max(edge for edge in edges if edge < first)
        for address in (before, family.start):
            assert session("erase", address) == REFUSED
            assert session("write", address, "01020304") == REFUSED
        assert session("write", first - 4, "01020304") == REFUSED
        assert session("write", first - 4, "0102030405060708") == REFUSED


def test_a_sector_that_is_not_wholly_the_boards_is_none(start: Start, family: Family) -> None:
    edges = family.edges
    session = start(family, 100, code_bytes=edges[-1] - family.start - 4)
    assert session("sector", edges[-2]) == "0 0"
    assert session("erase", edges[-2]) == REFUSED
    assert session("write", edges[-2], "01020304") == REFUSED
    assert session("write", edges[-2] - 4, "0102030405") == REFUSED
    found, size = (int(word, 16) for word in session("free").split())
    assert found + size == edges[-2]


def test_pages_that_the_board_file_takes_for_smaller_than_they_are_stay(start: Start) -> None:
    # 256 KiB of flash has pages of 2 KiB, whatever a board file has inherited
    small = FAMILIES["stm32f103c8"]
    session = start(small, 100, code_bytes=256 * KIB)
    assert session("free") == "0 0"
    assert session("erase", small.start + 128 * KIB) == REFUSED


@pytest.mark.parametrize("which", [0.3, 0.6, 1.0])
def test_erasing_clears_the_sector_and_nothing_beside_it(
    start: Start, family: Family, which: float
) -> None:
    sector = int(which * (len(family.edges) - 2))
    first, end = family.edges[sector : sector + 2]
    session = start(family, 100)
    session("fill", first - 64, end - first + 128)
    assert session("erase", first) == OK
    expected = b"\xa5" * 64 + b"\xff" * (end - first) + b"\xa5" * 64
    assert session.dump(first - 64, end - first + 128) == expected
    assert is_closed(session, family)


def test_erasing_wants_the_first_address_of_a_sector(start: Start, family: Family) -> None:
    session = start(family, 100)
    first, end = family.edges[-2:]
    session("fill", first, end - first)
    for address in (first + 4, first + 512, end - 4, first - 4, end):
        assert session("erase", address) == REFUSED
    assert session.dump(first, end - first) == b"\xa5" * (end - first)


def test_what_is_written_is_there_and_nothing_else(start: Start, family: Family) -> None:
    session = start(family, 100)
    first, end = family.edges[-2:]
    expected = bytearray(b"\xff" * (end - first))
    at = 0
    for length in (*range(1, 10), 64, 257, 0):
        data = bytes((7 * length + i) & 0xFF for i in range(length))
        assert session("write", first + at, data.hex()) == OK
        expected[at : at + length] = data
        assert session.dump(first, end - first) == expected
        at += (length + 3) // 4 * 4
    data = bytes(range(64))
    assert session("write", end - 64, data.hex()) == OK
    assert session("write", end - 4, (data[:8]).hex()) == REFUSED
    assert session("write", end, "") == REFUSED
    expected[-64:] = data
    assert session.dump(first, end - first) == expected
    assert is_closed(session, family)


def test_writing_goes_over_the_edge_of_a_sector(start: Start, family: Family) -> None:
    session = start(family, 100)
    edge = family.edges[-2]
    data = bytes(range(100, 140))
    assert session("write", edge - 20, data.hex()) == OK
    assert session.dump(edge - 24, 48) == b"\xff" * 4 + data + b"\xff" * 4


def test_what_is_not_erased_is_not_written(start: Start, family: Family) -> None:
    session = start(family, 100)
    first = family.edges[-2]
    assert session("write", first + 8, "00") == OK
    before = session.dump(first, 32)
    for address, data in ((8, "00"), (8, "ffffffff"), (4, "0102030405"), (0, "00" * 32)):
        assert session("write", first + address, data) == NOT_ERASED
    assert session.dump(first, 32) == before
    assert session("erase", first) == OK
    assert session("write", first, "00" * 32) == OK


def test_addresses_between_granules_and_outside_are_refused(start: Start, family: Family) -> None:
    session = start(family, 100)
    first = family.edges[-2]
    for address in (first + 1, first + 2, first + 3, 0x2000_0000, 0xFFFF_FFFC, family.edges[-1]):
        assert session("write", address, "0102") == REFUSED
        assert session("erase", address) == REFUSED
    assert session.dump(first, 16) == b"\xff" * 16
    session("fill", first, 64)  # or a long write would be long
    for length in (family.edges[-1] - first + 1, 0x7FFF_FFFF, 0xFFFF_FF00, 0xFFFF_FFFF):
        assert session("long", first, length) == REFUSED


@pytest.mark.parametrize(
    ("fault", "erased", "written"),
    [
        ("protected", FAILED, FAILED),
        ("weak", DIFFERS, DIFFERS),
        ("dead", DIFFERS, DIFFERS),
    ],
)
def test_what_the_controller_could_not_do_is_told_and_it_is_locked_again(
    start: Start, family: Family, fault: str, erased: str, written: str
) -> None:
    if fault == "protected" and not family.reports:
        erased, written = DIFFERS, DIFFERS
    session = start(family, 100)
    first = family.edges[-2]
    session("fault", fault)
    assert session("write", first, "0102030405") == written
    assert is_closed(session, family)
    session("fill", first, 64)
    assert session("erase", first) == erased
    assert is_closed(session, family)
    # and it works again
    session("fault", "none")
    assert session("erase", first) == OK
    assert session("write", first, "0102030405") == OK
    assert session.dump(first, 8) == bytes((1, 2, 3, 4, 5, 255, 255, 255))


@pytest.mark.parametrize("what", ["erase", "write"])
def test_a_controller_that_was_left_open_is_locked(start: Start, family: Family, what: str) -> None:
    session = start(family, 100)
    session("unlock")
    assert session(what, family.edges[-2], "01020304") == OK
    assert is_closed(session, family)


@pytest.mark.parametrize("what", ["erase", "write"])
def test_a_controller_that_is_never_ready_hangs_nothing(
    start: Start, family: Family, what: str
) -> None:
    session = start(family, 100)
    first = family.edges[-2]
    session("fault", "stuck")
    assert session(what, first, "01020304") == FAILED
    assert session("erase", first) == FAILED
    assert session("write", first + 64, "01020304") == FAILED


BEHIND_A_CACHE = [name for name in FAMILIES if name.startswith("esp")]


@pytest.mark.parametrize("fault", ["deaf", "restless"])
@pytest.mark.parametrize("name", BEHIND_A_CACHE)
def test_a_chip_that_will_not_be_written_and_a_cache_without_rest_are_told(
    start: Start, name: str, fault: str
) -> None:
    family = FAMILIES[name]
    session = start(family, 100)
    first = family.edges[-2]
    assert session("write", first, "01020304") == OK  # and with that, mapped
    session("fault", fault)
    assert session("write", first + 4, "01020304") == FAILED
    assert session("erase", first) == FAILED
    assert is_closed(session, family)
    assert session.dump(first, 8) == b"\1\2\3\4\xff\xff\xff\xff"
    session("fault", "none")
    assert session("erase", first) == OK
    assert session.dump(first, 8) == b"\xff" * 8
    assert is_closed(session, family)


@pytest.mark.parametrize("what", ["erase", "write"])
@pytest.mark.parametrize("name", BEHIND_A_CACHE)
def test_a_controller_that_never_sends_hangs_nothing(start: Start, name: str, what: str) -> None:
    family = FAMILIES[name]
    session = start(family, 100)
    session("fault", "jammed")
    assert session(what, family.edges[-2], "01020304") == FAILED
    assert session("config") == family.config


@pytest.mark.parametrize("name", BEHIND_A_CACHE)
def test_what_was_read_before_is_not_read_again_from_the_cache(start: Start, name: str) -> None:
    family = FAMILIES[name]
    session = start(family, 100)
    first = family.edges[-2]
    for turn in range(3):
        for at in (0, 28, 32, 60, 4092):  # a driver that forgot the cache would read what was
            assert session("write", first + at, f"{turn:02x}0203f4") == OK
            assert session("write", first + at, "01020304") == NOT_ERASED
        assert session("erase", first) == OK
    assert session("write", first, bytes(range(200)).hex()) == OK


def test_a_page_that_somebody_else_has_mapped_is_left_alone(start: Start) -> None:
    family = FAMILIES["esp32"]
    session = start(family, 100)
    session("taken", 63)
    for first in family.edges[:-1]:
        assert session("sector", first) == "0 0"
        assert session("erase", first) == REFUSED
        assert session("write", first, "01020304") == REFUSED
    assert session("free") == "0 0"


@pytest.mark.parametrize("name", BEHIND_A_CACHE)
def test_a_controller_that_waits_for_the_chip_itself_is_given_the_time(
    start: Start, name: str
) -> None:
    family = FAMILIES[name]
    session = start(family, 100)
    first = family.edges[-2]
    session("holds")
    assert session("write", first, "0102030405") == OK
    assert session("erase", first) == OK
    assert session("write", first, "0102030405") == OK
    assert session.dump(first, 8) == b"\1\2\3\4\5\xff\xff\xff"
    assert is_closed(session, family)


@pytest.mark.parametrize(
    ("chip", "clock_hz"),
    [
        *(("esp32", mhz * 1_000_000) for mhz in (160, 240)),
        ("esp32c3", 160_000_000),
    ],
)
def test_there_is_time_for_the_slowest_sector(chip: str, clock_hz: int) -> None:
    source = (HAL / "esp" / "spi_flash.c").read_text()
    numbers = (HAL / chip / "esp_chip.h").read_text()
    most_hz = int(re.search(r"ESP_CLOCK_HZ_MAX (\d+)u", numbers)[1])  # type: ignore[index]
    ready, change = (
        most_hz // int(re.search(rf"{name}_POLLS \(ESP_CLOCK_HZ_MAX / (\d+)u\)", source)[1])  # type: ignore[index]
        for name in ("READY", "CHANGE")
    )
    sector_s = 0.4  # of a W25Q32, at most
    assert sector_s < ready * 16 / 20e6 < 10
    assert 2 * sector_s < change * 4 / clock_hz < 10
