"""Models: reading a .tflite, its shapes, the arena it needs, what its inputs are clamped to.

Which libraries of the host run a model is in `engines`.
"""

from runec.models.arena import measure_arena
from runec.models.engines import (
    Engine,
    advice,
    deviations,
    engine_objection,
    is_custom,
    missing,
)
from runec.models.input_ranges import InputRange, input_ranges
from runec.models.shapes import ResolvedModel, lacks_shapes, resolve_model, wrong_shape
from runec.models.tflite import (
    ModelGraph,
    ModelInfo,
    ModelTensor,
    Operator,
    has_old_codes,
    hybrid_operators,
    read_graph,
    read_model,
)

__all__ = [
    "Engine",
    "InputRange",
    "ModelGraph",
    "ModelInfo",
    "ModelTensor",
    "Operator",
    "ResolvedModel",
    "advice",
    "deviations",
    "engine_objection",
    "has_old_codes",
    "hybrid_operators",
    "input_ranges",
    "is_custom",
    "lacks_shapes",
    "measure_arena",
    "missing",
    "read_graph",
    "read_model",
    "resolve_model",
    "wrong_shape",
]
