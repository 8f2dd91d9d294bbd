"""Checks of a model against accesses outside its tensors.

TensorFlow Lite Micro makes room for the shapes that a file states, and its kernels write what they
compute. So every result of every subgraph must have a shape that its operator's rule computes
(runec.models.folding), constants must have their bytes, no operator may read what nothing has
written or elements of another type, and what subgraphs and variables hand to
each other must be of one type. LiteRT finds shapes itself and compares the sizes of constants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from runec.models.element_rules import BOOL, misread, read_by_litert_alone
from runec.models.flatbuffer import Table
from runec.models.folding import Folded
from runec.models.quantisation import has_channels_dequantised, quantisation_faults
from runec.models.shape_rules import largest_of_window
from runec.models.tflite import (
    MAX_OPERATORS,
    MAX_TENSORS,
    GraphOperator,
    GraphTensor,
    ModelGraph,
    subgraphs_of,
    tensor_name,
)

_INT4 = 17
_NAME_BYTES_MAX = 256
_WINDOW_MAX = 2**15 - 1
_Kind = tuple[int, tuple[int, ...]]


class Findings(msgspec.Struct, frozen=True):
    """Errors in a model's file, and operators that cannot be verified.

    `wrong` are facts of the form `the shape [4] for the tensor 'x', but ADD computes [8]`.
    `is_shapeless`: a shape is not in the file, or its operator's rule cannot compute it.
    `unverified` are uses of operators whose results no rule computes, sorted, as people name them.
    """

    wrong: tuple[str, ...]
    is_shapeless: bool
    unverified: tuple[str, ...]

    @property
    def objection(self) -> str | None:
        """Why an engine that makes room for what the file states must not run the model."""
        if self.wrong:
            return f"the file has {self.wrong[0]}"
        if self.is_shapeless:
            return "the file does not have all shapes"
        if self.unverified:
            return f"runec cannot verify what it writes: {', '.join(self.unverified)}"
        return None


def inspect_model(model: Table, graphs: Sequence[ModelGraph], folded: Sequence[Folded]) -> Findings:
    """Look through all subgraphs of a .tflite.

    `graphs` and `folded` are what `read_graph` and `fold_model` found in each. Raises
    MalformedError.
    """
    return _Inspection(model, subgraphs_of(model), graphs).findings(folded)


def wrong_tensors(model: Table, graphs: Sequence[ModelGraph]) -> tuple[str, ...]:
    """Return the errors of the tensors of a .tflite, as texts of `Findings.wrong`.

    Raises MalformedError.
    """
    inspection = _Inspection(model, subgraphs_of(model), graphs)
    for number, graph in enumerate(graphs):
        inspection.inspect_tensors(number, graph)
    return tuple(inspection.wrong)


class _Inspection(msgspec.Struct):
    model: Table
    subgraphs: Sequence[Table]
    graphs: Sequence[ModelGraph]
    wrong: list[str] = msgspec.field(default_factory=list)
    unverified: set[str] = msgspec.field(default_factory=set)
    is_shapeless: bool = False

    def findings(self, folded: Sequence[Folded]) -> Findings:
        for number, (graph, found) in enumerate(zip(self.graphs, folded, strict=True)):
            self._inspect_folded(number, graph, found)
            self.inspect_tensors(number, graph)
            self._inspect_calls(number, graph)
        if self._is_circular():
            self.unverified.add("a subgraph that runs itself")
        self._inspect_variables()
        return Findings(tuple(self.wrong), self.is_shapeless, tuple(sorted(self.unverified)))

    # --- shapes and constants -----------------------------------------------------------------

    def _inspect_folded(self, number: int, graph: ModelGraph, folded: Folded) -> None:
        self.wrong += [item.text(self.model, number) for item in folded.contradictions]
        self.unverified |= folded.unruled
        self.is_shapeless |= bool(folded.unknown or folded.unverified)
        found = folded.changes.shapes.items()
        self.is_shapeless |= any(graph.tensors[at].shape != shape for at, shape in found)

    def inspect_tensors(self, number: int, graph: ModelGraph) -> None:
        """Compare the bytes of constants with their shapes; report unset tensors that are read."""

        def name(index: int) -> str:
            return repr(tensor_name(self.model, index, number))

        buffers = self.model.tables(4, count_max=4 * MAX_TENSORS)
        tables = self.subgraphs[number].tables(0, count_max=MAX_TENSORS)
        for index, (tensor, table) in enumerate(zip(graph.tensors, tables, strict=True)):
            points, scales = len(tensor.zero_points), len(tensor.scales)
            if 0 < points < scales:
                self.wrong.append(f"{points} zero points for {scales} scales of {name(index)}")
            if not tensor.is_constant:
                continue
            if table.table(6) is not None:
                self.unverified.add("sparse constants")
                continue
            content = buffers[table.integer(2, 4, signed=False)].vector(0, 1)
            count = 0 if content is None else content[1]
            wanted = tensor.size_bytes
            wanted = (wanted + 1) // 2 if tensor.type_code == _INT4 else wanted
            if count < wanted:
                kind = f"{tensor.type_name} of the shape {list(tensor.shape)}"
                self.wrong.append(f"{count} bytes for the constant {name(index)}, {kind}")
        for use in graph.operators:
            for index, expected in misread(graph, use):
                found = f"elements of {graph.tensors[index].type_name} for the tensor {name(index)}"
                self.wrong.append(f"{found}, which {use.name} reads as {expected}")
            for kind in read_by_litert_alone(graph, use):
                self.unverified.add(f"{use.name} with a parameter of {kind}")
        for use, options in self._uses(number):
            if has_channels_dequantised(graph, use):
                self.unverified.add("DEQUANTIZE with a scale for each channel")
            for fault in quantisation_faults(graph, use, options):
                self.wrong.append(f"{fault.what} for the tensor {name(fault.tensor)}{fault.why}")
            if (most := largest_of_window(graph, use, options)) > _WINDOW_MAX:
                fact = f"a dilation, stride or padding of {most} in {name(use.inputs[0])}"
                self.wrong.append(f"{fact}, which {use.name} keeps in 16 bits")
        for index in dict.fromkeys(graph.inputs):
            if graph.tensors[index].is_constant:  # what it is given would be written over it
                self.wrong.append(f"constant elements for the tensor {name(index)}, an input")
        for use in graph.operators:
            # TensorFlow Lite Micro ends the process, LiteRT does not prepare it; two inputs run.
            if use.name == "DEPTHWISE_CONV_2D" and use.inputs[2:3] == (-1,):
                self.wrong.append(
                    f"no bias for {use.name}, whose kernel reads one: -1 is its tensor"
                )
        known = {*graph.inputs}
        for use in graph.operators:
            for index in use.inputs:
                if index < 0 or index in known:
                    continue
                known.add(index)
                tensor = graph.tensors[index]
                if not (tensor.is_constant or tensor.is_variable or tensor.size_bytes == 0):
                    fact = f"no elements for the tensor {name(index)}, which {use.name} reads"
                    self.wrong.append(fact)
            known |= {*use.outputs}
        # What is left in memory would be handed out; LiteRT hands out a pointer to nothing.
        for index in dict.fromkeys(graph.outputs):
            tensor = graph.tensors[index]
            is_set = index in known or tensor.is_constant or tensor.is_variable
            if not is_set and tensor.size_bytes:
                self.wrong.append(f"no elements for the tensor {name(index)}, which is an output")

    # --- subgraphs that run others ------------------------------------------------------------

    def _uses(self, number: int) -> Iterator[tuple[GraphOperator, Table | None]]:
        """Yield the operators of a subgraph with the tables of their options."""
        tables = self.subgraphs[number].tables(3, count_max=MAX_OPERATORS)
        for use, table in zip(self.graphs[number].operators, tables, strict=True):
            yield use, table.table(4)

    def _called(self, use: GraphOperator, options: Table | None) -> list[int]:
        """Return the subgraphs that an operator runs; -1 for one that is not there."""
        count = {"CALL_ONCE": 1, "IF": 2, "WHILE": 2}.get(use.name, 0)
        numbers = [
            0 if options is None else options.integer(position, 4, signed=True)
            for position in range(count)
        ]
        return [each if 0 <= each < len(self.graphs) else -1 for each in numbers]

    def _inspect_calls(self, number: int, graph: ModelGraph) -> None:
        for use, options in self._uses(number):
            called = self._called(use, options)
            if called and (-1 in called or not self._fits(graph, use, called)):
                self.unverified.add(f"{use.name} with subgraphs that do not fit")

    def _fits(self, graph: ModelGraph, use: GraphOperator, called: Sequence[int]) -> bool:
        """Return whether the tensors of an operator are those of the subgraphs that it runs."""
        given = _kinds(graph, use.inputs)
        results = _kinds(graph, use.outputs)
        sides = [
            (
                _kinds(self.graphs[each], self.graphs[each].inputs),
                _kinds(self.graphs[each], self.graphs[each].outputs),
            )
            for each in called
        ]
        if use.name == "CALL_ONCE":
            return given == results == [] and sides == [([], [])]
        if use.name == "IF":
            return bool(given) and all(side == (given[1:], results) for side in sides)
        (condition, is_true), body = sides
        return (
            given == results == condition
            and body == (given, given)
            and is_true in ([(BOOL, ())], [(BOOL, (1,))])
        )

    def _is_circular(self) -> bool:
        """Return whether a subgraph runs itself, by way of others or not."""
        calls = {
            number: {
                each for use, options in self._uses(number) for each in self._called(use, options)
            }
            - {-1}
            for number in range(len(self.graphs))
        }
        while ends := [number for number, below in calls.items() if not below & calls.keys()]:
            for number in ends:
                del calls[number]
        return bool(calls)

    # --- variables ----------------------------------------------------------------------------

    def _inspect_variables(self) -> None:
        """Compare what is assigned to each variable with what is read from it."""
        kinds: dict[str, set[_Kind]] = {}
        assigned: set[str] = set()
        for number, graph in enumerate(self.graphs):
            if any(_is_resource(graph, at) for at in (*graph.inputs, *graph.outputs)):
                self.unverified.add("a variable that is handed over")
            outputs = [at for use in graph.operators for at in use.outputs]
            names: dict[int, str] = {}  # of the variables, by the tensors that stand for them
            for use, options in self._uses(number):
                if use.name == "VAR_HANDLE":
                    name = _shared_name(options)
                    is_alone = len(use.outputs) == 1 and outputs.count(use.outputs[0]) == 1
                    if name and is_alone and _is_resource(graph, use.outputs[0]):
                        names[use.outputs[0]] = name
                    else:
                        self.unverified.add("VAR_HANDLE without a name")
                    continue
                is_read = use.name == "READ_VARIABLE"
                if not is_read and use.name != "ASSIGN_VARIABLE":
                    if any(_is_resource(graph, at) for at in use.inputs):
                        self.unverified.add(f"{use.name} of a variable")
                    continue
                counts = (len(use.inputs), len(use.outputs))
                name = names.get(use.inputs[0], "") if use.inputs else ""
                if not name or counts != ((1, 1) if is_read else (2, 0)):
                    self.unverified.add(f"{use.name} without a variable")
                    continue
                handed = use.outputs if is_read else use.inputs[1:]
                kinds.setdefault(name, set()).update(_kinds(graph, handed))
                assigned |= set() if is_read else {name}
        if any(len(found) > 1 for found in kinds.values()):
            self.unverified.add("a variable of two types or shapes")
        if kinds.keys() - assigned:
            self.unverified.add("a variable that is read but never assigned")


def _shared_name(options: Table | None) -> str:
    """Return the name of a VAR_HANDLE's variable, as C reads it."""
    name = "" if options is None else options.text(1, bytes_max=_NAME_BYTES_MAX)
    return name.partition("\0")[0]


def _is_resource(graph: ModelGraph, index: int) -> bool:
    return index >= 0 and graph.tensors[index].type_name == "resource"


def _kinds(graph: ModelGraph, indices: Sequence[int]) -> list[_Kind]:
    """Return element types and shapes; those of a tensor that is left out fit nothing."""
    return [_kind(graph.tensors[at]) if at >= 0 else (-1, (-1,)) for at in indices]


def _kind(tensor: GraphTensor) -> _Kind:
    return tensor.type_code, tensor.shape
