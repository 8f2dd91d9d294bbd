from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.values import ELEMENT_OF_TFLITE, ElementType, TensorType, as_f32

NUMBERS = [element for element in ElementType if element is not ElementType.UTF8]


@pytest.mark.parametrize("element", NUMBERS, ids=lambda element: element.value)
def test_a_row_agrees_with_numpy_and_struct(element: ElementType) -> None:
    dtype = np.dtype(element.dtype)
    assert dtype == np.dtype(element.long_name).newbyteorder("<")
    assert dtype.itemsize == element.size_bytes == struct.calcsize(f"<{element.struct_code}")
    assert element.is_float == (dtype.kind == "f")
    assert element.is_integer == (dtype.kind in "ui")
    value = 1.5 if element.is_float else 100
    assert struct.pack(f"<{element.struct_code}", value) == np.array([value], dtype).tobytes()
    assert element.title.lower() == element.long_name
    c_type = {"float32": "float", "float64": "double"}.get(dtype.name, f"{dtype.name}_t")
    assert element.c_type == c_type


@pytest.mark.parametrize("element", [each for each in NUMBERS if each.is_integer], ids=str)
def test_ends_are_those_of_numpy(element: ElementType) -> None:
    info = np.iinfo(element.long_name)
    assert element.ends == (info.min, info.max)


@pytest.mark.parametrize("element", NUMBERS, ids=lambda element: element.value)
def test_the_number_is_that_of_the_schema(element: ElementType) -> None:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    assert element.tflite_code == getattr(schema.TensorType, element.long_name.upper())
    assert ELEMENT_OF_TFLITE[element.tflite_code] is element


def test_a_text_has_no_size_and_no_number() -> None:
    text = ElementType.UTF8
    assert (text.size_bytes, text.struct_code, text.c_type) == (0, "", "uint8_t")
    assert not text.is_float
    assert not text.is_integer
    assert text not in ELEMENT_OF_TFLITE.values()


@given(
    st.sampled_from(ElementType),
    st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=8).map(tuple),
)
def test_a_type_is_read_as_it_is_spelled(element: ElementType, shape: tuple[int, ...]) -> None:
    kind = TensorType(element, shape)
    assert TensorType.parse(str(kind)) == kind


@given(st.floats(allow_nan=False))
def test_as_f32_rounds_as_numpy(value: float) -> None:
    with np.errstate(over="ignore"):
        assert as_f32(value) == float(np.float32(value))
