"""C to WebAssembly: one compiler process a source, at most two at once, then the linker."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runec.codegen.generate import GLUE, BlockUnit, GeneratedCode, generate
from runec.codegen.refusals import (
    check_includes,
    compiler_refusal,
    linker_refusal,
    manifest_span,
    no_function,
    own_blocks,
)
from runec.codegen.toolchain import Toolchain, find_toolchain, refuse_unfit_compiler
from runec.codegen.wasm import finish_module, read_facts
from runec.container import WasmModule
from runec.diagnostics import Diagnostics, MachineError, RunefileError, UserFileError
from runec.files import read_file, write_file
from runec.pipeline import Pipeline
from runec.proc_blocks import SOURCE, sdk_dir
from runec.tools import run_tool

STACK_BYTES_MIN = 1024
GLUE_STACK_BYTES = 64
_WORKERS = 2
_ERROR_LINES = 8
_TIMEOUT_S = 120
_OTHER_COMPILER = "try another version of clang, or pip install 'runec[zig]'"

_COMPILE_FLAGS = (
    "-std=c11",
    "-Os",
    "-ffreestanding",
    "-fno-builtin",
    "-nostdlib",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-strict-aliasing",
    "-fno-ident",
    "-mcpu=mvp",
    "-msign-ext",
    "-mnontrapping-fptoint",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-Wdate-time",
    "-fno-gnu-inline-asm",  # which could include any file of this machine
    "-fstack-usage",
    "-fdebug-compilation-dir=.",
)

_LINK_FLAGS = (
    "--no-entry",
    "--stack-first",
    "--export=__heap_base",
    "--export=__data_end",
    "--gc-sections",
    "--strip-all",
    "-O2",
)
_LINKED = "linked.wasm"

_EXPORTS = frozenset({"memory", "_manifest", "_call", "__heap_base", "__data_end"})


def compile_pipeline(pipeline: Pipeline, *, work_dir: Path | None = None) -> WasmModule:
    """Compile a pipeline. With `work_dir`, the C and the objects stay there to be looked at.

    Raises:
        UserFileError: R0504 to R0508, and those of `generate`.
        MachineError: R0501 to R0503.
    """
    code = generate(pipeline)
    toolchain = find_toolchain()
    if work_dir is not None:
        return _Workshop(toolchain, work_dir).build(code)
    try:
        with tempfile.TemporaryDirectory(prefix="runec-", ignore_cleanup_errors=True) as folder:
            return _Workshop(toolchain, Path(folder)).build(code)
    except OSError as error:
        raise MachineError(
            "R1002",
            f"cannot use a temporary folder: {error.strerror}",
            hint="free some space there, or set TMPDIR to another folder",
        ) from None


@dataclass(frozen=True, slots=True)
class _Workshop:
    """The folder that commands run in, so that no path but a block's and the SDK's is absolute."""

    toolchain: Toolchain
    folder: Path

    def build(self, code: GeneratedCode) -> WasmModule:
        for name, text in code.files.items():
            write_file(self.folder / name, text)
        for unit in code.units:
            if unit.block.is_own:
                check_includes(unit)
        stack_bytes = _stack_bytes(code.units)
        with ThreadPoolExecutor(_WORKERS) as pool:
            glue = pool.submit(self.compile, GLUE, (GLUE,))
            units = [pool.submit(self.compile_unit, unit) for unit in code.units]
            objects = [glue.result(), *_results(units)]
        units_by_symbol = {unit.symbol: unit for unit in code.units}
        linked = self.link(objects, stack_bytes, units_by_symbol)
        memory_bytes = _check(linked, own_blocks(units_by_symbol))
        return WasmModule(finish_module(linked, memory_bytes), memory_bytes, stack_bytes)

    def compile_unit(self, unit: BlockUnit) -> str:
        folder = unit.block.directory
        # So that __FILE__ does not tell where the block lies.
        mapped = f"-ffile-prefix-map={folder}="
        source = (mapped, "-include", unit.header, str(folder / SOURCE))
        return self.compile(unit.symbol, source, unit)

    def compile(self, name: str, source: tuple[str, ...], unit: BlockUnit | None = None) -> str:
        """Compile one source and return the object's name."""
        stem = Path(name).stem
        target = f"{stem}.o"
        sdk = ("-I", str(sdk_dir()))
        command = [
            *self.toolchain.compiler,
            *_COMPILE_FLAGS,
            *sdk,
            "-c",
            *source,
            "-o",
            target,
        ]
        done = run_tool(command, cwd=self.folder, timeout_s=_TIMEOUT_S)
        if done.returncode != 0:
            refuse_unfit_compiler(self.toolchain, done.stderr)
            refusal = None
            if unit is not None and unit.block.is_own:
                refusal = compiler_refusal(unit, done.stderr)
            raise refusal or _compiler_error(f"the C compiler refused {name}", done.stderr)
        report = self.folder / f"{stem}.su"
        if not report.is_file():
            if unit is not None and unit.block.is_own:
                raise no_function(unit)
            raise _compiler_error(f"the C compiler gave no stack report for {name}", done.stderr)
        _check_stack(_frames(report), name, unit)
        return target

    def link(self, objects: list[str], stack_bytes: int, units: Mapping[str, BlockUnit]) -> bytes:
        command = [
            *self.toolchain.linker,
            *_LINK_FLAGS,
            "-z",
            f"stack-size={stack_bytes}",
            *objects,
            "-o",
            _LINKED,
        ]
        done = run_tool(command, cwd=self.folder, timeout_s=_TIMEOUT_S)
        if done.returncode != 0:
            raise linker_refusal(units, done.stderr) or _compiler_error(
                "the linker refused the compiled pipeline", done.stderr
            )
        return read_file(self.folder / _LINKED, "the linker's output")


