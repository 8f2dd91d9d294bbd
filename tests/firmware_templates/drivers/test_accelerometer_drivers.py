"""Accelerometer drivers on a simulated bus, sanitized; compared with NumPy."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from runec.boards import PARTS, load_boards
from runec.data import data_dir
from runec.firmware.board_sensors import MAX_HZ

PROBE = Path(__file__).with_name("drivers_probe.c")
DRIVERS = data_dir("firmware_templates") / "drivers"
HAL = data_dir("firmware_templates") / "hal" / "common"
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffp-contract=off")
SANITIZED = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SILENT, ANOTHER = -1, -2
GRAVITY = 9.80665
TOOLCHAINS = {
    f"{board.toolchain.prefix}gcc": board.toolchain.flags
    for board in load_boards()
    if "builds" in board.verified
}


@dataclass(frozen=True)
class Sheet:
    """What a part's data sheet says: its identity, its data, a count's size at 8 g."""

    identity: tuple[int, int]
    data: int
    order: str
    shift: int
    counts_per_g: float
    settings: str
    """The registers that matter as the driver leaves them, at 50 samples a second."""


SHEETS = {
    # 100 Hz; full resolution, 8 g; measuring
    "adxl345": Sheet((0x00, 0xE5), 0x32, "<i2", 0, 256, "2c=0a 31=0a 2d=08"),
    # 21 Hz of bandwidth; 8 g; awake
    "mpu6050": Sheet((0x75, 0x68), 0x3B, ">i2", 0, 4096, "1a=04 1c=10 6b=00"),
    # 100 Hz, three axes; 8 g, high resolution, block data update
    "lis3dh": Sheet((0x0F, 0x33), 0xA8, "<i2", 4, 250, "20=57 23=a8"),
}


@dataclass(frozen=True)
class Session:
    """What came of it."""

    first: int
    second: int
    settings: dict[str, str]
    times_ms: list[int]
    inits: int
    given: bytes


Ask = Callable[..., Session]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    program = tmp_path_factory.mktemp("drivers") / "probe"
    sources = [str(path) for path in (PROBE, *sorted(DRIVERS.glob("*.c")))]
    command = ["gcc", *STRICT, *SANITIZED, f"-I{DRIVERS}", f"-I{HAL}", *sources, "-o", str(program)]
    subprocess.run(command, check=True)

    def session(
        name: str,
        measurements: np.ndarray[tuple[int, int], np.dtype[np.int16]],
        *,
        hz: int = 50,
        address: int | None = None,
        identity: int | None = None,
        fails_at: int = 0,
    ) -> Session:
        sheet = SHEETS[name]
        at = PARTS[name].addresses[0]
        rows = [row.astype(sheet.order).tobytes() + b"\x7e" for row in measurements]
        number, own = sheet.identity
        words = [name, f"{at if address is None else address:x}", f"{at:x}", f"{number:x}"]
        words += [f"{own if identity is None else identity:x}", f"{sheet.data:x}", str(hz)]
        words += [str(len(rows)), str(fails_at), str(len(rows)), b"".join(rows).hex()]
        done = subprocess.run(
            [program], input=" ".join(words), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        log, _, given = done.stdout.partition("|")
        first, second, *events = log.split()
        settings = dict(event.split("=") for event in events if "=" in event)
        times = [int(event[1:]) for event in events if re.fullmatch(r"@\d+", event)]
        return Session(
            int(first), int(second), settings, times, events.count("init"), bytes.fromhex(given)
        )

    return session


def recording(name: str) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Register contents: the ends of the range, zero, and numbers drawn at random."""
    drawn = np.random.default_rng(1).integers(-(2**15), 2**15, (20, 3))
    ends = np.array([[-(2**15), 2**15 - 1, 0], [-1, 1, -16], [16, 255, 256]])
    counts = np.concatenate([ends, drawn])
    # What a 12-bit part writes: the lower bits are zero.
    return (counts >> SHEETS[name].shift << SHEETS[name].shift).astype(np.int16)


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_samples_are_metres_per_second_squared_of_the_part_s_counts(ask: Ask, name: str) -> None:
    sheet, measurements = SHEETS[name], recording(name)
    session = ask(name, measurements)
    counts = (measurements >> sheet.shift).astype(np.float32)
    expected = counts * np.float32(GRAVITY / sheet.counts_per_g)
    assert session.first == 0
    assert session.given == expected.astype("<f4").tobytes()


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_the_part_is_set_up_as_its_data_sheet_says(ask: Ask, name: str) -> None:
    settings = ask(name, recording(name)).settings
    wanted = dict(word.split("=") for word in SHEETS[name].settings.split())
    assert wanted.items() <= settings.items()


