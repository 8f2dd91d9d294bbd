"""The values of arguments: resources filled in, Rust expressions (`@…`) worked out, none twice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import msgspec

from runec.diagnostics import Diagnostics, Label, Span
from runec.frontend.ast import Argument, ModelNode, OutNode, ResourceRef
from runec.frontend.passes.names import NameTable
from runec.frontend.passes.resources import Resources, report_runtime_only
from runec.pipeline import EXECUTED_FORMAT, MODEL_FORMATS, ResourceWords
from runec.proc_blocks import WHITESPACE, Block
from runec.suggestions import did_you_mean

# What others call the formats.
_FORMAT_NAMES = {
    **dict.fromkeys(("tflite", "tf-lite", "lite", "litert", "tensorflowlite"), EXECUTED_FORMAT),
    **dict.fromkeys(("tfjs", "tensorflowjs", "js"), "tensorflow-js"),
    **dict.fromkeys(("tf", "savedmodel", "saved_model", "saved-model", "pb"), "tensorflow"),
}
# The original platform pasted these into Rust code. Supported are products and pixel formats.
_PRODUCT = re.compile(r"@[0-9]{1,10}(?:\s*\*\s*[0-9]{1,10}){0,7}\Z")
_PIXEL_FORMAT = re.compile(r"@(?:\w+::)*PixelFormat::\w+\Z", re.ASCII)


class Value(msgspec.Struct, frozen=True):
    """An argument's value as text, or texts, with the argument it came from.

    `ResourceWords` for words of a resource that are unknown before run time.
    """

    argument: Argument
    text: str | tuple[str, ...] | ResourceWords

    @property
    def shown(self) -> str:
        """The value in a message."""
        if isinstance(self.text, ResourceWords):
            return f"${self.text.resource}"
        return self.text if isinstance(self.text, str) else ",".join(self.text)


# For each stage its arguments by name (`-` written as `_`); those with a mistake are left out.
Values = dict[str, dict[str, Value]]


class Arguments(msgspec.Struct, frozen=True):
    """The values of all stages, and the names of the resources that some of them took."""

    values: Values
    used_resources: frozenset[str]
    broken: frozenset[str]


def read_arguments(
    names: NameTable, blocks: dict[str, Block], resources: Resources, diagnostics: Diagnostics
) -> Arguments:
    """Work out the value of every argument; `broken` names the stages that lost one."""
    values: Values = {}
    used: set[str] = set()
    broken: set[str] = set()
    for name, stage in names.stages.items():
        found: dict[str, Value] = {}
        for argument in stage.arguments:
            if argument.name in found:
                _report_twice(argument, found[argument.name].argument, diagnostics)
                continue
            if argument.is_damaged:
                broken.add(name)
                continue
            if isinstance(argument.value, ResourceRef):
                used.add(argument.value.name)
                is_words = name in blocks and word_list(blocks[name], argument) is not None
                text: str | tuple[str, ...] | ResourceWords | None = _resource_text(
                    argument.value, resources, diagnostics, is_words=is_words
                )
            elif isinstance(argument.value, tuple):
                text = tuple(word.text for word in argument.value)
            else:
                text = _evaluate(argument.value.text, argument, diagnostics)
            if text is None:
                broken.add(name)
            else:
                found[argument.name] = Value(argument, text)
        values[name] = found
    return Arguments(values, frozenset(used), frozenset(broken))


def _report_twice(argument: Argument, first: Argument, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        "R0406",
        f'the argument "{argument.key.text[:40]}" is a duplicate',
        argument.key.span,
        hint="keep one of the two",
        labels=[Label(first.key.span, "The first one is here")],
    )


def word_list(block: Block, argument: Argument) -> str | None:
    """The block's own name of an argument that is a list of words; None for any other argument."""
    for known in block.arguments:
        spellings = {word.replace("-", "_") for word in (known.name, *known.aliases)}
        if known.type == "string-list" and argument.name in spellings:
            return known.name
    return None


def _resource_text(
    ref: ResourceRef, resources: Resources, diagnostics: Diagnostics, *, is_words: bool
) -> str | ResourceWords | None:
    resource = resources.find(ref, diagnostics)
    if resource is None:
        return None
    if resource.data is None and is_words:
        return ResourceWords(ref.name)
    if resource.data is None:
        report_runtime_only(ref, resource, diagnostics)
        return None
    try:
        return resource.data.decode().strip(WHITESPACE)
    except UnicodeDecodeError:
        diagnostics.error(
            "R0122",
            f'"${ref.name}" is not a text: it is not UTF-8',
            ref.span,
            hint="an argument needs a text resource",
            labels=[Label(resource.node.name.span, "declared here")],
        )
        return None


