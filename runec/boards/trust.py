"""Allow-lists for untrusted board files: values that cannot run code on the host.

A board file names programs (compiler, emulator, upload tool) and what they are started with, and
names of packages that PlatformIO executes. The files of runec, and those in the user's own folder
(RUNEC_BOARDS_DIR), are trusted. One that is named by its path, and what lies beside it, may be
untrusted, as part of a project: there each of these keys has an allow-list, wide enough for a board
with another chip, clock, memory, pin or machine. Anything else needs `--trust-board`.

All other keys are numbers, enumerations, or texts that are only printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from runec.boards.inheritance import JoinedBoard, KeyPath
from runec.boards.upload_words import OPENOCD_SCRIPT, OPENOCD_SCRIPTS, TOOLS, unusual_words
from runec.toml import TomlFile


@dataclass(frozen=True, slots=True)
class Refusal:
    """A key of a board file whose value may run code, and the value."""

    path: KeyPath
    value: str
    why: str


# One word of a compiler's or linker's command line. No paths, no files of flags, no plugins, no
# other programs, and no `$`, which SCons expands, as Python in `${...}`.
_WORD = r"[A-Za-z0-9_+.-]+"
_FLAG = re.compile(
    r"-m[a-z0-9-]+(?:=[A-Za-z0-9_+.,-]+)?"
    r"|-O[0123sgz]?|-g[0-3]?"
    r"|-f(?:no-)?(?:function-sections|data-sections|common|short-enums|(?:un)?signed-char"
    r"|omit-frame-pointer|strict-aliasing|strict-volatile-bitfields|jump-tables|math-errno"
    r"|(?:asynchronous-)?unwind-tables|optimize-sibling-calls|unroll-loops|builtin|freestanding"
    r"|merge-constants|inline(?:-[a-z-]+)?|tree-[a-z-]+|ipa-[a-z-]+|stack-protector)"
    r"|-W(?:no-)?[a-z][a-z0-9+-]*(?:=[0-9]+)?"
    rf"|-[DU][A-Za-z_]\w*(?:={_WORD})?"
    r"|-nostdlib|-nostartfiles|-nodefaultlibs|-static|-ansi|-std=[a-z0-9+]+"
    r"|--?specs=(?:nano|nosys|rdimon|picolibc|picolibcpp)\.specs"
    r"|-l[a-z0-9_+-]+"
    r"|-Wl,(?:--(?:no-)?(?:gc-sections|relax|print-memory-usage|warn-[a-z-]+|check-sections)"
    rf"|--defsym=\w+={_WORD}|--undefined=\w+|--wrap=\w+|-z,[a-z0-9=-]+)",
    re.ASCII,
)
# The name of a machine or a chip, not of a file that describes one.
_MACHINE = re.compile(r"[A-Za-z0-9_-]+(?:\.[0-9]+)*", re.ASCII)
_PLAIN = re.compile(_WORD, re.ASCII)
# A program in PATH whose name begins so, and no path.
_PREFIX = re.compile(r"(?:[A-Za-z0-9_.]+-)+", re.ASCII)
_CXX = re.compile(r"(?:[A-Za-z0-9_.]+-)*(?:g\+\+|clang\+\+)(?:-[0-9.]+)?", re.ASCII)
_QEMU = re.compile(r"qemu-system-[a-z0-9_]+", re.ASCII)
_QEMU_FLAG = re.compile(
    r"-nographic|-no-reboot|-icount\0(?:shift=)?(?:[0-9]+|auto)(?:,(?:sleep|align)=(?:on|off))*"
    r"|-serial\0null|-cpu\0[A-Za-z0-9_.-]+|-m\0[0-9]+[KMG]?|-smp\0[0-9]+|-display\0none|-accel\0tcg",
    re.ASCII,
)
# A name, and not a file: nothing in the current folder that a tool would read.
_UPLOAD_VALUE = re.compile(r"[A-Za-z0-9_+-]+", re.ASCII)
_SCRIPT = re.compile(OPENOCD_SCRIPT, re.ASCII)
_PLATFORM = re.compile(
    r"(?P<owner>platformio/)?(?P<name>[a-z0-9-]+)(?: ?@ ?[~^=]*[0-9][0-9.]*)?", re.ASCII
)

_PROGRAM = "runec would run this program on the host"
_OPTIONS = "this option could run a program on the host"
_COMMAND = "could do more than write to the board with it"
# Commands in hints.
_DEBIAN = re.compile(r"[a-z0-9][a-z0-9+.-]+", re.ASCII)
_INSTALLED = re.compile(r"[A-Za-z0-9 .+()/-]*|[a-z0-9-]+>=[0-9.]+ \(pip\)", re.ASCII)
_TYPED = "it is not the name of a package"
_PACKAGE = "PlatformIO would install it and run its code"


class _Known:
    """Every value that the board files of runec have at a path."""

    def __init__(self, texts: Iterable[TomlFile]) -> None:
        self._tables = [text.tables for text in texts]

    def at(self, path: KeyPath) -> Iterator[Any]:
        for tables in self._tables:
            value: Any = tables
            for key in path:
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                yield value

    def words(self, path: KeyPath) -> set[str]:
        """Return every element of the lists at a path."""
        return {word for words in self.at(path) for word in words}

    def ways(self) -> list[tuple[list[str], list[str]]]:
        """Return the command and the script of every way onto a board."""
        ways = [*self.at(("upload",))]
        ways += [way for several in self.at(("other_uploads",)) for way in several]
        return [_way(way) for way in ways]


def _way(table: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    return table.get("command", []), table.get("script", [])


_Rule = Callable[[Any, KeyPath, _Known], Iterator[Refusal]]


def unusual_flags(flags: Iterable[str]) -> tuple[str, ...]:
    """Return the flags of a compiler that a board file needs trust for."""
    return tuple(
        flag for flag in flags if not _FLAG.fullmatch(flag) and not _LIBRARY.fullmatch(flag)
    )


# Of runec's own ESP32, whose library is in no standard place.
_LIBRARY = re.compile(r"--specs=/usr/lib/[\w.-]+/[\w.-]+\.specs", re.ASCII)


def _flags(value: Any, path: KeyPath, known: _Known) -> Iterator[Refusal]:
    for flag in value:
        if not _FLAG.fullmatch(flag) and flag not in known.words(path):
            yield Refusal(path, flag, _OPTIONS)


def _debian(value: Any, path: KeyPath, _known: _Known) -> Iterator[Refusal]:
    for package in value:
        if not _DEBIAN.fullmatch(package):
            yield Refusal(path, package, _TYPED)


def _matching(pattern: re.Pattern[str], why: str) -> _Rule:
    def rule(value: Any, path: KeyPath, known: _Known) -> Iterator[Refusal]:
        if value and not pattern.fullmatch(value) and value not in known.at(path):
            yield Refusal(path, value, why)

    return rule


def _qemu_flags(value: Any, path: KeyPath, known: _Known) -> Iterator[Refusal]:
    words = list(value)
    while words and value not in known.at(path):
        # One word, or two: an option and its value.
        taken = next((n for n in (2, 1) if _QEMU_FLAG.fullmatch("\0".join(words[:n]))), 0)
        if not taken:
            yield Refusal(path, words[0], _OPTIONS)
            return
        del words[:taken]


def _package(value: Any, path: KeyPath, known: _Known) -> Iterator[Refusal]:
    if value and value not in known.at(path):
        yield Refusal(path, value, _PACKAGE)


def _platform(value: Any, path: KeyPath, known: _Known) -> Iterator[Refusal]:
    match = _PLATFORM.fullmatch(value)
    names = {_name_of(name) for name in known.at(path)}
    # Another name without an owner could be anybody's.
    if match is None or not (match["owner"] or match["name"] in names):
        yield Refusal(path, value, _PACKAGE)


def _name_of(platform: str) -> str:
    return platform.partition("@")[0].rpartition("/")[2]


def _check_way(table: Mapping[str, Any], path: KeyPath, known: _Known) -> Iterator[Refusal]:
    """Check one way onto a board."""
    command, script = _way(table)
    package = table.get("package", "")
    if not _INSTALLED.fullmatch(package):
        yield Refusal((*path, "package"), package, _TYPED)
    if (command, script) in known.ways() or not (command or script):
        return
    if script or command[0] not in TOOLS:
        key, word = ("command", command[0]) if command else ("script", script[0])
        yield Refusal((*path, key), word, _PROGRAM)
        return
    words = unusual_words(command)
    if words is not None:
        yield Refusal((*path, "command"), words, f"{command[0]} {_COMMAND}")


def _uploads(value: Any, path: KeyPath, known: _Known) -> Iterator[Refusal]:
    for number, table in enumerate(value):
        yield from _check_way(table, (*path, str(number)), known)


_RULES: Mapping[KeyPath, _Rule] = MappingProxyType(
    {
        ("toolchain", "prefix"): _matching(_PREFIX, _PROGRAM),
        ("toolchain", "cxx_headers_from"): _matching(_CXX, _PROGRAM),
        ("toolchain", "flags"): _flags,
        ("toolchain", "link_flags"): _flags,
        ("toolchain", "packages"): _debian,
        ("toolchain", "pio_package"): _package,
        ("emulator", "program"): _matching(_QEMU, _PROGRAM),
        ("emulator", "target"): _matching(_MACHINE, _OPTIONS),
        ("emulator", "flags"): _qemu_flags,
        ("emulator", "overrides", "toolchain", "flags"): _flags,
        ("other_uploads",): _uploads,
        ("upload_values", "*"): _matching(_UPLOAD_VALUE, _OPTIONS),
        **{("upload_values", name): _matching(_SCRIPT, _OPTIONS) for name in OPENOCD_SCRIPTS},
        ("vendor", "platform"): _platform,
        ("vendor", "board"): _matching(_PLAIN, _PACKAGE),
        ("vendor", "framework"): _matching(_PLAIN, _PACKAGE),
    }
)
_UPLOAD = (("upload", "command"), ("upload", "script"), ("upload", "package"))


def refusals(
    board: JoinedBoard, shipped: Iterable[TomlFile], is_trusted: Callable[[TomlFile], bool]
) -> Iterator[Refusal]:
    """Yield values of untrusted board files that need trust.

    `shipped` are the board files of runec, whose values anybody may repeat. The tables of `board`
    are of the right types.
    """
    known = _Known(shipped)
    for path, text in board.origins.items():
        if is_trusted(text):
            continue
        value = _value(board.tables, path)
        if path in _UPLOAD:
            yield from _check_way(board.tables["upload"], ("upload",), known)
        elif not isinstance(value, dict):
            rule = _RULES.get(path) or _RULES.get((*path[:-1], "*"))
            if rule is not None:
                yield from rule(value, path, known)
            elif any("$" in word for word in _texts(value)):
                yield Refusal(path, "$", "SCons, the build tool, would expand it")


def _value(tables: Any, path: KeyPath) -> Any:
    for key in path:
        tables = tables[key]
    return tables


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)


def texts(tables: Mapping[str, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield every text of a board file, keys as well, with the path of its key."""
    for key, value in tables.items():
        yield (*above, key), key
        if isinstance(value, dict):
            yield from texts(value, (*above, key))
        else:
            for text in _texts(value):
                yield (*above, key), text
