"""The C compiler for WebAssembly: clang and wasm-ld, or both out of the `ziglang` wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from runec.diagnostics import MachineError
from runec.tools import run_tool

CLANG_VERSION_MIN = 14
_CLANG_VERSION_MAX = 30
_HINT = "apt install clang lld, or pip install 'runec[zig]'"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """Commands, to be followed by arguments."""

    compiler: tuple[str, ...]
    linker: tuple[str, ...]
    libraries: tuple[Path, ...] = ()

    def identity(self) -> str:
        """Return what changes when another version of the tools is installed.

        The path, size and time of the programs and of what they load: asking them for their version
        takes longer than a whole warm build, and two builds of one version say the same.
        """
        programs = (Path(self.compiler[0]), Path(self.linker[0]), *self.libraries)
        files = [Path(os.path.realpath(path)) for path in programs if path.is_file()]
        marks = [(path, path.stat()) for path in files]
        lines = [f"{path} {status.st_size} {status.st_mtime_ns}" for path, status in marks]
        return "\n".join([*self.compiler, *self.linker, *lines])


def find_toolchain() -> Toolchain:
    """Find a compiler and a linker that belong together.

    Raises:
        MachineError: R0501, there are none.
    """
    suffixes = ["", *(f"-{v}" for v in range(_CLANG_VERSION_MAX, CLANG_VERSION_MIN - 1, -1))]
    for suffix in suffixes:
        clang, linker = shutil.which(f"clang{suffix}"), shutil.which(f"wasm-ld{suffix}")
        if clang is not None and linker is not None:
            # Debian's clang is a small program before two large libraries.
            folder = Path(os.path.realpath(clang)).parent.parent / "lib"
            libraries = (*folder.glob("libLLVM*.so*"), *folder.glob("libclang-cpp*.so*"))
            return Toolchain((clang, "--target=wasm32"), (linker,), tuple(sorted(libraries)))
    wheel = importlib.util.find_spec("ziglang")
    if wheel is not None and wheel.origin is not None:
        # `zig clang`, not `zig cc`: the latter compiles in a cache of its own and leaves no stack
        # report here. It does not know where its own stdint.h is.
        zig = (sys.executable, "-m", "ziglang")
        folder = Path(wheel.origin).parent
        headers = folder / "lib" / "include"
        compiler = (*zig, "clang", "--target=wasm32", "-isystem", str(headers))
        return Toolchain(compiler, (*zig, "wasm-ld"), (folder / "zig",))
    missing = "clang" if shutil.which("clang") is None else "wasm-ld"
    raise MachineError(
        "R0501", f"no C compiler for WebAssembly: {missing} is not installed", hint=_HINT
    )


def refuse_unfit_compiler(toolchain: Toolchain, said: str) -> None:
    """After a failed compilation: raise when the reason is the compiler itself.

    Raises:
        MachineError: R0501, it is too old or was built without WebAssembly.
    """
    name = toolchain.compiler[0]
    if re.search(r"(?i)no available targets|unable to create target|unknown target triple", said):
        raise MachineError("R0501", f"{name} cannot compile to WebAssembly", hint=_HINT)
    if not Path(name).name.startswith("clang"):
        return
    version = re.search(r"version (\d+)", run_tool([name, "--version"], timeout_s=60).stdout)
    if version is not None and int(version[1]) < CLANG_VERSION_MIN:
        raise MachineError(
            "R0501",
            f"{name} is version {version[1]}; runec needs at least {CLANG_VERSION_MIN}",
            hint=_HINT,
        )
