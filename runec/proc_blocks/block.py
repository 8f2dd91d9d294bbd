"""A block, of the catalogue or of one's own, and what becomes of one use of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NoReturn

import msgspec

from runec.proc_blocks.arguments import BlockArgument, convert, resolve_arguments
from runec.proc_blocks.manifest import PART, SIZE, InputRule, Manifest, OutputRule
from runec.proc_blocks.mismatch import BlockMismatch, MissingArgument
from runec.toml import TomlFile
from runec.values import ArgumentValue, ElementType, ResourceWords, TensorType

# A utf8 element is a u32 length and its bytes (docs/spec/rune.md, section 2.2).
_LENGTH_BYTES = 4
# Room for a word that is unknown before run time; a longer one fails the stage.
RUN_TIME_WORD_BYTES = 128
# Of a rune (docs/spec/rune.md, section 3).
_MAX_RANK = 8

SOURCE = "block.c"


class ResolvedOutput(msgspec.Struct, frozen=True):
    """An output's type and the bytes its tensor may take."""

    type: TensorType
    capacity_bytes: int


class Resolved(msgspec.Struct, frozen=True):
    """A use of a block that fits it. An optional argument without a value is not in `arguments`."""

    outputs: tuple[ResolvedOutput, ...]
    arguments: dict[str, ArgumentValue]


def _without_ones(dimensions: Sequence[int]) -> tuple[int, ...]:
    return tuple(size for size in dimensions if size != 1)


def _fit(dimensions: Sequence[int], rule: Sequence[int | str]) -> bool:
    if len(dimensions) != len(rule):
        return False
    for size, wanted in zip(dimensions, rule, strict=True):
        if isinstance(wanted, int) and size != wanted:
            return False
        least = SIZE.fullmatch(wanted) if isinstance(wanted, str) else None
        if least is not None and least["least"] is not None and size < int(least["least"]):
            return False
    return True


