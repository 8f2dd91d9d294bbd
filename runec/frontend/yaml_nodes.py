"""YAML text -> a tree of three kinds of nodes with spans, and nothing else that YAML can do.

Only the events of ruamel.yaml's parser are used: no constructors, tags or aliases, bounded depth.
So a Runefile cannot make objects, grow without bound or recurse.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Sequence as AnySequence

import msgspec

from runec.diagnostics import Diagnostics, SourceFile, Span
from runec.frontend.text import (
    LONG_LISTS,
    MAX_YAML_EVENTS,
    LookAlike,
    odd_space,
    plain_look_alike,
)
from runec.frontend.yaml_lists import Run, Shortened, find_runs, words_between

MAX_DEPTH = 16
_TEXT_BLOCK = re.compile(r"(?:^|[\s:-])[|>][-+0-9]*[ \t]*(?:#.*)?$", re.MULTILINE)
# Texts in quotes and comments, where a value may begin.
_OPAQUE = re.compile(
    r"(?:(?<=[\s,:\[{])|\A)(?:#[^\n]*+|\"(?:[^\"\\]++|\\.)*+\"|'(?:[^']++|'')*+')", re.DOTALL
)
# A list without others in it, after a key, or one item on a line of its own.
_LISTED = re.compile(r":\s++\[[^\[\]{}]*+|^ *- ", re.MULTILINE)


class Scalar(msgspec.Struct, frozen=True):
    """A single value; `plain` when it stands without quotes, so that `1` is a number."""

    text: str
    plain: bool
    span: Span


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    span: Span


class Mapping(msgspec.Struct, frozen=True):
    """A map, in source order; keys may repeat here."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span


Node = Scalar | Sequence | Mapping


class _RefusedError(Exception):
    """The text is not YAML that we read; carries the diagnostic."""

    def __init__(self, code: str, message: str, span: Span, hint: str) -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.hint = code, message, span, hint


class _NotAListError(Exception):
    """Lines that were cut out as items of one list are something else."""


class _Tree:
    """Builds nodes from events with a stack of its own.

    The events are those of the text without the lines that `runs` cut out.
    """

    def __init__(self, source: SourceFile, runs: AnySequence[Run]) -> None:
        self._source = source
        self._open: list[tuple[str, int, list[Node]]] = []
        self._events = 0
        self._runs = {run.first[0]: run for run in runs}
        self._shortened = Shortened(source.text, runs)
        # Where the next node must be: after a run, its last word in the same list.
        self._next: tuple[int, list[Node], int] | None = None
        self.root: Node | None = None

    @property
    def text(self) -> str:
        """What to read the events from."""
        return self._shortened.text

    def span(self, event: object) -> Span:
        start: int = event.start_mark.index  # type: ignore[attr-defined]
        end: int = event.end_mark.index  # type: ignore[attr-defined]
        start, end = self._shortened.original(start), self._shortened.original(end)
        return Span(self._source, start, max(start, end))

    def feed(self, event: object) -> None:
        kind = type(event).__name__
        self._events += 1
        if self._events > MAX_YAML_EVENTS:
            raise _too_many_words(self.span(event))
        if kind == "AliasEvent":
            raise _RefusedError(
                "R0004",
                "a Runefile can't use YAML aliases",
                self.span(event),
                "repeat the value where it is needed",
            )
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(
                "R0004",
                f"a Runefile can't use YAML tags such as {str(event.tag)[:40]}",  # type: ignore[attr-defined]
                self.span(event),
                "remove the tag",
            )
        if kind == "DocumentStartEvent" and self.root is not None:
            raise _RefusedError(
                "R0004",
                "a Runefile is one YAML document",
                self.span(event),
                "remove everything after the second ---",
            )
        if kind == "ScalarEvent":
            self._add_scalar(event)
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            if len(self._open) == MAX_DEPTH:
                raise _RefusedError(
                    "R0019",
                    f"this is nested deeper than {MAX_DEPTH} levels",
                    self.span(event),
                    "a Runefile needs four or five",
                )
            self._open.append((kind, self.span(event).start, []))
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            opened, start, items = self._open.pop()
            end = self.span(event).end
            if items:  # a block ends where its last item ends, not at the next key
                end = items[-1].span.end if self.span(event).text == "" else end
            span = Span(self._source, start, max(start, end))
            self._add(
                Sequence(tuple(items), span)
                if opened == "SequenceStartEvent"
                else Mapping(_pairs(items), span)
            )

    def _add_scalar(self, event: object) -> None:
        text: str = event.value  # type: ignore[attr-defined]
        span = self.span(event)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _RefusedError(
                "R0010", "an escape in this string is not a character", span, "remove it"
            ) from None
        plain: bool = event.style is None or event.style == ""  # type: ignore[attr-defined]
        if not plain and event.style in "|>":  # type: ignore[attr-defined]
            span = Span(self._source, span.start, span.start + len(span.text.rstrip()))
        self._add(Scalar(str(text), plain, span))

    def _add(self, node: Node) -> None:
        items = self._open[-1][2] if self._open else []
        if self._next is not None:
            start, list_items, count = self._next
            if items is not list_items or len(items) != count or node.span.start != start:
                raise _NotAListError
            self._next = None
        if self._open:
            items.append(node)
        else:
            self.root = node
        run = self._runs.get(node.span.start)
        if run is not None:
            self._add_between(run, node, items)

    def _add_between(self, run: Run, first: Node, items: list[Node]) -> None:
        """Add the words that were cut out below the first one of their list."""
        is_item = self._open and self._open[-1][0] == "SequenceStartEvent"
        if not is_item or not isinstance(first, Scalar) or first.span.end != run.first[1]:
            raise _NotAListError
        del self._runs[run.first[0]]
        source, text = self._source, self._source.text
        for start, end in words_between(text, run):
            plain = text[start] != '"'
            word = text[start:end] if plain else text[start + 1 : end - 1]
            items.append(Scalar(word, plain, Span(source, start, end)))
            self._events += 1
        if self._events > MAX_YAML_EVENTS:
            raise _NotAListError  # the reader of the whole text finds the place
        self._next = (run.last, items, len(items))

    def finish(self) -> Node | None:
        """Return the root."""
        if self._runs or self._next is not None:
            raise _NotAListError
        return self.root


