"""C to WebAssembly: one compiler process a source, at most two at once, then the linker.

What the compiler and the linker wrote is taken from a `Store` where they have run on the same input
before (runec.codegen.keys); it is looked through in the same way whether they ran or not.
"""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from runec import __version__
from runec.cache import Store, content_key
from runec.codegen.generate import GLUE, BlockUnit, GeneratedCode, generate
from runec.codegen.keys import Folders, SourceTree, dependencies, read_tree
from runec.codegen.overlay import overlay_text
from runec.codegen.refusals import (
    block_files,
    compiler_crash,
    compiler_exceeded,
    compiler_refusal,
    linker_refusal,
    manifest_span,
    no_function,
    own_blocks,
    refuse_foreign_files,
)
from runec.codegen.toolchain import Toolchain, find_toolchain, refuse_unfit_compiler
from runec.codegen.wasm import finish_module, read_facts
from runec.container import MAX_NESTING, WasmModule
from runec.diagnostics import Diagnostics, MachineError, RunefileError, UserFileError
from runec.files import IN_TMPDIR, disk_error, read_file, write_file
from runec.pipeline import Pipeline
from runec.proc_blocks import SOURCE, sdk_dir
from runec.tools import Finished, Limits, ToolTimeoutError, end_tools, run_tool

STACK_BYTES_MIN = 1024
GLUE_STACK_BYTES = 64
_WORKERS = 2
_ERROR_LINES = 8
_TIMEOUT_S = 120
# A compiler needs some 200 MiB and seconds; a few lines of macros can make it take everything.
_LIMITS = Limits(memory_bytes=1 << 30, cpu_s=60, file_bytes=512 << 20)
# The object of the glue holds the zeros of all tensors, MAX_AREA_BYTES at most.
_GLUE_LIMITS = Limits(memory_bytes=4 << 30, cpu_s=60, file_bytes=2 << 30)
_SIGNALLED = 128  # a shell's exit status for the first signal; clang ends with it in a crash
_END_S = 0.05
_OTHER_COMPILER = "try another version of clang, or pip install 'runec[zig]'"

_NO_DATE = (
    '_Pragma("GCC error \\"__DATE__, __TIME__ and __TIMESTAMP__ are not allowed: '
    'the build would not be reproducible\\"")'
)

COMPILE_FLAGS = (
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
    # In place of -Wdate-time, which a pragma turns off.
    "-Wno-builtin-macro-redefined",
    *(f"-D{name}={_NO_DATE}" for name in ("__DATE__", "__TIME__", "__TIMESTAMP__")),
    "-fno-gnu-inline-asm",  # which could include any file of this machine
    "-fstack-usage",
    "-fdebug-compilation-dir=.",
    "-fno-crash-diagnostics",  # which would leave the source in a temporary folder
)

# What the tools would take from the environment of whoever calls runec.
_ENVIRONMENT = dict.fromkeys(
    (
        *("CPATH", "C_INCLUDE_PATH", "COMPILER_PATH", "CCC_OVERRIDE_OPTIONS", "CCC_ADD_ARGS"),
        *("LLD_REPRODUCE", "LLD_VERSION", "SOURCE_DATE_EPOCH"),
    )
) | {"CLANG_NO_DEFAULT_CONFIG": "1"}

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

# The names that the compiler knows folders by; a block's is `BlockUnit.link`.
_SDK, _HEADERS = "sdk", "compiler"

_EXPORTS = frozenset({"memory", "_manifest", "_call", "__heap_base", "__data_end"})


Log = Callable[[str], None]
"""Takes a line about what was not compiled, because the store held it."""


