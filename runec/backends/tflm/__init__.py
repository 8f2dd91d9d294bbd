"""The TensorFlow Lite Micro model engine for devices: files, flags, operators, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runec.backends.tflm.operators import KERNELS, missing_operators
from runec.backends.tflm.rules import ELEMENTS, device_advice, device_objection, objections

if TYPE_CHECKING:
    from runec.backends.tflm.plan import (
        COMPONENT,
        NAME,
        SLOT_BYTES,
        flash_bytes,
        float_math_source,
        interface_flags,
        least_flash_bytes,
        ram_bytes,
        source_groups,
    )

__all__ = [
    "COMPONENT",
    "ELEMENTS",
    "KERNELS",
    "NAME",
    "SLOT_BYTES",
    "device_advice",
    "device_objection",
    "flash_bytes",
    "float_math_source",
    "interface_flags",
    "least_flash_bytes",
    "missing_operators",
    "objections",
    "ram_bytes",
    "source_groups",
]


def __getattr__(name: str) -> Any:
    """Import the plan of a firmware when it is asked for: `runec check` needs the rules alone."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runec.backends.tflm import plan  # noqa: PLC0415 - see above

    return getattr(plan, name)