def _results(units: Sequence[Future[str]]) -> list[str]:
    """What the compilations gave, or the mistakes of all blocks at once."""
    objects = []
    mistakes = Diagnostics()
    for unit in units:
        try:
            objects.append(unit.result())
        except RunefileError as error:
            for diagnostic in error.diagnostics:
                mistakes.add(diagnostic)
    mistakes.raise_if_errors()
    return objects


def _stack_bytes(units: Sequence[BlockUnit]) -> int:
    deepest = max((unit.block.stack_bytes for unit in units), default=0)
    needed = -(-(GLUE_STACK_BYTES + deepest) // 16) * 16
    return max(STACK_BYTES_MIN, needed)


def _check_stack(used: int | None, name: str, unit: BlockUnit | None) -> None:
    """Compare the frames of a source with what its block declares."""
    declared = GLUE_STACK_BYTES if unit is None else unit.block.stack_bytes
    what = name if unit is None else f"the block {unit.block.name!r}"
    if used is None:
        raise UserFileError(
            "R0504",
            f"the stack of {what} has no fixed size",
            hint="use no alloca and no array of variable length",
        )
    if used > declared:
        raise UserFileError(
            "R0504",
            f"the functions of {what} use {used} bytes of stack, but {declared} are declared",
            hint=f"set stack_bytes = {used} in its block.toml",
            span=None if unit is None else manifest_span(unit, "stack_bytes"),
        )


def _frames(usage: Path) -> int | None:
    """The sum of all frames that `-fstack-usage` lists: no chain of calls uses more.

    None when a frame's size is only known at run time.
    """
    rows = [
        line.split("\t")
        for line in read_file(usage, "the compiler's stack report").decode().splitlines()
    ]
    if any(kind != "static" for _, _, kind in rows):
        return None
    return sum(int(size) for _, size, _ in rows)


def _compiler_error(message: str, said: str) -> MachineError:
    if "No space left on device" in said:
        return MachineError(
            "R1001", f"no space left to compile: {message}", hint="free some space, or set TMPDIR"
        )
    lines = [line for line in said.splitlines() if re.search(r"\berror\b", line)]
    first = (lines or [line for line in said.splitlines() if line.strip()])[:_ERROR_LINES]
    return MachineError("R0502", message, hint=_OTHER_COMPILER, notes=first or ["it said nothing"])


def _check(linked: bytes, own: str | None) -> int:
    """Look for what the linker does not refuse, and return `__heap_base`.

    `own` names the blocks of the user's, which are to blame where there are any.
    """
    try:
        facts = read_facts(linked)
        memory_bytes = facts.globals["__heap_base"]
    except (ValueError, KeyError, UserFileError) as error:
        raise _misfit(str(error), own) from None
    if facts.exports != _EXPORTS:
        raise _misfit(f"it exports {', '.join(sorted(facts.exports - _EXPORTS))}", own)
    if facts.is_recursive:
        raise UserFileError(
            "R0505",
            f"a function of a block comes to call itself{f': look into {own}' if own else ''}",
            hint="write it as a loop: on a device the stack is fixed",
        )
    return memory_bytes


def _misfit(why: str, own: str | None) -> MachineError | UserFileError:
    if own is not None:
        return UserFileError(
            "R0508",
            f"a block makes a module that no rune can hold: {why}: look into {own}",
            hint="use no function pointers, no exports, no imports but those of rune_block.h",
        )
    return MachineError(
        "R0503",
        f"the compiler wrote a module that no rune can hold: {why}",
        hint=_OTHER_COMPILER,
    )
