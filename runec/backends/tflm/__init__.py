"""The TensorFlow Lite Micro model engine for devices: files, flags, operators, memory."""

from runec.backends.tflm.operators import KERNELS, missing_operators
from runec.backends.tflm.plan import (
    COMPONENT,
    NAME,
    SLOT_BYTES,
    flash_bytes,
    interface_flags,
    least_flash_bytes,
    ram_bytes,
    source_groups,
)
from runec.backends.tflm.rules import ELEMENTS, objections

__all__ = [
    "COMPONENT",
    "ELEMENTS",
    "KERNELS",
    "NAME",
    "SLOT_BYTES",
    "flash_bytes",
    "interface_flags",
    "least_flash_bytes",
    "missing_operators",
    "objections",
    "ram_bytes",
    "source_groups",
]
