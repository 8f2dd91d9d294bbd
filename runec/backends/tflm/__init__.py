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
from runec.backends.tflm.rules import ELEMENTS, objections

__all__ = [
    "COMPONENT",
    "ELEMENTS",
    "KERNELS",
    "NAME",
    "SLOT_BYTES",
    "flash_bytes",
    "interface_flags",
    "missing_operators",
    "objections",
    "source_groups",
]
