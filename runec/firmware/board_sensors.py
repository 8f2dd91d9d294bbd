"""Selection of the board's sensor for the ACCEL capability of a rune."""

from __future__ import annotations

from dataclasses import dataclass

from runec.boards import ACCELERATION, PARTS, Board, Sensor
from runec.firmware.device_rune import DeviceRune
from runec.firmware.refusals import UnfitBoardError
from runec.pipeline import CapabilityKind

# Default of `hz`: the rate that examples/gesture was trained for.
DEFAULT_HZ = 50
# RUNEC_ACCELEROMETER_HZ_MAX of firmware_templates/drivers/accelerometer.h.
MAX_HZ = 200
# x, y and z as f32.
_SAMPLE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Accelerometer:
    """A part with a driver, its 7-bit I2C address, and the samples that it takes each second."""

    name: str
    address: int
    hz: int


def choose_accelerometer(rune: DeviceRune, board: Board, framework: str) -> Accelerometer | None:
    """Return the sensor of ACCEL; None if the rune has none or the host provides the data.

    Raises:
        UnfitBoardError: R0840, the board has no accelerometer that can be read, or not what the
            rune asks of it.
    """
    graph = rune.graph
    asked = [
        capability
        for capability in graph.capabilities.values()
        if capability.kind is CapabilityKind.ACCEL
    ]
    if board.input == "link" or not asked:
        return None
    if framework != "bare":
        raise _refused(
            f"no I2C driver for the framework {framework}",
            hint="omit --framework or --input",
        )
    if not board.hal.i2c:
        raise _refused(f"no I2C driver for the board {board.id}", hint="omit --input")
    sensor, address = _accelerometer(board)
    rates = {int(capability.parameters.get("hz", DEFAULT_HZ)) for capability in asked}
    if any(capability.parameters.get("source", 0) for capability in asked) or len(rates) > 1:
        raise _refused(
            "the rune uses several accelerometers, or several rates of one",
            hint="use the same `hz` and no `source` in every ACCEL, or omit --input",
        )
    if any(graph.tensors[capability.tensor].size_bytes % _SAMPLE_BYTES for capability in asked):
        raise _refused(
            "the tensor of ACCEL is not a whole number of samples of x, y and z",
            hint="use three numbers per sample, such as f32[128, 3]",
        )
    (hz,) = rates
    if hz > MAX_HZ:
        raise _refused(
            f"`hz` is {hz}, but the maximum for the {sensor.name} is {MAX_HZ}",
            hint=f"use an `hz` of at most {MAX_HZ}",
        )
    return Accelerometer(sensor.name, address, hz)


def _accelerometer(board: Board) -> tuple[Sensor, int]:
    known = [name for name, part in PARTS.items() if part.measures == ACCELERATION]
    for sensor in board.sensors:
        if sensor.name not in known:
            continue
        addresses = PARTS[sensor.name].addresses
        address = addresses[0] if sensor.address is None else sensor.address
        if address not in addresses:
            spelled = " or ".join(map(hex, addresses))
            raise _refused(
                f"{address:#04x} in {board.id} is not an address of the {sensor.name}",
                hint=f"write {spelled} in the board file",
            )
        return sensor, address
    raise _refused(
        f"the board file of {board.id} has no accelerometer with a driver",
        hint=f"add [[sensors]] with one of: {', '.join(known)} (docs/guides/boards.md), "
        "or omit --input",
    )


def _refused(message: str, *, hint: str) -> UnfitBoardError:
    return UnfitBoardError("R0840", message, hint=hint)
