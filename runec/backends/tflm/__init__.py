"""The TensorFlow Lite Micro model engine for devices: files, flags, operators, memory."""

from runec.backends.tflm.operators import KERNELS, missing_operators
from runec.backends.tflm.plan import (
    COMPONENT,
    NAME,
    SLOT_BYTES,
    flash_bytes,
    interface_flags,
    source_groups,
)

__all__ = [
    "COMPONENT",
    "KERNELS",
    "NAME",
    "SLOT_BYTES",
    "flash_bytes",
    "interface_flags",
    "missing_operators",
    "source_groups",
]
