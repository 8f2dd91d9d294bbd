"""Models: reading a .tflite, its shapes, the arena it needs, what its inputs are clamped to."""

from runec.models.arena import measure_arena
from runec.models.input_ranges import InputRange, input_ranges
from runec.models.shapes import ResolvedModel, lacks_shapes, resolve_model
from runec.models.tflite import (
    ModelInfo,
    ModelTensor,
    Operator,
    quantises_to_uint8,
    read_graph,
    read_hybrid,
    read_model,
)

__all__ = [
    "InputRange",
    "ModelInfo",
    "ModelTensor",
    "Operator",
    "ResolvedModel",
    "input_ranges",
    "lacks_shapes",
    "measure_arena",
    "quantises_to_uint8",
    "read_graph",
    "read_hybrid",
    "read_model",
    "resolve_model",
]
