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
from runec.models.shapes import ResolvedModel, resolve_model
from runec.models.soundness import Findings, inspect_model
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
    "Findings",
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
    "inspect_model",
    "is_custom",
    "measure_arena",
    "missing",
    "read_graph",
    "read_model",
    "resolve_model",
]
