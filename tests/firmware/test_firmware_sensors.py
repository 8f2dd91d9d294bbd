"""Firmware that reads ACCEL from a sensor, on simulated boards: a motion, and no link feed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runec.boards import PARTS, Board, load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import Target, open_emulator, plan_emulation, run_bytes
from runec.diagnostics import RuneError, UsageError, UserFileError
from runec.firmware import DeviceRune, create_project
from runec.frontend import analyse_text
from runec.vm import InputReader, Inputs

GESTURE = Path(__file__).resolve().parents[2] / "examples" / "gesture"
GRAVITY = 9.80665
COUNTS_PER_G = {"adxl345": 256, "lis3dh": 250, "mpu6050": 4096}
SAMPLES = 12
RECORDED = """
version: 1
image: runicos/base
pipeline:
  motion:
    capability: ACCEL
    outputs: [{type: F32, dimensions: [SAMPLES, 3]}]
    args: {n: SAMPLES, hz: HZ}
  serial: {out: SERIAL, inputs: [motion]}
"""
Floats = np.ndarray[tuple[int, int], np.dtype[np.float32]]
MakeRune = Callable[[str], Rune]


def rune_of(text: str) -> Rune:
    pipeline = analyse_text(text, "Runefile.yml", GESTURE, "sensing").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def recorder(hz: int = 200, samples: int = SAMPLES) -> Rune:
    """A rune that prints what it measures."""
    return rune_of(RECORDED.replace("SAMPLES", str(samples)).replace("HZ", str(hz)))


def node(base: str, folder: Path, part: str = "adxl345", address: int | None = None) -> Board:
    """A board with a part on its bus, as somebody adds it."""
    at = PARTS[part].addresses[0] if address is None else address
    path = folder / f"node_{part}_{at}_{base}.toml"
    path.write_text(
        f'inherits = "{base}"\nid = "{path.stem}"\nname = "Node"\nverified = []\n'
        f'[[sensors]]\nname = "{part}"\nmeasures = "acceleration"\nbus = "I2C"\naddress = {at}\n'
    )
    return load_board(str(path)).with_input("sensor")


def recording(path: Path, rows: Floats) -> Path:
    """Write a recording whose numbers come back as the same floats."""
    lines = [",".join(repr(float(value)) for value in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def quantised(rows: Floats, part: str) -> Floats:
    """What a part gives for a motion [m/s^2]: the nearest count, held to its range, in its unit."""
    counts = np.rint(rows.astype(np.float64) / GRAVITY * COUNTS_PER_G[part])
    most = 8 * COUNTS_PER_G[part]
    held = np.clip(counts, -most, most - 1).astype(np.float32)
    return held * np.float32(GRAVITY / COUNTS_PER_G[part])


def motion(seed: int) -> Floats:
    """Up to 2 g along each axis, another value at each sample."""
    return np.random.default_rng(seed).uniform(-19, 19, (SAMPLES, 3)).astype(np.float32)


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("base", "part"),
    [
        ("nrf52840_dk", "adxl345"),
        ("nrf52_dk", "mpu6050"),
        ("nucleo_f401re", "adxl345"),
        ("nucleo_f401re", "lis3dh"),
        ("disco_f407vg", "lis3dh"),
        ("esp32c3", "adxl345"),
        ("esp32c3", "mpu6050"),
        ("esp32", "adxl345"),
        ("esp32", "lis3dh"),
    ],
)
def test_a_simulated_motion_is_what_the_host_gets_from_the_part_s_counts(
    tmp_path: Path, base: str, part: str
) -> None:
    rune, rows = recorder(), motion(3)
    felt = Inputs(accelerometer=(recording(tmp_path / "felt.csv", rows),))
    golden = Inputs(accelerometer=(recording(tmp_path / "golden.csv", quantised(rows, part)),))
    place = Target("emulator", board=node(base, tmp_path, part))
    on_board = list(run_bytes(rune, felt, place, repeats=2))
    assert on_board == list(run_bytes(rune, golden, Target("host"), repeats=2))


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("base", "part"),
    [("nrf52840_dk", "adxl345"), ("esp32c3", "mpu6050"), ("nucleo_f401re", "lis3dh")],
)
def test_gesture_tells_a_gesture_that_a_simulated_sensor_feels(
    tmp_path: Path, base: str, part: str
) -> None:
    # 128 samples at 50 Hz take the simulator minutes: the same motion, four times as fast.
    text = (GESTURE / "Runefile.yml").read_text().replace("n: 128", "n: 128\n      hz: 200")
    rune = rune_of(text)
    path = GESTURE / "inputs" / "ring_1.csv"
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)
    golden = recording(tmp_path / "golden.csv", quantised(rows, part))
    place = Target("emulator", board=node(base, tmp_path, part))
    (on_board,) = run_bytes(rune, Inputs(accelerometer=(path,)), place)
    (on_host,) = run_bytes(rune, Inputs(accelerometer=(golden,)), Target("host"))
    assert on_board == on_host
    assert b'"Ring"' in on_board


@pytest.mark.emulated
@pytest.mark.parametrize("base", ["nrf52840_dk", "esp32c3", "esp32"])
def test_a_part_that_is_not_there_is_named_and_the_firmware_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    # The emulator leaves the part away that the firmware was built for.
    monkeypatch.setattr("runec.devices.emulator.simulated_part", lambda *_: None)
    with open_emulator(plan_emulation(recorder(), node(base, tmp_path))) as device:
        for _ in range(2):
            with pytest.raises(RuneError) as caught:
                list(device.run_bytes(InputReader(Inputs())))
            assert caught.value.code == "R0950"
            assert "no answer from the adxl345 at I2C 0x53" in caught.value.message
            assert "'motion'" in caught.value.message
        assert device.stats().runs == 2


def test_the_link_feeds_where_nobody_asks_for_the_sensor(tmp_path: Path) -> None:
    board = node("nrf52840_dk", tmp_path).with_input("link")
    project = create_project(DeviceRune.of(recorder()), board, tmp_path / "p")
    assert not [name for name in project.files if name.startswith("lib/drivers/")]
    config = (project.directory / "src" / "firmware_config.h").read_text()
    assert "ACCELEROMETER" not in config


def test_a_rune_without_acceleration_has_no_driver(example_rune: MakeRune, tmp_path: Path) -> None:
    project = create_project(
        DeviceRune.of(example_rune("noop")), node("nrf52840_dk", tmp_path), tmp_path / "p"
    )
    assert not [name for name in project.files if name.startswith("lib/drivers/")]


def test_only_the_driver_of_the_board_s_part_goes_into_the_firmware(tmp_path: Path) -> None:
    project = create_project(
        DeviceRune.of(recorder()), node("nrf52_dk", tmp_path, "lis3dh"), tmp_path / "p"
    )
    drivers = {name for name in project.files if name.startswith("lib/drivers/")}
    assert drivers == {
        f"lib/drivers/{name}" for name in ("accelerometer.c", "accelerometer.h", "lis3dh.c")
    }
    config = (project.directory / "src" / "firmware_config.h").read_text()
    assert "#define FIRMWARE_ACCELEROMETER runec_lis3dh\n" in config
    assert "#define FIRMWARE_ACCELEROMETER_ADDRESS 0x18u\n" in config
    assert "#define FIRMWARE_ACCELEROMETER_HZ 200u\n" in config


def refusal(rune: Rune, board: Board, folder: Path, framework: str = "bare") -> str:
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(rune), board, folder / "p", framework=framework)
    assert caught.value.code == "R0840"
    assert caught.value.hint
    assert not (folder / "p").exists()
    return caught.value.message


def test_what_a_board_s_sensors_cannot_give_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    good = node("nrf52840_dk", tmp_path)
    bare = load_board("nrf52840_dk").with_input("sensor")
    assert "has no accelerometer" in refusal(recorder(), bare, tmp_path)
    assert "0x54" in refusal(recorder(), node("nrf52_dk", tmp_path, address=0x54), tmp_path)
    assert "no I2C" in refusal(recorder(), node("mps2_an386", tmp_path), tmp_path)
    assert "no I2C" in refusal(recorder(), good, tmp_path, framework="arduino")
    assert "is 200" in refusal(recorder(hz=201), good, tmp_path)
    second = RECORDED.replace("hz: HZ", "source: 1").replace("SAMPLES", "4")
    assert "several accelerometers" in refusal(rune_of(second), good, tmp_path)
    flat = RECORDED.replace("[SAMPLES, 3]", "[4]").replace("args: {n: SAMPLES, hz: HZ}", "args: {}")
    assert "whole number of samples" in refusal(rune_of(flat), good, tmp_path)


def test_an_emulator_without_the_part_says_so(tmp_path: Path) -> None:
    place = Target("emulator", board=node("nrf52_dk", tmp_path, "lis3dh"))
    with pytest.raises(UserFileError, match="simulates no lis3dh") as caught:
        list(run_bytes(recorder(), Inputs(), place))
    assert caught.value.code == "R0951"


def test_the_input_of_a_place_that_is_no_emulator_cannot_be_chosen() -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse("serial:/dev/ttyACM0").with_input("sensor")
    assert caught.value.code == "R0921"
    assert Target("host").with_input(None) == Target("host")
