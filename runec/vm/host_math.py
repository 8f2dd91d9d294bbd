"""The float functions of the host's C library, and runec's own where those differ from devices'.

Devices compute expf, logf, sinf, cosf and tanhf with the code of `float_math.c`, which has the
results of glibc 2.28 to 2.40. Other C libraries differ in last bits: tanhf of glibc 2.41 does
(CORE-MATH's correctly rounded one), and models with TANH would print other bytes on such a host.
There, the process that executes models loads the devices' functions before the C library's.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from runec.backends import tflm
from runec.cache import cache_dir, content_key
from runec.diagnostics import Diagnostic, MachineError, RunecError, Severity
from runec.models import ModelFile
from runec.tools import run_tool

# CRC-32 of the results for `_arguments()`, from float_math.c and from glibc 2.36.
_CHECKSUMS = {
    "cosf": 0x5841869A,
    "expf": 0x08DA5E8B,
    "logf": 0xCE60534A,
    "sinf": 0x5F32D34B,
    "tanhf": 0x0163160E,
}
_ARGUMENTS = 256
_CALLS = {
    "COS": ("cosf",),
    "ELU": ("expf",),
    "EXP": ("expf",),
    "LOG": ("logf",),
    "LOGISTIC": ("expf",),
    "LOG_SOFTMAX": ("expf", "logf"),
    "SIN": ("sinf",),
    "SOFTMAX": ("expf",),
    "SVDF": ("tanhf", "expf"),
    "TANH": ("tanhf",),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": ("tanhf", "expf"),
}
_FLAGS = ("-O2", "-std=c11", "-ffp-contract=off", "-fno-builtin", "-shared", "-fPIC")
_COMPILERS = ("cc", "gcc", "clang")
_COMPILE_S = 60.0


def _arguments() -> Iterator[float]:
    """Yield float32 numbers of both signs from 2^-12 to 2^7, the same ones each time."""
    state = 1
    for _ in range(_ARGUMENTS):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        bits = state & 0x80000000 | (115 + (state >> 24) % 19) << 23 | state >> 3 & 0x7FFFFF
        yield struct.unpack("<f", bits.to_bytes(4, "little"))[0]


@cache
def differing_functions() -> frozenset[str]:
    """Return which functions of the host's C library have other results than devices'."""
    with contextlib.suppress(OSError):  # in the C library itself, where there is no libm
        ctypes.CDLL("libm.so.6", mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(None)  # looks names up as the model's library will
    return frozenset(
        name for name, checksum in _CHECKSUMS.items() if _checksum(library, name) != checksum
    )


def _checksum(library: ctypes.CDLL, name: str) -> int | None:
    try:
        function = getattr(library, name)
    except AttributeError:
        return None
    function.restype, function.argtypes = ctypes.c_float, [ctypes.c_float]
    values = (abs(value) if name == "logf" else value for value in _arguments())
    return zlib.crc32(b"".join(struct.pack("<f", function(value)) for value in values))


def own_functions() -> Path | None:
    """Return a shared library of the devices' functions, compiled once; None where that fails."""
    source = tflm.float_math_source()
    key = content_key(source.read_bytes(), *_FLAGS, platform.machine())
    library = cache_dir() / "host" / f"float_math-{key[:32]}.so"
    if library.is_file():
        return library
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if compiler is None:
        return None
    made = library.with_name(f"{library.stem}-{os.getpid()}.tmp")
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [compiler, *_FLAGS, source, "-o", made]
        if run_tool(command, timeout_s=_COMPILE_S).returncode != 0:
            return None
        made.replace(library)
    except (MachineError, OSError):
        return None
    finally:
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)
    return library


def preloaded(models: Sequence[ModelFile] | None) -> tuple[Path | None, Diagnostic | None]:
    """Return what the process that executes `models` loads first, and what the user should know.

    Both are None where the host's functions are the devices'. `models` is None where they are only
    known at run time: legacy runes. A file that is not a model is rejected elsewhere.
    """
    differing = differing_functions() if models is None or models else frozenset()
    if not differing:
        return None, None
    library = own_functions()
    if library is not None:
        return library, None
    called = sorted(differing if models is None else differing & _called(models))
    if not called:
        return None, None
    return None, Diagnostic(
        "R0751",
        f"{' and '.join(called)} of this host's C library ({_version()}) "
        f"{'differs' if len(called) == 1 else 'differ'} from that of devices",
        Severity.WARNING,
        hint="install a C compiler (apt install gcc): runec then uses the functions of devices",
        notes=("results may differ from those of devices and of other hosts in the last bit",),
    )


def _called(models: Iterable[ModelFile]) -> set[str]:
    names: set[str] = set()
    for model in models:
        with contextlib.suppress(RunecError):
            for operator in model.info.operators:
                names.update(_CALLS.get(operator.name, ()))
    return names


def _version() -> str:
    return " ".join(platform.libc_ver()).strip() or "unknown"