def compile_pipeline(
    pipeline: Pipeline,
    *,
    store: Store | None = None,
    work_dir: Path | None = None,
    log: Log | None = None,
    guard_bytes: int = 0,
) -> WasmModule:
    """Compile a pipeline, or what of it the store does not hold; `log` is told what it did hold.

    `guard_bytes` are those of `generate`.

    With `work_dir`, everything is compiled and the C and the objects stay there to be looked at.

    Raises:
        UserFileError: R0504 to R0508, and those of `generate`.
        MachineError: R0501 to R0503.
    """
    code = generate(pipeline, guard_bytes=guard_bytes)
    toolchain = find_toolchain()
    if work_dir is not None:
        return _Workshop(toolchain, work_dir.resolve()).build(code)
    try:
        with tempfile.TemporaryDirectory(prefix="runec-", ignore_cleanup_errors=True) as folder:
            identity = "" if store is None else toolchain.identity()
            place = Path(folder).resolve()
            return _Workshop(toolchain, place, store, identity, log).build(code)
    except OSError as error:
        raise MachineError(
            "R1002",
            f"cannot use a temporary folder: {error.strerror}",
            hint="free some space there, or set TMPDIR to another folder",
        ) from None


@dataclass(frozen=True, slots=True)
class _Source:
    """A source to compile: how the compiler and errors call it, and what it may use.

    `text` is that of the file that was `generated` for it.
    """

    name: str
    arguments: tuple[str, ...]
    generated: str
    text: str
    unit: BlockUnit | None

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    @property
    def title(self) -> str:
        """How people call it."""
        return self.name if self.unit is None else f"the block {self.unit.block.name!r}"

    @property
    def own(self) -> BlockUnit | None:
        """The unit when its block is the user's: then mistakes are shown in its files."""
        return self.unit if self.unit is not None and self.unit.block.is_own else None

    @classmethod
    def glue(cls, code: GeneratedCode) -> _Source:
        return cls(GLUE, (GLUE,), GLUE, code.files[GLUE], None)

    @classmethod
    def of_block(cls, code: GeneratedCode, unit: BlockUnit) -> _Source:
        arguments = ("-include", unit.header, f"{unit.link}/{SOURCE}")
        return cls(unit.symbol, arguments, unit.header, code.files[unit.header], unit)


@dataclass(frozen=True, slots=True)
class _Object:
    """A compiled source. `stack_bytes` is None when it is only known at run time."""

    stem: str
    data: bytes
    stack_bytes: int | None

    def to_entry(self) -> bytes:
        used = -1 if self.stack_bytes is None else self.stack_bytes
        return used.to_bytes(8, "little", signed=True) + self.data

    @classmethod
    def from_entry(cls, stem: str, entry: bytes) -> _Object:
        used = int.from_bytes(entry[:8], "little", signed=True)
        return cls(stem, entry[8:], None if used < 0 else used)


