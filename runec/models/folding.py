"""Constant folding of a model: values that depend on shapes only, and open shapes.

Keras' `Reshape` with an open batch becomes SHAPE, STRIDED_SLICE, PACK and RESHAPE: arithmetic
on a few integers that are known as soon as the shapes are. It is done here, once, in Python's
integers; see docs/adr/0006-models-are-folded.md.
"""

from __future__ import annotations

import itertools
import math
import operator
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import msgspec

from runec.models.element_rules import result_types
from runec.models.flatbuffer import MalformedError, Table
from runec.models.rewriting import Changes
from runec.models.shape_rules import (
    RULES,
    Applied,
    Rule,
    Shape,
    UnknownShapeError,
    broadcast,
    derived_shapes,
    wrapped,
)
from runec.models.tflite import (
    MAX_OPERATORS,
    MAX_TENSORS,
    GraphOperator,
    GraphTensor,
    ModelGraph,
    is_open_to,
    subgraphs_of,
    tensor_name,
    type_name,
)
from runec.values import ElementType

# A value is arithmetic on shapes as long as it has no more elements than this.
_ELEMENTS_MAX = 1024
_FORMATS = {kind.tflite_code: kind.struct_code for kind in (ElementType.I32, ElementType.I64)}
_CONSTANT_FORMATS = _FORMATS | {ElementType.I16.tflite_code: ElementType.I16.struct_code}
_CUSTOM_OPTIONS_MAX = 1024
# Their results have the shapes that the file states: runec.models.soundness compares these.
STATED = frozenset(("CALL_ONCE", "IF", "READ_VARIABLE", "VAR_HANDLE", "WHILE", "ASSIGN_VARIABLE"))
# Strings, handles of variables: their shapes do not determine memory.
_WITHOUT_SIZE = frozenset({"string", "resource", "variant"})

_REDUCTION_NAMES = "MEAN REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD SUM"
_REDUCTIONS = frozenset(_REDUCTION_NAMES.split())
# Operator -> inputs whose values decide the shape of its result; of any other, shapes alone do.
_SHAPED_BY: Mapping[str, tuple[int, ...]] = {
    "ARG_MAX": (1,),
    "ARG_MIN": (1,),
    "BATCH_TO_SPACE_ND": (1, 2),
    "BROADCAST_TO": (1,),
    "CONV_3D_TRANSPOSE": (0,),
    "EXPAND_DIMS": (1,),
    "FILL": (0,),
    "MIRROR_PAD": (1,),
    "MULTINOMIAL": (1,),
    "NON_MAX_SUPPRESSION_V4": (2,),
    "NON_MAX_SUPPRESSION_V5": (2,),
    "ONE_HOT": (1,),
    "PAD": (1,),
    "PADV2": (1,),
    "RANDOM_STANDARD_NORMAL": (0,),
    "RANDOM_UNIFORM": (0,),
    "RANGE": (0, 1, 2),
    "RESHAPE": (1,),
    "RESIZE_BILINEAR": (1,),
    "RESIZE_NEAREST_NEIGHBOR": (1,),
    "RFFT2D": (1,),
    "SCATTER_ND": (2,),
    "SEGMENT_SUM": (1,),
    "SLICE": (1, 2),
    "SPACE_TO_BATCH_ND": (1, 2),
    "SPARSE_TO_DENSE": (1,),
    "SPLIT": (0,),
    "SPLIT_V": (1, 2),
    "STRIDED_SLICE": (1, 2, 3),
    "TILE": (1,),
    "TOPK_V2": (1,),
    "TRANSPOSE": (1,),
    "TRANSPOSE_CONV": (0,),
    "UNIQUE": (0,),
    "WHERE": (0,),
    **dict.fromkeys(sorted(_REDUCTIONS), (1,)),
}
# Operators that do nothing but copy where their result has as many elements as their input.
_COPIES = frozenset({"BROADCAST_TO", "EXPAND_DIMS", "SLICE", "SQUEEZE", "TILE", "TRANSPOSE"})