@pytest.mark.parametrize(
    ("name", "register", "codes"),
    [
        # 6.25, 50 (for 25), 100, 200 at most
        ("adxl345", "2c", {1: "06", 25: "09", 26: "0a", 50: "0a", 100: "0b", 200: "0b"}),
        # 5, 10, 21, 44, 94 Hz: no more than half the samples
        ("mpu6050", "1a", {1: "06", 20: "05", 42: "04", 87: "04", 88: "03", 188: "02", 200: "02"}),
        # 10, 25, 50, 100, 200, 400 Hz
        ("lis3dh", "20", {1: "27", 12: "37", 25: "47", 50: "57", 100: "67", 101: "77", 200: "77"}),
    ],
)
def test_the_part_s_rate_and_filter_follow_the_samples_a_second(
    ask: Ask, name: str, register: str, codes: dict[int, str]
) -> None:
    found = {hz: ask(name, recording(name), hz=hz).settings[register] for hz in codes}
    assert found == codes


@pytest.mark.parametrize("hz", [1, 7, 50, MAX_HZ])
@pytest.mark.parametrize("name", sorted(SHEETS))
def test_samples_are_taken_in_time(ask: Ask, name: str, hz: int) -> None:
    times = ask(name, recording(name), hz=hz).times_ms
    due = [times[0] + 1000 * index // hz for index in range(len(times))]
    assert all(0 <= time - wanted <= 1 for time, wanted in zip(times, due, strict=True))


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_an_address_where_nobody_is_is_silence(ask: Ask, name: str) -> None:
    session = ask(name, recording(name), address=PARTS[name].addresses[1])
    assert (session.first, session.second) == (SILENT, SILENT)


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_another_part_at_the_address_is_told_apart_and_left_alone(ask: Ask, name: str) -> None:
    session = ask(name, recording(name), identity=0x42)
    assert (session.first, session.second) == (ANOTHER, ANOTHER)
    assert not session.settings


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_wherever_the_part_is_unplugged_the_next_run_starts_it_anew(ask: Ask, name: str) -> None:
    measurements = recording(name)
    whole = ask(name, measurements)
    transfers = 0
    while True:
        transfers += 1
        session = ask(name, measurements, fails_at=transfers)
        if session.first == 0:
            break
        assert (session.first, session.second) == (SILENT, 0)
        assert session.inits == 2
        assert session.settings == whole.settings
        # The bus of the test goes on where it stopped; every row that was given is one of its.
        assert len(session.given) == len(whole.given)
    # The identity, the settings and each sample are a transfer of their own.
    assert transfers - 1 > len(measurements) + 1


def test_every_part_has_a_driver_and_a_data_sheet() -> None:
    files = {path.stem for path in DRIVERS.glob("*.c")} - {"accelerometer"}
    assert set(PARTS) == files == set(SHEETS)
    header = (DRIVERS / "accelerometer.h").read_text()
    assert f"RUNEC_ACCELEROMETER_HZ_MAX = {MAX_HZ} " in header


@pytest.mark.parametrize("compiler", ["gcc", "clang", *TOOLCHAINS])
def test_each_file_compiles_alone_and_without_a_warning(compiler: str) -> None:
    command = [compiler, *TOOLCHAINS.get(compiler, ()), *STRICT, "-Os", f"-I{DRIVERS}", f"-I{HAL}"]
    paths = sorted(DRIVERS.glob("*.c"))
    assert {"accelerometer.c", "adxl345.c", "lis3dh.c", "mpu6050.c"} <= {p.name for p in paths}
    for path in paths:
        subprocess.run([*command, "-fsyntax-only", str(path)], check=True)
