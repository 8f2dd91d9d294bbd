"""Text -> AST -> `Pipeline`: the two dialects of a Runefile, and the checks they share.

    analyse(path)       read a Runefile, return its pipeline and the warnings
    analyse_text(...)   the same for a text

Codes of this room:

    R0001  legacy syntax: unexpected word     R0101  a name defined twice
    R0002  not UTF-8, or no text              R0102  an unknown stage as input
    R0003  YAML syntax                        R0103  an input from an output that does not exist
    R0004  YAML that a Runefile can't use     R0104  inputs of a capability
    R0005  a missing field                    R0105  unknown capability
    R0006  an unknown field                   R0106  unknown output
    R0007  a value of the wrong kind          R0107  unknown proc block
    R0008  a version other than 1             R0108  a folder that is not a proc block
    R0009  a field given twice                R0109  proc block without a version (warning)
    R0010  a string without end, or with      R0110  unknown base image (warning)
           an escape that does not exist      R0111  a cycle
    R0011  a malformed number                 R0112  an unknown resource
    R0012  a malformed path                   R0113  a resource with path and inline text
    R0013  a malformed input                  R0114  a file beside the Runefile can't be read
    R0014  a malformed name                   R0115  a model from a string resource
    R0015  a stage of no kind, or of two      R0116  a resource needed before run time
    R0016  no FROM at the start               R0117  an unused resource (warning)
    R0017  a second or late FROM              R0118  a stage without inputs, or with too many
    R0018  an empty RUN                       R0119  an empty pipeline
    R0019  too large, too deep                R0120  more than a rune holds
    R0020  a malformed dimension              R0122  a text resource that is not text
                                              R0123  unknown type of a resource
                                              R0124  a proc block in Rust (warning)
                                              R0125  a resource that is a pointer

    R0201  element types of an edge differ    R0301  model: declared type is not the file's
    R0202  shapes of an edge differ           R0302  model: number of inputs
    R0203  unknown element type               R0303  model: number of outputs
    R0204  a type that can't be inferred      R0304  model: what flows in does not fit the file
    R0205  a type that a capability lacks     R0305  unknown model format
    R0206  a capability with two outputs      R0306  a format not executed (warning)
    R0207  a tensor too large                 R0307  a folder as a .tflite model
    R0208  a PIN of no single number          R0325  a model that no engine runs

    R0401  unused arguments (warning)         R0405  parameters do not fit the type (warning)
    R0402  wrong value of a parameter         R0406  an argument given twice
    R0403  an unused output (warning)         R0407  a Rust expression
    R0404  an unused stage (warning)          R0408  no out at all (warning)
                                              R0409  outs of two kinds (warning)
    R0421  a PIN without a pin                R0423  a pin that two outs drive
    R0422  a wrong value of a PIN

Of formatting and converting: R0021, R0022.
Of models without shapes: R0322 (warning).
Passed on with a place: R1015, a file outside the folder; R031x and R032x of `runec.models`; R041x,
R0420 and R043x of `runec.proc_blocks`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from runec.diagnostics import (
    Diagnostic,
    Diagnostics,
    RunefileError,
    SourceFile,
    Span,
    UserFileError,
)
from runec.files import is_file, read_file, read_head
from runec.frontend.ast import Dialect, Document
from runec.frontend.passes.arguments import check_unused, read_arguments, read_model_formats
from runec.frontend.passes.blocks import find_blocks
from runec.frontend.passes.edges import connect
from runec.frontend.passes.image import check_image
from runec.frontend.passes.kinds import check_capabilities, check_outputs
from runec.frontend.passes.lower import lower
from runec.frontend.passes.model_files import load_models
from runec.frontend.passes.names import (
    MAX_NAME_BYTES,
    check_limits,
    check_names,
    check_tensor_count,
)
from runec.frontend.passes.order import execution_order
from runec.frontend.passes.parameters import read_parameters
from runec.frontend.passes.pins import PIN_ARGUMENTS, check_pin_inputs, read_pins
from runec.frontend.passes.resources import Beside, load_resources
from runec.frontend.passes.types import Facts, check_types
from runec.frontend.passes.unused import warn_unused_parts
from runec.frontend.text import LONG_LISTS, MAX_RUNEFILE_BYTES
from runec.models import ModelFile
from runec.models.pointers import pointer
from runec.pipeline import OutputKind, Pipeline
from runec.proc_blocks import Catalogue

__all__ = [
    "Analysis",
    "analyse",
    "analyse_document",
    "analyse_text",
    "dialect_of",
    "parse",
    "read_runefile",
]

_HEAD_BYTES = 64 * 1024
_YAML_SUFFIXES = (".yml", ".yaml")
_INSTRUCTION = re.compile(r"[A-Z][A-Z_]*(?=[\s<]|\Z)|(?i:from|run|out)[ \t]+\w|\w+\s*<")


class Analysis(msgspec.Struct, frozen=True):
    """A pipeline without errors, and what may be worth a look, in source order."""

    pipeline: Pipeline
    warnings: tuple[Diagnostic, ...]


def analyse(
    path: Path,
    *,
    name: str | None = None,
    base_dir: Path | None = None,
    allow_outside: bool = False,
    models: dict[str, ModelFile] | None = None,
) -> Analysis:
    """Read a Runefile.

    Files that it names are relative to `base_dir`, which is the Runefile's own folder unless given;
    the pipeline is called like that folder unless it is given a `name`. Resources and models that
    are outside of `base_dir` are rejected (R1015) without `allow_outside`. `models` gets each
    readable .tflite by the name of its stage, where the Runefile has errors as well.

    Raises:
        RunefileError: everything that is wrong with it, in source order.
        UserFileError: R1003, it cannot be read.
    """
    text = read_runefile(path)
    folder = path.parent
    if name is None:
        name = _name_after(folder)
    beside = folder if base_dir is None else base_dir
    return analyse_text(text, str(path), beside, name, allow_outside=allow_outside, models=models)


def read_runefile(path: Path) -> str:
    """Return a Runefile's text, without a byte order mark.

    Raises:
        RunefileError: R0002, it is not UTF-8.
        UserFileError: R0002, it is a model or a .rune; R0019, it is too long; R1003, it cannot be
            read.
    """
    _refuse_other_kinds(path)
    if is_file(path) and path.stat().st_size > MAX_RUNEFILE_BYTES:
        raise _too_long(str(path))
    data = read_file(path, "the Runefile", max_bytes=MAX_RUNEFILE_BYTES)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(str(path), data, error) from None


def _refuse_other_kinds(path: Path) -> None:
    """Report the kind of a file that is not text, before its size is checked."""
    head = read_head(path, _HEAD_BYTES)
    if head[4:8] == b"TFL3":
        what = "a TensorFlow Lite model"
        hint = "use it in a Runefile (`runec new NAME` creates one), or run `runec model-info`"
    elif head.startswith(b"\0asm"):
        what = "WebAssembly, such as a .rune"
        hint = "use `runec run`, `runec inspect` or `runec flash`"
    else:
        other = pointer(head)
        is_utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff"))
        if head.lstrip().startswith(b"<") or (b"\0" in head and not is_utf16):
            from runec.models.other_files import identify  # noqa: PLC0415 - text does not need it

            other = identify(head)
        if other is None:
            return
        what = other.what
        hint = other.hint if other.holds_nothing else "use a Runefile; `runec new NAME` creates one"
    raise UserFileError("R0002", f"{path} is not a Runefile: it is {what}", hint=hint)


def analyse_text(
    text: str,
    path: str,
    base_dir: Path,
    name: str,
    *,
    allow_outside: bool = False,
    models: dict[str, ModelFile] | None = None,
) -> Analysis:
    """Analyse a Runefile's text; `path` is printed in diagnostics, its suffix sets the dialect.

    Raises:
        RunefileError: everything that is wrong with it, in source order.
        UserFileError: R0019, it is too long.
    """
    diagnostics = Diagnostics()
    document = parse(text, path, diagnostics)
    return analyse_document(
        document, base_dir, name, diagnostics, allow_outside=allow_outside, models=models
    )


def analyse_document(
    document: Document,
    base_dir: Path,
    name: str,
    diagnostics: Diagnostics,
    *,
    allow_outside: bool = False,
    models: dict[str, ModelFile] | None = None,
) -> Analysis:
    """Analyse what `parse` returned, with the diagnostics that it added.

    Raises:
        RunefileError: everything that is wrong with it, in source order.
    """
    beside = Beside(base_dir, allow_outside)
    pipeline = _check(document, beside, name, Catalogue.builtin(), diagnostics, models=models)
    diagnostics.raise_if_errors()
    assert pipeline is not None  # noqa: S101 - without errors there is one
    return Analysis(pipeline, tuple(diagnostics))


def _name_after(folder: Path) -> str:
    """A folder's name, cut to what a rune's name may be long, odd bytes replaced."""
    # By its bytes: Python reads them in another way where the locale is C.
    path = os.fsencode(folder.resolve().name).decode("utf-8", "surrogateescape")
    name = path.encode("utf-8", errors="replace")
    return name[:MAX_NAME_BYTES].decode("utf-8", errors="ignore") or "rune"


def parse(text: str, path: str, diagnostics: Diagnostics) -> Document:
    """Read a text of either dialect; what is wrong with its syntax goes to `diagnostics`.

    Raises:
        RunefileError: R0002, it is not a text.
        UserFileError: R0019, it is too long.
    """
    if len(text) > MAX_RUNEFILE_BYTES:
        raise _too_long(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        source = SourceFile(path, text.encode(errors="replace").decode())
        span = Span(source, error.start, error.start + 1)
        message = "the Runefile is not text: half a surrogate pair"
        hint = "save it as UTF-8"
        raise RunefileError((Diagnostic("R0002", message, span=span, hint=hint),)) from None
    source = SourceFile(path, text)
    if dialect_of(text, path) == "yaml":
        from runec.frontend.yaml_dialect import parse_yaml_dialect  # noqa: PLC0415 - one of two

        return parse_yaml_dialect(source, diagnostics)
    from runec.frontend.legacy import parse_legacy  # noqa: PLC0415 - one of two

    return parse_legacy(source, diagnostics)


def _too_long(path: str) -> UserFileError:
    return UserFileError(
        "R0019",
        f"{path} is larger than {MAX_RUNEFILE_BYTES // 1024**2} MiB",
        hint=LONG_LISTS,
    )


def dialect_of(text: str, path: str) -> Dialect:
    """YAML by its suffix; else by whether the first meaningful line begins with an instruction."""
    if path.lower().endswith(_YAML_SUFFIXES):
        return "yaml"
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            return "legacy" if _INSTRUCTION.match(stripped) else "yaml"
    return "legacy"


def _not_text(path: str, data: bytes, error: UnicodeDecodeError) -> RunefileError:
    source = SourceFile(path, data.decode("utf-8", errors="replace"))
    offset = len(data[: error.start].decode("utf-8", errors="replace"))
    return RunefileError(
        (
            Diagnostic(
                "R0002",
                f"the Runefile is not UTF-8 text: byte 0x{data[error.start]:02x} here",
                span=Span(source, offset, offset + 1),
                hint="save it as UTF-8",
            ),
        )
    )


def _check(
    document: Document,
    beside: Beside,
    name: str,
    catalogue: Catalogue,
    diagnostics: Diagnostics,
    *,
    models: dict[str, ModelFile] | None = None,
) -> Pipeline | None:
    """Run the passes in their order; None when there was an error."""
    names = check_names(document, diagnostics)
    check_limits(names, diagnostics)
    check_image(document, diagnostics)
    resources = load_resources(names, document.unreadable, beside, diagnostics)
    edges = connect(document, names, diagnostics)
    order = execution_order(names, edges, diagnostics)
    kinds = check_capabilities(names, diagnostics)
    output_kinds = check_outputs(names, diagnostics)
    blocks = find_blocks(document, names, catalogue, beside.folder, diagnostics)
    arguments = read_arguments(names, blocks, resources, diagnostics)
    parameters = read_parameters(names, kinds, arguments, diagnostics)
    formats = read_model_formats(names, arguments, diagnostics)
    pins = read_pins(names, output_kinds, arguments, diagnostics)
    taken = {out: PIN_ARGUMENTS for out, kind in output_kinds.items() if kind is OutputKind.PIN}
    check_unused(names, blocks, taken, arguments, diagnostics)
    loaded = load_models(names, resources, formats, beside, diagnostics)
    if models is not None:
        models.update((name, item.file) for name, item in loaded.items() if item.file is not None)
    facts = Facts(
        names=names,
        edges=edges,
        dialect=document.dialect,
        kinds=kinds,
        output_kinds=output_kinds,
        pins=pins,
        parameters=parameters,
        blocks=blocks,
        models=loaded,
        arguments=arguments,
        unreadable=document.unreadable,
    )
    typed = check_types(order, facts, diagnostics)
    check_pin_inputs(names, edges, output_kinds, typed, diagnostics)
    check_tensor_count(names, typed.outputs, diagnostics)
    if not names.stages and not diagnostics.has_errors:
        diagnostics.error(
            "R0119",
            "The pipeline is empty",
            Span(document.source, 0, 0),
            hint="add a capability and an out",
        )
    if diagnostics.has_errors:
        return None
    warn_unused_parts(names, edges, typed, arguments, diagnostics)
    return lower(name, order, facts, typed, resources)