@dataclass(frozen=True, slots=True)
class _Workshop:
    """The folder that commands run in, so that no path that the compiler is given is absolute.

    It has no link in its path, so that the compiler computes the same absolute paths from it.
    """

    toolchain: Toolchain
    folder: Path
    store: Store | None = None
    identity: str = ""  # of the toolchain; nothing depends on it without a store
    log: Log | None = None

    def build(self, code: GeneratedCode) -> WasmModule:
        for name, text in code.files.items():
            write_file(self.folder / name, text, durable=False, elsewhere=IN_TMPDIR)
        files = {unit.symbol: block_files(unit) for unit in code.units}
        sources = [_Source.glue(code), *(_Source.of_block(code, unit) for unit in code.units)]
        for source in sources:
            try:
                self.folders(source).make()
            except OSError as error:
                what = f"make links in {self.folder}"
                raise disk_error(error, what, elsewhere=IN_TMPDIR) from None
        with ThreadPoolExecutor(_WORKERS) as pool:
            try:
                objects = _results(
                    [pool.submit(self.compile, each, files.get(each.name, ())) for each in sources]
                )
            except BaseException:  # Ctrl-C reaches this thread alone, which would wait for them
                _end_workers(pool)
                raise
        stack_bytes = _stack_bytes(code.units)
        units = {unit.symbol: unit for unit in code.units}
        linked = self.link(objects, stack_bytes, units)
        memory_bytes = _check(linked, own_blocks(units))
        return WasmModule(finish_module(linked, memory_bytes), memory_bytes, stack_bytes)

    def compile(self, source: _Source, files: Collection[str]) -> _Object:
        """Compile one source, or take it from the store; `files` are those of its block."""
        folders = self.folders(source)
        trees = self.trees(folders)
        key = self.object_key(source, trees)
        entry = None if self.store is None or key is None else self.store.get(key)
        if entry is not None:
            made = _Object.from_entry(source.stem, entry)
            self.tell_kept(source.title)
        else:
            made = self.run_compiler(source, folders, files)
            names = self.files_read(source)
            if source.own is not None:
                refuse_foreign_files(source.own, folders, names)
            if self.store is not None and key is not None:
                # Not kept when a file changed meanwhile, or came from where nobody looked.
                same = self.object_key(source, self.trees(folders)) == key
                if same and _is_known(names, folders, trees):
                    self.store.put(key, made.to_entry())
        _check_stack(source, made)
        return made

    def folders(self, source: _Source) -> Folders:
        """What the compiler may read: the SDK, its own headers, and the folder of the block."""
        links = {_SDK: sdk_dir(), _HEADERS: self.toolchain.header_folder()}
        if source.unit is not None:
            links[source.unit.link] = source.unit.block.directory
        return Folders(self.folder, links)

    def trees(self, folders: Folders) -> dict[str, SourceTree | None]:
        """What of it is part of the key; of the compiler's headers, the identity has the state."""
        if self.store is None:
            return {}
        return {
            name: read_tree(folder) for name, folder in folders.links.items() if name != _HEADERS
        }

    def object_key(self, source: _Source, trees: Mapping[str, SourceTree | None]) -> str | None:
        parts: list[bytes | str] = ["object", __version__, self.identity]
        parts += [*COMPILE_FLAGS, source.text]
        for tree in trees.values():
            if tree is None:
                return None
            parts += tree.parts()
        return content_key(*parts)

    def files_read(self, source: _Source) -> list[str]:
        """Return every file that the compiler has read, as it was asked for it."""
        rule = read_file(self.folder / f"{source.stem}.d", "the compiler's list of files")
        return dependencies(rule.decode(errors="surrogateescape"))

    def run_compiler(self, source: _Source, folders: Folders, files: Collection[str]) -> _Object:
        stem = source.stem
        link = "" if source.unit is None else source.unit.link
        overlay = overlay_text(folders, [source.generated], link, files)
        write_file(self.folder / f"{stem}.yaml", overlay, durable=False, elsewhere=IN_TMPDIR)
        command = [
            *self.toolchain.compiler,
            *COMPILE_FLAGS,
            *(f"-ffile-prefix-map={name}/=" for name in folders.links),
            "-nostdinc",
            "-I",
            _SDK,
            "-isystem",
            _HEADERS,
            "-ivfsoverlay",
            f"{stem}.yaml",
            "-MD",
            "-c",
            *source.arguments,
            "-o",
            f"{stem}.o",
        ]
        done = self.run(command, source.unit)
        if done.returncode != 0:
            if done.returncode > 0:  # not killed
                refuse_unfit_compiler(self.toolchain, done.stderr)
            refusal = None
            if source.own is not None:
                refusal = compiler_refusal(source.own, folders, done.stderr)
                if refusal is None and not 0 < done.returncode < _SIGNALLED:
                    raise compiler_crash(source.own)
            message = f"the C compiler refused {source.name}"
            raise refusal or _compiler_error(message, done.stderr)
        report = self.folder / f"{stem}.su"
        if not report.is_file():
            if source.own is not None:
                raise no_function(source.own)
            raise _compiler_error(
                f"the C compiler gave no stack report for {source.name}", done.stderr
            )
        data = read_file(self.folder / f"{stem}.o", "the compiler's output")
        return _Object(stem, data, _frames(report))

    def link(
        self, objects: Sequence[_Object], stack_bytes: int, units: Mapping[str, BlockUnit]
    ) -> bytes:
        """Link objects, or take the module from the store."""
        size = ("-z", f"stack-size={stack_bytes}")
        key = content_key(
            *("module", __version__, self.identity, *_LINK_FLAGS, *size),
            *(item.data for item in objects),
        )
        linked = None if self.store is None else self.store.get(key)
        if linked is None:
            linked = self.run_linker(objects, size, units)
            if self.store is not None:
                self.store.put(key, linked)
        else:
            self.tell_kept("the linked module")
        return linked

    def tell_kept(self, what: str) -> None:
        if self.log is not None:
            self.log(f"from the build cache: {what}")

    def run_linker(
        self, objects: Sequence[_Object], size: tuple[str, str], units: Mapping[str, BlockUnit]
    ) -> bytes:
        names = [f"{item.stem}.o" for item in objects]
        for name, item in zip(names, objects, strict=True):
            write_file(
                self.folder / name,
                item.data,
                only_if_changed=True,
                durable=False,
                elsewhere=IN_TMPDIR,
            )
        done = self.run([*self.toolchain.linker, *_LINK_FLAGS, *size, *names, "-o", _LINKED])
        if done.returncode != 0:
            raise linker_refusal(units, done.stderr) or _compiler_error(
                "the linker refused the compiled pipeline", done.stderr
            )
        return read_file(self.folder / _LINKED, "the linker's output")

    def run(self, command: list[str], unit: BlockUnit | None = None) -> Finished:
        """Run a tool: R0509 where a block of the user's takes too much."""
        limits = _GLUE_LIMITS if unit is None else _LIMITS
        own = unit if unit is not None and unit.block.is_own else None
        try:
            done = run_tool(
                command,
                cwd=self.folder,
                environment={**_ENVIRONMENT, "PWD": str(self.folder)},
                timeout_s=_TIMEOUT_S,
                limits=limits,
            )
        except ToolTimeoutError:
            if own is None:
                raise
            raise compiler_exceeded(own, f"{_TIMEOUT_S} s") from None
        exceeded = done.exceeded(limits)
        if own is not None and exceeded is not None:
            raise compiler_exceeded(own, exceeded)
        return done


