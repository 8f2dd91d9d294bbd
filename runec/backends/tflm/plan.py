"""Sources, flags and sizes of the TensorFlow Lite Micro model engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from runec.backends.source_group import SourceGroup
from runec.backends.tflm.headers import header_closure, includes
from runec.backends.tflm.operators import KERNELS
from runec.components import component, fetch
from runec.data import data_dir

NAME = "tflm"
COMPONENT = "tflm"

# Of runevm_tflm_slot in model_tflm.h, on 32-bit chips: RAM of a model beside its arena.
SLOT_BYTES = 256

_LITE = "tensorflow/lite"
_KERNELS = f"{_LITE}/micro/kernels"
_DOWNLOADS = f"{_LITE}/micro/tools/make/downloads"
# Folders below submodules/tensorflow that the sources' includes start from.
_ROOTS = ("", f"{_DOWNLOADS}/flatbuffers/include", f"{_DOWNLOADS}/gemmlowp", f"{_DOWNLOADS}/ruy")
_CORE = (
    f"{_LITE}/c/common.c",
    f"{_LITE}/core/api/error_reporter.cc",
    f"{_LITE}/core/api/flatbuffer_conversions.cc",
    f"{_LITE}/core/api/op_resolver.cc",
    f"{_LITE}/core/api/tensor_utils.cc",
    f"{_LITE}/kernels/internal/quantization_util.cc",
    f"{_LITE}/kernels/kernel_util.cc",
    f"{_LITE}/micro/memory_helpers.cc",
    f"{_LITE}/micro/memory_planner/greedy_memory_planner.cc",
    f"{_LITE}/micro/micro_allocator.cc",
    f"{_LITE}/micro/micro_interpreter.cc",
    f"{_LITE}/micro/micro_utils.cc",
    f"{_LITE}/micro/simple_memory_allocator.cc",
)
# Kernel files of ours, which take the place of the library's of the same name.
_OWN_KERNELS = frozenset({"depthwise_conv.cc", "fully_connected.cc"})
# What our own C++ files include from it.
_INTERFACE = (
    f"{_LITE}/c/common.h",
    f"{_LITE}/kernels/internal/cppmath.h",
    f"{_LITE}/kernels/internal/tensor_ctypes.h",
    f"{_LITE}/kernels/kernel_util.h",
    f"{_LITE}/micro/kernels/micro_ops.h",
    f"{_LITE}/micro/memory_helpers.h",
    f"{_LITE}/micro/micro_interpreter.h",
    f"{_LITE}/micro/micro_mutable_op_resolver.h",
    f"{_LITE}/micro/micro_op_resolver.h",
    f"{_LITE}/schema/schema_generated.h",
)
# TF_LITE_STATIC_MEMORY: no allocation outside the arena. TF_LITE_MCU_DEBUG_LOG: messages through
# DebugLog(), not stderr. NDEBUG (given to every file) matters: a debug check in int8 ADD aborts on
# a zero point of -128, which is valid. ARDUINOSTL_M_H: or flatbuffers, where ARDUINO is defined,
# includes a utility.h that no core of today has.
_CONFIGURATION = ("-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_MCU_DEBUG_LOG", "-DARDUINOSTL_M_H")
_FOLDER = "runevm/models/tflm"
_OWN_FILES = ("model_tflm.h", "quantize_tflm.h", "float_math.c")


def float_math_source() -> Path:
    """Return the C source of the float functions that devices have."""
    return _own() / "float_math.c"


def _own() -> Path:
    return data_dir("firmware_templates") / _FOLDER


# Where models spend their time: -O3 takes a quarter to two fifths of the examples' instructions
# away, and each of these grows by a kilobyte. Others grow to many times their size.
_FAST_KERNELS = frozenset(
    {"conv.cc", "depthwise_conv.cc", "fully_connected.cc", "pooling.cc", "svdf.cc"}
)
_FAST_FLAGS = ("-O3",)

# Bytes of flash on Cortex-M4, measured in firmware with one operator: what the smallest of them
# (NEG) adds to a firmware without models, and what each of the others adds to that.
_LIBRARY_FLASH_BYTES = 17_920
_OPERATOR_FLASH_BYTES = {
    "ABS": 288,
    "ADD": 3792,
    "ARG_MAX": 1296,
    "ARG_MIN": 1296,
    "AVERAGE_POOL_2D": 2080,
    "CEIL": 480,
    "CONCATENATION": 2672,
    "CONV_2D": 6072,
    "COS": 1344,
    "DEPTHWISE_CONV_2D": 6536,
    "DEQUANTIZE": 1424,
    "EQUAL": 3264,
    "FLOOR": 72,
    "FULLY_CONNECTED": 3376,
    "GREATER": 3008,
    "GREATER_EQUAL": 3008,
    "L2_NORMALIZATION": 968,
    "LESS": 3008,
    "LESS_EQUAL": 3008,
    "LOG": 928,
    "LOGICAL_AND": 544,
    "LOGICAL_NOT": 224,
    "LOGICAL_OR": 544,
    "LOGISTIC": 2544,
    "MAXIMUM": 2392,
    "MAX_POOL_2D": 2136,
    "MEAN": 1776,
    "MINIMUM": 2392,
    "MUL": 3664,
    "NEG": 0,
    "NOT_EQUAL": 3264,
    "PACK": 640,
    "PAD": 3608,
    "PADV2": 3608,
    "PRELU": 1880,
    "QUANTIZE": 2920,
    "RELU": 144,
    "RELU6": 336,
    "RESHAPE": 408,
    "RESIZE_NEAREST_NEIGHBOR": 1048,
    "ROUND": 544,
    "RSQRT": 288,
    "SIN": 1344,
    "SOFTMAX": 4336,
    "SPLIT": 1080,
    "SQRT": 224,
    "SQUARE": 288,
    "STRIDED_SLICE": 2920,
    "SUB": 3792,
    "SVDF": 6272,
    "TANH": 2368,
    "UNPACK": 448,
}
# Operators share functions: all of them together take four fifths of their sum, the few that share
# most take three quarters.
_UNSHARED_PERCENT = 60
# Bytes of RAM beside the models' slots, and for each operator, on 32-bit chips.
_LIBRARY_RAM_BYTES = 192
_OPERATOR_RAM_BYTES = 64


def flash_bytes(operators: Iterable[str]) -> int:
    """Return the bytes of Cortex-M4 code that the engine with these operators takes at most."""
    return _LIBRARY_FLASH_BYTES + sum(_OPERATOR_FLASH_BYTES[name] for name in operators)


def least_flash_bytes(operators: Iterable[str]) -> int:
    """Return the bytes of Cortex-M4 code that the engine with these operators takes at least."""
    alone = flash_bytes(operators) - _LIBRARY_FLASH_BYTES
    return _LIBRARY_FLASH_BYTES - 1024 + alone * _UNSHARED_PERCENT // 100


def ram_bytes(model_count: int, operators: Sequence[str]) -> int:
    """Return the bytes of RAM that the engine takes at most beside the arenas of its models."""
    return _LIBRARY_RAM_BYTES + model_count * SLOT_BYTES + len(operators) * _OPERATOR_RAM_BYTES


def interface_flags() -> tuple[str, ...]:
    """Return the flags for C++ of ours that includes the library's headers."""
    system = [part for folder in _ROOTS for part in ("-isystem", f"lib/tflm/{folder}".rstrip("/"))]
    return (*system, *_CONFIGURATION, f"-DRUNEC_COMPONENT=0x{component(COMPONENT).sha256[:8]}")


