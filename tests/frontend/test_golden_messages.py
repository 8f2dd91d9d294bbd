"""The integration tests of the original platform: what it says there, we say too.

Source: hotg-ai/rune, integration-tests/compile-fail and compile-pass, and the messages of its
analyser (0.2.2) and compiler (0.11).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runec.diagnostics import Diagnostic, Severity, render
from runec.frontend import Analysis
from runec.pipeline import ResourceWords

Diagnose = Callable[..., tuple[Diagnostic, ...]]

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
RAND = "  rand: {capability: RAND, outputs: [{type: F32, dimensions: [1, 1]}]}\n"
MODEL = "  some_model: {model: ./sine.tflite, inputs: [%s], outputs: [{type: F32}]}\n"

COMPILE_FAIL = {
    "image-is-required": ("version: 1\npipeline: {}\n", ["missing field `image`"]),
    "pipeline-is-required": (
        "version: 1\nimage: runicos/base\n",
        ["missing field `pipeline`"],
    ),
    "version-is-required": ("image: runicos/base\npipeline: {}\n", ["missing field `version`"]),
    "there-is-no-version-2": (
        "version: 2\nimage: runicos/base\npipeline: {}\n",
        ["invalid value: integer `2`, expected version to be 1"],
    ),
    "no-such-pipeline-stage": (
        HEAD + "  random: {capability: RAND, inputs: [non_existent]}\n",
        ['The "random" stage doesn\'t accept any inputs'],
    ),
    "missing-input": (
        HEAD + MODEL % "asdf",
        ['Unable to find "asdf" to use as an input for "some_model"'],
    ),
    "no-such-resource": (
        HEAD + RAND + "  some_model: {model: $MISSING_RESOURCE, inputs: [rand]}\n",
        ['No definition for "$MISSING_RESOURCE"'],
    ),
    "self-loop": (
        HEAD + MODEL % "some_model",
        [
            'Cycle detected when checking "some_model"',
            '... which passes data to "some_model", completing the cycle.',
        ],
    ),
    "simple-loop": (
        HEAD
        + "  random: {capability: RAND, outputs: [{type: f32, dimensions: [1]}]}\n"
        + MODEL % "another_model"
        + "  another_model: {model: ./sine.tflite, inputs: [some_model], outputs: [{type: F32}]}\n",
        [
            "Cycle detected when checking",
            '... which passes data to "another_model"',
            '... which passes data to "some_model"',
            ", completing the cycle.",
        ],
    ),
    "str-is-not-a-type": (
        HEAD + "  a: {capability: RAW, outputs: [{type: str, dimensions: [1]}]}\n"
        "  b: {capability: RAW, outputs: [{type: string, dimensions: [1]}]}\n",
        ['error: Unknown element type, "str"', 'error: Unknown element type, "string"'],
    ),
    "unknown-model-format": (
        HEAD + "  some_model: {model: $MODEL_FILE, args: {format: unknown-format}}\n"
        "resources:\n  MODEL_FILE: {type: binary}\n",
        [
            "Expected the format to be one of onnx, tensorflow, tensorflow-js, tensorflow-lite",
            ', but found "unknown-format"',
        ],
    ),
}

LEGACY_MESSAGES = {
    "nothing": ("# nothing\n", "A Runefile must contain at least a FROM instruction"),
    "no from": ("OUT serial\n", "Runefiles should start with a FROM instruction"),
    "late from": (
        "OUT serial\nFROM runicos/base\n",
        "A FROM instruction can only be at the top of a Runefile",
    ),
    "capability": (
        "FROM runicos/base\nCAPABILITY<f32> a BAROMETER\n",
        "This isn't one of the builtin capabilities",
    ),
    "out": ("FROM runicos/base\nOUT printer\n", "Unknown OUT type"),
    "name": ("FROM runicos/base\nOUT serial\nRUN input serial\n", "Unknown name"),
    "run": ("FROM runicos/base\nRUN\n", "A RUN instruction can't be empty"),
    "type": ("FROM runicos/base\nCAPABILITY<f16> a RAW\n", "Unknown type"),
    "inference": (
        "FROM runicos/base\nCAPABILITY<_> a RAW\nOUT serial\nRUN a serial\n",
        "Unable to determine the type",
    ),
}


@pytest.mark.parametrize("test", COMPILE_FAIL)
def test_compile_fail(test: str, diagnose: Diagnose) -> None:
    text, expected = COMPILE_FAIL[test]
    errors = [item for item in diagnose(text) if item.severity is Severity.ERROR]
    drawn = "\n".join(map(render, errors))
    for words in expected:
        assert words in drawn


@pytest.mark.parametrize("case", LEGACY_MESSAGES)
def test_messages_of_the_legacy_analyser(case: str, diagnose: Diagnose) -> None:
    text, expected = LEGACY_MESSAGES[case]
    assert any(expected in item.message for item in diagnose(text, "Runefile"))


def test_compile_pass_model_arguments_should_be_used(analyse_in: Callable[..., Analysis]) -> None:
    text = HEAD + "  input: {capability: RAND, outputs: [{type: i32, dimensions: [4]}]}\n"
    text += "  some_model:\n    model: $MODEL\n    inputs: [input]\n"
    text += "    outputs: [{type: i32, dimensions: [4]}]\n    args:\n"
    text += "      unused_argument: asdfg\n      another_unused_argument: asd42\n"
    text += "  serial: {out: serial, inputs: [input]}\nresources:\n  MODEL: {type: binary}\n"
    analysis = analyse_in(text)
    drawn = "\n".join(map(render, analysis.warnings))
    words = "warning: Unused arguments for some_model: unused_argument, another_unused_argument"
    assert words in drawn
    assert analysis.pipeline.resources["MODEL"].data is None


def test_compile_pass_noop(analyse_in: Callable[..., Analysis]) -> None:
    analysis = analyse_in(HEAD + RAND + "  serial: {out: SERIAL, inputs: [rand]}\n")
    assert analysis.warnings == ()


def test_compile_pass_models_with_multiple_inputs(analyse_in: Callable[..., Analysis]) -> None:
    # The same tensor twice, for a model that takes it once: nothing reads what the model gives.
    text = "version: 1\nimage: asdf\npipeline:\n"
    text += "  rand: {capability: RAND, outputs: [{type: f32, dimensions: [128]}]}\n"
    text += "  model: {model: ./sine.tflite, inputs: [rand, rand], outputs: [{type: f32}]}\n"
    analysis = analyse_in(text)
    (model,) = analysis.pipeline.models
    assert model.inputs == (analysis.pipeline.tensors[0], analysis.pipeline.tensors[0])
    assert {item.code for item in analysis.warnings} == {"R0110", "R0302", "R0408"}


def test_a_tensor_can_be_both_inputs_of_a_model(analyse_in: Callable[..., Analysis]) -> None:
    text = HEAD + "  rand: {capability: RAND, outputs: [{type: F32, dimensions: [1, 2]}]}\n"
    text += "  m: {model: ./two.tflite, inputs: [rand, rand]}\n"
    text += "  serial: {out: serial, inputs: [m.0, m.1]}\n"
    pipeline = analyse_in(text).pipeline
    assert pipeline.models[0].inputs == (pipeline.tensors[0], pipeline.tensors[0])
    assert pipeline.outputs[0].inputs == pipeline.models[0].outputs


def test_compile_pass_proc_block_with_multiple_inputs_and_outputs(
    analyse_in: Callable[..., Analysis],
) -> None:
    text = HEAD + RAND + "  more: {capability: RAW, outputs: [{type: u8, dimensions: [3]}]}\n"
    text += "  identity:\n    proc-block: hotg-ai/proc-blocks@v0.11.3#identity\n"
    text += "    inputs: [rand, more]\n"
    text += "  serial: {out: serial, inputs: [identity.1, identity.0, rand]}\n"
    pipeline = analyse_in(text).pipeline
    (out,) = pipeline.outputs
    assert [str(tensor.type) for tensor in out.inputs] == ["u8[3]", "f32[1, 1]", "f32[1, 1]"]
    assert out.inputs[2] is pipeline.capabilities[0].outputs[0]


def test_run_pass_model_from_resource(analyse_in: Callable[..., Analysis]) -> None:
    text = HEAD + RAND + "  sine: {model: $SINE_MODEL, inputs: [rand]}\n"
    text += "  serial: {out: serial, inputs: [sine]}\n"
    text += "resources:\n  SINE_MODEL: {type: binary, path: ./sine.tflite}\n"
    pipeline = analyse_in(text).pipeline
    assert pipeline.models[0].resource == "SINE_MODEL"
    assert list(pipeline.resources) == ["SINE_MODEL"]


def test_run_pass_resources_in_proc_block_args(analyse_in: Callable[..., Analysis]) -> None:
    text = HEAD + "  index: {capability: RAW, outputs: [{type: u32, dimensions: [1]}]}\n"
    text += "  label:\n    proc-block: hotg-ai/proc-blocks@v0.11.3#label\n"
    text += "    inputs: [index]\n    args: {wordlist: $LABELS}\n"
    text += "  serial: {out: serial, inputs: [label]}\n"
    text += "resources:\n  LABELS:\n    inline: |\n      silence\n      unknown\n      up\n"
    pipeline = analyse_in(text).pipeline
    assert pipeline.proc_blocks[0].arguments["wordlist"] == ResourceWords("LABELS")
    assert pipeline.resources["LABELS"].data == b"silence\nunknown\nup\n"