def _evaluate(text: str, argument: Argument, diagnostics: Diagnostics) -> str | None:
    """The value of `@4*4*3` is 48; `@PixelFormat::X` stays; other `@…` are Rust, which we lack."""
    if not text.startswith("@") or _PIXEL_FORMAT.match(text):
        return text
    if _PRODUCT.match(text):
        return str(math.prod(int(factor) for factor in text[1:].split("*")))
    diagnostics.error(
        "R0407",
        f'"{text[:60]}" is a Rust expression that runec cannot evaluate',
        argument.value_span,
        hint="write the value, a product such as @96*96, or @PixelFormat::RGB",
    )
    return None


def read_model_formats(
    names: NameTable, arguments: Arguments, diagnostics: Diagnostics
) -> dict[str, str]:
    """The format of each model. Unknown ones are reported and absent.

    Those that nothing of runec executes are warned of: runec packs such a model all the same.
    """
    formats: dict[str, str] = {}
    for name, stage in names.stages.items():
        if not isinstance(stage, ModelNode) or name in arguments.broken:
            continue
        value = arguments.values[name].get("format")
        if value is None:
            formats[name] = EXECUTED_FORMAT
            continue
        found = value.shown
        if found not in MODEL_FORMATS:
            diagnostics.error(
                "R0305",
                f"Expected the format to be one of {', '.join(MODEL_FORMATS)}, "
                f'but found "{found[:40]}" for "{name}"',
                value.argument.value_span,
                hint=_format_hint(found),
            )
            continue
        formats[name] = found
        if found != EXECUTED_FORMAT:
            diagnostics.warning(
                "R0306",
                f'the format of "{name}" is {found}: the rune will contain the model, '
                f"but runec executes {EXECUTED_FORMAT} only",
                value.argument.value_span,
                hint="convert it with TensorFlow's TFLiteConverter to run it here or on a device",
            )
    return formats


def _format_hint(found: str) -> str:
    known = _FORMAT_NAMES.get(found.lower().lstrip("."))
    if known is not None:
        return f'did you mean "{known}"?'
    return did_you_mean(found, MODEL_FORMATS) or f"use {EXECUTED_FORMAT}"


def check_unused(
    names: NameTable,
    blocks: dict[str, Block],
    outs: Mapping[str, Iterable[str]],
    arguments: Arguments,
    diagnostics: Diagnostics,
) -> None:
    """Warn of arguments that a model, an out or a block does not have; `outs`: what outs have."""
    for name, stage in names.stages.items():
        if isinstance(stage, ModelNode):
            known: Iterable[str] = ("format",)
        elif isinstance(stage, OutNode):
            known = outs.get(name, ())
        elif name in blocks:
            known = block_argument_names(blocks[name])
        else:
            continue
        warn_unused(
            name, [value.argument for value in arguments.values[name].values()], known, diagnostics
        )


def block_argument_names(block: Block) -> tuple[str, ...]:
    """All names and aliases of the arguments of a block."""
    return tuple(
        spelling.replace("-", "_")
        for argument in block.arguments
        for spelling in (argument.name, *argument.aliases)
    )


def warn_unused(
    name: str, given: Iterable[Argument], known: Iterable[str], diagnostics: Diagnostics
) -> None:
    """Warn of the arguments whose names are not known, all of one stage at once."""
    known = tuple(known)
    unused = [argument for argument in given if argument.name not in known]
    if not unused:
        return
    close = did_you_mean(unused[0].name, known)
    hint = close or (f"{name} has {', '.join(known)}" if known else "remove them")
    rest: tuple[Span, ...] = tuple(argument.key.span for argument in unused[1:])
    message = f"Unused arguments for {name}: {', '.join(argument.key.text for argument in unused)}"
    diagnostics.warning(
        "R0401",
        message,
        unused[0].key.span,
        hint=hint,
        # Word for word, for scripts that look for it.
        notes=[f"in the original platform: warning: {message}"],
        labels=[Label(span, "and this one") for span in rest],
    )
