"""`runec model-info`: tensors, operators and memory of a .tflite model; models in C arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from runec.boards import load_boards
from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import A_MODEL, INPUT_FILE, format_option, pass_console
from runec.diagnostics import Diagnostic, Severity, UserFileError, printable
from runec.files import is_folder, is_there, read_file, write_file
from runec.firmware.model_boards import boards_for_model
from runec.frontend.model_engines import DEVICES, find_engines
from runec.models import (
    InputRange,
    ModelFile,
    ModelInfo,
    ModelTensor,
    ResolvedModel,
    resolve_model,
)
from runec.models.c_source import extract_model
from runec.models.learning import UnknownShapesError
from runec.models.other_files import identify_folder


@click.command(
    "model-info",
    epilog=example(
        "runec model-info examples/sine/sinemodel.tflite",
        "runec model-info examples/sine/sinemodel.tflite --format json",
        "runec model-info sketch/model.h --extract model.tflite",
    ),
)
@click.argument("model", metavar="X.tflite", type=A_MODEL)
@click.option(
    "--extract", type=INPUT_FILE, metavar="FILE", help="Output file for the model of a C array."
)
@click.option("--array", metavar="NAME", help="C array to extract, if there are several.")
@format_option
@pass_console
def command(console: Console, model: Path, extract: Path | None, array: str | None) -> None:
    """Show a model's tensors, operators and arena, and which engines and boards run it.

    --extract accepts C source, such as an Arduino sketch's model.h or the output of xxd -i, and
    writes the model in one of its arrays.
    """
    if array is not None and extract is None:
        raise click.UsageError("--array needs --extract FILE.")
    data = _read(model)
    if extract is not None:
        data = _extracted(console, data, model, extract, array)
        model = extract
    file = ModelFile(data, str(model))
    try:
        info = file.info
        resolved = _resolved(console, model, file)
        info = replace(info, outputs=resolved.model.info.outputs)
        ranges, arena = resolved.model.input_ranges, resolved.model.arena_bytes
    except UserFileError as error:
        raise UserFileError(error.code, f"{model}: {error.message}", hint=error.hint) from None
    engines = find_engines(resolved.model)
    boards = boards_for_model(resolved.model, load_boards()) if DEVICES in engines.takers else ()
    if console.is_json:
        console.result_json(
            {
                "inputs": [
                    {**_tensor(tensor), "clamped_to": _ends(bounds)}
                    for tensor, bounds in zip(info.inputs, ranges, strict=True)
                ],
                "outputs": [_tensor(tensor) for tensor in info.outputs],
                "ops": info.operator_count,
                "folded": list(resolved.folded),
                "shapes_learned": resolved.is_learned,
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
    for line in _lines(info, resolved, ranges, len(data), arena):
        console.result(line)
    console.result("Engines:")
    for name, why in engines.objections.items():
        console.result(f"\t{name}: {'yes' if why is None else f'no, {why}'}")
    if DEVICES in engines.takers:
        console.result(f"Boards: {', '.join(boards) or 'none has the memory'}")
    elif not engines.takers:
        console.say(f"no engine runs the model: {engines.advice}")


def _resolved(console: Console, model: Path, file: ModelFile) -> ResolvedModel:
    """Return the model with its shapes; unchanged, with a warning, if they cannot be determined."""
    try:
        return resolve_model(file)
    except UnknownShapesError as error:
        message = f"{model}: {error.message}"
        console.warn(Diagnostic(error.code, message, Severity.WARNING, hint=error.hint))
        return ResolvedModel(file)


def _read(model: Path) -> bytes:
    if is_folder(model):
        other = identify_folder(model)
        message = f"{model}: this is not a TensorFlow Lite model, but {other.what}"
        raise UserFileError("R0310", message, hint=other.hint)
    return read_file(model, "the model")


def _extracted(
    console: Console, source: bytes, path: Path, target: Path, array: str | None
) -> bytes:
    """Write the model that an array of C source holds, and return it."""
    try:
        found = extract_model(source, array)
        _ = ModelFile(found.data).graph  # its mistakes
    except UserFileError as error:
        raise UserFileError(error.code, f"{path}: {error.message}", hint=error.hint) from None
    if is_there(target) and (is_folder(target) or read_file(target, "FILE") != found.data):
        raise UserFileError(
            "R1107", f"{target} already exists", hint="choose another name, or remove it"
        )
    write_file(target, found.data, only_if_changed=True, elsewhere="choose another FILE")
    console.say(f"wrote {target}: the array {found.name}, {len(found.data)} bytes")
    return found.data


def _lines(
    info: ModelInfo,
    resolved: ResolvedModel,
    ranges: Sequence[InputRange | None],
    file_bytes: int,
    arena: int,
) -> Iterator[str]:
    yield f"Ops: {info.operator_count}"
    for title, tensors in (("Inputs", info.inputs), ("Outputs", info.outputs)):
        yield f"{title}:"
        yield from (f"\t{_named(tensor)}" for tensor in tensors)
    open_inputs = [item for item in info.inputs if item.shape is None or item.signature]
    if open_inputs:
        yield "Open input shapes:"
        yield from (f"\t{printable(item.name)}: {item.accepted}" for item in open_inputs)
    if resolved.is_learned:
        yield "Output shapes: determined by LiteRT"
    unknown = [printable(item.name) for item in info.outputs if item.shape is None]
    if unknown:
        yield f"Known at run time only; declare the size in the Runefile: {', '.join(unknown)}"
    if resolved.folded:
        yield f"Folded when a rune is built: {', '.join(map(printable, resolved.folded))}"
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
        yield "Clamped before the conversion to integers:"
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
    shape = "[...]" if tensor.type is None else list(tensor.type.dimensions)
    return f"{printable(tensor.name)}: {tensor.element.title}{shape}"


def _ends(bounds: InputRange | None) -> list[float] | None:
    return None if bounds is None else [bounds.least, bounds.most]


def _tensor(tensor: ModelTensor) -> dict[str, object]:
    return {
        "name": tensor.name,
        "element_kind": tensor.element.title,
        "dims": None if tensor.type is None else list(tensor.type.dimensions),
        "signature": list(tensor.signature),
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }
