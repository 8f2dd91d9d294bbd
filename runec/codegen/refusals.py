"""Errors of compiler and linker in a user's block, with locations in its files."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from runec.codegen.folders import Folders
from runec.codegen.generate import BlockUnit
from runec.diagnostics import Diagnostic, Label, RunefileError, SourceFile, Span, UserFileError
from runec.files import is_inside, read_file, require_regular
from runec.proc_blocks import SOURCE

_MESSAGES_MAX = 8
_LOOKED_AT_MAX = 10_000
_MAX_SOURCE_BYTES = 4 * 1024 * 1024
_RULES = "see docs/guides/blocks.md"
_SAID = re.compile(
    r"^(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): "
    r"(?P<kind>fatal error|error|note): (?P<text>.*)",
    re.MULTILINE,
)
_MISSING = re.compile(r"'(?P<file>[^']+)' file not found.*")
_UNDEFINED = re.compile(r"(?P<object>\S+)\.o: undefined symbol: (?P<symbol>\S+)")
_DUPLICATE = re.compile(r"duplicate symbol: (?P<symbol>\S+)")
_MISMATCH = re.compile(r"function signature mismatch: (?P<symbol>\S+)(?P<where>(?:\n>>> .*)*)")
_DEFINED = re.compile(r"^>>> defined as .* in (?P<object>\S+)\.o$", re.MULTILINE)
_NO_LIBC = "no libc is available; use rune_block.h and rune_math.h"
# Functions that the compiler calls for an assignment of a large struct.
_COPIES = frozenset({"memcpy", "memmove", "memset"})
_NO_COPY = "copy or fill element by element, or with rune_copy; copying a large struct calls it"
_NO_FUNCTION = "write RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0)) { ... return RUNE_OK; }"
# Compiler messages and hints; the first match applies.
_HINTS = (
    (r"file not found", "a block includes rune_block.h, rune_math.h and headers in its own folder"),
    (r"'RUNE_ARG_(\w+)'", "declare the argument {argument!r} in block.toml"),
    (r"'RUNE_(?:IN|OUT)\d", "declare as many [[inputs]] and [[outputs]] in block.toml"),
    (r"'(?:in|out)\d'", "add it to the head: RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))"),
    (r"implicit declaration|undeclared function|library function", _NO_LIBC),
    (r"__TIMESTAMP__", "remove it: a rune does not depend on its build time"),
    (r"inline assembly", "write it in C"),
    (r"\[-W", "warnings are errors: fix the code, for example with a cast"),
)
# The files that lead to a message in a header.
_INCLUDED = re.compile(r"^In file included from (?P<file>.+?):\d+:$", re.MULTILINE)


def block_files(unit: BlockUnit) -> list[str]:
    """Return the files that a block may include, relative to its folder.

    Links are followed; what leads out of the folder is left out, and so are hidden folders. Of a
    folder with more than 10,000 entries the nearest are returned.

    Raises:
        UserFileError: R1003, a file is a pipe or a device.
        RunefileError: R0508, block.c is a link that leads out of the folder.
    """
    found: list[str] = []
    folder = unit.block.directory
    for path, is_linked in _entries(folder):
        try:
            if stat.S_ISSOCK(path.stat().st_mode):
                continue  # it cannot be opened
            require_regular(path)
            if not is_linked or is_inside(path, folder):
                found.append(str(path.relative_to(folder)))
        except FileNotFoundError:
            continue  # a link to nothing: the compiler reports it where it is included
        except OSError as error:
            raise UserFileError(
                "R1003",
                f"cannot read the file {path} of the block {unit.block.name!r}: {error.strerror}",
                hint="remove it from the block's folder",
            ) from None
    if SOURCE not in found and (folder / SOURCE).is_file():
        raise RunefileError((_foreign(unit, f"{unit.link}/{SOURCE}"),))
    return found


def _entries(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield what is in a folder and below it but folders, and whether there is a link on the way.

    Nearer files are first. A folder that contains itself is visited once; one that is a link out of
    the first is not.
    """
    left = _LOOKED_AT_MAX
    folders = deque([(folder, False, frozenset((os.path.realpath(folder),)))])
    while folders:
        parent, is_linked, above = folders.popleft()
        try:
            entries = sorted(os.scandir(parent), key=lambda entry: entry.name)
        except OSError:
            continue  # the compiler reports it where it is needed
        for entry in entries:
            path = Path(entry.path)
            linked = is_linked or entry.is_symlink()
            if not entry.is_dir():
                yield path, linked
            elif entry.name.startswith("."):
                continue  # of tools, such as .git with its thousands of files
            elif linked and not is_inside(path, folder):
                continue
            elif (real := os.path.realpath(path)) not in above:
                folders.append((path, linked, above | {real}))
        left -= len(entries)
        if left < 0:
            return


