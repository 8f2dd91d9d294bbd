"""The C compiler for WebAssembly: clang and wasm-ld, or both out of the `ziglang` wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from functools import cache
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
    headers: Path | None = None

    def header_folder(self) -> Path:
        """Return the folder of the compiler's own headers, such as stdint.h.

        Raises:
            MachineError: R0501, the compiler has none; R1004, R1005, it cannot be asked.
        """
        return self.headers or _headers_of(self)


@cache
def _headers_of(toolchain: Toolchain) -> Path:
    done = run_tool([*toolchain.compiler, "-print-resource-dir"], timeout_s=60)
    folder = Path(done.stdout.strip() or "none") / "include"
    if not (folder / "stdint.h").is_file():
        refuse_unfit_compiler(toolchain, done.stderr)
        raise MachineError(
            "R0501",
            f"{toolchain.compiler[0]} lacks its headers, such as stdint.h",
            hint=_HINT,
        )
    return folder


def find_toolchain() -> Toolchain:
    """Find a compiler and a linker that belong together.

    Raises:
        MachineError: R0501, there are none.
    """
    suffixes = ["", *(f"-{v}" for v in range(_CLANG_VERSION_MAX, CLANG_VERSION_MIN - 1, -1))]
    for suffix in suffixes:
        clang, linker = shutil.which(f"clang{suffix}"), shutil.which(f"wasm-ld{suffix}")
        if clang is not None and linker is not None:
            folder = Path(os.path.realpath(clang)).parent.parent / "lib"
            # Usually one; if several versions exist, the compiler prints its own.
            headers = {path.resolve().parent for path in folder.glob("clang/*/include/stdint.h")}
            return Toolchain(
                (clang, "--target=wasm32"),
                (linker,),
                headers.pop() if len(headers) == 1 else None,
            )
    wheel = importlib.util.find_spec("ziglang")
    if wheel is not None and wheel.origin is not None:
        # `zig clang`, not `zig cc`: the latter compiles in a cache of its own and leaves no stack
        # report here. It does not know where its own stdint.h is.
        zig = (sys.executable, "-m", "ziglang")
        folder = Path(wheel.origin).parent
        compiler = (*zig, "clang", "--target=wasm32")
        return Toolchain(compiler, (*zig, "wasm-ld"), folder / "lib" / "include")
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
