"""The errors of this room: R07."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from runec.diagnostics import (
    Diagnostic,
    MachineError,
    RunecError,
    RuneError,
    Severity,
    UsageError,
    UserFileError,
)
from runec.pipeline import TensorType

_REPORT = "check the rune with `runec inspect`, and build it again from its Runefile"


# What wasm3 calls a trap, and what to do.
_BLOCK = "test your own block with `runec block test FOLDER`"
_TRAPS = {
    "divide by zero": f"check that stage's arguments and input for a divisor of zero; {_BLOCK}",
    "out of bounds": f"that stage reads or writes outside its tensors: compare shapes; {_BLOCK}",
    "unreachable": "the rune stopped itself, as a Rust panic does: check its input and shapes",
    "stack": "that stage recurses or has large local arrays: increase its stack_bytes (block.toml)",
    "integer overflow": f"check that stage's input for values beyond its integer type; {_BLOCK}",
    "conversion": f"check that stage's input for NaN and values beyond its integer type; {_BLOCK}",
    "indirect call": "the file may be damaged: build it again from its Runefile",
}


class MissingInputError(UserFileError):
    """R0701: no file for a capability; `flag` is the option that names one."""

    flag: str


def missing_input(kind: str, index: int, flag: str) -> MissingInputError:
    """R0701: no file for a capability."""
    which = "" if index == 0 else f" number {index + 1}"
    error = MissingInputError(
        "R0701",
        f'Unable to load the "{kind}" input: no file{which} was given for it',
        hint=f"add {flag} FILE" + (f" ({index + 1} times in all)" if index else ""),
        # Word for word, for scripts that look for it.
        notes=[f'in the original platform: Error: Unable to load the "{kind}" input'],
    )
    error.flag = flag
    return error


def wrong_length(source: str, requested: int, provided: int, unit: str) -> UserFileError:
    """R0702: an input file of the wrong length."""
    verdict = "only " if provided < requested else ""
    return UserFileError(
        "R0702",
        f"Requested {requested} {unit} but {verdict}{provided} were provided by {source}",
        hint=f"name a file that holds {requested} {unit}, or change the shape in the Runefile",
    )


def too_few_samples(source: str, requested: int, provided: int, rate_hz: int) -> UserFileError:
    """R0702: a sound that is too short."""
    return UserFileError(
        "R0702",
        f"At least {requested} samples are required to generate this input, but only {provided} "
        f"were provided by {source}, at {rate_hz} samples a second",
        hint=f"name a recording of {requested / rate_hz:g} s or more",
    )


def bad_sound(path: Path, what: str) -> UserFileError:
    """R0719: no WAV, a damaged one, or one of an encoding that is not read."""
    return UserFileError(
        "R0719",
        f"{path} cannot be read as a sound: {what}",
        hint="convert it to a WAV of 16 bits, for example: ffmpeg -i FILE -c:a pcm_s16le OUT.wav",
    )


def odd_sound(path: Path, stated: int, found: int, frames: int, after: str = "") -> Diagnostic:
    """R0748: a header that states another size; `after` is the part behind the samples."""
    where = f"before the part {after!r} are used" if after else "that are there are used"
    return Diagnostic(
        "R0748",
        f"{path}: its header states {stated} bytes of samples, the file has {found}: the {frames} "
        f"samples a channel {where}",
        Severity.WARNING,
        hint="normal for a file that was written to a pipe; otherwise it may be truncated",
    )


def cut_sound(path: Path, rest: int, frames: int) -> Diagnostic:
    """R0748: a sound that ends within a sample."""
    return Diagnostic(
        "R0748",
        f"{path}: the last {rest} bytes are not a whole sample: the {frames} samples a channel "
        "before them are used",
        Severity.WARNING,
        hint="it may be truncated",
    )


def bad_picture(path: Path, what: str) -> UserFileError:
    """R0720: no picture, a damaged one, or one that is too large."""
    return UserFileError(
        "R0720",
        f"{path} cannot be read as a picture: {what}",
        hint="convert it to PNG or JPEG",
    )


def unknown_scale(path: Path, what: str) -> UserFileError:
    """R0744: a picture whose numbers cannot be rounded to 8 bits."""
    return UserFileError(
        "R0744",
        f"{path} cannot be reduced to 8 bits a channel: {what}",
        hint="convert it to a PNG of 8 or 16 bits with the right black and white",
    )


def turned_picture(path: Path, orientation: int) -> Diagnostic:
    """R0745: a picture that a camera was turned for."""
    return Diagnostic(
        "R0745",
        f"{path} has the EXIF orientation {orientation}, which is not applied: the rune gets the "
        "pixels as they are stored",
        Severity.WARNING,
        hint="if the picture should be upright: convert FILE -auto-orient OUT.png (ImageMagick)",
    )


def bad_request(kind: str, what: str) -> RuneError:
    """R0705: a request that the kind of capability does not support."""
    return RuneError(
        "R0705",
        f"the rune requests {what} from its {kind} capability",
        hint="change the capability's outputs or arguments in the Runefile",
    )


def no_output(kind: str) -> RuneError:
    """R0706: an output kind that the host does not write."""
    return RuneError(
        "R0706",
        f"{kind} outputs are not supported",
        hint="use a SERIAL, TENSOR or PIN output in the Runefile",
    )


def mixed_outputs() -> RuneError:
    """R0706: text (SERIAL, PIN) and binary (TENSOR) in one rune, which share one stream."""
    return RuneError(
        "R0706",
        "the rune has TENSOR outputs and others together, binary and text in one stream",
        hint="use TENSOR for all outputs of the Runefile or for none",
    )


def invalid_module(what: str) -> RuneError:
    """R0707: the WebAssembly is invalid or needs unsupported features."""
    return RuneError("R0707", f"the rune has invalid WebAssembly: {what}", hint=_REPORT)


def trapped(kind: str, place: str) -> RuneError:
    """R0708: the WebAssembly trapped."""
    hint = next((advice for word, advice in _TRAPS.items() if word in kind), _REPORT)
    where = f" {place}" if place else ""
    return RuneError("R0708", f"the rune trapped{where}: {kind}", hint=hint)


class StageFailedError(RuneError):
    """A stage of the rune returned an error."""


class FailedRunError(RuneError):
    """One run failed; what executes the rune takes the next one."""


def stage_failed(number: int, stage: str, message: str) -> StageFailedError:
    """R0709: `_call` returned the number of a stage."""
    said = f": {message}" if message else ""
    return StageFailedError(
        "R0709",
        f"the stage {stage} (number {number}) failed{said}",
        hint="check the input's values, and the arguments of that stage in the Runefile",
    )


def bad_host_call(function: str, what: str) -> RuneError:
    """R0710: a call of the host that the interface does not allow."""
    return RuneError("R0710", f"invalid call of {function} by the rune: {what}", hint=_REPORT)


def out_of_time(seconds: float) -> RuneError:
    """R0711: the time limit is over."""
    return RuneError(
        "R0711",
        f"the rune timed out after {seconds:g} s",
        hint="increase --timeout, or check its blocks for an endless loop",
    )


REQUESTS_MAX = 256
"""How often a rune may request input in one run; what runec compiles asks once a capability."""


def too_many_requests() -> FailedRunError:
    """R0925: a rune that requests input without end, which its time budget does not count."""
    return FailedRunError(
        "R0925",
        f"the rune requests input more than {REQUESTS_MAX} times in one run",
        hint="check its module for a loop around request_provider_response",
    )


# Errors by their names in messages of the process that executes a rune.
REPORTED: Mapping[str, type[RunecError]] = {
    "machine": MachineError,
    "stage": StageFailedError,
    "rune": RuneError,
}


def process_died(what: str, notes: list[str]) -> RuneError:
    """R0712: the process that executes the rune exited unexpectedly."""
    return RuneError(
        "R0712",
        f"the process that executes the rune exited unexpectedly: {what}",
        hint="the rune may exceed its memory limit, or is malicious",
        notes=notes,
    )


def model_failed(
    name: str, what: str, notes: Sequence[str] = (), hint: str | None = None
) -> RuneError:
    """R0713: no library of the host runs a model, or the one that does fails."""
    return RuneError(
        "R0713",
        f"the model {name} cannot be run: {what}",
        hint=hint or "use operators and element types that have kernels (docs/operators.md)",
        notes=notes,
    )


def inference_failed(name: str, what: str, notes: Sequence[str] = ()) -> RuneError:
    """R0713: a library that has prepared a model fails with these inputs."""
    hint = (
        "check the inputs that hold shapes or indices; "
        "or use element types that have kernels (docs/operators.md)"
    )
    return model_failed(name, what, notes, hint)


def computed_wrong(name: str, why: Sequence[str]) -> RuneError:
    """R0736: no library of the host computes a model right."""
    return RuneError(
        "R0736",
        f"no library on the host computes the model {name} correctly",
        hint="convert the model without these uses of operators (docs/operators.md)",
        notes=why,
    )


def unverified(name: str, what: Sequence[str], objection: str) -> RuneError:
    """R0737: TensorFlow Lite Micro could leave its tensors, and LiteRT does not run the model."""
    return RuneError(
        "R0737",
        f"runec does not run the model {name}: it cannot verify what it writes: {', '.join(what)}",
        hint="compute that part in a block (docs/guides/blocks.md), or convert the model without "
        "it (docs/operators.md)",
        notes=[objection],
    )


def damaged(name: str, error: Exception) -> RuneError:
    """R0713: a library stumbled over a model.

    The libraries read parts of a model in Python, unchecked: what a damaged file makes of that is
    any exception (struct.error, TypeError, IndexError, KeyError, AttributeError were seen).
    """
    at = _OFFSET.search(str(error)) if isinstance(error, struct.error) else None
    where = "" if at is None else f", at byte {at[1]}"
    return RuneError(
        "R0713",
        f"the model {name} cannot be run: the model is damaged: the library cannot read it{where}",
        hint="export the model again, or copy the file again",
    )


# As Python's struct writes it.
_OFFSET = re.compile(r"at offset ([0-9]+)")


def no_model(name: str, error: UserFileError) -> RuneError:
    """R0713: a resource that is not a model, or a damaged one; `error` is the reader's."""
    return RuneError("R0713", f"the model {name} cannot be run: {error.message}", hint=error.hint)


