"""The two fields of an operator's code: libraries of 2020, the devices' too, read the old one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from runec.models import ModelFile, resolve_model
from tests import shape_models

SUB, MUL = schema.BuiltinOperator.SUB, schema.BuiltinOperator.MUL
GELU = schema.BuiltinOperator.GELU
MakeTflite = Callable[..., bytes]


def computed(data: bytes) -> bytes:
    engine = runtime.Interpreter.from_bytes(data, arena_size=1 << 16)
    engine.set_input(np.array([1, 2, 3, 4], "f4"), 0)
    engine.invoke()
    return bytes(engine.get_output(0).tobytes())


def codes(data: bytes) -> list[tuple[int, int]]:
    model = schema.ModelT.InitFromPackedBuf(data)
    return [(code.deprecatedBuiltinCode, code.builtinCode) for code in model.operatorCodes]


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        (0, SUB, (SUB, SUB)),  # only the newer field
        (MUL, SUB, (SUB, SUB)),  # TensorFlow Lite takes the larger one
        (-3, SUB, (SUB, SUB)),
        (127, GELU, None),
        (0, GELU, (127, GELU)),
        (SUB, SUB, None),
        (SUB, 0, None),  # before 2020
        (SUB, MUL, None),
    ],
)
def test_both_fields_say_the_same(old: int, new: int, written: tuple[int, int] | None) -> None:
    if (old, new) == (MUL, SUB):
        assert MUL < SUB
    data = shape_models.with_codes(old, new)
    resolved = resolve_model(ModelFile(data)).model.data
    assert ModelFile(data).has_old_codes == (written is None)
    if written is None:
        assert resolved == data
    else:
        assert codes(resolved) == [written]
        assert resolved.endswith(data), "the weights stay where they are"
    assert ModelFile(resolved).has_old_codes
    assert [use.name for use in ModelFile(resolved).graph.operators] == [
        use.name for use in ModelFile(data).graph.operators
    ]
    if new == SUB:
        assert computed(resolved) == computed(data) == np.array([-9, -18, -27, -36], "f4").tobytes()


def test_custom_code_and_version_stay() -> None:
    data = shape_models.with_codes(0, schema.BuiltinOperator.CUSTOM, custom_code=b"mine", version=3)
    model = schema.ModelT.InitFromPackedBuf(resolve_model(ModelFile(data)).model.data)
    (code,) = model.operatorCodes
    assert (code.customCode, code.version, code.deprecatedBuiltinCode) == (b"mine", 3, 32)