def _pairs(items: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
    entries = []
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise _RefusedError(
                "R0007",
                "invalid type: a key must be a word",
                key.span,
                "write the key as NAME: followed by its value",
            )
        entries.append((key, value))
    return tuple(entries)


def _refuse_long_lists(source: SourceFile) -> None:
    """Reject lists that alone have too many words, in a thousandth of the time of reading them.

    Counts commas of lists after a key, and lines that begin with a dash. Texts in quotes and
    comments do not count; a file with a block of text (`|`, `>`) is left to the reader.
    """
    text = source.text
    if text.count(",") + text.count("- ") <= MAX_YAML_EVENTS or _TEXT_BLOCK.search(text):
        return
    count = 0
    for match in _LISTED.finditer(_OPAQUE.sub(lambda found: "_" * len(found[0]), text)):
        count += match[0].count(",") or 1
        if count > MAX_YAML_EVENTS:
            raise _too_many_words(Span(source, match.end() - 1, match.end()))


def _too_many_words(span: Span) -> _RefusedError:
    message = f"a Runefile has at most {MAX_YAML_EVENTS} words"
    return _RefusedError("R0019", message, span, LONG_LISTS)


@functools.lru_cache(maxsize=1)
def _tree(source: SourceFile) -> Node | None:
    """Read a text; `runec fmt` reads each twice."""
    _refuse_long_lists(source)
    runs = find_runs(source.text)
    if runs:
        # Whatever is wrong in the shortened text is found, and named, in the whole one.
        with contextlib.suppress(Exception):
            return _read(source, runs)
    return _read(source, ())


def _read(source: SourceFile, runs: AnySequence[Run]) -> Node | None:
    from ruamel.yaml import YAML  # noqa: PLC0415 - 40 ms that a legacy Runefile does not need

    tree = _Tree(source, runs)
    for event in YAML(typ="safe", pure=True).parse(tree.text):
        tree.feed(event)
    return tree.finish()


def parse_yaml(source: SourceFile, diagnostics: Diagnostics) -> Node | None:
    """Read one YAML document; None, and an error, when it is none that a Runefile may be."""
    from ruamel.yaml.error import MarkedYAMLError  # noqa: PLC0415

    try:
        root = _tree(source)
    except _RefusedError as refused:
        diagnostics.error(refused.code, refused.message, refused.span, hint=refused.hint)
        return None
    except MarkedYAMLError as error:
        _report(error, source, diagnostics)
        return None
    except Exception as error:  # noqa: BLE001 - whatever hostile text makes the library raise is a syntax error
        position = getattr(error, "position", None)
        start = position if isinstance(position, int) else max(source.text.find("\\U"), 0)
        reason = getattr(error, "reason", None) or "it is not YAML"
        diagnostics.error(
            "R0003",
            f"Unable to parse the input: {str(reason)[:100]}",
            Span(source, start, start + 1),
            hint="check the line against YAML's rules: spaces for indentation, `key: value`",
        )
        return None
    if root is None:
        diagnostics.error(
            "R0005",
            "missing field `version`",
            Span(source, 0, 0),
            hint="begin with `version: 1`, `image: runicos/base` and `pipeline:`",
        )
    odd = None if root is None else _odd_indentation(root, source)
    if odd is not None:
        _report_odd(odd, source, diagnostics)
        return None
    return root


def _odd_indentation(root: Node, source: SourceFile) -> LookAlike | None:
    """Return what looks like a space in front of a key: YAML takes it for a part of the key."""
    found: list[LookAlike] = []
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Sequence):
            nodes += node.items
        elif isinstance(node, Mapping):
            for key, value in node.entries:
                odd = odd_space(source.text, key.span.start) if key.plain else None
                found += [] if odd is None else [odd]
                nodes.append(value)
    return min(found, key=lambda odd: odd.at, default=None)


def _report_odd(odd: LookAlike, source: SourceFile, diagnostics: Diagnostics) -> None:
    message = f"Unable to parse the input: here is {odd.what}"
    diagnostics.error("R0003", message, Span(source, odd.at, odd.at + 1), hint=odd.hint)


def _report(error: object, source: SourceFile, diagnostics: Diagnostics) -> None:
    problem = str(getattr(error, "problem", None) or "it is not YAML")
    context = getattr(error, "context", None)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    start = mark.index if mark is not None else 0
    hint = (
        "indent with spaces, write `key: value`, and put quotes around text with : # { } [ ] @ or %"
    )
    if source.text[start : start + 1] == "\t":
        hint = "indent with spaces: YAML forbids tabs"
    message = f"{problem} {context}" if context else problem
    odd = plain_look_alike(source.text, start)
    if odd is not None:
        _report_odd(odd, source, diagnostics)
        return
    diagnostics.error(
        "R0003",
        f"Unable to parse the input: {' '.join(message.split())[:160]}",
        Span(source, start, start + 1),
        hint=hint,
    )
