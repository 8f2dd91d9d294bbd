"""`runec model-info`: what a .tflite model takes, gives and needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.options import INPUT_FILE, format_option, pass_console
from runec.diagnostics import UserFileError, printable
from runec.files import read_file
from runec.firmware.model_boards import boards_for_model
from runec.frontend.model_engines import DEVICES, find_engines
from runec.models import (
    InputRange,
    ModelInfo,
    ModelTensor,
    input_ranges,
    measure_arena,
    read_model,
)
from runec.pipeline import ElementType

# The original's names, those of the schema of TensorFlow Lite.
_KINDS = {
    ElementType.U8: "UInt8",
    ElementType.I8: "Int8",
    ElementType.U16: "UInt16",
    ElementType.I16: "Int16",
    ElementType.U32: "UInt32",
    ElementType.I32: "Int32",
    ElementType.U64: "UInt64",
    ElementType.I64: "Int64",
    ElementType.F32: "Float32",
    ElementType.F64: "Float64",
    ElementType.UTF8: "String",
}


@click.command(
    "model-info",
    epilog=example(
        "runec model-info examples/sine/sinemodel.tflite",
        "runec model-info examples/sine/sinemodel.tflite --format json",
    ),
)
@click.argument("model", metavar="X.tflite", type=INPUT_FILE)
@format_option
@pass_console
def command(console: Console, model: Path) -> None:
    """Show a model's tensors, operators and arena, and which engines and boards run it."""
    data = read_file(model, "the model")
    try:
        info = read_model(data)
        ranges = input_ranges(data)
        arena = measure_arena(data)
    except UserFileError as error:
        raise UserFileError(error.code, f"{model}: {error.message}", hint=error.hint) from None
    engines = find_engines(data)
    boards = boards_for_model(info, len(data), arena) if DEVICES in engines.takers else ()
    if console.is_json:
        console.result_json(
            {
                "inputs": [
                    {**_tensor(tensor), "clamped_to": _ends(bounds)}
                    for tensor, bounds in zip(info.inputs, ranges, strict=True)
                ],
                "outputs": [_tensor(tensor) for tensor in info.outputs],
                "ops": info.operator_count,
                "operators": [
                    {"name": operator.name, "version": operator.version}
                    for operator in info.operators
                ],
                "file_bytes": len(data),
                "arena_bytes": arena,
                "engines": engines.objections,
                "boards": list(boards),
                "description": info.description,
            }
        )
        return
    for line in _lines(info, ranges, len(data), arena):
        console.result(line)
    console.result("Engines:")
    for name, why in engines.objections.items():
        console.result(f"\t{name}: {'yes' if why is None else f'no, {why}'}")
    if DEVICES in engines.takers:
        console.result(f"Boards: {', '.join(boards) or 'none has the memory'}")
    elif not engines.takers:
        console.say(f"no engine of runec runs the model: {engines.advice}")


def _lines(
    info: ModelInfo, ranges: Sequence[InputRange | None], file_bytes: int, arena: int
) -> Iterator[str]:
    yield f"Ops: {info.operator_count}"
    for title, tensors in (("Inputs", info.inputs), ("Outputs", info.outputs)):
        yield f"{title}:"
        yield from (f"\t{_named(tensor)}" for tensor in tensors)
    quantised = [item for item in (*info.inputs, *info.outputs) if item.scale is not None]
    if quantised:
        yield "Quantisation:"
        for tensor in quantised:
            name = printable(tensor.name)
            yield f"\t{name}: scale {tensor.scale!r}, zero point {tensor.zero_point}"
    clamped = [
        f"\t{printable(tensor.name)}: {bounds.least:.9g} to {bounds.most:.9g}, NaN to 0"
        for tensor, bounds in zip(info.inputs, ranges, strict=True)
        if bounds is not None
    ]
    if clamped:
        yield "Clamped, because it makes integers of them:"
        yield from clamped
    yield "Operators:"
    yield from (
        f"\t{printable(operator.name)}: version {operator.version}" for operator in info.operators
    )
    yield f"File: {file_bytes} bytes"
    yield f"Arena: {arena} bytes"
    if info.description:
        yield f"Description: {printable(info.description)}"


def _named(tensor: ModelTensor) -> str:
    return f"{printable(tensor.name)}: {_KINDS[tensor.type.element]}{list(tensor.type.dimensions)}"


def _ends(bounds: InputRange | None) -> list[float] | None:
    return None if bounds is None else [bounds.least, bounds.most]


def _tensor(tensor: ModelTensor) -> dict[str, object]:
    return {
        "name": tensor.name,
        "element_kind": _KINDS[tensor.type.element],
        "dims": list(tensor.type.dimensions),
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }
