"""Models: reading a .tflite, its shapes, the arena it needs, what its inputs are clamped to.

Which libraries of the host run a model is in `engines`.
"""

from runec.models.engines import (
    Engine,
    advice,
    deviations,
    engine_objection,
    is_custom,
    missing,
)
from runec.models.input_ranges import InputRange
from runec.models.model_file import ModelFile
from runec.models.shapes import ResolvedModel, resolve_model
from runec.models.soundness import Findings
from runec.models.tflite import (
    ModelGraph,
    ModelInfo,
    ModelTensor,
    Operator,
    hybrid_operators,
)

__all__ = [
    "Engine",
    "Findings",
    "InputRange",
    "ModelFile",
    "ModelGraph",
    "ModelInfo",
    "ModelTensor",
    "Operator",
    "ResolvedModel",
    "advice",
    "deviations",
    "engine_objection",
    "hybrid_operators",
    "is_custom",
    "missing",
    "resolve_model",
]
