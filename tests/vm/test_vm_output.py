from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runec.pipeline import ElementType, Pin, TensorType
from runec.vm import output_line
from runec.vm.output import output_bytes


def packed(*texts: bytes) -> bytes:
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def test_the_specifications_example() -> None:
    data = struct.pack("<f", 0.69727874)
    assert output_line([(3, [(TensorType.parse("f32[1, 1]"), data)])]) == (
        '{"3":[{"element-type":"f32","dimensions":[1,1],"elements":[0.69727874]}]}'
    )


def test_the_originals_text_line() -> None:
    assert output_line([(3, [(TensorType.parse("utf8[1]"), packed(b"Ring"))])]) == (
        '{"3":[{"element_type":"utf8","dimensions":[1],"elements":["Ring"]}]}'
    )


def test_several_outputs_with_several_tensors() -> None:
    u8, i32 = TensorType.parse("u8[2]"), TensorType.parse("i32[1]")
    line = output_line(
        [(7, [(u8, b"\x00\xff"), (i32, b"\xff\xff\xff\xff")]), (2, []), (5, [(u8, b"ab")])]
    )
    assert line == (
        '{"7":[{"element-type":"u8","dimensions":[2],"elements":[0,255]},'
        '{"element-type":"i32","dimensions":[1],"elements":[-1]}],"2":[],'
        '"5":[{"element-type":"u8","dimensions":[2],"elements":[97,98]}]}'
    )
    assert output_line([]) == "{}"


@pytest.mark.parametrize("element", [e for e in ElementType if e is not ElementType.UTF8])
def test_elements_of_every_type_read_back_as_they_were(element: ElementType) -> None:
    name = {"f32": "<f4", "f64": "<f8"}.get(
        element.value, f"<{element.value[0]}{element.size_bytes}"
    )
    raw = np.random.default_rng(1).bytes(8 * 30 * element.size_bytes)
    values = np.frombuffer(raw, name)
    values = values[np.isfinite(values)] if element.is_float else values
    kind = TensorType(element, (len(values),))
    document = json.loads(output_line([(1, [(kind, values.tobytes())])]))
    read = document["1"][0]["elements"]
    assert np.array(read, dtype=name).tobytes() == values.tobytes()


def test_a_tensor_of_many_elements_is_whole() -> None:
    values = np.arange(10_001, dtype="<u2")
    document = json.loads(output_line([(1, [(TensorType.parse("u16[10001]"), values.tobytes())])]))
    assert document["1"][0]["elements"] == values.tolist()


@pytest.mark.parametrize("code", "fd")
def test_equal_floats_are_spelled_alike_and_zeros_keep_their_sign(code: str) -> None:
    data = struct.pack(f"<6{code}", 0.0, -0.0, 1.5, 0.0, 1.5, -0.0)
    line = output_line([(1, [(TensorType.parse(f"f{32 if code == 'f' else 64}[6]"), data)])])
    assert '"elements":[0.0,-0.0,1.5,0.0,1.5,-0.0]' in line


@pytest.mark.parametrize("count", [3, 5, 7, 9])
def test_bytes_that_are_not_the_tensors_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} bytes"):
        output_line([(1, [(TensorType.parse("i32[2]"), bytes(count))])])


def test_numbers_that_are_none_are_null() -> None:
    data = struct.pack("<3f", float("nan"), float("inf"), float("-inf"))
    line = output_line([(1, [(TensorType.parse("f32[3]"), data)])])
    assert '"elements":[null,null,null]' in line


# Each maximal ill-formed part becomes one U+FFFD: the Unicode Standard, section 3.9, table 3-8.
ILL_FORMED = {
    b"\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64": (
        "a\ufffd\ufffd\ufffdb\ufffdc\ufffd\ufffdd"
    ),
    b"\xed\xa0\x80": "\ufffd\ufffd\ufffd",
    b"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42": "\ufffd\ufffd\ufffd\ufffd\ufffdA\ufffd\ufffdB",
    b"\xc0\xaf": "\ufffd\ufffd",
    b"": "",
}


@pytest.mark.parametrize("data", ILL_FORMED)
def test_ill_formed_text_is_replaced(data: bytes) -> None:
    line = output_line([(1, [(TensorType.parse("utf8[1]"), packed(data))])])
    assert json.loads(line)["1"][0]["elements"] == [ILL_FORMED[data]]


@pytest.mark.parametrize("data", [b"", b"\x01\x00\x00", packed(b"abc")[:-1], packed(b"a", b"b")])
def test_bytes_that_are_no_text_tensor_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="text"):
        output_line([(1, [(TensorType.parse("utf8[1]"), data)])])


@pytest.mark.parametrize("active_low", [False, True])
@pytest.mark.parametrize(
    ("kind", "data", "is_not_zero"),
    [
        ("u8", b"\x00", False),
        ("u8", b"\x80", True),
        ("i64", b"\x00" * 7 + b"\x80", True),
        ("f32", b"\x00\x00\x00\x80", False),
        ("f32", b"\x01\x00\x00\x00", True),
        ("f64", b"\x00" * 6 + b"\xf8\x7f", True),
    ],
)
def test_a_pin_is_high_for_what_is_not_zero(
    kind: str, data: bytes, is_not_zero: bool, active_low: bool
) -> None:
    outputs = [(4, [(TensorType.parse(f"{kind}[1, 1]"), data)])]
    line = output_line(outputs, {4: Pin("P0.13", active_low)})
    assert line == f'{{"4":{{"pin":"P0.13","level":{int(is_not_zero != active_low)}}}}}'


def test_a_pin_of_other_bytes_than_its_number_is_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        output_line([(4, [(TensorType.parse("f32[1]"), bytes(3))])], {4: Pin("LED")})


@pytest.mark.parametrize("element", ["f32", "f64"])
@given(data=st.data())
def test_binary_tensors_have_one_nan_and_every_other_float_as_it_is(
    element: str, data: st.DataObject
) -> None:
    form = f"<{element}".replace("32", "4").replace("64", "8")
    width = 32 if element == "f32" else 64
    patterns = data.draw(
        st.lists(st.one_of(st.integers(0, 2**width - 1), nan_patterns(width)), min_size=1)
    )
    raw = np.array(patterns, f"<u{width // 8}")
    values = raw.view(form)
    expected = np.where(np.isnan(values), np.array(np.nan, form).view(raw.dtype), raw)
    kind = TensorType.parse(f"{element}[{len(patterns)}]")
    written = output_bytes([(1, [(kind, raw.tobytes())])])
    assert written.endswith(b"]" + expected.tobytes())


def nan_patterns(width: int) -> st.SearchStrategy[int]:
    """The bits of NaNs, which are rare among all."""
    fraction, exponent = (23, 0xFF) if width == 32 else (52, 0x7FF)
    return st.builds(
        lambda sign, payload: sign << (width - 1) | exponent << fraction | payload,
        st.integers(0, 1),
        st.integers(1, 2**fraction - 1),
    )
