"""The generated C: readable, in the order of the ABI, safe for any name."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import pytest

from runec.codegen import compile_pipeline, generate
from runec.diagnostics import SourceFile, Span, UserFileError
from runec.pipeline import (
    Capability,
    CapabilityKind,
    Model,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Tensor,
)
from tests.blocks import known_block

NewTensor = Callable[..., Tensor]


def test_each_stage_is_commented_with_its_line_and_its_text(sine: Pipeline) -> None:
    glue = generate(sine).files["glue.c"]
    assert "/* 2. mod360: Runefile line 5\n" in glue
    assert (
        '*     mod360: {proc-block: "hotg-ai/proc-blocks@v0.11.3#modulo", inputs: [rand]}' in glue
    )
    places = [glue.rindex(f"{n}. {stage.name}") for n, stage in enumerate(sine.stages, start=1)]
    assert places == sorted(places)


def test_there_is_a_header_for_each_use_of_a_block(gesture: Pipeline) -> None:
    code = generate(gesture)
    assert list(code.files) == [
        "glue.c",
        "stage_2_normalize.h",
        "stage_4_most_confident_index.h",
        "stage_5_label.h",
    ]
    assert [unit.header for unit in code.units] == list(code.files)[1:]
    assert [unit.block.name for unit in code.units] == [
        "normalize",
        "most_confident_indices",
        "label",
    ]


def test_the_same_pipeline_gives_the_same_text(gesture: Pipeline) -> None:
    assert generate(gesture) == generate(gesture)


def test_capabilities_are_asked_for_before_models_and_models_before_outputs(
    new_tensor: NewTensor,
) -> None:
    a, b = new_tensor(0, "f32[1]"), new_tensor(1, "f32[1]")
    c = new_tensor(2, "f32[1]")
    pipeline = Pipeline(
        "mixed",
        (
            Capability("first", CapabilityKind.RAW, {}, (a,)),
            Output("early", OutputKind.SERIAL, (a,)),
            Model("model", "model", "tensorflow-lite", (a,), (b,)),
            Capability("second", CapabilityKind.RAND, {}, (c,)),
            Output("late", OutputKind.SERIAL, (b, c)),
        ),
        {},
    )
    manifest = generate(pipeline).files["glue.c"].split("int32_t rune_manifest(void)\n")[1]
    asked = re.findall(r"/\* \d\. (\w+) \*/", manifest.split("return 1;")[0])
    assert asked == ["first", "second", "model", "early", "late"]


def test_no_name_and_no_text_breaks_the_c(new_tensor: NewTensor) -> None:
    text = '*/ int x; /* "quote" \\\n??/ //* größer \t\x01 \\'
    span = Span(SourceFile("Runefile", text), 0, len(text))
    a, b = new_tensor(0, "u8[3]"), new_tensor(1, "u8[3]")
    names = ['a"; b', "c\\", "*/", "日本", "??/", "\n"]
    pipeline = Pipeline(
        text,
        (
            Capability(names[0], CapabilityKind.RAW, {'k"\\': 1}, (a,), span),
            ProcBlock(names[2], known_block("identity"), "identity", {}, (a,), (b,), span),
            Model(names[1], names[3], "tensorflow-lite", (b,), (new_tensor(2, "u8[3]"),), span),
            Output(names[4], OutputKind.SERIAL, (b,), span),
            Output(names[5], OutputKind.SERIAL, (b,), span),
        ),
        {},
    )
    module = compile_pipeline(pipeline)
    assert b'k"\\' in module.code
    assert b"c\\" in module.code


def refused(pipeline: Pipeline, code: str) -> UserFileError:
    with pytest.raises(UserFileError) as caught:
        generate(pipeline)
    assert caught.value.code == code
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 1e39, float("nan"), True])
def test_a_parameter_that_does_not_fit_32_bits_is_refused(sine: Pipeline, value: float) -> None:
    first, *rest = sine.stages
    assert isinstance(first, Capability)
    first = msgspec.structs.replace(first, parameters={"length": value})
    error = refused(msgspec.structs.replace(sine, stages=(first, *rest)), "R0506")
    assert "'length'" in error.message
    assert error.span == first.span


def test_text_comes_from_blocks_only(new_tensor: NewTensor) -> None:
    text = new_tensor(0, "utf8[1]", 8)
    pipeline = Pipeline("p", (Capability("words", CapabilityKind.RAW, {}, (text,)),), {})
    assert "'words'" in refused(pipeline, "R0506").message


def test_tensors_larger_than_any_memory_are_refused(new_tensor: NewTensor) -> None:
    huge = new_tensor(0, "f64[100000, 100000]")
    pipeline = Pipeline("p", (Capability("in", CapabilityKind.RAW, {}, (huge,)),), {})
    assert "80000000000 bytes" in refused(pipeline, "R0507").message