class _Value(msgspec.Struct, frozen=True):
    """The elements of a tensor of integers, known before the model runs."""

    shape: Shape
    elements: tuple[int, ...]


class Contradiction(msgspec.Struct, frozen=True):
    """A result that the file describes otherwise than its operator computes it.

    `stated` and `computed` are text: `the shape [4]` and `[8]`.
    """

    tensor: int
    operator: str
    stated: str
    computed: str

    def text(self, model: Table, number: int = 0) -> str:
        """Return the error as text; `number` is that of the subgraph in the file."""
        stated = f"{self.stated} for the tensor {tensor_name(model, self.tensor, number)!r}"
        return f"{stated}, but {self.operator} computes {self.computed}"


class Folded(msgspec.Struct, frozen=True):
    """The simplified model, and the tensors with unknown shapes.

    `of_data` are those of the unknown whose shapes depend on the values of inputs. `late` are
    results whose shapes depend on a value that is not known yet. `unverified` have a shape in the
    file that the rule of their operator cannot compute; `contradictions` have a wrong one.
    `unruled` names the operators that have no rule, or custom ones whose rule does not hold: their
    results may be anything.
    """

    changes: Changes
    unknown: frozenset[int]
    of_data: frozenset[int]
    late: frozenset[int] = frozenset()
    unverified: frozenset[int] = frozenset()
    contradictions: tuple[Contradiction, ...] = ()
    unruled: frozenset[str] = frozenset()


def _at(use: GraphOperator, position: int) -> int:
    return use.inputs[position] if position < len(use.inputs) else -1


def _contradicts(tensor: GraphTensor, shape: Shape) -> bool:
    """Return whether a shape cannot be the tensor's, which may leave sizes open."""
    if not tensor.has_shape or 0 in tensor.shape:
        return False
    return not is_open_to(tensor.signature or tensor.shape, shape)