def model_missing(name: str, resource: str) -> RuneError:
    """R0713: the rune lacks a resource that its graph calls a model."""
    return RuneError(
        "R0713",
        f"the model {name} cannot be run: its resource {resource!r} is not in the rune",
        hint=_REPORT,
    )


def needs_litert(name: str, what: str, notes: Sequence[str]) -> MachineError:
    """R0721: a model that only LiteRT runs, which is not installed."""
    return MachineError(
        "R0721",
        f"the model {name} cannot be run by TensorFlow Lite Micro: {what}",
        hint="LiteRT runs it on the host: pip install 'runec[litert]'",
        notes=notes,
    )


def unknown_format(name: str, model_format: str) -> RuneError:
    """R0726: a model of a format that nothing here executes."""
    return RuneError(
        "R0726",
        f"the model {name} cannot be run: its format is {model_format}",
        hint="convert it to .tflite with TensorFlow's TFLiteConverter, and build the rune again",
    )


def model_differs(name: str, said: str, found: str) -> RuneError:
    """R0714: the model's tensors are not those of the graph."""
    return RuneError(
        "R0714",
        f"the model {name}: the rune said tensors would be {said}, the model has {found}",
        hint="write the types and shapes of the model in the Runefile, and build the rune again",
    )


def result_differs(name: str, number: int, kind: TensorType, size_bytes: int) -> RuneError:
    """R0731: a model returned a tensor of another size than its type."""
    size = kind.element.size_bytes
    count = (
        f"{size_bytes // size} elements" if size and not size_bytes % size else f"{size_bytes} B"
    )
    return RuneError(
        "R0731",
        f"the model {name} returned {count} for its output {number}, which is {kind}",
        hint="declare the size that the model returns for these inputs in the Runefile, "
        "or use a model whose output shapes do not depend on the data",
    )


