"""quantize and dequantize: scale and zero point of the connected model."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.diagnostics import RunefileError
from runec.frontend import Analysis

Analyse = Callable[..., Analysis]
Model = Callable[..., bytes]

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
INPUT = "  input: {capability: RAW, outputs: [{type: f32, dimensions: [1, 1]}]}\n"
WHOLE = (
    "  small: {proc-block: quantize, inputs: [input]%s}\n"
    "  net: {model: ./int8.tflite, inputs: [small]}\n"
    "  real: {proc-block: dequantize, inputs: [net]%s}\n"
)
SERIAL = "  serial: {out: serial, inputs: [real]}\n"


def as_f32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def test_both_ends_of_a_quantised_model_are_read(analyse_in: Analyse) -> None:
    pipeline = analyse_in(HEAD + INPUT + WHOLE % ("", "") + SERIAL).pipeline
    small, real = pipeline.proc_blocks
    assert small.arguments == {"scale": as_f32(0.0245), "zero_point": -7}
    assert real.arguments == {"scale": 0.0078125, "zero_point": 4}
    assert str(small.outputs[0].type) == "i8[1, 1]"


def test_what_the_runefile_says_is_taken(analyse_in: Analyse) -> None:
    text = WHOLE % (", args: {scale: 0.5, zero-point: 3}", ", args: {scale: 0.25}")
    small, real = analyse_in(HEAD + INPUT + text + SERIAL).pipeline.proc_blocks
    assert small.arguments == {"scale": 0.5, "zero_point": 3}
    assert real.arguments == {"scale": 0.25, "zero_point": 4}


@pytest.mark.parametrize(
    "stages",
    {
        "no model at all": (
            "  real: {proc-block: quantize, inputs: [input], outputs: [{type: i8}]}\n"
        ),
        "a block between": (
            "  small: {proc-block: quantize, inputs: [input], outputs: [{type: i8}]}\n"
            "  same: {proc-block: identity, inputs: [small]}\n"
            "  real: {model: ./int8.tflite, inputs: [same]}\n"
        ),
        "a model of floats": (
            "  small: {proc-block: quantize, inputs: [input], outputs: [{type: i8}]}\n"
            "  net: {model: ./sine.tflite, inputs: [input]}\n"
            "  real: {proc-block: control_logic, inputs: [net, net, net]}\n"
        ),
        "the model on the other side": (
            "  small: {proc-block: quantize, inputs: [input], args: {scale: 1}}\n"
            "  net: {model: ./int8.tflite, inputs: [small]}\n"
            "  back: {proc-block: dequantize, inputs: [net]}\n"
            "  real: {proc-block: quantize, inputs: [back], outputs: [{type: i8}]}\n"
        ),
        "a model of run time": (
            "  real: {proc-block: quantize, inputs: [input], outputs: [{type: i8}]}\n"
            "  net: {model: $NET, inputs: [real], outputs: [{type: i8}]}\n"
        ),
    }.items(),
    ids=lambda item: item[0],
)
def test_without_a_quantised_model_beside_it_the_scale_is_asked_for(
    stages: tuple[str, str], analyse_in: Analyse
) -> None:
    text = HEAD + INPUT + stages[1] + SERIAL + "resources:\n  NET: {type: binary}\n"
    with pytest.raises(RunefileError) as caught:
        analyse_in(text)
    missing = [item for item in caught.value.diagnostics if item.code == "R0417"]
    assert len(missing) == 1
    assert "needs the argument 'scale'" in missing[0].message
    assert missing[0].hint is not None
    assert "directly beside a model that is quantised with one scale" in missing[0].hint


def test_two_models_that_want_different_numbers_are_no_answer(
    analyse_in: Analyse, folder: Path, model: Model
) -> None:
    other = model(["i8[1, 1]"], ["i8[1, 1]"], {"t0": ([0.5], [-7])})
    (folder / "other.tflite").write_bytes(other)
    text = HEAD + INPUT + WHOLE % ("", "")
    text += "  more: {model: ./other.tflite, inputs: [small]}\n"
    text += "  serial: {out: serial, inputs: [real, more]}\n"
    with pytest.raises(RunefileError) as caught:
        analyse_in(text)
    assert [item.code for item in caught.value.diagnostics] == ["R0417"]


def test_a_scale_for_each_channel_is_no_answer(
    analyse_in: Analyse, folder: Path, model: Model
) -> None:
    channels = model(["i8[1, 2]"], ["i8[1, 1]"], {"t0": ([0.5, 0.25], [0, 0])})
    (folder / "int8.tflite").write_bytes(channels)
    text = HEAD + INPUT.replace("[1, 1]", "[1, 2]") + WHOLE % ("", ", args: {scale: 1}") + SERIAL
    with pytest.raises(RunefileError) as caught:
        analyse_in(text)
    assert [item.code for item in caught.value.diagnostics] == ["R0417"]


def test_a_shape_that_the_model_does_not_take_is_reported_at_the_model(
    analyse_in: Analyse,
) -> None:
    text = HEAD + INPUT.replace("[1, 1]", "[1, 3]") + WHOLE % ("", "") + SERIAL
    with pytest.raises(RunefileError) as caught:
        analyse_in(text)
    (problem,) = caught.value.diagnostics
    assert problem.code == "R0304"
    assert "provides i8[1, 3]" in problem.message