def refuse_foreign_files(unit: BlockUnit, folders: Folders, names: Iterable[str]) -> None:
    """Reject includes of a user's block from outside its folder.

    `names` are the files that the compiler has read, so every form of include is covered.

    Raises:
        RunefileError: R0508. On another machine it is another file, or none.
        UserFileError: R1003, the source cannot be read.
    """
    found = [name for name in names if folders.within(name) is None]
    if found:
        raise RunefileError(tuple(_foreign(unit, name) for name in found[:_MESSAGES_MAX]))


def _foreign(unit: BlockUnit, name: str, span: Span | None = None) -> Diagnostic:
    """R0508 of a file as the compiler names it."""
    folder, _, below = name.partition("/")
    shown = below if folder == unit.link else name
    is_link = not {"", ".."} & set(shown.split("/"))
    return Diagnostic(
        "R0508",
        f"the block {unit.block.name!r} includes a file from outside its folder: {shown}"
        f"{' (a symbolic link)' if is_link else ''}",
        span=span or _include_span(unit, Path(shown).name),
        hint="copy the file into the block's folder and include it by its name",
    )


def _include_span(unit: BlockUnit, name: str) -> Span | None:
    """Location of an include in block.c; None if it is not literal."""
    source = _source(unit, SOURCE)
    found = re.search(rf"[^<\"\s]*{re.escape(name)}(?=[>\"])", source.text)
    return None if found is None else Span(source, *found.span())


def compiler_exceeded(unit: BlockUnit, limit: str) -> UserFileError:
    """R0509: the compiler takes too much for a block of the user's; `limit` as in `60 s`."""
    source = _source(unit, SOURCE)
    return UserFileError(
        "R0509",
        f"compiling the block {unit.block.name!r} exceeds {limit}",
        hint="shorten its macros and tables; move large tables to a resource",
        span=Span(source, 0, len(source.line(1))),
    )


def compiler_crash(unit: BlockUnit) -> UserFileError:
    """R0510: the compiler crashes on a block of the user's."""
    source = _source(unit, SOURCE)
    return UserFileError(
        "R0510",
        f"the C compiler crashes on the block {unit.block.name!r}",
        hint="simplify its expressions and macros, or try another version of clang",
        span=Span(source, 0, len(source.line(1))),
    )


def compiler_refusal(unit: BlockUnit, folders: Folders, said: str) -> RunefileError | None:
    """Return compiler messages about a block's files as an error; None without any.

    `said` names them by the folder's link; the error shows them as the user named the folder. Of a
    file from outside the folder nothing is shown but that it is included.
    """
    named = [match["file"] for pattern in (_SAID, _INCLUDED) for match in pattern.finditer(said)]
    refuse_foreign_files(unit, folders, dict.fromkeys(named))
    found: list[Diagnostic] = []
    for match in _SAID.finditer(said):
        link, name = folders.within(match["file"]) or ("", "")
        span = None
        if link == unit.link:
            span = _span(_source(unit, name), int(match["line"]), int(match["column"]))
        missing = _MISSING.fullmatch(match["text"])
        outside = missing and _outside(folders, match["file"], missing["file"])
        if outside:
            found.append(_foreign(unit, outside, span))
        elif match["kind"] != "note":
            message = f"the block {unit.block.name!r} does not compile: {match['text']}"
            found.append(Diagnostic("R0508", message, span=span, hint=_hint(match["text"])))
        elif found and span is not None and found[-1].span != span:
            label = Label(span, match["text"])
            found[-1] = replace(found[-1], labels=(*found[-1].labels, label))
    return RunefileError(tuple(found[:_MESSAGES_MAX])) if found else None


def _outside(folders: Folders, includer: str, name: str) -> str | None:
    """Return a file that the compiler does not see but that is there, as it would be called.

    It is an absolute path, or one from the folder of the file that includes it.
    """
    called = name if name.startswith("/") else f"{os.path.dirname(includer)}/{name}"  # noqa: PTH120
    is_there = os.path.lexists(folders.place / called)
    return called if is_there and folders.within(called) is None else None


