"""The AST of both dialects, with spans; not checked.

A name that occurs twice, an input that does not exist, a type called `str`: all of it can stand
here. The passes of `runec.frontend.passes` judge it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from runec.diagnostics import SourceFile, Span

Dialect = Literal["legacy", "yaml"]


class Text(msgspec.Struct, frozen=True):
    """A word or a string, escapes already replaced. `span` is where it was written."""

    text: str
    span: Span


class Dimension(msgspec.Struct, frozen=True):
    """One length of a shape."""

    value: int
    span: Span


class Type(msgspec.Struct, frozen=True):
    """An element type as spelled (None for `_`) and a shape (empty: not given, means [1])."""

    element: Text | None
    dimensions: tuple[Dimension, ...]
    span: Span


class Path(msgspec.Struct, frozen=True):
    """`base[@version][#sub_path]`, as the path of a base image or of a processing block."""

    text: str
    base: str
    version: str | None
    sub_path: str | None
    span: Span


class InputRef(msgspec.Struct, frozen=True):
    """Output `index` of the stage `name`, used as an input."""

    name: str
    index: int
    span: Span


class ResourceRef(msgspec.Struct, frozen=True):
    """`$NAME`; `name` is without the dollar sign."""

    name: str
    span: Span


ArgumentNode = Text | ResourceRef | tuple[Text, ...]


class Argument(msgspec.Struct, frozen=True):
    """One argument of a stage: its name as written, its value, the place of both.

    `is_damaged`: the value was not understood, and reported; later passes skip it.
    """

    key: Text
    value: ArgumentNode
    span: Span
    is_damaged: bool = False

    @property
    def name(self) -> str:
        """The name with `_` for `-`: both spellings mean the same argument."""
        return self.key.text.replace("-", "_")

    @property
    def value_span(self) -> Span:
        """Where the value stands."""
        if isinstance(self.value, tuple):
            if not self.value:
                return self.span
            first, last = self.value[0].span, self.value[-1].span
            return Span(first.source, first.start, last.end)
        return self.value.span


class CapabilityNode(msgspec.Struct, frozen=True):
    """A source of data. `outputs` None: not declared."""

    name: Text
    kind: Text
    outputs: tuple[Type, ...] | None
    arguments: tuple[Argument, ...]
    span: Span


class ProcBlockNode(msgspec.Struct, frozen=True):
    """A processing block. Only the legacy dialect declares `input_type`."""

    name: Text
    path: Path
    inputs: tuple[InputRef, ...]
    input_type: Type | None
    outputs: tuple[Type, ...] | None
    arguments: tuple[Argument, ...]
    span: Span


class ModelNode(msgspec.Struct, frozen=True):
    """A model, from a file beside the Runefile or from a resource."""

    name: Text
    model: Text | ResourceRef
    inputs: tuple[InputRef, ...]
    input_type: Type | None
    outputs: tuple[Type, ...] | None
    arguments: tuple[Argument, ...]
    span: Span


class OutNode(msgspec.Struct, frozen=True):
    """A sink."""

    name: Text
    kind: Text
    inputs: tuple[InputRef, ...]
    arguments: tuple[Argument, ...]
    span: Span


StageNode = CapabilityNode | ProcBlockNode | ModelNode | OutNode


class ResourceNode(msgspec.Struct, frozen=True):
    """A resource declaration. `kind` None: `string`."""

    name: Text
    kind: Text | None
    inline: Text | None
    path: Text | None
    span: Span


class Document(msgspec.Struct, frozen=True):
    """A whole Runefile.

    `image` None: it is missing or was not understood, and reported. `unreadable` names the stages
    and resources of which something was not understood: they may be here in part or not at all, and
    later passes do not report them as missing and skip their types.
    """

    source: SourceFile
    dialect: Dialect
    image: Path | None
    stages: tuple[StageNode, ...]
    resources: tuple[ResourceNode, ...]
    unreadable: frozenset[str] = frozenset()


def stage_inputs(stage: StageNode) -> tuple[InputRef, ...]:
    """The inputs of any stage; none for a capability."""
    return () if isinstance(stage, CapabilityNode) else stage.inputs


def declared_outputs(stage: StageNode) -> tuple[Type, ...] | None:
    """The output types of any stage; none for an output, None where not declared."""
    return () if isinstance(stage, OutNode) else stage.outputs


def declared_input(stage: StageNode) -> Type | None:
    """The input type that the legacy dialect declares, unless it is `_`."""
    if isinstance(stage, CapabilityNode | OutNode):
        return None
    declared = stage.input_type
    return None if declared is None or declared.element is None else declared
