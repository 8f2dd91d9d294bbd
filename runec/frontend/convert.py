"""From the Dockerfile-like dialect to YAML: the same pipeline, the comments kept.

    convert(text, path, base_dir)   the YAML text

The result is analysed, and its pipeline compared with that of the original text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from runec.diagnostics import Diagnostics, RunefileError, UserFileError
from runec.frontend import analyse_document, analyse_text, parse
from runec.frontend.ast import (
    Argument,
    ArgumentNode,
    CapabilityNode,
    Document,
    ModelNode,
    OutNode,
    ResourceRef,
    StageNode,
    Text,
    Type,
    stage_inputs,
)
from runec.frontend.format_legacy import trailing_comment
from runec.frontend.formatting import format_runefile
from runec.frontend.legacy import statements
from runec.pipeline import Output, Pipeline, TensorType

__all__ = ["convert"]

_NAME = "converted"
_SAFE = re.compile(r"[A-Za-z./][A-Za-z0-9_./@:-]*\Z")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")
_NOT_TEXT = re.compile(r"(?:yes|no|true|false|on|off|null|nan|inf)\Z", re.IGNORECASE)
_LITERAL = re.compile(r"[^\s][^\n\x00-\x08\x0b-\x1f\x7f-\x9f]*(?:\n[^\n\x00-\x1f\x7f-\x9f]+)+\n?\Z")
_LIST_WIDTH = 80


def convert(text: str, path: str, base_dir: Path, *, allow_outside: bool = False) -> str:
    """Return a Runefile of the Dockerfile-like dialect in YAML; the options are `analyse_text`'s.

    Raises:
        RunefileError: the Runefile has errors.
        UserFileError: R0019, it is too long; R0022, it is YAML already, or YAML can't say the same.
    """
    diagnostics = Diagnostics()
    document = parse(text, path, diagnostics)
    diagnostics.raise_if_errors()
    if document.dialect == "yaml":
        raise UserFileError("R0022", f"{path} is YAML already", hint="use `runec fmt` to format it")

    pipeline = analyse_document(
        document, base_dir, _NAME, diagnostics, allow_outside=allow_outside
    ).pipeline
    for types_written, numbers_plain in product((False, True), (True, False)):
        converted = _Converter(document, pipeline, numbers_plain, types_written).text()
        try:
            converted = format_runefile(converted, "Runefile.yml")
            analysis = analyse_text(
                converted, "Runefile.yml", base_dir, _NAME, allow_outside=allow_outside
            )
            same = analysis.pipeline == pipeline
        except RunefileError:
            same = False
        if same:
            return converted
    raise UserFileError(
        "R0022",
        f"{path} cannot be converted to YAML with the same meaning",
        hint="check arguments for a text that starts with $, or starts or ends with blanks",
    )


class _Converter:
    """Writes the stages in their order, each with the comments above and behind it."""

    def __init__(
        self, document: Document, pipeline: Pipeline, numbers_plain: bool, types_written: bool
    ) -> None:
        self.document = document
        self.numbers_plain = numbers_plain
        # What a stage gives may have been inferred from the next one's input type, which YAML
        # lacks: always so for a capability, seldom for the others.
        stages = pipeline.stages if types_written else pipeline.capabilities
        self.inferred = {
            stage.name: tuple(tensor.type for tensor in stage.outputs)
            for stage in stages
            if not isinstance(stage, Output)
        }
        self.stages = {stage.span.start: stage for stage in document.stages}

    def text(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        waiting: list[str] = []
        first = True
        for offset, statement in statements(self.document.source, comments=True):
            stripped = statement.lstrip(" \t\f\r\n\\")
            comment = trailing_comment(statement)
            behind = f"  {comment}" if comment else ""
            stage = self.stages.get(offset + len(statement) - len(stripped))
            if stage is not None:
                if not first:
                    yield ""
                first = False
                yield from (f"  {line}" for line in waiting)
                waiting = []
                yield f"  {stage.name.text}:{behind}"
                yield from (f"    {line}" for line in self._stage(stage))
            elif stripped.startswith("FROM"):
                yield from waiting
                waiting = []
                yield "version: 1"
                assert self.document.image is not None  # noqa: S101 - it has no errors
                yield f"image: {_text(self.document.image.text)}{behind}"
                yield ""
                yield "pipeline:"
            elif comment:
                waiting.append(comment)
        yield from (f"  {line}" for line in waiting)

    def _stage(self, stage: StageNode) -> Iterator[str]:
        if isinstance(stage, CapabilityNode):
            yield f"capability: {_text(stage.kind.text)}"
        elif isinstance(stage, OutNode):
            yield f"out: {_text(stage.kind.text)}"
        elif isinstance(stage, ModelNode):
            assert isinstance(stage.model, Text)  # noqa: S101 - this dialect has no resources
            yield f"model: {_text(stage.model.text)}"
        else:
            yield f"proc-block: {_text(stage.path.text)}"
        inputs = stage_inputs(stage)
        if inputs:
            yield "inputs:"
            yield from (f"  - {item.name}" for item in inputs)
        outputs = () if isinstance(stage, OutNode) else stage.outputs or ()
        types = [self._type(type_, stage, index) for index, type_ in enumerate(outputs)]
        if any(types):
            yield "outputs:"
            for lines in types:
                yield from lines or ["  - type: _"]
        if stage.arguments:
            yield "args:"
            for argument in stage.arguments:
                yield from (f"  {line}" for line in self._argument(argument))

    def _type(self, type_: Type, stage: StageNode, index: int) -> list[str]:
        """Lines of an output's type; none when it is left to be inferred."""
        if type_.element is not None:
            lines = [f"  - type: {type_.element.text}"]
            if type_.dimensions:
                lengths = ", ".join(str(item.value) for item in type_.dimensions)
                lines.append(f"    dimensions: [{lengths}]")
            return lines
        known: tuple[TensorType, ...] = self.inferred.get(stage.name.text, ())
        if index < len(known):
            lengths = ", ".join(map(str, known[index].dimensions))
            return [f"  - type: {known[index].element.value}", f"    dimensions: [{lengths}]"]
        return []

    def _argument(self, argument: Argument) -> Iterator[str]:
        key = _text(argument.key.text)
        value: ArgumentNode = argument.value
        if isinstance(value, tuple):
            words = [self._word(word.text) for word in value]
            flow = f"{key}: [{', '.join(words)}]"
            if len(flow) <= _LIST_WIDTH and all(_SAFE.match(word) for word in words):
                yield flow
            else:
                yield f"{key}:"
                yield from (f"  - {word}" for word in words)
            return
        assert not isinstance(value, ResourceRef)  # noqa: S101 - this dialect has none
        if _LITERAL.match(value.text):
            yield f"{key}: |" + ("" if value.text.endswith("\n") else "-")
            yield from (f"  {line}" for line in value.text.removesuffix("\n").split("\n"))
            return
        yield f"{key}: {self._word(value.text)}"

    def _word(self, text: str) -> str:
        if self.numbers_plain and _NUMBER.match(text):
            return text
        return _text(text)


def _text(text: str) -> str:
    """Return a text as YAML: bare where every reader takes it for a text, else in quotes."""
    if _SAFE.match(text) and not _NOT_TEXT.match(text) and not text.endswith(":"):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda m: f"\\u{ord(m[0]):04x}", quoted)
