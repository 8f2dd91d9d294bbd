"""The sensors that `firmware_templates/drivers/` has a driver for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Part:
    """A part: what it measures, and the 7-bit I2C addresses that it can have."""

    measures: str
    addresses: tuple[int, ...]


ACCELERATION = "acceleration"
PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "adxl345": Part(ACCELERATION, (0x53, 0x1D)),
        "lis3dh": Part(ACCELERATION, (0x18, 0x19)),
        "mpu6050": Part(ACCELERATION, (0x68, 0x69)),
    }
)