def unknown_shape(name: str, tensor: str) -> RuneError:
    """R0732: nothing has the shape of a model's tensor."""
    return RuneError(
        "R0732",
        f"the model {name} cannot be run: neither its file nor the rune has the shape of "
        f"its tensor {tensor!r}",
        hint="build the rune again from its Runefile with `runec build`",
    )


def too_much_output(what: str) -> RuneError:
    """R0715: the rune writes without end."""
    return RuneError("R0715", f"the output of the rune is too large: {what}", hint=_REPORT)


def unsupported_legacy(what: str, *, hint: str | None = None) -> RuneError:
    """R0716: a legacy rune needs something that this host does not have."""
    return RuneError(
        "R0716",
        f"this legacy rune cannot be run: {what}",
        hint=hint or "build it again from its Runefile with `runec build`",
    )


_MEDIA_TYPES = {"tfjs": "tensorflow-js", "onnx": "onnx", "tf-model": "tensorflow"}


def unsupported_model(media_type: str) -> RuneError:
    """R0716: a model of a legacy rune that is of another format than TensorFlow Lite."""
    known = (name for word, name in _MEDIA_TYPES.items() if word in media_type)
    called = next(known, "of an unknown format")
    return unsupported_legacy(
        f"its model is {called} ({media_type}), and runec executes tensorflow-lite only",
        hint="convert the model to .tflite with TensorFlow's TFLiteConverter, "
        "name that in the Runefile, and build the rune again with `runec build`",
    )


def unused_input(what: str, why: str) -> Diagnostic:
    """R0749: an unused input."""
    return Diagnostic(
        "R0749",
        f"{what} has no effect: {why}",
        Severity.WARNING,
        hint="omit it, or check the capabilities of the rune: runec inspect",
    )


def unknown_resource(name: str, known: list[str]) -> UsageError:
    """R0723: a value for an unknown resource."""
    return UsageError(
        "R0723",
        f"the rune has no resource {name!r}",
        hint=f"it has {', '.join(known)}"
        if known
        else "omit the option: the rune has no resources",
    )


def fixed_resource(name: str) -> UsageError:
    """R0724: a value for a resource that was used at build time."""
    return UsageError(
        "R0724",
        f"the resource {name!r} was used at build time and cannot be changed",
        hint="change it in the Runefile and build the rune again",
    )


def missing_resource(name: str) -> UserFileError:
    """R0725: no value for a resource of the run time."""
    return UserFileError(
        "R0725",
        f"no value for the resource {name!r}",
        hint=f"add --file-resource {name}=FILE or --string-resource {name}=TEXT",
    )
