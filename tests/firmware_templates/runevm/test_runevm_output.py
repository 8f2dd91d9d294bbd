"""The result text and the TENSOR form, against Python's json and its UTF-8 decoder."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

AT = 64


def written(probe: Probe, pipe: made.Pipe, graph: dict[str, Any] | None = None) -> bytes:
    call = pipe.call or pipe.plain_call()
    code = made.program(pipe.manifest or pipe.plain_manifest(), call)
    rune = made.assemble(code, graph or pipe.graph(code), {})
    (line,) = probe("run", [b"\x01\0" + rune])
    assert "|run OK" in line, line
    return bytes.fromhex("".join(step[6:] for step in line.split("|") if step[:6] == "write "))


def tensor_rune(data: bytes, kind: str) -> made.Pipe:
    """A rune whose output is these bytes; its capability is another tensor."""
    pipe = made.Pipe(memory=1024 + len(data), outputs=[kind])
    pipe.call = pipe.provide().poke(AT, data).call("consume_output", 2, AT, len(data))
    return pipe


def output_of(
    probe: Probe, data: bytes, element: str, shape: tuple[int, ...], kind: str = "SERIAL"
) -> bytes:
    pipe = tensor_rune(data, kind)
    assert pipe.call is not None
    code = made.program(pipe.plain_manifest(), pipe.call)
    graph = pipe.graph(code)
    graph["stages"].insert(1, "make")
    graph["proc-blocks"]["make"] = {
        "block": "make",
        "path": "make",
        "arguments": {},
        "inputs": [0],
        "outputs": [1],
    }
    graph["outputs"]["out0"]["inputs"] = [1]
    graph["tensors"].append({"element-type": element, "dimensions": list(shape)})
    return written(probe, pipe, graph)


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_integers_of_every_width_are_decimal(probe: Probe, kind: str) -> None:
    info = np.iinfo(kind)
    values = [info.min, info.min + 1, -1 if info.min else 9, 0, 1, 10, info.max - 1, info.max]
    name = f"{kind[0]}{8 * int(kind[1])}"
    data = np.array(values, f"<{kind}").tobytes()
    expected = f'{{"2":[{{"element-type":"{name}","dimensions":[2,4],"elements":'
    expected += made.canonical([int(value) for value in values]) + "}]}\n"
    assert output_of(probe, data, name, (2, 4)) == expected.encode()


def test_the_line_of_the_page(probe: Probe) -> None:
    data = np.array([0.69727874], "<f4").tobytes()
    line = b'{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.69727874]}]}\n'
    assert output_of(probe, data, "f32", (1, 1)) == line


def test_floats_of_both_widths(probe: Probe) -> None:
    values = [0.1, -0.0, 1e-7, float("nan"), float("-inf"), 1e13]
    line = (
        '{"2":[{"element-type":"%s","dimensions":[6],"elements":[0.1,-0.0,1e-7,null,null,%s]}]}\n'
    )
    f32 = output_of(probe, np.array(values, "<f4").tobytes(), "f32", (6,))
    assert f32.decode() == line % ("f32", "1e13")
    f64 = output_of(probe, np.array(values, "<f8").tobytes(), "f64", (6,))
    assert f64.decode() == line % ("f64", "10000000000000.0")


def utf8_data(texts: list[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def serde_string(text: str) -> str:
    """serde_json escapes as Python does, but for what lies above ASCII and the DEL."""
    return json.dumps(text, ensure_ascii=False)


def expected_texts(texts: list[bytes]) -> bytes:
    spelled = ",".join(serde_string(text.decode(errors="replace")) for text in texts)
    head = f'{{"2":[{{"element_type":"utf8","dimensions":[{len(texts)}],"elements":['
    return (head + spelled + "]}]}\n").encode()


TEXTS = [
    b"Ring",
    b"",
    "größer\u2028😀".encode(),
    bytes(range(32)) + b'"\\/\x7f',
    b"\xff",
    b"a\xc3",
    b"\xe2\x82",
    b"\xe2\x82a",
    b"\xf0\x9f\x98",
    b"\xf0\x9f\x98\xf0\x9f\x98\x80",
    b"\xed\xa0\x80",
    b"\xc0\x80\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80",
    b"\x80\x80",
]


def test_texts_are_escaped_and_what_is_not_utf8_is_replaced(probe: Probe) -> None:
    assert output_of(probe, utf8_data(TEXTS), "utf8", (len(TEXTS),)) == expected_texts(TEXTS)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.binary(max_size=40) | st.text(max_size=20).map(str.encode), min_size=1))
def test_any_texts_read_back_as_python_decodes_them(probe: Probe, texts: list[bytes]) -> None:
    line = output_of(probe, utf8_data(texts), "utf8", (len(texts),))
    assert line == expected_texts(texts)
    assert json.loads(line)["2"][0]["elements"] == [text.decode(errors="replace") for text in texts]


@pytest.mark.parametrize(
    "data", [b"", b"\1\0\0", b"\5\0\0\0four", b"\xff\xff\xff\xff", b"\0\0\0\0\1\0\0\0"]
)
def test_texts_that_do_not_fit_their_length_are_refused(probe: Probe, data: bytes) -> None:
    with pytest.raises(AssertionError, match="run HOST_CALL <out0> <the length"):
        output_of(probe, data, "utf8", (2,))


def test_room_behind_the_last_text_is_passed_over(probe: Probe) -> None:
    assert output_of(probe, utf8_data([b"a"]) + b"\xff" * 9, "utf8", (1,)) == expected_texts([b"a"])


@pytest.mark.parametrize(
    ("element", "shape", "data"),
    [
        ("f32", (1, 2, 3), bytes(range(24))),
        ("u8", (5,), b"hello"),
        ("i64", (1, 1, 1, 1, 1, 1, 1, 10), bytes(80)),
        ("utf8", (2,), utf8_data([b"\xff", b""])),
    ],
)
def test_the_binary_form(probe: Probe, element: str, shape: tuple[int, ...], data: bytes) -> None:
    text = f"{element}[{', '.join(map(str, shape))}]".encode()
    expected = struct.pack("<I", len(text)) + text + data
    assert output_of(probe, data, element, shape, "TENSOR") == expected


@pytest.mark.parametrize(("element", "size"), [("f32", 4), ("f64", 8), ("u32", 4)])
def test_the_binary_form_knows_one_nan(probe: Probe, element: str, size: int) -> None:
    nans = {4: [0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF], 8: [2**64 - 1, (0x7FF << 52) + 1]}
    others = {4: [0x7F800000, 0xFF800000, 0x80000000, 0x7F7FFFFF], 8: [0x7FF << 52, 1 << 63]}
    patterns = [*nans[size], *others[size]]
    data = b"".join(pattern.to_bytes(size, "little") for pattern in patterns)
    one = np.array([np.nan], f"<f{size}").tobytes()
    expected = (
        data if element == "u32" else one * len(nans[size]) + data[-size * len(others[size]) :]
    )
    got = output_of(probe, data, element, (len(patterns),), "TENSOR")
    assert got.endswith(b"]" + expected)


def pair(*orders: tuple[int, int]) -> made.Pipe:
    """Two outputs of two tensors each; consumed in the order given: output, address."""
    pipe = made.Pipe(outputs=["SERIAL", "SERIAL"])
    pipe.call = pipe.provide()
    for number, address in orders:
        pipe.call.call("consume_output", number, address, 4)
    return pipe


def pair_output(probe: Probe, *orders: tuple[int, int]) -> bytes:
    pipe = pair(*orders)
    assert pipe.call is not None
    graph = pipe.graph(made.program(pipe.plain_manifest(), pipe.call))
    for output in graph["outputs"].values():
        output["inputs"] = [0, 0]
    return written(probe, pipe, graph)


def one(*values: int) -> str:
    elements = ",".join(map(str, values))
    return f'{{"element-type":"u8","dimensions":[4],"elements":[{elements}]}}'


def test_several_outputs_are_one_object_in_the_order_they_are_consumed(probe: Probe) -> None:
    # The capability's bytes 1, 2, 3, 4 lie at 64, zeros everywhere else.
    line = pair_output(probe, (3, 64), (3, 128), (2, 128), (2, 64))
    given, zeros = one(1, 2, 3, 4), one(0, 0, 0, 0)
    assert line.decode() == f'{{"3":[{given},{zeros}],"2":[{zeros},{given}]}}\n'


@pytest.mark.parametrize(
    "orders",
    [
        [(2, 64), (3, 64), (2, 64), (3, 64)],
        [(2, 64), (2, 64), (2, 64)],
        [(2, 64), (2, 64), (3, 64)],
        [(2, 64), (2, 64)],
        [],
        [(2, 64), (2, 64), (3, 64), (3, 64), (2, 64), (2, 64)],
        [(2, 64), (3, 64), (2, 64), (2, 64)],
    ],
    ids=["mixed", "too many", "too few", "one missing", "none", "twice", "mixed up"],
)
def test_tensors_of_an_output_come_once_and_together(
    probe: Probe, orders: list[tuple[int, int]]
) -> None:
    with pytest.raises(AssertionError, match="run HOST_CALL <out"):
        pair_output(probe, *orders)


PIN_VALUES = [
    *((element, np.array([value], kind).tobytes(), value != 0)
      for element, kind in (("u8", "u1"), ("i8", "i1"), ("i32", "<i4"), ("u64", "<u8"))
      for value in (0, 1, np.iinfo(kind).max, np.iinfo(kind).min)),
    *((element, np.array([value], kind).tobytes(), value != 0)
      for element, kind in (("f32", "<f4"), ("f64", "<f8"))
      for value in (0.0, -0.0, 1e-45, -1e-45, 0.5, np.inf, np.nan)),
]  # fmt: skip


@pytest.mark.parametrize("active_low", [0, 1])
def test_a_pin_is_driven_and_told_high_for_what_is_not_zero(probe: Probe, active_low: int) -> None:
    for element, data, is_not_zero in PIN_VALUES:
        pipe = made.Pipe(
            tensor=(element, (1, 1)), outputs=["SERIAL", "PIN"], pin="P0.13", active_low=active_low
        )
        call = pipe.provide().poke(AT, data)
        for output in (2, 3):
            call.call("consume_output", output, AT, len(data))
        pipe.call = call
        (line,) = probe("run", [b"\x01\0" + pipe.build()])
        level = int(is_not_zero) ^ active_low
        assert f"|drive 3 P0.13 {level}|" in line, (element, data)
        text = bytes.fromhex(
            "".join(step[6:] for step in line.split("|") if step[:6] == "write ")
        ).decode()
        assert text.endswith(f',"3":{{"pin":"P0.13","level":{level}}}}}\n')
        assert list(json.loads(text)) == ["2", "3"]


def test_a_pin_alone_is_a_whole_line(probe: Probe) -> None:
    pipe = made.Pipe(tensor=("u8", (1,)), outputs=["PIN"])
    assert written(probe, pipe) == b'{"2":{"pin":"LED","level":1}}\n'