def _is_known(
    names: Sequence[str], folders: Folders, trees: Mapping[str, SourceTree | None]
) -> bool:
    """True when every file that the compiler has read is part of the key."""
    for name in names:
        link, path = folders.within(name) or (None, "")
        tree = trees.get(link) if link is not None else None
        if link not in ("", _HEADERS) and (tree is None or not tree.holds(path)):
            return False
    return True


def _end_workers(pool: ThreadPoolExecutor) -> None:
    """Kill the compilers that a pool's threads wait for, until all threads have ended."""
    end = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True})
    end.start()
    # More than once: a worker may be about to start one.
    while end.is_alive():
        end_tools()
        end.join(_END_S)


def _results(jobs: Sequence[Future[_Object]]) -> list[_Object]:
    """What the compilations gave, or the mistakes of all blocks at once."""
    # Not without a limit: a wait that begins just behind Ctrl-C would not see it.
    while wait(jobs, timeout=_END_S).not_done:
        pass
    objects = []
    mistakes = Diagnostics()
    for job in jobs:
        try:
            objects.append(job.result())
        except RunefileError as error:
            for diagnostic in error.diagnostics:
                mistakes.add(diagnostic)
    mistakes.raise_if_errors()
    return objects


def _check_stack(source: _Source, made: _Object) -> None:
    """Compare the frames of a source with what its block declares."""
    unit = source.unit
    declared = GLUE_STACK_BYTES if unit is None else unit.block.stack_bytes
    what = source.title
    used = made.stack_bytes
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
    if facts.nesting > MAX_NESTING:
        raise UserFileError(
            "R0511",
            f"a function has blocks nested {facts.nesting} deep; a device compiles {MAX_NESTING}"
            f"{f': look into {own}' if own else ''}",
            hint="replace large switch statements by tables, and split deeply nested code",
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
