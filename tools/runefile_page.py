"""Writes the generated parts of docs/runefile.md: keys, capabilities, outputs, blocks, limits.

A part stands between `<!-- begin NAME: ... -->` and `<!-- end NAME -->`; the text around the parts
is written by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from runec.cli.block import input_text, output_text
from runec.container import limits
from runec.files import MAX_INPUT_BYTES
from runec.frontend import text as frontend_text
from runec.frontend import yaml_nodes
from runec.frontend.passes import model_folder, names, parameters
from runec.frontend.passes.kinds import CAPABILITY_NAMES, OUTPUT_NAMES
from runec.frontend.passes.pins import PIN_ARGUMENTS
from runec.frontend.passes.types import CAPABILITY_ELEMENTS, MAX_TENSOR_BYTES
from runec.frontend.schema import runefile_schema
from runec.frontend.yaml_dialect import STAGE_KEYS
from runec.pipeline import EXECUTED_FORMAT, MODEL_FORMATS, CapabilityKind, ElementType
from runec.proc_blocks import Block, Catalogue
from runec.proc_blocks.block import RUN_TIME_WORD_BYTES
from runec.proc_blocks.manifest import ArgumentRule

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "runefile.md"
BLOCKS = "../runec/proc_blocks/blocks"
_PART = re.compile(r"(<!-- begin (\w+): [^\n]*-->\n).*?(<!-- end \2 -->\n)", re.DOTALL)

_OF_OUTPUTS = {
    "SERIAL": ("any tensors", "one line of JSON per run"),
    "TENSOR": (
        "tensors of numbers",
        "the bytes of the tensors with their types; not together with other outputs",
    ),
    "PIN": ("one tensor of one number", "a pin of the board: high for any value other than 0"),
}
_OF_CAPABILITIES = {
    "RAND": "random numbers",
    "SOUND": "samples of a microphone or a WAV file, one channel",
    "ACCEL": "samples of an accelerometer or a CSV file: x, y, z in m/s²",
    "IMAGE": "pixels of a camera or a picture file, row by row",
    "RAW": "bytes of a file, without conversion",
    "FLOAT_IMAGE": "the pixels of IMAGE, each divided by 255",
}


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a table; a row with another number of cells is a ValueError."""
    headers = list(headers)
    yield f"| {' | '.join(headers)} |"
    yield f"|{' --- |' * len(headers)}"
    for row in rows:
        cells = [" ".join(cell.replace("|", "\\|").split()) for cell in row]
        if len(cells) != len(headers):
            raise ValueError(f"a row of {len(cells)} cells in a table of {len(headers)}")
        yield f"| {' | '.join(cells)} |"


