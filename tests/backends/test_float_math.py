"""The float functions of the firmware against those of this computer's C library, bit by bit."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest

import runec.backends.tflm

SOURCE = Path(runec.backends.tflm.__file__).with_name("float_math.c")
NAMES = ("expf", "logf", "sinf", "cosf", "tanhf")
# glibc computes it another way from 2.41 on; the firmware has the older, more common results.
NEWER_TANHF = (2, 41)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("math") / "math.so"
    names = [f"-D{name}=runec_{name}" for name in NAMES]
    flags = ["-O2", "-std=c11", "-ffp-contract=off", "-fno-builtin", "-shared", "-fPIC", "-Werror"]
    subprocess.run(["cc", *flags, "-Wall", "-Wextra", *names, SOURCE, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def arguments() -> np.ndarray:
    generator = np.random.default_rng(11)
    patterns = generator.integers(0, 2**32, 30_000, dtype=np.uint32).view(np.float32)
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1e-40, 88.0, 89.0]
    special += [-88.0, -104.0, -103.9, -87.4, 120.0, 119.99, 0.7853982, 1.5707964, 3.4e38, 22.0]
    return np.concatenate(
        [
            patterns,
            np.array(special, dtype=np.float32),
            generator.normal(0, 1, 30_000).astype(np.float32),
            generator.uniform(-110, 110, 30_000).astype(np.float32),
        ]
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the host's C library is not glibc")
@pytest.mark.parametrize("name", NAMES)
def test_results_are_those_of_glibc(ours: ctypes.CDLL, name: str) -> None:
    version = tuple(int(part) for part in platform.libc_ver()[1].split("."))
    if name == "tanhf" and version >= NEWER_TANHF:
        pytest.skip("this glibc has another tanhf")
    mine = getattr(ours, f"runec_{name}")
    theirs = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    for function in (mine, theirs):
        function.restype = ctypes.c_float
        function.argtypes = [ctypes.c_float]
    values = arguments()
    found = np.array([mine(value) for value in values.tolist()], dtype=np.float32)
    expected = np.array([theirs(value) for value in values.tolist()], dtype=np.float32)
    different = (found.view(np.uint32) != expected.view(np.uint32)) & ~np.isnan(expected)
    assert values[different].tolist() == []
    assert np.isnan(found[np.isnan(expected)]).all()