def _declared_shape(
    rule: OutputRule, declared: TensorType, shape: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return the shape of a declared output; None if it does not match `shape`.

    Dimensions of 1 are optional. If the user chooses the length, a single number is always the
    length: with rows of 6, `[6]` is six rows, and `[1, 6]` is one.
    """
    if rule.reshape and declared.element_count == math.prod(shape):
        return declared.dimensions
    given = _without_ones(declared.dimensions)
    inner = _without_ones(shape[1:])
    is_length = rule.length != "exact" and len(declared.dimensions) == 1 and bool(inner)
    if given == _without_ones(shape) and not is_length:
        return declared.dimensions
    if rule.length == "exact":
        return None
    length = math.prod(given[: len(given) - len(inner)])
    if is_length:
        length, taken = declared.element_count, (declared.element_count, *shape[1:])
    elif given[len(given) - len(inner) :] == inner and len(given) <= len(inner) + 1:
        taken = declared.dimensions
    else:
        return None
    if rule.length == "bound":
        return shape if length >= shape[0] else None
    return taken


def _part(size: str, inputs: Sequence[TensorType]) -> tuple[int, ...] | None:
    """The dimensions that a part of an input in an output's shape stands for."""
    match = PART.fullmatch(size)
    if match is None:
        return None
    given = inputs[int(match["input"])]
    if match["part"] is None:
        return given.dimensions
    return (
        (given.element_count,)
        if match["part"] == "count"
        else (given.dimensions[int(match["part"])],)
    )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


class Block(msgspec.Struct, frozen=True):
    """A block: inputs, outputs, arguments; its C source is `directory / "block.c"`.

    `directory` is absolute. `own_path` is the same folder as the user named it, None for a block of
    the catalogue: mistakes in a block of the user's own are shown with it, and at their places in
    `file`, its description.
    """

    name: str
    description: str
    arguments: tuple[BlockArgument, ...]
    stack_bytes: int
    in_place: bool
    directory: Path
    manifest: Manifest
    own_path: Path | None = None
    file: TomlFile | None = None

    @classmethod
    def from_manifest(
        cls,
        name: str,
        directory: Path,
        manifest: Manifest,
        *,
        own_path: Path | None = None,
        file: TomlFile | None = None,
    ) -> Block:
        """Make a block of its checked description."""
        arguments = tuple(
            BlockArgument(
                rule.name,
                rule.type,
                None if rule.default is None else convert(rule.type, rule.default),
                rule.required,
                rule.aliases,
                rule.description,
            )
            for rule in manifest.arguments
        )
        return cls(
            name,
            manifest.description,
            arguments,
            manifest.stack_bytes,
            manifest.in_place,
            directory,
            manifest,
            own_path,
            file,
        )

    @property
    def is_own(self) -> bool:
        """True for a block of the user's own."""
        return self.own_path is not None

    def resolve(
        self,
        inputs: Sequence[TensorType],
        declared: Sequence[TensorType | None],
        arguments: Mapping[str, ArgumentValue],
    ) -> Resolved:
        """Check one use of the block and return its outputs and its arguments.

        `declared` holds what the Runefile says of each output, None where it is silent; an empty
        sequence is silent about all. A declared shape equal to the block's up to dimensions of 1
        (for some blocks: with as many elements) is the output's shape.

        Raises:
            BlockMismatch: R0410 to R0420.
        """
        self._check_inputs(inputs)
        values = resolve_arguments(self.name, self.manifest.arguments, inputs, arguments)
        rules = self._repeated(self.manifest.outputs, len(inputs))
        if declared and len(declared) != len(rules):
            raise BlockMismatch(
                "R0413",
                f"the block {self.name!r} has {_plural(len(rules), 'output')}, "
                f"but the stage declares {len(declared)}",
                about="outputs",
                index=min(len(rules), len(declared) - 1),
                hint=f"declare {_plural(len(rules), 'output')}",
            )
        outputs = tuple(
            self._output(index, rule, inputs, declared[index] if declared else None, values)
            for index, rule in enumerate(rules)
        )
        return Resolved(outputs, values)

    def _repeated(self, rules: tuple[OutputRule, ...], inputs: int) -> tuple[OutputRule, ...]:
        extra = inputs - len(self.manifest.inputs) if rules[-1].repeat else 0
        return rules + rules[-1:] * extra

    def _check_inputs(self, inputs: Sequence[TensorType]) -> None:
        rules: tuple[InputRule, ...] = self.manifest.inputs
        wanted = len(rules)
        repeats = rules[-1].repeat
        if len(inputs) < wanted or (len(inputs) > wanted and not repeats):
            count = f"{'at least ' if repeats else ''}{_plural(wanted, 'input')}"
            raise BlockMismatch(
                "R0410",
                f"the block {self.name!r} needs {count}, but the stage has {len(inputs)}",
                about="inputs",
                index=wanted if len(inputs) > wanted else None,
                hint=f"list {count} under 'inputs'",
            )
        for index, actual in enumerate(inputs):
            rule = rules[min(index, wanted - 1)]
            if actual.element not in rule.element_types:
                raise BlockMismatch(
                    "R0411",
                    f"the block {self.name!r} does not accept {actual}",
                    about="inputs",
                    index=index,
                    hint="it accepts elements of type "
                    + ", ".join(e.value for e in ElementType if e in rule.element_types),
                )
            if actual.element_count == 0:
                raise BlockMismatch(
                    "R0412",
                    f"the block {self.name!r} needs at least one element, but got {actual}",
                    about="inputs",
                    index=index,
                    hint="remove the dimension of 0",
                )
            if rule.shape == "vector" and len(_without_ones(actual.dimensions)) > 1:
                raise BlockMismatch(
                    "R0412",
                    f"the block {self.name!r} needs one row of elements, but got {actual}",
                    about="inputs",
                    index=index,
                    hint="all dimensions but one must be 1",
                )
            if rule.dimensions and not _fit(actual.dimensions, rule.dimensions):
                wanted_shape = f"[{', '.join(map(str, rule.dimensions))}]"
                raise BlockMismatch(
                    "R0412",
                    f"the block {self.name!r} needs a rank {len(rule.dimensions)} tensor "
                    f"{wanted_shape}, but got {actual}",
                    about="inputs",
                    index=index,
                    hint=f"use the dimensions {wanted_shape}",
                )

    def _output(
        self,
        index: int,
        rule: OutputRule,
        inputs: Sequence[TensorType],
        declared: TensorType | None,
        values: Mapping[str, ArgumentValue],
    ) -> ResolvedOutput:
        if declared is None and "declared" in {rule.element, rule.shape}:
            raise BlockMismatch(
                "R0414",
                f"the block {self.name!r} needs the type of its output",
                about="outputs",
                index=index,
                hint="declare the output with a type and dimensions",
            )
        element = self._element(index, rule, inputs, declared)
        shape = self._shape(index, rule, inputs, declared, values)
        actual = TensorType(element, shape)
        if declared is not None:
            if declared.element is not element:
                self._refuse_output("R0414", index, actual, declared)
            taken = _declared_shape(rule, declared, shape)
            if taken is None:
                self._refuse_output("R0415", index, actual, declared, rule.length)
            actual = TensorType(element, taken)
        if element is not ElementType.UTF8:
            return ResolvedOutput(actual, actual.size_bytes)
        longest = 0 if rule.bytes_of is None else inputs[rule.bytes_of].size_bytes
        for name in rule.words:
            value = values.get(name, ())
            if isinstance(value, ResourceWords):
                longest = max(longest, RUN_TIME_WORD_BYTES)
                continue
            words = (value,) if isinstance(value, str) else value
            if isinstance(words, tuple):
                longest = max([longest, *(len(word.encode()) for word in words)])
        return ResolvedOutput(actual, actual.element_count * (_LENGTH_BYTES + longest))

    def _element(
        self,
        index: int,
        rule: OutputRule,
        inputs: Sequence[TensorType],
        declared: TensorType | None,
    ) -> ElementType:
        if rule.element == "input":
            return inputs[index].element
        if rule.element != "declared" or declared is None:
            return ElementType(rule.element)
        if declared.element not in rule.element_types:
            names = ", ".join(e.value for e in ElementType if e in rule.element_types)
            raise BlockMismatch(
                "R0414",
                f"the block {self.name!r} cannot output {declared}",
                about="outputs",
                index=index,
                hint=f"it outputs elements of type {names}",
            )
        return declared.element

    def _shape(
        self,
        index: int,
        rule: OutputRule,
        inputs: Sequence[TensorType],
        declared: TensorType | None,
        values: Mapping[str, ArgumentValue],
    ) -> tuple[int, ...]:
        if rule.shape == "input":
            return inputs[index].dimensions
        if rule.shape == "declared":
            return declared.dimensions if declared is not None else ()
        dimensions: list[int] = []
        for size in rule.shape:
            part = _part(size, inputs) if isinstance(size, str) else (size,)
            dimensions += part if part is not None else [self._length(str(size), values)]
        if len(dimensions) > _MAX_RANK:
            raise BlockMismatch(
                "R0415",
                f"the block {self.name!r} has an output of {len(dimensions)} dimensions here, "
                f"but a tensor has at most {_MAX_RANK}",
                about="outputs",
                index=index,
                hint="use inputs with fewer dimensions",
            )
        return tuple(dimensions)

    def _length(self, name: str, values: Mapping[str, ArgumentValue]) -> int:
        value = values.get(name)
        if value is None:
            message = f"the block {self.name!r} needs the argument {name!r}"
            why = "it is a length of an output"
            raise MissingArgument(f"{message}: {why}", name, hint=f"add {name!r}")
        if not isinstance(value, int) or value < 1:
            raise BlockMismatch(
                "R0419",
                f"{name!r} is {value} but must be at least 1: it is a length of an output",
                about="arguments",
                argument=name,
                hint=f"set {name!r} to at least 1",
            )
        return value

    def _refuse_output(
        self,
        code: Literal["R0414", "R0415"],
        index: int,
        actual: TensorType,
        declared: TensorType,
        length: str = "exact",
    ) -> NoReturn:
        other = ", or another length as the first dimension" if length == "declared" else ""
        raise BlockMismatch(
            code,
            f"the block {self.name!r} outputs {actual} here, but the stage declares {declared}",
            about="outputs",
            index=index,
            hint=f"declare {actual}{other}",
        )
