"""A model as a rune carries it: folded, and with every shape that can be known before it runs.

Most files have all their shapes. Otherwise LiteRT determines them in a separate process:
TensorFlow Lite Micro trusts the file, and writes a result of 512 elements to where it has
made room for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from runec.diagnostics import UserFileError
from runec.models.flatbuffer import MalformedError
from runec.models.folding import Folded, needs_folding
from runec.models.model_file import ModelFile
from runec.models.rewriting import Changes
from runec.models.shape_rules import Shape
from runec.models.tflite import ModelGraph, damaged, is_open_to
from runec.values import TensorType

_ROUNDS_MAX = 8
_TOLD_MAX = 6


class ResolvedModel(msgspec.Struct, frozen=True):
    """A model with the shapes that are known before it runs.

    `folded` names operators of the file, sorted, that were computed or became RESHAPE; `learned` is
    whether LiteRT was asked.
    """

    model: ModelFile
    folded: tuple[str, ...] = ()
    is_learned: bool = False


def resolve_model(
    model: ModelFile, inputs: Sequence[TensorType] | None = None, *, may_learn: bool = True
) -> ResolvedModel:
    """Fold a model and find its shapes; a model that has them all is returned as it is.

    Operator codes that a library of 2020 would read otherwise are written in both of their fields.

    `inputs` are the types of what it is given. They replace the shapes of inputs that the file
    leaves open; without them, such inputs keep the file's. A tensor whose shape depends on data has
    none in the result. Without `may_learn` LiteRT is not asked.

    Raises:
        UserFileError: R0310, R0311 or R0312, as every fact of `ModelFile`; R0320, LiteRT does not
            take the model; R0324, the file has another shape or element type for a result than
            its operator computes, too few bytes for a constant, or none for what an operator reads.
        MachineError: R0321, LiteRT is not installed, or its process cannot be started.
    """
    given = _given_shapes(model.graph, inputs)
    _reject_wrong(model.wrong_tensors)
    model = _with_old_codes(model)
    try:
        if not given:
            _reject_wrong(model.wrong_shapes)
            if not needs_folding(model.graph):
                return ResolvedModel(model)
        return _resolved(model, given, may_learn=may_learn)
    except MalformedError as error:
        raise damaged(error) from None


def _with_old_codes(model: ModelFile) -> ModelFile:
    if model.has_old_codes:
        return model
    try:
        return model.changed(Changes(old_codes=True))
    except MalformedError:  # its buffers are outside the FlatBuffer: devices reject it
        return model


def _resolved(model: ModelFile, given: dict[int, Shape], *, may_learn: bool) -> ResolvedModel:
    graph = model.graph
    before = [use.name for use in graph.operators]
    is_learned = False
    if any(shape != graph.tensors[index].shape for index, shape in given.items()):
        # The file's shapes are those of other inputs: none of them counts any more.
        produced = {item for use in graph.operators for item in use.outputs if item >= 0}
        model = model.changed(Changes(shapes=given, unknown=frozenset(produced - given.keys())))
    elif given:
        model = model.changed(Changes(shapes=given))
    for _ in range(_ROUNDS_MAX):
        folded = model.folded
        _reject_wrong(model.wrong_shapes)
        model = model.changed(folded.changes)
        wanted = folded.unknown - folded.of_data
        if not wanted:
            break
        graph = model.graph
        has_inputs = all(graph.tensors[index].has_shape for index in graph.inputs)
        if (is_learned and not folded.changes) or not has_inputs or not may_learn:
            break
        from runec.models.learning import learn_shapes  # noqa: PLC0415 - few models need it

        inputs = [list(graph.tensors[index].shape) for index in graph.inputs]
        shapes = learn_shapes(model.data, inputs)
        is_learned = True
        learned = _learned(graph, folded, shapes)
        model = model.changed(Changes(shapes=learned))
        if not learned:
            break
    else:
        folded = model.folded
    tensors = model.graph.tensors
    unknown = frozenset(index for index in folded.unknown if tensors[index].has_shape)
    model = model.changed(Changes(unknown=unknown))
    after = [use.name for use in model.graph.operators]
    names = {name for name in before if before.count(name) > after.count(name)}
    return ResolvedModel(model, tuple(sorted(names)), is_learned)


def _learned(graph: ModelGraph, folded: Folded, shapes: Mapping[int, Shape]) -> dict[int, Shape]:
    """Return the needed shapes of those from LiteRT.

    It prepares operators up to the first whose result has a shape that depends on a value; what it
    says of that result and of later ones is not their shape.
    """
    learned: dict[int, Shape] = {}
    wanted = folded.unknown - folded.of_data
    for use in graph.operators:
        if folded.late & set(use.outputs):
            break
        learned |= {at: shapes[at] for at in use.outputs if at in wanted and at in shapes}
    return learned


def _reject_wrong(wrong: Sequence[str]) -> None:
    if not wrong:
        return
    raise UserFileError(
        "R0324",
        f"the model's file has {wrong[0]}",
        hint="convert the model again, so that the file has the shapes that its operators compute",
        notes=tuple(f"it has {other}" for other in wrong[1:_TOLD_MAX]),
    )


def _given_shapes(graph: ModelGraph, inputs: Sequence[TensorType] | None) -> dict[int, Shape]:
    """Return the shapes of inputs that the file has not, or others where it leaves them open."""
    given: dict[int, Shape] = {}
    for index, kind in zip(graph.inputs, inputs or (), strict=False):
        tensor = graph.tensors[index]
        shape = kind.dimensions
        if not tensor.has_shape:
            # Files of before 2023 say no more of a scalar.
            given[index] = () if shape == (1,) else shape
        elif shape != tensor.shape and is_open_to(tensor.signature, shape):
            given[index] = shape
    return given
