"""Models: reading a .tflite, and the arena it needs on a device."""

from runec.models.arena import measure_arena
from runec.models.tflite import (
    ModelInfo,
    ModelTensor,
    Operator,
    read_graph,
    read_hybrid,
    read_model,
)

__all__ = [
    "ModelInfo",
    "ModelTensor",
    "Operator",
    "measure_arena",
    "read_graph",
    "read_hybrid",
    "read_model",
]
