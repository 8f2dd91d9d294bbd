"""The legacy dialect: text -> statements (lark) -> the AST, which is the same for YAML.

Statements stand on logical lines, so each is parsed alone: one syntax error does not hide the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from runec.diagnostics import Diagnostics, Label, SourceFile, Span
from runec.frontend.ast import (
    Argument,
    ArgumentNode,
    CapabilityNode,
    Dimension,
    Document,
    InputRef,
    ModelNode,
    OutNode,
    Path,
    ProcBlockNode,
    StageNode,
    Text,
    Type,
)
from runec.frontend.legacy_errors import report_syntax_error
from runec.frontend.legacy_parser import legacy_parser
from runec.frontend.text import MAX_STATEMENTS, look_alike, parse_dimension, parse_path
from runec.suggestions import did_you_mean

if TYPE_CHECKING:
    from lark import Token, Tree

# A string, a continuation, a comment or any other character: what a "\" at a line's end
# continues depends on which of these it stands in.
_LOGICAL_LINE = re.compile(
    r'(?:"(?:[^"\\\n]|\\\r?\n|\\.)*"?|\\\r?\n|(?:(?<=\s)|(?m:^))\#[^\n]*|[^\n])*'
)
_ESCAPE = re.compile(r"\\(\r?\n|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_BLANK = " \t\f\r\n\\"
# A word that starts as a number has to be one (`1e`, `.5` and `1.2.3` are none).
_NUMBER_LIKE = re.compile(r"\.?[0-9]|-[1-9]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[eE](?:[0-9]+|-0*[1-9][0-9]*))?\Z")


def statements(source: SourceFile, *, comments: bool = False) -> Iterator[tuple[int, str]]:
    """Yield offset and text of each logical line that holds more than blanks.

    Those that hold nothing but a comment come only with `comments`.
    """
    position, text = 0, source.text
    while position < len(text):
        match = _LOGICAL_LINE.match(text, position)
        end = match.end() if match else len(text)
        statement = text[position:end]
        stripped = statement.lstrip(_BLANK)
        if stripped and (comments or not stripped.startswith("#")):
            yield position, statement
        position = end + 1


def _unescape(literal: str) -> str | None:
    """The text of a quoted string; None when an escape names no character."""

    def replace_escape(match: re.Match[str]) -> str:
        escape = match[1]
        if escape.endswith("\n"):
            return ""
        return chr(int(escape[1:], 16)) if escape[0] in "uU" else _ESCAPES[escape]

    try:
        text = _ESCAPE.sub(replace_escape, literal[1:-1])
        text.encode()
    except (ValueError, OverflowError):
        return None
    return text


class _From(msgspec.Struct, frozen=True):
    image: Path | None
    span: Span


class _Run(msgspec.Struct, frozen=True):
    names: tuple[Text, ...]
    span: Span


class _Reader(msgspec.Struct):
    """Turns one statement's parse tree into nodes, adding the statement's offset to every span."""

    source: SourceFile
    offset: int
    diagnostics: Diagnostics

    def span(self, token: Token) -> Span:
        start = self.offset + (token.start_pos or 0)
        return Span(self.source, start, start + len(token))

    def text(self, token: Token) -> Text:
        return Text(str(token), self.span(token))

    def path(self, token: Token) -> Path | None:
        return parse_path(str(token), self.span(token))

    def type(self, tree: Tree[Token]) -> Type:
        parts: list[Any] = [*tree.children, None]
        name, shape = parts[:2]
        span = self.span(name)
        if name.type == "INFER":
            return Type(None, (), span)
        dimensions = []
        if shape is not None:
            for digits in shape.children:
                place = self.span(digits)
                value = parse_dimension(str(digits))
                if value is None:
                    self.diagnostics.error(
                        "R0020",
                        f"a dimension can't be {str(digits)[:20]}",
                        place,
                        hint="a dimension is a number from 1 to 2147483647",
                    )
                    value = 1
                dimensions.append(Dimension(value, place))
            end = self.source.text.find("]", dimensions[-1].span.end) + 1
            span = Span(self.source, span.start, end)
        return Type(self.text(name), tuple(dimensions), span)

    def word(self, token: Token) -> Text:
        span = self.span(token)
        if token.type == "STRING":
            text = _unescape(str(token))
            if text is None:
                self.diagnostics.error(
                    "R0010", "an escape in this string is not a character", span, hint="remove it"
                )
            return Text(text or "", span)
        if (odd := look_alike(str(token))) is not None and odd.at == 0:
            self.diagnostics.error(
                "R0010", f"this value begins with {odd.what}", span, hint=odd.hint
            )
        elif _NUMBER_LIKE.match(token) and not _NUMBER.match(token):
            self.diagnostics.error(
                "R0011",
                f'"{token[:40]}" is not a number',
                span,
                hint=f'write 0.5 or 1e3 for a number, "{token[:40]}" with quotes for a text',
            )
        return Text(str(token), span)

    def argument(self, tree: Tree[Token]) -> Argument:
        parts: list[Any] = [part for part in tree.children if getattr(part, "type", "") != "EQUAL"]
        flag, value = parts
        span = self.span(flag)
        name = str(flag).lstrip("-")
        start = span.end - len(name)
        known = len(self.diagnostics)
        node: ArgumentNode
        if hasattr(value, "data"):
            node = tuple(self.text(word) for word in value.children)
            end = node[-1].span.end
        else:
            node = self.word(value)
            end = node.span.end
        key = Text(name, Span(self.source, start, span.end))
        is_damaged = len(self.diagnostics) > known
        return Argument(key, node, Span(self.source, span.start, end), is_damaged)

    def statement(self, tree: Tree[Token], span: Span) -> StageNode | _From | _Run:
        body: Any = tree.children[0]
        parts: list[Any] = body.children[1:]
        kind = body.data
        if kind == "from_":
            return _From(self.path(parts[0]), span)
        if kind == "run":
            return _Run(tuple(self.text(name) for name in parts), span)
        if kind == "out":
            word = self.text(parts[0])
            nodes = tuple(self.argument(item) for item in parts[1:])
            return OutNode(Text(word.text.lower(), word.span), word, (), nodes, span)
        if kind == "capability":
            type_, name, what, *arguments = parts
            return CapabilityNode(
                self.text(name),
                self.text(what),
                (self.type(type_),),
                tuple(self.argument(item) for item in arguments),
                span,
            )
        taken, given, name, where, *arguments = parts
        types = self.type(taken), self.type(given)
        nodes = tuple(self.argument(item) for item in arguments)
        if kind == "model":
            file = self.text(where)
            return ModelNode(self.text(name), file, (), types[0], types[1:], nodes, span)
        path = self.path(where)
        assert path is not None  # noqa: S101 - PATH is narrower than parse_path
        return ProcBlockNode(self.text(name), path, (), types[0], types[1:], nodes, span)


class _Program(msgspec.Struct):
    """The statements so far: stages by order, edges from the RUN lines."""

    diagnostics: Diagnostics
    image: _From | None = None
    stages: list[StageNode] = msgspec.field(default_factory=list)
    edges: dict[str, list[InputRef]] = msgspec.field(default_factory=dict)
    runs: list[_Run] = msgspec.field(default_factory=list)
    positions: dict[str, int] = msgspec.field(default_factory=dict)
    damaged: bool = False
    first: Span | None = None
    unreadable: set[str] = msgspec.field(default_factory=set)

    def take(self, item: StageNode | _From | _Run) -> None:
        if isinstance(item, _From):
            self._take_from(item)
            return
        self.first = self.first or item.span
        if isinstance(item, _Run):
            self.runs.append(item)
        else:
            self.stages.append(item)
            self.positions.setdefault(item.name.text, item.span.start)

    def _take_from(self, item: _From) -> None:
        if self.image is not None:
            self.diagnostics.error(
                "R0017",
                "Base image already specified",
                item.span,
                hint="keep one of the two",
                labels=[Label(self.image.span, "Original defined here")],
                notes=["A FROM instruction can only be at the top of a Runefile"],
            )
        elif self.stages or self.runs:
            self.diagnostics.error(
                "R0017",
                "A FROM instruction can only be at the top of a Runefile",
                item.span,
                hint="move it to the first line",
            )
        self.image = self.image or item

    def check_from(self, source: SourceFile) -> None:
        """Report a Runefile without a FROM, unless it may stand in a line that was reported."""
        if self.image is None and not self.damaged:
            self.diagnostics.error(
                "R0016",
                "Runefiles should start with a FROM instruction"
                if self.first is not None
                else "A Runefile must contain at least a FROM instruction",
                self.first or Span(source, 0, 0),
                hint='begin with "FROM runicos/base"',
            )

    def connect(self) -> None:
        """Turn RUN lines into inputs: `RUN a b c` feeds a into b and b into c."""
        for run in self.runs:
            if not run.names:
                self.diagnostics.error(
                    "R0018",
                    "A RUN instruction can't be empty",
                    run.span,
                    hint="list the stages in the order of the data flow",
                )
            for name in run.names:
                self._check_known(name, run)
            for source, target in zip(run.names, run.names[1:], strict=False):
                inputs = self.edges.setdefault(target.text, [])
                if all(known.name != source.text for known in inputs):
                    inputs.append(InputRef(source.text, 0, source.span))

    def _check_known(self, name: Text, run: _Run) -> None:
        declared_at = self.positions.get(name.text)
        if declared_at is not None and declared_at < run.span.start:
            return
        if declared_at is not None:
            hint: str | None = "move this RUN below its declaration"
        elif self.damaged:
            return  # it may be declared by the line that was not understood
        else:
            hint = did_you_mean(name.text, self.positions) or "declare it above this RUN"
        self.diagnostics.error("R0102", f'Unknown name "{name.text}"', name.span, hint=hint)

    def lost_inputs(self, stage: StageNode) -> bool:
        """Whether inputs are missing because the line that named them was reported."""
        named = self.edges.get(stage.name.text, ())
        return any(item.name not in self.positions for item in named) or (
            self.damaged and not named
        )

    def with_inputs(self, stage: StageNode) -> StageNode:
        inputs = tuple(
            item for item in self.edges.get(stage.name.text, ()) if item.name in self.positions
        )
        if isinstance(stage, CapabilityNode):
            if inputs:
                self.diagnostics.error(
                    "R0104",
                    f'The "{stage.name.text}" stage doesn\'t accept any inputs',
                    inputs[0].span,
                    hint="a capability is a source of data: move it to the start of its RUN",
                    labels=[Label(stage.name.span, "declared as a capability here")],
                )
            return stage
        if not isinstance(stage, OutNode) and len(inputs) > 1:
            self.unreadable.add(stage.name.text)
            self.diagnostics.error(
                "R0118",
                f'The "{stage.name.text}" stage takes one input, but {len(inputs)} are connected',
                inputs[1].span,
                hint="use the YAML dialect for stages with several inputs",
                labels=[Label(inputs[0].span, "the first one")],
            )
        return msgspec.structs.replace(stage, inputs=inputs)


def parse_legacy(source: SourceFile, diagnostics: Diagnostics) -> Document:
    """Read a Runefile of the Dockerfile-like dialect; what is wrong goes to `diagnostics`."""
    from lark.exceptions import UnexpectedInput  # noqa: PLC0415 - see legacy_parser

    program = _Program(diagnostics)
    for count, (offset, statement) in enumerate(statements(source)):
        if count == MAX_STATEMENTS:
            diagnostics.error(
                "R0019",
                f"a Runefile has at most {MAX_STATEMENTS} instructions",
                Span(source, offset, offset + 1),
                hint="a rune holds 32 stages",
            )
            program.damaged = True
            break
        try:
            tree = legacy_parser().parse(statement)
        except UnexpectedInput as error:
            whole = Span(source, offset, offset + len(statement))
            report_syntax_error(error, legacy_parser(), whole, diagnostics)
            program.damaged = True
            continue
        start = offset + (len(statement) - len(statement.lstrip(_BLANK)))
        line_end = source.text.find("\n", start)
        end = len(source.text) if line_end < 0 else line_end
        span = Span(source, start, start + len(source.text[start:end].rstrip(" \t\r\\")))
        known = len(diagnostics)
        item = _Reader(source, offset, diagnostics).statement(tree, span)
        program.take(item)
        if len(diagnostics) > known and not isinstance(item, _From | _Run):
            program.unreadable.add(item.name.text)
    program.check_from(source)
    program.connect()
    stages = tuple(program.with_inputs(stage) for stage in program.stages)
    unreadable = program.unreadable | {
        stage.name.text for stage in stages if program.lost_inputs(stage)
    }
    image = program.image.image if program.image is not None else None
    return Document(source, "legacy", image, stages, (), frozenset(unreadable))
