"""Canonical spelling of the YAML dialect: two spaces a level, comments and quotes kept.

Collections stay in the style that they were written in, block or flow, as long as a flow collection
fits its line and holds no comment; dimensions are always in flow style. Of several blank lines one
stays. Keys keep their order. Texts keep their quotes; one that goes on over lines is joined.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from runec.diagnostics import SourceFile
from runec.frontend.yaml_nodes import Mapping, Node, Scalar, Sequence

WIDTH = 120
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+[ \t]*")
_HEADER = re.compile(r"(?P<style>[|>])(?P<marks>[-+0-9]*)[ \t]*(?P<comment>#[^\n]*)?")
_WORD = re.compile(r"[A-Za-z0-9_.-]+\Z")
_STARTS_SECTION = ("pipeline", "resources")


class _Comment(msgspec.Struct, frozen=True):
    start: int
    text: str
    own_line: bool


def format_yaml(source: SourceFile, root: Mapping) -> str:
    """Return the canonical spelling of a Runefile, given its text and its nodes."""
    printer = _Printer(source, root)
    printer.mapping(root, "", None)
    printer.rest()
    return "\n".join(printer.lines) + "\n"


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item)
    else:
        for key, value in node.entries:
            yield key
            yield from _scalars(value)


def _comments(source: SourceFile, scalars: list[Scalar]) -> Iterator[_Comment]:
    """Find the comments: a # after white space, outside all scalars."""
    text, position = source.text, 0
    ends = [(scalar.span.start, scalar.span.end) for scalar in scalars if scalar.span.text]
    for start, end in [*sorted(ends), (len(text), len(text))]:
        while True:
            found = text.find("#", position, start)
            if found < 0:
                break
            if found and text[found - 1] not in " \t\r\n":
                position = found + 1
                continue
            line = text.rfind("\n", 0, found) + 1
            stop = text.find("\n", found)
            stop = len(text) if stop < 0 else stop
            yield _Comment(found, text[found:stop].rstrip(), not text[line:found].strip())
            position = stop
        header = _HEADER.match(text, start) if start < end else None
        if header is not None and header["comment"]:
            yield _Comment(header.start("comment"), header["comment"].rstrip(), own_line=False)
        position = max(position, end)