def size_text(count: int) -> str:
    """A number of bytes in the largest unit that divides it."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count % size == 0:
            return f"{count // size} {unit}"
    return f"{count:,} bytes"


def _about(property_: dict[str, Any]) -> str:
    return str(property_["description"])


def _keys(where: str, definition: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    required = set(definition["required"])
    for key, property_ in definition["properties"].items():
        need = "required" if key in required else "optional"
        yield where, f"`{key}`", need, _about(property_)
        where = ""


def keys() -> Iterator[str]:
    """Every key of the YAML dialect, from the schema."""
    schema = runefile_schema()
    definitions = schema["definitions"]
    rows = list(_keys("the file", schema))
    for kind in STAGE_KEYS:
        rows += _keys(f"a stage: {kind}", definitions[kind])
    rows += _keys("an entry of `outputs`", definitions["type"])
    rows += _keys("an entry of `resources`", definitions["resource"])
    yield from table(("where", "key", "", "value"), rows)


def element_types() -> Iterator[str]:
    """Every element type with its size."""
    rows = [
        (
            f"`{element.value}`",
            f"{element.size_bytes}" if element.size_bytes else "4 and the text",
            "UTF-8 text" if element is ElementType.UTF8 else _number(element),
        )
        for element in ElementType
    ]
    yield from table(("type", "bytes per element", ""), rows)


def _number(element: ElementType) -> str:
    bits = 8 * element.size_bytes
    if element.is_float:
        return f"IEEE 754 floating point, {bits} bits"
    return f"{'unsigned' if element.value[0] == 'u' else 'signed'} integer, {bits} bits"


def capabilities() -> Iterator[str]:
    """Every capability: its number, element type and arguments."""
    rows = []
    for name in CAPABILITY_NAMES:
        kind = CapabilityKind[name]
        element = CAPABILITY_ELEMENTS.get(kind)
        rows.append(
            (f"`{name}`", f"`{element.value}`" if element else "any number", _OF_CAPABILITIES[name])
        )
    yield from table(("capability", "element type", "what the rune gets"), rows)
    yield ""
    # Capabilities and spellings with the same meaning share a row.
    shared: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for name in CAPABILITY_NAMES:
        for spelling, parameter in parameters.PARAMETERS[CapabilityKind[name]].items():
            values = f"{parameter.least} to {parameters.MAX_PARAMETER}"
            if parameter.name == "pixel_format":
                values = "a name or a number"
            elif spelling == "sample_duration":
                values = "a number"
            kinds, spellings = shared.setdefault((parameter.about, values), ([], []))
            kinds += [name] if name not in kinds else []
            spellings += [spelling] if spelling not in spellings else []
    yield from table(
        ("capability", "argument", "value", "meaning"),
        (
            (_code(kinds), _code(spellings), values, about)
            for (about, values), (kinds, spellings) in shared.items()
        ),
    )


def outputs() -> Iterator[str]:
    """Every kind of output and its arguments."""
    rows = [(f"`{name}`", *_OF_OUTPUTS[name], _out_arguments(name)) for name in OUTPUT_NAMES]
    yield from table(("output", "takes", "writes", "arguments"), rows)


def _out_arguments(name: str) -> str:
    if name != "PIN":
        return ""
    of_schema = runefile_schema()["definitions"]["out"]["properties"]["args"]["properties"]
    texts = []
    for argument in PIN_ARGUMENTS:
        spelling = argument.replace("_", "-")
        about = _about(of_schema[spelling]).removeprefix("PIN: ")
        texts.append(f"`{spelling}`: {about}")
    return "<br>".join(texts)


def blocks() -> Iterator[str]:
    """Every block of the catalogue with its arguments and a link to its page."""
    rows = []
    for name in Catalogue.builtin().names():
        block = Catalogue.builtin().find(name)
        assert block is not None  # noqa: S101 - it is of names()
        rows.append(
            (
                f"[{name}]({BLOCKS}/{name}/README.md)",
                block.description,
                _code(input_text(rule) for rule in block.manifest.inputs),
                _code(output_text(rule) for rule in block.manifest.outputs),
                _arguments(block),
            )
        )
    yield from table(("block", "", "inputs", "outputs", "arguments"), rows)


def _code(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _arguments(block: Block) -> str:
    return "<br>".join(_argument(rule) for rule in block.manifest.arguments)


def _argument(rule: ArgumentRule) -> str:
    also = "".join(f", `{alias}`" for alias in rule.aliases)
    facts = [rule.type, *_limits(rule)]
    if rule.from_model is not None:
        facts.append(f"default: `{rule.from_model}` of the model beside the block")
    if rule.default is not None:
        default = f'"{rule.default}"' if isinstance(rule.default, str) else str(rule.default)
        facts.append(f"else {default}" if rule.from_model is not None else f"default {default}")
    elif rule.from_model is None:
        facts.append("required" if rule.required else "optional")
    return f"`{rule.name}`{also}: {', '.join(facts)}"


def _limits(rule: ArgumentRule) -> Iterator[str]:
    noun = " words" if rule.type == "string-list" else ""
    if rule.above is not None:
        yield f"above {rule.above:g}{noun}"
    if rule.at_least is not None and rule.at_most is not None:
        yield f"{rule.at_least:g} to {rule.at_most:g}{noun}"
    elif rule.at_least is not None:
        yield f"at least {rule.at_least:g}{noun}"
    elif rule.at_most is not None:
        yield f"at most {rule.at_most:g}{noun}"
    if rule.at_least_elements_of is not None:
        yield f"at least the elements of input {rule.at_least_elements_of}"
    if rule.at_most_elements_of is not None:
        yield f"at most the elements of input {rule.at_most_elements_of}"
    if rule.below is not None:
        yield f"below `{rule.below}`"
    if rule.below_half_of is not None:
        yield f"below half of `{rule.below_half_of}`"


def formats() -> Iterator[str]:
    """Every format of models that the compiler takes."""
    rows = [
        (
            f"`{name}`",
            "built, run on the host and on boards; the default"
            if name == EXECUTED_FORMAT
            else "packed into the .rune with a warning (R0306); runec does not run it",
        )
        for name in MODEL_FORMATS
    ]
    yield from table(("`format`", ""), rows)


def limits_table() -> Iterator[str]:
    """Every limit of a Runefile, from the constants that the compiler compares with."""
    rows = [
        ("size of the Runefile", size_text(frontend_text.MAX_RUNEFILE_BYTES)),
        (
            "size of a model, of a resource or of another file that it names",
            size_text(MAX_INPUT_BYTES),
        ),
        ("files in a model that is a folder", f"{model_folder.MAX_FILES:,}"),
        (
            "YAML: keys, values, starts and ends of lists and maps",
            f"{frontend_text.MAX_YAML_EVENTS:,}",
        ),
        ("YAML: levels of nesting", f"{yaml_nodes.MAX_DEPTH}"),
        ("legacy dialect: instructions", f"{frontend_text.MAX_STATEMENTS:,}"),
        ("length of a name", f"{names.MAX_NAME_BYTES} bytes"),
        ("length of a pin's name", f"{limits.MAX_PIN_BYTES} bytes"),
        ("stages", f"{names.MAX_STAGES}"),
        ("capabilities; models; outputs", f"{names.MAX_OF_A_KIND} of each"),
        ("resources and models together", f"{names.MAX_RESOURCES}"),
        ("inputs of a stage; outputs of a stage", f"{names.MAX_SIDE} of each"),
        ("tensors", f"{names.MAX_TENSORS}"),
        ("dimensions of a tensor", f"{names.MAX_DIMENSIONS}"),
        ("length of a dimension", f"1 to {frontend_text.MAX_DIMENSION}"),
        ("size of a tensor, and its number of elements", size_text(MAX_TENSOR_BYTES)),
        ("argument of a capability", f"at most {parameters.MAX_PARAMETER}"),
        (
            "word of a list that the build does not know",
            f"{RUN_TIME_WORD_BYTES} bytes",
        ),
    ]
    yield from table(("limit", ""), rows)


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "keys": keys,
    "types": element_types,
    "capabilities": capabilities,
    "outputs": outputs,
    "blocks": blocks,
    "formats": formats,
    "limits": limits_table,
}


def page(text: str) -> str:
    """Return a page with its generated parts updated; an unknown part is a KeyError."""

    def write(match: re.Match[str]) -> str:
        return match[1] + "\n".join(PARTS[match[2]]()) + "\n" + match[3]

    return _PART.sub(write, text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE.name}", file=sys.stderr)
