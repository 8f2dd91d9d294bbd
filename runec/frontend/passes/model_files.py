"""Reading the models: from a file, a folder or a resource."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from runec.diagnostics import Diagnostics, Label, UserFileError
from runec.files import is_folder
from runec.frontend.ast import ModelNode, ResourceRef, Text
from runec.frontend.model_engines import ModelEngines, find_engines
from runec.frontend.passes.model_folder import zip_folder
from runec.frontend.passes.names import NameTable
from runec.frontend.passes.resources import Beside, Resources, report_unreadable
from runec.models import ModelFile, is_custom
from runec.pipeline import EXECUTED_FORMAT, Resource


class LoadedModel(msgspec.Struct, frozen=True):
    """The resource that carries a model's bytes, and what is known of them.

    `file` None: nothing is known, for it is of another format than `EXECUTED_FORMAT`, or its
    bytes are given at run time.
    """

    file: ModelFile | None
    resource: Resource
    format: str


def load_models(
    names: NameTable,
    resources: Resources,
    formats: Mapping[str, str],
    beside: Beside,
    diagnostics: Diagnostics,
) -> dict[str, LoadedModel]:
    """Read every model; those with a mistake are reported and left out."""
    models = {}
    files: dict[bytes, ModelFile] = {}
    for name, stage in names.stages.items():
        if not isinstance(stage, ModelNode):
            continue
        source = _source(stage, resources, formats.get(name), beside, diagnostics)
        model_format = formats.get(name)
        if source is None or model_format is None:
            continue
        if source.data is None or model_format != EXECUTED_FORMAT:
            if source.data is not None and not _may_be_model(
                stage, source.data, beside.folder, diagnostics
            ):
                continue
            models[name] = LoadedModel(None, source, model_format)
            continue
        file = files.setdefault(source.data, ModelFile(source.data, _shown(stage, beside.folder)))
        try:
            engines = _checked(file)
        except UserFileError as error:
            diagnostics.error(
                error.code,
                f'"{name}": {error.message}',
                stage.model.span,
                hint=error.hint,
                notes=error.notes,
            )
            continue
        _report_engines(stage, engines, diagnostics)
        models[name] = LoadedModel(file, source, model_format)
    return models


def _checked(file: ModelFile) -> ModelEngines:
    """Return the facts about a model that the pipeline needs; report its errors."""
    engines = find_engines(file)
    _ = file.input_ranges
    return engines


def _shown(stage: ModelNode, folder: Path) -> str:
    """The path of a model's file in a command that is run where runec was."""
    where = stage.model
    return "FILE" if isinstance(where, ResourceRef) else str(folder / where.text)


def _may_be_model(stage: ModelNode, data: bytes, folder: Path, diagnostics: Diagnostics) -> bool:
    """Report a file that stands for a model of any format but is none, as a Git LFS pointer."""
    from runec.models.other_files import identify  # noqa: PLC0415 - models run by others are rare

    other = identify(data, _shown(stage, folder))
    if other is None or not other.holds_nothing:
        return True
    diagnostics.error(
        "R0310",
        f'"{stage.name.text}": this is not a model, but {other.what}',
        stage.model.span,
        hint=other.hint,
    )
    return False


def _report_engines(stage: ModelNode, engines: ModelEngines, diagnostics: Diagnostics) -> None:
    if engines.takers:
        return
    custom = [name for name in engines.lacking if is_custom(name)]
    what = f"it uses the custom operator {custom[0]}" if custom else "see the notes"
    if engines.lacking and not custom:
        what = f"none has a kernel for {', '.join(engines.lacking)}"
    diagnostics.error(
        "R0325",
        f'"{stage.name.text}": no engine runs the model: {what}',
        stage.model.span,
        hint=engines.advice,
        notes=engines.reasons,
    )


def _source(
    stage: ModelNode,
    resources: Resources,
    model_format: str | None,
    beside: Beside,
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
        if is_folder(beside.locate(where, "the model")):
            return _folder(name, where, model_format, beside, diagnostics)
        return Resource(name, beside.read(where, "the model"))
    except UserFileError as error:
        report_unreadable(name, where, error, diagnostics)
        return None


def _folder(
    name: str, where: Text, model_format: str | None, beside: Beside, diagnostics: Diagnostics
) -> Resource | None:
    folder = beside.locate(where, "the model")
    if model_format == EXECUTED_FORMAT:
        from runec.models.other_files import identify_folder  # noqa: PLC0415 - as above

        other = identify_folder(folder)
        pack = ""
        if other.format is not None:
            pack = f". To include it without executing it: args: {{format: {other.format}}}"
        diagnostics.error(
            "R0307",
            f'the model of "{name}" is {other.what}, not a {EXECUTED_FORMAT} file',
            where.span,
            hint=f"{other.hint}{pack}",
        )
        return None
    return Resource(name, zip_folder(folder, beside))
