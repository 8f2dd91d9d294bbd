"""The float functions of the firmware against those of the host's C library, bit by bit."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import os
import platform
import struct
import subprocess
from pathlib import Path

import pytest

from runec.backends import tflm

SOURCE = tflm.float_math_source()
SWEEP = Path(__file__).with_name("float_math_sweep.c")
NAMES = ("expf", "logf", "sinf", "cosf", "tanhf", "sqrtf")
FLAGS = ["-O2", "-std=c11", "-ffp-contract=off", "-fno-builtin", "-Wall", "-Wextra", "-Werror"]
RENAMED = [f"-D{name}=runec_{name}" for name in NAMES]
ARGUMENTS = 10_000_000
# glibc computes it another way from 2.41 on; the firmware has the older, more common results.
NEWER_TANHF = (2, 41)
EDGES = (
    *(0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-45, -1e-45, 1e-40, 88.0, 89.0),
    *(-88.0, -104.0, -103.9, -87.4, 120.0, 119.99, 0.7853982, 1.5707964, 3.4e38, 22.0),
)

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the host's C library is not glibc"
)


def skip_where_glibc_differs(name: str) -> None:
    version = tuple(int(part) for part in platform.libc_ver()[1].split("."))
    if name == "tanhf" and version >= NEWER_TANHF:
        pytest.skip("this glibc has another tanhf")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("math")
    ours, program = folder / "float_math.o", folder / "sweep"
    subprocess.run(["cc", *FLAGS, *RENAMED, "-c", SOURCE, "-o", ours], check=True)
    subprocess.run(["cc", *FLAGS, SWEEP, ours, "-lm", "-o", program], check=True)
    return program


@pytest.mark.parametrize("name", NAMES)
def test_ten_million_results_are_those_of_glibc(sweep: Path, name: str) -> None:
    skip_where_glibc_differs(name)
    done = subprocess.run(
        [sweep, name, str(ARGUMENTS), "11"],
        capture_output=True,
        text=True,
        check=True,
        # As the host's rune-vm runs; see runec/vm/process.py.
        env={**os.environ, "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4"},
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("name", NAMES)
def test_edges_are_those_of_glibc(tmp_path: Path, name: str) -> None:
    skip_where_glibc_differs(name)
    library = tmp_path / "math.so"
    subprocess.run(["cc", *FLAGS, *RENAMED, "-shared", "-fPIC", SOURCE, "-o", library], check=True)
    mine = getattr(ctypes.CDLL(str(library)), f"runec_{name}")
    theirs = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    for function in (mine, theirs):
        function.restype = ctypes.c_float
        function.argtypes = [ctypes.c_float]
    for value in EDGES:
        found, expected = mine(value), theirs(value)
        same = struct.pack("<f", found) == struct.pack("<f", expected)
        assert same or (math.isnan(found) and math.isnan(expected)), value
