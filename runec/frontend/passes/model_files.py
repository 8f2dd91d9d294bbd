"""Reading the models: from a file or a folder beside the Runefile, or from a resource."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from runec.diagnostics import Diagnostics, Label, UserFileError
from runec.frontend.ast import ModelNode, ResourceRef, Text
from runec.frontend.model_engines import find_engines
from runec.frontend.passes.model_folder import guess_format, zip_folder
from runec.frontend.passes.names import NameTable
from runec.frontend.passes.resources import Resources, read_beside, report_unreadable
from runec.models import ModelInfo, input_ranges, is_custom, read_model
from runec.pipeline import EXECUTED_FORMAT, Resource


class LoadedModel(msgspec.Struct, frozen=True):
    """What a model file says of itself, and the resource that carries its bytes.

    `info` None: nothing is known, for it is of another format than `EXECUTED_FORMAT`, or its
    bytes are given at run time.
    """

    info: ModelInfo | None
    resource: Resource
    format: str


def load_models(
    names: NameTable,
    resources: Resources,
    formats: Mapping[str, str],
    base_dir: Path,
    diagnostics: Diagnostics,
) -> dict[str, LoadedModel]:
    """Read every model; those with a mistake are reported and left out."""
    models = {}
    for name, stage in names.stages.items():
        if not isinstance(stage, ModelNode):
            continue
        source = _source(stage, resources, formats.get(name), base_dir, diagnostics)
        model_format = formats.get(name)
        if source is None or model_format is None:
            continue
        if source.data is None or model_format != EXECUTED_FORMAT:
            models[name] = LoadedModel(None, source, model_format)
            continue
        try:
            info = read_model(source.data)
            input_ranges(source.data)  # its mistakes
        except UserFileError as error:
            diagnostics.error(
                error.code,
                f'"{name}": {error.message}',
                stage.model.span,
                hint=error.hint,
                notes=error.notes,
            )
            continue
        _check_engines(stage, source.data, info, diagnostics)
        models[name] = LoadedModel(info, source, model_format)
    return models


def _check_engines(
    stage: ModelNode, data: bytes, info: ModelInfo, diagnostics: Diagnostics
) -> None:
    engines = find_engines(data, info)
    if engines.takers:
        return
    custom = [name for name in engines.lacking if is_custom(name)]
    what = f"it uses the custom operator {custom[0]}" if custom else "see the notes"
    if engines.lacking and not custom:
        what = f"none has a kernel for {', '.join(engines.lacking)}"
    diagnostics.error(
        "R0325",
        f'"{stage.name.text}": no engine of runec runs the model: {what}',
        stage.model.span,
        hint=engines.advice,
        notes=engines.reasons,
    )


def _source(
    stage: ModelNode,
    resources: Resources,
    model_format: str | None,
    base_dir: Path,
    diagnostics: Diagnostics,
) -> Resource | None:
    name, where = stage.name.text, stage.model
    if isinstance(where, ResourceRef):
        resource = resources.find(where, diagnostics)
        if resource is None:
            return None
        if not resource.is_binary:
            diagnostics.error(
                "R0115",
                f'"${where.name}" should be a binary resource',
                where.span,
                hint=f"add `type: binary` to {where.name}",
                labels=[Label(resource.node.name.span, "declared as a string here")],
            )
            return None
        return Resource(where.name, resource.data)
    try:
        if _is_folder(base_dir, where.text):
            return _folder(name, where, model_format, base_dir, diagnostics)
        return Resource(name, read_beside(base_dir, where, "the model"))
    except UserFileError as error:
        report_unreadable(name, where, error, diagnostics)
        return None


def _is_folder(base_dir: Path, path: str) -> bool:
    try:
        return (base_dir / path).is_dir()
    except (OSError, ValueError):  # too long, or with a zero byte: reading it will say so
        return False


def _folder(
    name: str, where: Text, model_format: str | None, base_dir: Path, diagnostics: Diagnostics
) -> Resource | None:
    folder = base_dir / where.text
    if model_format == EXECUTED_FORMAT:
        diagnostics.error(
            "R0307",
            f'the model of "{name}" is a folder, which {EXECUTED_FORMAT} models never are',
            where.span,
            hint=f"say what it is, for example args: {{format: {guess_format(folder)}}}, "
            "or name a .tflite file",
        )
        return None
    return Resource(name, zip_folder(folder))
