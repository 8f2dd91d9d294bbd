"""Sensors on a simulated board: the parts that labwired has, and the motion that they feel."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from runec.boards import Board
from runec.firmware import Accelerometer, UnfitDeviceError

# The names of a part's three axes in labwired. What they are set to is in standard gravities.
_CHANNELS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {"adxl345": ("x", "y", "z"), "lis3dh": ("x", "y", "z"), "mpu6050": ("ax", "ay", "az")}
)
# Descriptions of the parts that labwired itself does not bring, PART.yaml.
_DESCRIPTIONS = Path(__file__).with_name("parts")
# The chips that labwired 0.25 gives such a part twice, so that it cannot be told what it feels.
_TWICE_ON = "nrf"
# Where the firmware counts samples: firmware_templates/drivers/accelerometer.c.
_COUNTER = "runec_accelerometer_taken"
_GRAVITY = 9.80665
# What labwired lets an axis feel.
_MOST_G = 16.0
# The bus that the HAL uses: the chip's first one, which labwired calls so.
_BUSES = ("i2c1", "i2c0")
# The chip whose pins labwired wants for a part, which then hears nothing through others.
_ROUTED = "esp32c3"
_SDA, _SCL = "HAL_SDA_PIN", "HAL_SCL_PIN"
_SYSTEM = """name: "runec"
chip: {chip}
{parts}external_devices:
  - id: "{part}"
    type: "{part}"
    connection: "{bus}"
{route}    config:
      i2c_address: {address}
board_io: []
"""
_ROUTE = """    route:
      sda: "GPIO{}"
      scl: "GPIO{}"
"""


@dataclass(frozen=True, slots=True)
class SimulatedPart:
    """An accelerometer on the I2C bus of a simulated chip.

    `pins` are the numbers of SDA and SCL where the simulator has to know them.
    """

    accelerometer: Accelerometer
    pins: tuple[int, int] | None = None

    def system(self, chip: Path) -> str:
        """Return labwired's description of the part on a chip, whose own description is a file."""
        described = chip.read_text(encoding="utf-8")
        part = _description(self.accelerometer)
        return _SYSTEM.format(
            chip=json.dumps(str(chip)),
            parts=f"parts:\n  - path: {json.dumps(str(part))}\n" if part.exists() else "",
            part=self.accelerometer.name,
            bus=next((bus for bus in _BUSES if f'id: "{bus}"' in described), _BUSES[-1]),
            route=_ROUTE.format(*self.pins) if self.pins else "",
            address=self.accelerometer.address,
        )

    def motion(self, samples: bytes) -> bytes:
        """Return for `stepper.py` the motion of samples of x, y, z as f32 [m/s^2]."""
        values = [max(-_MOST_G, min(_MOST_G, value / _GRAVITY)) for value in array("f", samples)]
        rows = [values[at : at + 3] for at in range(0, len(values), 3)]
        channels = _CHANNELS[self.accelerometer.name]
        told = {"counter": _COUNTER, "channels": channels, "samples": rows}
        return json.dumps(told).encode()


def _description(accelerometer: Accelerometer) -> Path:
    return _DESCRIPTIONS / f"{accelerometer.name}.yaml"


def simulated_part(board: Board, accelerometer: Accelerometer) -> SimulatedPart:
    """Return the part that the emulator of a board puts on its bus.

    Raises:
        UserFileError: R0951, the emulator has no such part.
    """
    emulator = board.emulator
    if (
        emulator is None
        or emulator.kind != "labwired"
        or accelerometer.name not in _CHANNELS
        or (emulator.target.startswith(_TWICE_ON) and _description(accelerometer).exists())
    ):
        name = emulator.kind if emulator else "emulator"
        raise UnfitDeviceError(
            "R0951",
            f"the {name} of {board.id} simulates no {accelerometer.name}",
            hint="omit --input: the data then comes over the link",
        )
    pins = None
    if emulator.target == _ROUTED and {_SDA, _SCL} <= board.hal.defines.keys():
        pins = board.hal.defines[_SDA], board.hal.defines[_SCL]
    return SimulatedPart(accelerometer, pins)