def linker_refusal(units: Mapping[str, BlockUnit], said: str) -> UserFileError | None:
    """Return the mistake of a block of the user's that the linker found; None when it is none."""
    for match in _UNDEFINED.finditer(said):
        if (unit := units.get(match["symbol"])) is not None and unit.block.is_own:
            return no_function(unit)
        unit = units.get(Path(match["object"]).name)
        if unit is not None and unit.block.is_own:
            return UserFileError(
                "R0508",
                f"the block {unit.block.name!r} calls {match['symbol']}, which does not exist",
                hint=_NO_COPY if match["symbol"] in _COPIES else _NO_LIBC,
                span=_mention(unit, match["symbol"]),
            )
    mismatch = _MISMATCH.search(said)
    for found in () if mismatch is None else _DEFINED.finditer(mismatch["where"]):
        unit = units.get(Path(found["object"]).name)
        if unit is not None and unit.block.is_own and mismatch is not None:
            return UserFileError(
                "R0508",
                f"the block {unit.block.name!r} declares {mismatch['symbol']} with other "
                "parameters than it has",
                hint="remove the declaration: rune_block.h declares all that a block may call",
                span=_mention(unit, mismatch["symbol"]),
            )
    duplicate = _DUPLICATE.search(said)
    for unit in units.values():
        if duplicate is not None and unit.block.is_own:
            span = _mention(unit, duplicate["symbol"])
            if span is not None:
                return UserFileError(
                    "R0508",
                    f"{duplicate['symbol']} is defined more than once in the rune",
                    hint="make it static: each use of a block is compiled separately",
                    span=span,
                )
    return None


def no_function(unit: BlockUnit) -> UserFileError:
    """R0508: a block of the user's without the function that computes it."""
    source = _source(unit, SOURCE)
    return UserFileError(
        "R0508",
        f"the block {unit.block.name!r} has no RUNE_BLOCK_RUN",
        hint=_NO_FUNCTION,
        span=Span(source, 0, len(source.line(1))),
    )


def odd_label(unit: BlockUnit) -> UserFileError:
    """R0508: a block of the user's whose function has a label that spoils the stack report."""
    source = _source(unit, SOURCE)
    return UserFileError(
        "R0508",
        f"a function of the block {unit.block.name!r} has a label with control characters",
        hint="remove the asm label of the function",
        span=Span(source, 0, len(source.line(1))),
    )


def other_parameters(unit: BlockUnit) -> UserFileError:
    """R0508: a block whose function has other parameters than its stage has tensors."""
    inputs = [f"RUNE_IN({number})" for number in range(len(unit.stage.inputs))]
    outputs = [f"RUNE_OUT({number})" for number in range(len(unit.stage.outputs))]
    return UserFileError(
        "R0508",
        f"the function of the block {unit.block.name!r} does not have a parameter for each tensor "
        f"of the stage {unit.stage.name!r}",
        hint=f"write RUNE_BLOCK_RUN({', '.join(inputs + outputs)})",
        span=_mention(unit, "RUNE_BLOCK_RUN"),
    )


def own_blocks(units: Mapping[str, BlockUnit]) -> str | None:
    """Return the names of the user's own blocks among the units, for a message; None without."""
    names = dict.fromkeys(repr(unit.block.name) for unit in units.values() if unit.block.is_own)
    return ", ".join(names) or None


def manifest_span(unit: BlockUnit, key: str) -> Span | None:
    """Where `block.toml` gives a key of its first level; None for a block of the catalogue."""
    return None if unit.block.file is None else unit.block.file.span((key,))


def _source(unit: BlockUnit, name: str) -> SourceFile:
    """A file of a block's folder, under the name that the user gave the folder."""
    path = (unit.block.own_path or unit.block.directory) / name
    data = read_file(path, "the block's source", max_bytes=_MAX_SOURCE_BYTES)
    return SourceFile(str(path), data.decode(errors="replace"))


def _span(source: SourceFile, line: int, column: int) -> Span:
    """The word at a place as clang reports it: it counts bytes, and we count characters."""
    lines = source.text.split("\n")
    text = lines[min(line, len(lines)) - 1]
    characters = len(text.encode()[: column - 1].decode(errors="ignore"))
    word = re.match(r"\w+|\"[^\"\n]*\"?|.", text[characters:])
    start = source.offset(line, characters + 1)
    return Span(source, start, start + (len(word[0]) if word is not None else 1))


def _hint(text: str) -> str:
    for pattern, hint in _HINTS:
        if match := re.search(pattern, text):
            return hint.format(argument=match[1].lower() if match.re.groups else "")
    return _RULES


def _mention(unit: BlockUnit, symbol: str) -> Span | None:
    """The last place where block.c names a symbol: calls come after declarations."""
    source = _source(unit, SOURCE)
    places = list(re.finditer(rf"\b{re.escape(symbol)}\b", source.text))
    return Span(source, *places[-1].span()) if places else None
