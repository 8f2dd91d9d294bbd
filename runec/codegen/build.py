"""C to WebAssembly: one compiler process a source, at most two at once, then the linker."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runec.codegen.generate import GLUE, BlockUnit, GeneratedCode, generate
from runec.codegen.toolchain import Toolchain, find_toolchain, refuse_unfit_compiler
from runec.codegen.wasm import finish_module, read_facts
from runec.container import WasmModule
from runec.diagnostics import MachineError, UserFileError
from runec.files import read_file, write_file
from runec.pipeline import Pipeline
from runec.proc_blocks import sdk_dir
from runec.tools import end_tools, run_tool

STACK_BYTES_MIN = 1024
GLUE_STACK_BYTES = 64
_WORKERS = 2
_ERROR_LINES = 8
_TIMEOUT_S = 120
_END_S = 0.05
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
        UserFileError: R0504 to R0507.
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
    """The folder that commands run in, so that no path but the SDK's is absolute."""

    toolchain: Toolchain
    folder: Path

    def build(self, code: GeneratedCode) -> WasmModule:
        for name, text in code.files.items():
            write_file(self.folder / name, text)
        stack_bytes = _stack_bytes(code.units)
        with ThreadPoolExecutor(_WORKERS) as pool:
            glue = pool.submit(self.compile, GLUE, (GLUE,), GLUE_STACK_BYTES)
            units = [pool.submit(self.compile_unit, unit) for unit in code.units]
            try:
                objects = [glue.result(), *(unit.result() for unit in units)]
            except BaseException:  # Ctrl-C reaches this thread alone, which would wait for them
                pool.shutdown(wait=False, cancel_futures=True)
                # More than once: a worker may be about to start one.
                while not all(job.done() for job in (glue, *units)):
                    end_tools()
                    time.sleep(_END_S)
                raise
        linked = self.link(objects, stack_bytes)
        memory_bytes = _check(linked)
        return WasmModule(finish_module(linked, memory_bytes), memory_bytes, stack_bytes)

    def compile_unit(self, unit: BlockUnit) -> str:
        source = ("-include", unit.header, str(unit.block.directory / "block.c"))
        return self.compile(unit.symbol, source, unit.block.stack_bytes)

    def compile(self, name: str, source: tuple[str, ...], stack_bytes: int) -> str:
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
            if done.returncode > 0:  # not killed
                refuse_unfit_compiler(self.toolchain, done.stderr)
            raise _compiler_error(f"the C compiler refused {name}", done.stderr)
        report = self.folder / f"{stem}.su"
        if not report.is_file():
            raise _compiler_error(f"the C compiler gave no stack report for {name}", done.stderr)
        used = _frames(report)
        if used is None:
            raise UserFileError(
                "R0504",
                f"the stack of {name} has no fixed size",
                hint="use no alloca and no array of variable length",
            )
        if used > stack_bytes:
            raise UserFileError(
                "R0504",
                f"the functions of {name} use {used} bytes of stack, but {stack_bytes} are "
                "declared",
                hint=f"set stack_bytes = {used} in its block.toml",
            )
        return target

    def link(self, objects: list[str], stack_bytes: int) -> bytes:
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
            raise _compiler_error("the linker refused the compiled pipeline", done.stderr)
        return read_file(self.folder / _LINKED, "the linker's output")


def _stack_bytes(units: Sequence[BlockUnit]) -> int:
    deepest = max((unit.block.stack_bytes for unit in units), default=0)
    needed = -(-(GLUE_STACK_BYTES + deepest) // 16) * 16
    return max(STACK_BYTES_MIN, needed)


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


def _check(linked: bytes) -> int:
    """Look for what the linker does not refuse, and return `__heap_base`."""
    try:
        facts = read_facts(linked)
        memory_bytes = facts.globals["__heap_base"]
    except (ValueError, KeyError, UserFileError) as error:
        raise _misfit(str(error)) from None
    if facts.exports != _EXPORTS:
        raise _misfit(f"it exports {', '.join(sorted(facts.exports))}")
    if facts.is_recursive:
        raise UserFileError(
            "R0505",
            "a function of a block comes to call itself",
            hint="write it as a loop: on a device the stack is fixed",
        )
    return memory_bytes


def _misfit(why: str) -> MachineError:
    return MachineError(
        "R0503",
        f"the compiler wrote a module that no rune can hold: {why}",
        hint=_OTHER_COMPILER,
    )
