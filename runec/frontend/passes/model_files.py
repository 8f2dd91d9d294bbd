"""Reading the models: from a file beside the Runefile, or from a resource."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runec.diagnostics import Diagnostics, Label, UserFileError
from runec.frontend.ast import ModelNode, ResourceRef
from runec.frontend.passes.names import NameTable
from runec.frontend.passes.resources import (
    Resources,
    read_beside,
    report_runtime_only,
    report_unreadable,
)
from runec.models import ModelInfo, read_model
from runec.pipeline import Resource


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a model file says of itself, and the resource that carries its bytes."""

    info: ModelInfo
    resource: Resource


def load_models(
    names: NameTable, resources: Resources, base_dir: Path, diagnostics: Diagnostics
) -> dict[str, LoadedModel]:
    """Read every model; those with a mistake are reported and left out."""
    models = {}
    for name, stage in names.stages.items():
        if not isinstance(stage, ModelNode):
            continue
        source = _source(stage, resources, base_dir, diagnostics)
        if source is None or source.data is None:
            continue
        try:
            info = read_model(source.data)
        except UserFileError as error:
            diagnostics.error(
                error.code,
                f'"{name}": {error.message}',
                stage.model.span,
                hint=error.hint,
                notes=error.notes,
            )
            continue
        models[name] = LoadedModel(info, source)
    return models


def _source(
    stage: ModelNode, resources: Resources, base_dir: Path, diagnostics: Diagnostics
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
        if resource.data is None:
            report_runtime_only(where, resource, "the bytes of a model", diagnostics)
            return None
        return Resource(where.name, resource.data)
    if _is_folder(base_dir, where.text):
        diagnostics.error(
            "R0307",
            f'the model of "{name}" is a folder, and devices run .tflite files only',
            where.span,
            hint="convert it with TensorFlow's TFLiteConverter",
        )
        return None
    try:
        return Resource(name, read_beside(base_dir, where, "the model"))
    except UserFileError as error:
        report_unreadable(name, where, error, diagnostics)
        return None


def _is_folder(base_dir: Path, path: str) -> bool:
    try:
        return (base_dir / path).is_dir()
    except (OSError, ValueError):  # too long, or with a zero byte: reading it will say so
        return False