class _Printer:
    """Writes nodes line by line, and each comment where its place has come."""

    def __init__(self, source: SourceFile, root: Node) -> None:
        self.source = source
        self.lines: list[str] = []
        scalars = [scalar for scalar in _scalars(root) if scalar.span.text]
        self._comments = list(_comments(source, scalars))
        self._starts = sorted(scalar.span.start for scalar in scalars)

    # Comments and blank lines.

    def _line_of(self, offset: int) -> int:
        return self.source.line_column(offset)[0]

    def _blank_before(self, offset: int) -> None:
        line = self._line_of(offset)
        if self.lines and self.lines[-1] and line > 1 and not self.source.line(line - 1).strip():
            self.lines.append("")

    def _write_comment(self, indent: str) -> None:
        comment = self._comments.pop(0)
        self._blank_before(comment.start)
        self.lines.append(indent + comment.text)

    def _before(self, offset: int, indent: str, *, section: bool = False) -> None:
        """Write what stands before an entry: comments, a blank line where there was one."""
        if section and self.lines and self.lines[-1]:
            self.lines.append("")
        while self._comments and self._comments[0].start < offset:
            self._write_comment(indent)
        if not section or not self.lines or self.lines[-1].lstrip().startswith("#"):
            self._blank_before(offset)

    def _after(self, end: int) -> None:
        """Append the comment that stands behind the last line of the source that was written."""
        line = self._line_of(end)
        while self._comments and not self._comments[0].own_line:
            if self._line_of(self._comments[0].start) != line:
                break
            self.lines[-1] += f"  {self._comments.pop(0).text}"

    def _end_of_block(self, column: int, indent: str, end: int) -> None:
        """Write the comments that belong to a block by their indentation, below its last entry."""
        following = next((start for start in self._starts if start >= end), len(self.source.text))
        while self._comments and self._comments[0].own_line:
            comment = self._comments[0]
            if comment.start > following or self.source.line_column(comment.start)[1] < column:
                break
            self._write_comment(indent)

    def rest(self) -> None:
        """Write the comments that stand behind everything."""
        while self._comments:
            self._write_comment("")

    # Nodes.

    def _raw(self, node: Node) -> str:
        return (
            _ANCHOR.sub("", node.span.text, count=1)
            if node.span.text[:1] == "&"
            else (node.span.text)
        )

    def _is_flow(self, node: Node) -> bool:
        return isinstance(node, Sequence | Mapping) and self._raw(node)[:1] in ("[", "{")

    def _scalar(self, scalar: Scalar) -> str:
        raw = self._raw(scalar).strip()
        if "\n" not in raw and not _is_block(raw):
            return raw
        return scalar.text if scalar.plain and "\n" not in scalar.text else _quoted(scalar.text)

    def _flow(self, node: Node) -> str:
        if isinstance(node, Scalar):
            return self._scalar(node)
        if isinstance(node, Sequence):
            return f"[{', '.join(map(self._flow, node.items))}]"
        entries = (f"{self._scalar(key)}: {self._flow(value)}" for key, value in node.entries)
        return f"{{{', '.join(entry.rstrip() for entry in entries)}}}"

    def _as_flow(self, node: Node, key: str, room: int) -> str | None:
        """Return a collection on one line, if it is to be and can be."""
        if isinstance(node, Scalar):
            return None
        start, end = node.span.start, node.span.end
        if any(start <= comment.start < end for comment in self._comments):
            return None
        empty = not (node.items if isinstance(node, Sequence) else node.entries)
        if not self._is_flow(node) and not empty:
            words = key == "dimensions" and isinstance(node, Sequence)
            if not words or not all(
                isinstance(item, Scalar) and _WORD.match(self._raw(item))
                for item in (node.items if isinstance(node, Sequence) else ())
            ):
                return None
        flow = self._flow(node)
        return flow if empty or len(flow) <= room else None

    def mapping(self, node: Mapping, indent: str, first: str | None) -> None:
        """Write a map; its first key goes behind `first`, the dash of a list."""
        column = 0
        for key, value in node.entries:
            is_section = not indent and key.text in _STARTS_SECTION
            if first is None:
                self._before(key.span.start, indent, section=is_section)
            start = f"{indent if first is None else first}{self._scalar(key)}:"
            first = None
            column = column or self.source.line_column(key.span.start)[1]
            self._value(key, value, start, indent)
        self._end_of_block(column, indent, node.span.end)

    def _value(self, key: Scalar, value: Node, start: str, indent: str) -> None:
        if isinstance(value, Scalar):
            self._write_scalar(value, start, indent, key)
            return
        flow = self._as_flow(value, key.text, WIDTH - len(start) - 1)
        if flow is not None:
            self.lines.append(f"{start} {flow}")
            self._after(value.span.end)
            return
        self.lines.append(start)
        self._after(key.span.end)
        if isinstance(value, Mapping):
            self.mapping(value, f"{indent}  ", None)
        else:
            self.sequence(value, f"{indent}  ")

    def sequence(self, node: Sequence, indent: str) -> None:
        """Write a list, an item a line."""
        column = 0
        for item in node.items:
            start = next(_scalars(item)).span.start if not self._is_flow(item) else item.span.start
            self._before(start, indent)
            column = column or max(1, self.source.line_column(start)[1] - 2)
            if isinstance(item, Scalar):
                self._write_scalar(item, f"{indent}-", indent, None)
                continue
            flow = self._as_flow(item, "", WIDTH - len(indent) - 2)
            if flow is not None:
                self.lines.append(f"{indent}- {flow}")
                self._after(item.span.end)
            elif isinstance(item, Mapping):
                self.mapping(item, f"{indent}  ", f"{indent}- ")
            else:
                self.lines.append(f"{indent}-")
                self.sequence(item, f"{indent}  ")
        self._end_of_block(column, indent, node.span.end)

    def _write_scalar(self, value: Scalar, start: str, indent: str, key: Scalar | None) -> None:
        raw = self._raw(value)
        if not value.plain and _is_block(raw):
            block = _block(value, raw, f"{indent}  ")
            if block is not None:
                header, content = block
                self.lines.append(f"{start} {header}")
                self._after(value.span.start)
                self.lines += content
                return
        self.lines.append(f"{start} {self._scalar(value)}".rstrip())
        if value.span.text:
            self._after(value.span.end)
        elif key is not None:
            self._after(key.span.end)


def _is_block(raw: str) -> bool:
    return raw[:1] in ("|", ">")


def _block(scalar: Scalar, raw: str, indent: str) -> tuple[str, list[str]] | None:
    """Return header and lines of a block scalar at another indentation; None: it needs quotes."""
    header = _HEADER.match(raw)
    if header is None or re.search(r"[0-9+]", header["marks"]) or not scalar.text.strip():
        return None
    lines = [line.rstrip("\r") for line in raw.split("\n")[1:]]
    width = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip(" ")), default=0)
    content = [indent + line[width:] if line.strip(" ") else "" for line in lines]
    while content and not content[-1]:
        content.pop()
    if not content or not width or content[0][: len(indent) + 1].endswith((" ", "\t")):
        return None
    if not content[0]:
        return None
    return header["style"] + header["marks"], content


def _quoted(text: str) -> str:
    """Return a text in double quotes, as JSON and YAML both read it."""
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda m: f"\\u{ord(m[0]):04x}", quoted
    )