def source_groups(operators: Iterable[str]) -> tuple[SourceGroup, ...]:
    """Return what to compile for these operators, all of `KERNELS`; fetches the library.

    Raises:
        MachineError: as `runec.components.fetch`.
    """
    operators = frozenset(operators)
    top = fetch(COMPONENT)
    root = top / "submodules" / "tensorflow"
    own = {KERNELS[name] for name in operators} & _OWN_KERNELS
    kernels = sorted({KERNELS[name] for name in operators} - own)
    fast = tuple(f"{_KERNELS}/{name}" for name in kernels if name in _FAST_KERNELS)
    others = tuple(f"{_KERNELS}/{name}" for name in kernels if name not in _FAST_KERNELS)
    included = {name for file in own for name in includes(_own() / file) if name.startswith(_LITE)}
    needed = header_closure(root, (*_CORE, *fast, *others, *_INTERFACE, *included), _ROOTS)
    # QUANTIZE of ours calls the library's for what is not a float.
    kernels_of_ours = (*sorted(own), *(("quantize_tflm.cc",) if "QUANTIZE" in operators else ()))
    flags = ("-w", *interface_flags())
    library = SourceGroup(
        folder="tflm",
        files={
            **{name: root / name for name in needed},
            "LICENSE": top / "LICENSE-APACHE",
        },
        sources=(*_CORE, *others),
        flags=flags,
        component=COMPONENT,
    )
    quick = SourceGroup(
        folder="tflm", files={}, sources=fast, flags=(*flags, *_FAST_FLAGS), component=COMPONENT
    )
    interface = SourceGroup(
        folder="model_tflm",
        files={name: _own() / name for name in ("model_tflm.cc", *kernels_of_ours, *_OWN_FILES)},
        sources=("model_tflm.cc",),
        include=("lib/model_tflm", "lib/runevm/include"),
        flags=("-Wall", "-Wextra", *interface_flags()),
    )
    own_quick = replace(
        interface, files={}, sources=kernels_of_ours, flags=(*interface.flags, *_FAST_FLAGS)
    )
    return (
        library,
        *((quick,) if fast else ()),
        interface,
        *((own_quick,) if kernels_of_ours else ()),
        SourceGroup(
            folder="model_tflm",
            files={},
            sources=("float_math.c",),
            # Or the compiler would see expf() and think that it knows what it does.
            flags=("-Wall", "-Wextra", "-fno-builtin"),
        ),
    )