def _divided(left: int, right: int) -> int:
    """Divide as C does: towards zero."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "ADD": operator.add,
    "DIV": _divided,
    "FLOOR_DIV": operator.floordiv,
    "FLOOR_MOD": operator.mod,
    "MAXIMUM": max,
    "MINIMUM": min,
    "MUL": operator.mul,
    "SUB": operator.sub,
}
_UNARY: Mapping[str, Callable[[int], int]] = {
    "ABS": abs,
    "CAST": operator.pos,
    "NEG": operator.neg,
    "SQUARE": lambda value: value * value,
}
_REDUCED: Mapping[str, Callable[[Sequence[int]], int]] = {
    "REDUCE_MAX": max,
    "REDUCE_MIN": min,
    "REDUCE_PROD": math.prod,
    "SUM": sum,
}


@cache
def _custom_rules() -> Mapping[str, Rule]:
    """Return the rules of custom operators, which few models have: start-up pays for imports."""
    from runec.models.custom_rules import CUSTOM_RULES  # noqa: PLC0415

    return CUSTOM_RULES


class _Folder:
    """Goes through the operators once, in their order, which is that of execution."""

    def __init__(self, model: Table, graph: ModelGraph, number: int) -> None:
        self._graph = graph
        main = subgraphs_of(model)[number]
        self._tables = main.tables(0, count_max=MAX_TENSORS)
        self._uses = main.tables(3, count_max=MAX_OPERATORS)
        self._buffers = model.tables(4, count_max=4 * MAX_TENSORS)
        self._values: dict[int, _Value | None] = {}
        self._shapes: dict[int, Shape | None] = {}
        self._given = frozenset(graph.inputs) | {
            item for use in graph.operators for item in use.outputs
        }
        self._contradictions: list[Contradiction] = []
        self._unverified: set[int] = set()
        self._late: set[int] = set()
        self._unruled: set[str] = set()

    # --- what is known ------------------------------------------------------------------------

    def shape(self, index: int) -> Shape:
        """Return the shape of a tensor."""
        shape = self._shape_or_none(index)
        if shape is None:
            raise UnknownShapeError
        return shape

    def _shape_or_none(self, index: int) -> Shape | None:
        if index < 0:
            raise UnknownShapeError
        if index not in self._shapes:
            tensor = self._graph.tensors[index]
            is_known = tensor.has_shape or tensor.type_name in _WITHOUT_SIZE
            self._shapes[index] = tensor.shape if is_known else None
        return self._shapes[index]

    def value(self, index: int) -> _Value:
        """Return the elements of a tensor."""
        if index < 0:
            raise UnknownShapeError
        if index not in self._values:
            self._values[index] = self._constant(index)
        found = self._values[index]
        if found is None:
            raise UnknownShapeError
        return found

    def _constant(
        self, index: int, formats: Mapping[int, str] = MappingProxyType(_FORMATS)
    ) -> _Value | None:
        tensor = self._graph.tensors[index]
        code = formats.get(tensor.type_code)
        count = math.prod(tensor.shape)
        if count == 0 and index not in self._given:
            return _Value(tensor.shape, ())
        if not tensor.is_constant or tensor.is_variable or code is None or count > _ELEMENTS_MAX:
            return None
        content = self._buffers[self._tables[index].integer(2, 4, signed=False)].vector(0, 1)
        if content is None or content[1] != struct.calcsize(f"<{count}{code}"):
            return None
        data = self._tables[index].data
        return _Value(tensor.shape, struct.unpack_from(f"<{count}{code}", data, content[0]))

    def _option(self, index: int, number: int, size: int = 4) -> int:
        options = self._uses[index].table(4)
        if options is None:
            return 0
        return options.integer(number, size, signed=True)

    # --- shapes -------------------------------------------------------------------------------

    def _derived(self, index: int, use: GraphOperator) -> tuple[Shape, ...]:
        """Return the shapes of an operator's results. Raises UnknownShapeError."""
        return derived_shapes(
            RULES.get(use.name) or _custom_rules().get(use.name),
            Applied(
                len(use.inputs),
                len(use.outputs),
                lambda position: self.shape(_at(use, position)),
                lambda position: self.value(_at(use, position)).elements,
                self._uses[index].table(4),
                lambda position: self._elements(_at(use, position)),
                lambda position: self._tensor(_at(use, position)),
                lambda position: self._tensor(use.outputs[position]),
                self._custom_options(index),
            ),
        )

    def _tensor(self, index: int) -> GraphTensor:
        if index < 0:
            raise UnknownShapeError
        return self._graph.tensors[index]

    def _elements(self, index: int) -> tuple[int, ...]:
        """Return the elements of a constant, those of int16 too. Raises UnknownShapeError."""
        found = None if index < 0 else self._constant(index, _CONSTANT_FORMATS)
        if found is None or index in self._given:
            raise UnknownShapeError
        return found.elements

    def _custom_options(self, index: int) -> bytes:
        found = self._uses[index].vector(5, 1)
        if found is None:
            return b""
        start, count = found
        if count > _CUSTOM_OPTIONS_MAX:
            raise MalformedError(f"the options of a custom operator have {count} bytes")
        return self._uses[index].data[start : start + count]

    def _result_shape(self, index: int, use: GraphOperator) -> Shape:
        """Return the shape of an operator's only result."""
        (shape,) = self._derived(index, use)
        return shape

    def _find_shapes(self, index: int, use: GraphOperator) -> None:
        """Decide for each result whether its shape is known, and what it is."""
        derived: Sequence[Shape | None]
        try:
            derived = self._derived(index, use)
        except (UnknownShapeError, MalformedError, ValueError, IndexError):
            derived = [None] * len(use.outputs)
        is_late = self._is_late(use)
        has_custom_rule = use.name not in RULES and use.name in _custom_rules()
        if not has_custom_rule and use.name not in RULES and use.name not in STATED:
            self._unruled.add(use.name)
        for target, shape in zip(use.outputs, derived, strict=True):
            if target < 0:
                continue
            tensor = self._graph.tensors[target]
            if tensor.type_name in _WITHOUT_SIZE:
                if use.name != "VAR_HANDLE":
                    self._unruled.add(use.name)
                continue
            is_fixed = tensor.has_shape and not tensor.signature and 0 not in tensor.shape
            self._compare(index, use, target, shape)
            if shape is not None:
                self._shapes[target] = shape
                continue
            self._shapes[target] = tensor.shape if is_fixed else None
            if has_custom_rule:
                self._unruled.add(use.name)  # of these, options and constants decide as well
            elif use.name in RULES:
                self._unverified.add(target)
            if is_late:
                self._late.add(target)

    def _compare(self, index: int, use: GraphOperator, target: int, shape: Shape | None) -> None:
        """Note where the file has another tensor for a result than the operator computes."""
        tensor = self._graph.tensors[target]
        if shape is not None and _contradicts(tensor, shape):
            stated = f"the shape {list(tensor.shape)}"
            self._contradictions.append(Contradiction(target, use.name, stated, str(list(shape))))
        if tensor.is_constant:
            self._contradictions.append(
                Contradiction(target, use.name, "constant elements", "others")
            )
        types = result_types(self._graph, use, self._uses[index].table(4))
        if types is not None and tensor.type_code not in types:
            computed = " or ".join(map(type_name, types))
            stated = f"elements of {tensor.type_name}"
            self._contradictions.append(Contradiction(target, use.name, stated, computed))

    def _is_late(self, use: GraphOperator) -> bool:
        """Return whether LiteRT finds the shape of an operator's result only while it runs."""
        for position in _SHAPED_BY.get(use.name, ()):
            try:
                if position < len(use.inputs) and use.inputs[position] >= 0:
                    self.value(use.inputs[position])
            except UnknownShapeError:
                if not self._graph.tensors[use.inputs[position]].is_constant:
                    return True
        return False

    # --- values -------------------------------------------------------------------------------

    def _fold(self, index: int, use: GraphOperator) -> list[_Value]:
        """Compute the result of an operator. Raises UnknownShapeError if it is not constant."""
        if use.name == "SHAPE":
            shape = self.shape(use.inputs[0])
            return [_Value((len(shape),), shape)]
        if use.name == "RANK":
            return [_Value((), (len(self.shape(use.inputs[0])),))]
        if use.name == "UNPACK":
            return self._unpacked(index, use)
        given = [self.value(item) for item in use.inputs if item >= 0]
        if use.name in _BINARY and len(given) == 2 and not self._option(index, 0, 1):
            return [self._combined(_BINARY[use.name], given[0], given[1])]
        if use.name in _UNARY:
            unary = _UNARY[use.name]
            return [_Value(given[0].shape, tuple(map(unary, given[0].elements)))]
        if use.name in _REDUCED:
            return [self._reduced(index, use, given[0])]
        if use.name in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS"):
            return [_Value(self._result_shape(index, use), given[0].elements)]
        if use.name == "PACK":
            return [self._packed(index, given)]
        if use.name == "CONCATENATION":
            return [self._concatenated(given)]
        if use.name == "STRIDED_SLICE":
            return [self._sliced(index, given)]
        if use.name == "SLICE":
            return [self._slice(given)]
        if use.name == "GATHER":
            return [self._gathered(index, given)]
        if use.name == "FILL":
            count = math.prod(given[0].elements)
            if count > _ELEMENTS_MAX or min(given[0].elements, default=0) < 0:
                raise UnknownShapeError
            return [_Value(given[0].elements, given[1].elements * count)]
        if use.name == "RANGE":
            first, end, step = (item.elements[0] for item in given)
            numbers = range(first, end, step)
            if len(numbers) > _ELEMENTS_MAX:
                raise UnknownShapeError
            return [_Value((len(numbers),), tuple(numbers))]
        raise UnknownShapeError

    @staticmethod
    def _combined(combine: Callable[[int, int], int], left: _Value, right: _Value) -> _Value:
        # Of shapes: vectors of one length, and scalars.
        shape = broadcast([left.shape, right.shape])
        count = math.prod(shape)
        sides = []
        for side in (left, right):
            if len(side.elements) not in (1, count):
                raise UnknownShapeError
            sides.append(side.elements * (count if len(side.elements) == 1 else 1))
        return _Value(shape, tuple(map(combine, *sides)))

    def _reduced(self, index: int, use: GraphOperator, given: _Value) -> _Value:
        shape = self._result_shape(index, use)
        if math.prod(shape) != 1 or not given.elements:
            raise UnknownShapeError
        return _Value(shape, (_REDUCED[use.name](given.elements),))

    def _packed(self, index: int, given: Sequence[_Value]) -> _Value:
        shape = given[0].shape
        axis = wrapped(self._option(index, 1), len(shape) + 1)
        if axis != 0 or any(item.shape != shape for item in given):
            raise UnknownShapeError
        elements = tuple(itertools.chain.from_iterable(item.elements for item in given))
        return _Value((len(given), *shape), elements)

    def _unpacked(self, index: int, use: GraphOperator) -> list[_Value]:
        given = self.value(use.inputs[0])
        axis = wrapped(self._option(index, 1), len(given.shape))
        if axis != 0 or given.shape[0] != len(use.outputs):
            raise UnknownShapeError
        shape = given.shape[1:]
        count = math.prod(shape)
        return [
            _Value(shape, given.elements[count * part : count * (part + 1)])
            for part in range(given.shape[0])
        ]

    @staticmethod
    def _concatenated(given: Sequence[_Value]) -> _Value:
        if any(len(item.shape) != 1 for item in given):
            raise UnknownShapeError
        elements = tuple(itertools.chain.from_iterable(item.elements for item in given))
        return _Value((len(elements),), elements)

    def _sliced(self, index: int, given: Sequence[_Value]) -> _Value:
        vector, begin, end, stride = given
        masks = [self._option(index, number) for number in range(5)]
        has_offset = self._option(index, 5, 1) != 0
        if len(vector.shape) != 1 or len(begin.elements) != 1 or masks[2] or masks[3] or has_offset:
            raise UnknownShapeError
        (step,) = stride.elements
        if masks[4]:
            at = wrapped(0 if masks[0] else begin.elements[0], len(vector.elements))
            return _Value((), (vector.elements[at],))
        first = None if masks[0] else begin.elements[0]
        last = None if masks[1] else end.elements[0]
        elements = vector.elements[slice(first, last, step)]
        return _Value((len(elements),), elements)

    @staticmethod
    def _slice(given: Sequence[_Value]) -> _Value:
        vector, begin, size = given
        if len(vector.shape) != 1:
            raise UnknownShapeError
        first, count = begin.elements[0], size.elements[0]
        end = len(vector.elements) if count == -1 else first + count
        if not 0 <= first <= end <= len(vector.elements):
            raise UnknownShapeError
        return _Value((end - first,), vector.elements[first:end])

    def _gathered(self, index: int, given: Sequence[_Value]) -> _Value:
        vector, places = given
        if len(vector.shape) != 1 or self._option(index, 0) != 0 or self._option(index, 1) != 0:
            raise UnknownShapeError
        count = len(vector.elements)
        if any(not 0 <= place < count for place in places.elements):
            raise UnknownShapeError
        return _Value(places.shape, tuple(vector.elements[place] for place in places.elements))

    # --- the whole ----------------------------------------------------------------------------

    def _folded_bytes(self, index: int, use: GraphOperator) -> dict[int, bytes]:
        """Return the results of an operator as constants, and remember them; {}: it stays."""
        results: dict[int, bytes] = {}
        try:
            values = self._fold(index, use)
            for target, value in zip(use.outputs, values, strict=True):
                tensor = self._graph.tensors[target]
                code = _FORMATS[tensor.type_code]
                is_own = target >= 0 and target not in self._graph.outputs
                if not is_own or tensor.is_variable or len(value.elements) > _ELEMENTS_MAX:
                    return {}
                results[target] = struct.pack(f"<{len(value.elements)}{code}", *value.elements)
        except (UnknownShapeError, KeyError, ValueError, IndexError, ArithmeticError, struct.error):
            return {}
        for target, value in zip(use.outputs, values, strict=True):
            self._values[target] = value
            self._shapes[target] = value.shape
        return results

    def _copied_shape(self, use: GraphOperator) -> Shape | None:
        """Return the shape that an operator gives its input's elements if it does nothing else."""
        if use.name not in _COPIES or len(use.outputs) != 1 or use.outputs[0] < 0:
            return None
        try:
            source, target = self.shape(use.inputs[0]), self.shape(use.outputs[0])
            if math.prod(source) != math.prod(target) or 0 in source:
                return None
            if use.name == "TRANSPOSE":
                order = self.value(use.inputs[1]).elements
                moved = [axis for axis in order if source[axis] != 1]
                if moved != sorted(moved):
                    return None
        except (UnknownShapeError, IndexError):
            return None
        return target

    def run(self) -> Folded:
        """Go through the operators."""
        graph = self._graph
        constants: dict[int, bytes] = {}
        dropped: set[int] = set()
        reshaped: dict[int, Shape] = {}
        for index, use in enumerate(self._graph.operators):
            folded = self._folded_bytes(index, use)
            if folded:
                constants |= folded
                dropped.add(index)
                continue
            self._find_shapes(index, use)
            shape = self._copied_shape(use)
            if shape is not None:
                reshaped[index] = shape
        produced = {item for use in self._graph.operators for item in use.outputs if item >= 0}
        ends = {*self._graph.inputs, *produced}
        unknown = frozenset(index for index in ends if self._shape_or_none(index) is None)
        shapes = {
            index: shape
            for index in sorted(produced)
            if (shape := self._shape_or_none(index)) is not None
            and self._graph.tensors[index].type_name not in _WITHOUT_SIZE
            and (shape != graph.tensors[index].shape or not graph.tensors[index].has_shape)
        }
        changes = Changes(shapes, frozenset(), constants, frozenset(dropped), reshaped)
        return Folded(
            changes,
            unknown,
            unknown & self._shaped_by_data(),
            frozenset(self._late),
            frozenset(self._unverified),
            tuple(self._contradictions),
            frozenset(self._unruled),
        )

    def _shaped_by_data(self) -> set[int]:
        """Return the tensors whose shapes values of inputs or of variables decide.

        Where the file has a shape for one all the same, that counts.
        """
        tensors = self._graph.tensors
        computed = {*self._graph.inputs}
        computed |= {index for index, tensor in enumerate(tensors) if tensor.is_variable}
        shaped: set[int] = set()
        for use in self._graph.operators:
            inputs = {item for item in use.inputs if item >= 0}
            deciding = {
                use.inputs[at] for at in _SHAPED_BY.get(use.name, ()) if at < len(use.inputs)
            }
            outputs = {item for item in use.outputs if item >= 0}
            if deciding & computed or inputs & shaped:
                shaped |= {item for item in outputs if self._shape_or_none(item) is None}
            if inputs & (shaped if use.name in ("RANK", "SHAPE") else computed):
                computed |= outputs
        return shaped


def fold_model(model: Table, graph: ModelGraph, number: int = 0) -> Folded:
    """Find what of a .tflite can be computed before it runs, and which shapes are not known.

    `graph` is what `read_graph` found in it; `number` is that of the subgraph, of which only the
    first one can be rewritten. Raises MalformedError.
    """
    return _Folder(model, graph, number).run()


def needs_folding(graph: ModelGraph) -> bool:
    """Return whether `fold_model` could find anything in a model; it seldom does."""
    names = {use.name for use in graph.operators}
    if names & (_COPIES | {"SHAPE", "RANK", "FILL", "RANGE", "WHERE", "UNIQUE", "TOPK_V2"}):
        return True
    used = {item for use in graph.operators for item in (*use.inputs, *use.outputs) if item >= 0}
    return any(
        not graph.tensors[index].has_shape or graph.tensors[index].signature
        for index in {*used, *graph.inputs, *graph.outputs}
    )
