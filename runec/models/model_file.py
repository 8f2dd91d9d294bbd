"""A .tflite and its facts, which are passed on: it is parsed once per command."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TypeVar

from runec.models.arena import measure_arena
from runec.models.flatbuffer import MalformedError, Table
from runec.models.folding import Folded, fold_model
from runec.models.input_ranges import InputRange, input_ranges
from runec.models.rewriting import Changes, rewrite_model
from runec.models.soundness import Findings, inspect_model, wrong_tensors
from runec.models.tflite import (
    ModelGraph,
    ModelInfo,
    damaged,
    has_old_codes,
    open_model,
    read_graph,
    read_info,
)

_TOLD_MAX = 6

_Fact = TypeVar("_Fact")


class ModelFile:
    """The bytes of a .tflite; each fact is found when it is asked for first, and kept.

    `path` is how the user names the file, for commands in hints. Every fact raises UserFileError:
    R0310, no TensorFlow Lite model; R0311, damaged; R0312, another version of the schema.
    """

    def __init__(self, data: bytes, path: str = "FILE") -> None:
        self.data = data
        self._path = path

    @cached_property
    def _root(self) -> Table:
        return _found(lambda: open_model(self.data, self._path))

    @cached_property
    def info(self) -> ModelInfo:
        """Facts for a pipeline: inputs, outputs, operators.

        Raises:
            UserFileError: also R0313, an element type that runec lacks at an input or output;
                R0314, a shape that is not fixed there.
        """
        return _found(lambda: read_info(self._root))

    @cached_property
    def graph(self) -> ModelGraph:
        """The first subgraph, for planning its memory."""
        return _found(lambda: read_graph(self._root))

    @cached_property
    def has_old_codes(self) -> bool:
        """Whether libraries of 2020, such as the devices', read its operators right."""
        return _found(lambda: has_old_codes(self._root))

    @cached_property
    def arena_bytes(self) -> int:
        """The arena bytes that it needs at most on a 32-bit device; a multiple of 16.

        The arena must start at a multiple of 16. A model with an operator that the device's library
        does not have gets a figure without that operator's own needs: it cannot run there anyway.
        """
        return measure_arena(self.graph)

    @cached_property
    def input_ranges(self) -> tuple[InputRange | None, ...]:
        """What the elements of each input are clamped to; None: they are not.

        Raises:
            UserFileError: R0311 as well for an operator QUANTIZE whose scale is not above zero or
                whose zero point is outside of its type.
        """
        return _found(lambda: input_ranges(self.graph))

    @cached_property
    def folded(self) -> Folded:
        """What of it can be computed before it runs, and which shapes are not known."""
        return _found(lambda: fold_model(self._root, self.graph))

    @cached_property
    def _graphs(self) -> tuple[ModelGraph, ...]:
        """All subgraphs."""
        others = range(1, self.graph.subgraph_count)
        return (self.graph, *_found(lambda: [read_graph(self._root, each) for each in others]))

    @cached_property
    def findings(self) -> Findings:
        """Errors in the file, and facts that an engine must not trust."""
        folded = [self.folded]
        for number, graph in enumerate(self._graphs[1:], 1):
            folded.append(_found(partial(fold_model, self._root, graph, number)))
        return _found(lambda: inspect_model(self._root, self._graphs, folded))

    @cached_property
    def wrong_tensors(self) -> tuple[str, ...]:
        """Errors of constants and operator inputs, as text."""
        return _found(lambda: wrong_tensors(self._root, self._graphs))

    @property
    def wrong_shapes(self) -> tuple[str, ...]:
        """The first shapes in the file that are not what its operators compute, as text."""
        return tuple(wrong.text(self._root) for wrong in self.folded.contradictions[:_TOLD_MAX])

    def changed(self, changes: Changes) -> ModelFile:
        """Return the model with changes made to its first subgraph; itself without any.

        Raises:
            UserFileError: R0310 or R0312.
            MalformedError: it is damaged, or keeps its buffers behind the FlatBuffer.
        """
        return ModelFile(rewrite_model(self._root, changes), self._path) if changes else self


def _found(find: Callable[[], _Fact]) -> _Fact:
    try:
        return find()
    except MalformedError as error:
        raise damaged(error) from None
