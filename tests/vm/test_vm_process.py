from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from runec.vm.process import child_environment

# Where glibc 2.36 for x86-64 gives another last bit when it uses FMA instructions: found by
# comparing 100 million results of both its variants.
WITHOUT_FMA = {
    ("expf", "-0x1.f8cbb2p+5"): "0x1.f45324p-92",
    ("sinf", "-0x1.52e6cp+6"): "-0x1.8f6112p-4",
    ("cosf", "-0x1.019c5p+6"): "0x1.fbace2p-22",
}
PROGRAM = """
import ctypes, sys
function = getattr(ctypes.CDLL("libm.so.6"), sys.argv[1])
function.restype, function.argtypes = ctypes.c_float, [ctypes.c_float]
print(function(float.fromhex(sys.argv[2])).hex())
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or platform.machine() != "x86_64",
    reason="only glibc on x86-64 has two variants",
)
@pytest.mark.parametrize(("name", "argument"), WITHOUT_FMA)
def test_results_do_not_depend_on_the_processor(name: str, argument: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, argument],
        capture_output=True,
        text=True,
        check=True,
        env=child_environment(),
    )
    expected = float.fromhex(WITHOUT_FMA[name, argument])
    assert float.fromhex(done.stdout) == expected


def test_tunables_of_the_user_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
    tunables = child_environment()["GLIBC_TUNABLES"].split(":")
    assert tunables[0] == "glibc.malloc.check=1"
    assert tunables[1].startswith("glibc.cpu.hwcaps=")
