"""Passes on valid Runefiles: order, types, parameters, resources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runec.diagnostics import Diagnostic, Diagnostics, SourceFile
from runec.frontend import Analysis
from runec.frontend.passes.edges import connect
from runec.frontend.passes.names import check_names
from runec.frontend.passes.order import execution_order
from runec.frontend.yaml_dialect import parse_yaml_dialect
from runec.pipeline import CapabilityKind, OutputKind, ResourceWords

Analyse = Callable[..., Analysis]
Diagnose = Callable[..., tuple[Diagnostic, ...]]

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"


def legacy(*lines: str) -> tuple[str, str]:
    return "\n".join(["FROM runicos/base", *lines, ""]), "Runefile"


# Order and numbering.


def test_stages_run_inputs_first_and_otherwise_in_source_order(analyse_in: Analyse) -> None:
    text = HEAD + "  serial: {out: serial, inputs: [c, a]}\n"
    text += "  c: {proc-block: identity, inputs: [b]}\n"
    text += "  a: {capability: RAW, outputs: [{type: u8}]}\n"
    text += "  b: {capability: RAND, outputs: [{type: i16}]}\n"
    pipeline = analyse_in(text).pipeline
    assert [stage.name for stage in pipeline.stages] == ["b", "c", "a", "serial"]
    assert [(tensor.id, tensor.type.element.value) for tensor in pipeline.tensors] == [
        (0, "i16"),
        (1, "i16"),
        (2, "u8"),
    ]
    assert [tensor.id for tensor in pipeline.outputs[0].inputs] == [1, 2]


def test_a_tensor_that_two_stages_read_is_one_object(analyse_in: Analyse) -> None:
    text = HEAD + "  a: {capability: RAW, outputs: [{type: f32}]}\n"
    text += "  b: {proc-block: normalize, inputs: [a]}\n  c: {proc-block: modulo, inputs: [a]}\n"
    text += "  serial: {out: serial, inputs: [a, b, c]}\n"
    pipeline = analyse_in(text).pipeline
    first = pipeline.capabilities[0].outputs[0]
    readers = [stage.inputs[0] for stage in pipeline.proc_blocks]
    readers += [stage.inputs[0] for stage in pipeline.outputs]
    assert all(tensor is first for tensor in readers)


def test_a_tensor_can_be_both_inputs_of_a_model(analyse_in: Analyse) -> None:
    text = HEAD + "  rand: {capability: RAND, outputs: [{type: F32, dimensions: [1, 2]}]}\n"
    text += "  m: {model: ./two.tflite, inputs: [rand, rand]}\n"
    text += "  serial: {out: serial, inputs: [m.0, m.1]}\n"
    pipeline = analyse_in(text).pipeline
    assert pipeline.models[0].inputs == (pipeline.tensors[0], pipeline.tensors[0])
    assert pipeline.outputs[0].inputs == pipeline.models[0].outputs


@pytest.mark.parametrize("length", [2, 3, 5])
def test_each_cycle_is_reported_once_and_the_rest_keeps_its_order(length: int) -> None:
    text = HEAD + "  start: {capability: RAW}\n"
    for name in ("a", "b"):
        for index in range(length):
            source = f"{name}{(index - 1) % length}"
            text += f"  {name}{index}: {{proc-block: modulo, inputs: [{source}]}}\n"
    text += "  behind: {proc-block: modulo, inputs: [a0]}\n  end: {out: serial, inputs: [start]}\n"
    diagnostics = Diagnostics()
    document = parse_yaml_dialect(SourceFile("Runefile.yml", text), diagnostics)
    names = check_names(document, diagnostics)
    order = execution_order(names, connect(document, names, diagnostics), diagnostics)
    assert order == ("start", "end")
    assert [item.message for item in diagnostics] == [
        'Cycle detected when checking "a0"',
        'Cycle detected when checking "b0"',
    ]
    assert [len(item.notes) for item in diagnostics] == [length, length]


def test_a_long_chain_needs_no_deep_stack() -> None:
    count = 1500
    text = HEAD + "  s0: {capability: RAW}\n"
    for index in range(count, 0, -1):
        text += f"  s{index}: {{proc-block: modulo, inputs: [s{index - 1}]}}\n"
    diagnostics = Diagnostics()
    document = parse_yaml_dialect(SourceFile("Runefile.yml", text), diagnostics)
    names = check_names(document, diagnostics)
    order = execution_order(names, connect(document, names, diagnostics), diagnostics)
    assert order == tuple(f"s{index}" for index in range(count + 1))


def test_tensors_are_counted_where_no_outputs_are_declared_too(diagnose: Diagnose) -> None:
    text = HEAD + "  a: {capability: RAW, outputs: [{type: u8}]}\n"
    for index in range(3):
        text += f"  i{index}: {{proc-block: identity, inputs: [{', '.join(['a'] * 22)}]}}\n"
    text += "  serial: {out: serial, inputs: [a]}\n"
    (said,) = diagnose(text)
    assert (said.code, said.span and said.span.text) == ("R0120", "i2")
    assert said.message == "67 tensors up to here: a rune holds at most 64"


# Types.


def test_a_capability_without_a_type_takes_the_one_its_reader_declares(analyse_in: Analyse) -> None:
    text = legacy(
        "CAPABILITY<_> a RAW",
        "PROC_BLOCK<i16[3], _> b hotg-ai/rune#proc_blocks/normalize",
        "OUT serial",
        "RUN a b serial",
    )
    tensors = analyse_in(*text).pipeline.tensors
    assert [str(tensor.type) for tensor in tensors] == ["i16[3]", "f32[3]"]


def test_a_capability_without_a_type_takes_the_one_of_its_model(analyse_in: Analyse) -> None:
    text = HEAD + "  a: {capability: ACCEL, args: {n: 128}}\n"
    text += "  m: {model: ./model.tflite, inputs: [a]}\n  serial: {out: serial, inputs: [m]}\n"
    tensors = analyse_in(text).pipeline.tensors
    assert [str(tensor.type) for tensor in tensors] == ["f32[1, 128, 3, 1]", "f32[1, 4]"]


def test_a_bare_type_has_one_element_and_case_does_not_matter(analyse_in: Analyse) -> None:
    text = legacy("CAPABILITY<U16> a RAW", "OUT serial", "RUN a serial")
    assert str(analyse_in(*text).pipeline.tensors[0].type) == "u16[1]"
    yaml = HEAD + "  a: {capability: RAW, outputs: [{type: U16}]}\n"
    yaml += "  serial: {out: serial, inputs: [a]}\n"
    assert str(analyse_in(yaml).pipeline.tensors[0].type) == "u16[1]"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("f32[1, 128, 3, 1]", "f32[128, 3]"),
        ("f32[128, 3]", "f32[1, 128, 3, 1]"),
        ("f32", "f32[1, 1, 1]"),
        ("f32[2, 1, 2]", "f32[2, 2]"),
    ],
)
def test_shapes_are_equal_up_to_dimensions_of_1(
    given: str, taken: str, analyse_in: Analyse
) -> None:
    text = legacy(
        f"CAPABILITY<{given}> a RAW",
        f"PROC_BLOCK<{taken}, {taken}> b hotg-ai/rune#proc_blocks/modulo",
        "OUT serial",
        "RUN a b serial",
    )
    assert analyse_in(*text).warnings == ()


@pytest.mark.parametrize(
    ("given", "taken", "code"),
    [
        ("f32[3, 128]", "f32[128, 3]", "R0202"),
        ("f32[384]", "f32[128, 3]", "R0202"),
        ("f32[2]", "f32", "R0202"),
        ("i32[4]", "f32[4]", "R0201"),
        ("u8[4]", "i8[4]", "R0201"),
    ],
)
def test_other_differences_are_errors_that_show_both_types_and_places(
    given: str, taken: str, code: str, diagnose: Diagnose
) -> None:
    text = legacy(
        f"CAPABILITY<{given}> a RAW",
        f"PROC_BLOCK<{taken}, {taken}> b hotg-ai/rune#proc_blocks/modulo",
        "OUT serial",
        "RUN a b serial",
    )
    (said,) = diagnose(*text)
    assert said.code == code
    assert [label.span.text for label in said.labels] == [given, taken]


@pytest.mark.parametrize(
    ("stage", "written", "kept"),
    [
        ("proc-block: normalize", "[1, 4, 1]", (1, 4, 1)),
        ("proc-block: argmax", "[1, 1]", (1, 1)),
        ("model: model.tflite", "[4]", (4,)),
        ("proc-block: normalize", None, (4,)),
    ],
)
def test_dimensions_beside_an_inferred_type_are_kept(
    stage: str, written: str | None, kept: tuple[int, ...], analyse_in: Analyse
) -> None:
    dimensions = "" if written is None else f", dimensions: {written}"
    size = "128, 3" if "model" in stage else "4"
    text = HEAD + f"  a: {{capability: RAW, outputs: [{{type: f32, dimensions: [{size}]}}]}}\n"
    text += f"  b: {{{stage}, inputs: [a], outputs: [{{type: _{dimensions}}}]}}\n"
    text += "  serial: {out: serial, inputs: [b]}\n"
    (given,) = analyse_in(text).pipeline.outputs[0].inputs
    assert given.type.dimensions == kept


@pytest.mark.parametrize(
    "stages",
    [
        """\
  a: {capability: RAW, outputs: [{type: _, dimensions: [3]}]}
  b: {model: sine.tflite, inputs: [a]}
""",
        """\
  a: {capability: RAW, outputs: [{type: f32, dimensions: [2]}]}
  b: {proc-block: normalize, inputs: [a], outputs: [{type: _, dimensions: [3]}]}
""",
    ],
)
def test_other_dimensions_beside_an_inferred_type_are_an_error(
    stages: str, diagnose: Diagnose
) -> None:
    (said,) = diagnose(HEAD + stages + "  serial: {out: serial, inputs: [b]}\n")
    assert said.code == "R0202"
    assert said.span is not None
    assert said.span.text == "3"


def test_a_wrong_edge_does_not_hide_the_next(diagnose: Diagnose) -> None:
    text = legacy(
        "CAPABILITY<i32[4]> a RAW",
        "PROC_BLOCK<f32[4], f32[4]> b hotg-ai/rune#proc_blocks/modulo",
        "PROC_BLOCK<f32[5], f32[5]> c hotg-ai/rune#proc_blocks/modulo",
        "OUT serial",
        "RUN a b c serial",
    )
    assert [item.code for item in diagnose(*text)] == ["R0201", "R0202"]


def test_a_model_is_compared_with_its_file_in_both_directions(diagnose: Diagnose) -> None:
    text = legacy(
        "CAPABILITY<f32[64, 3]> a RAW",
        "MODEL<f32[64, 3], u8[4]> m ./model.tflite",
        "OUT serial",
        "RUN a m serial",
    )
    said = diagnose(*text)
    assert [item.code for item in said] == ["R0301", "R0301"]
    assert "would be f32[64, 3]," in said[0].message
    assert "would be u8[4]," in said[1].message


# Capabilities and outputs.


@pytest.mark.parametrize(
    ("kind", "type_", "args", "expected"),
    [
        ("ACCEL", "f32[128, 3]", "-n 128", {"n": 128}),
        ("accel", "f32[128, 3]", "--samples=128", {"n": 128}),
        (
            "SOUND",
            "i16[16000]",
            "--hz 16000 --sample-duration-ms 1000",
            {"hz": 16000, "sample_duration_ms": 1000},
        ),
        (
            "sound",
            "i16[4000]",
            "--frequency 8000 --sample-duration 0.5",
            {"hz": 8000, "sample_duration_ms": 500},
        ),
        ("RAW", "f32[1]", "--length 4 --source 1", {"length": 4, "source": 1}),
        ("RAND", "u8[7]", "", {}),
        (
            "IMAGE",
            "u8[1, 96, 96, 1]",
            "--height 96 --width 96 --pixel-format @PixelFormat::GrayScale",
            {"height": 96, "width": 96, "pixel_format": 2},
        ),
        ("IMAGE", "u8[2, 3, 3]", "--height 2 --width 3 --pixel-format RGB8", None),
        ("FLOAT_IMAGE", "f32[2, 2, 3]", "--height 2 --width @1*2 --pixel-format 1", None),
    ],
)
def test_parameters_of_capabilities(
    kind: str, type_: str, args: str, expected: dict[str, int] | None, analyse_in: Analyse
) -> None:
    text = legacy(f"CAPABILITY<{type_}> x {kind} {args}", "OUT serial", "RUN x serial")
    analysis = analyse_in(*text)
    assert analysis.warnings == ()
    (capability,) = analysis.pipeline.capabilities
    assert capability.kind is CapabilityKind[kind.upper()]
    if expected is not None:
        assert capability.parameters == expected


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("@PixelFormat::RGB", 0),
        ("RGB", 0),
        ("0", 0),
        ("@PixelFormat::BGR", 1),
        ("@runic_types::PixelFormat::GrayScale", 2),
        ("2", 2),
    ],
)
def test_pixel_formats(spelling: str, value: int, analyse_in: Analyse) -> None:
    text = HEAD + "  x: {capability: IMAGE, outputs: [{type: u8, dimensions: [4]}], "
    text += f"args: {{pixel-format: '{spelling}'}}}}\n  serial: {{out: serial, inputs: [x]}}\n"
    assert analyse_in(text).pipeline.capabilities[0].parameters == {"pixel_format": value}


def test_float_image_has_two_spellings(analyse_in: Analyse) -> None:
    for kind in ("float-image", "FLOAT_IMAGE"):
        text = HEAD + f"  x: {{capability: {kind}, outputs: [{{type: f32}}]}}\n"
        text += "  serial: {out: TENSOR, inputs: [x]}\n"
        pipeline = analyse_in(text).pipeline
        assert pipeline.capabilities[0].kind is CapabilityKind.FLOAT_IMAGE
        assert pipeline.outputs[0].kind is OutputKind.TENSOR


# Arguments and resources.


@pytest.mark.parametrize(
    "value",
    ["'a\\nb'", '"a\\nb\\n"', "[a, b]", "$WORDS", "$FILE"],
)
@pytest.mark.parametrize("key", ["wordlist", "labels"])
def test_labels_come_in_many_forms(key: str, value: str, analyse_in: Analyse, folder: Path) -> None:
    value = value.replace("'a\\nb'", '"a\\nb"')
    (folder / "words.txt").write_text("a\nb\n")
    text = HEAD + "  x: {capability: RAW, outputs: [{type: u8}]}\n"
    text += f"  l: {{proc-block: label, inputs: [x], args: {{{key}: {value}}}}}\n"
    text += "  serial: {out: serial, inputs: [l]}\n"
    text += 'resources:\n  WORDS: {inline: "a\\nb"}\n  FILE: {path: ./words.txt}\n'
    pipeline = analyse_in(text).pipeline
    name = value.removeprefix("$")
    is_named = value.startswith("$")
    words = pipeline.proc_blocks[0].arguments["wordlist"]
    assert words == (ResourceWords(name) if is_named else ("a", "b"))
    assert list(pipeline.resources) == ([name] if is_named else [])


def test_a_product_is_worked_out(analyse_in: Analyse) -> None:
    text = legacy(
        "CAPABILITY<f32> x RAW",
        "PROC_BLOCK<f32, f32> m hotg-ai/rune#proc_blocks/modulo --modulus @4*90",
        "OUT serial",
        "RUN x m serial",
    )
    assert analyse_in(*text).pipeline.proc_blocks[0].arguments == {"modulus": 360.0}


def test_models_whose_files_hold_the_same_bytes_are_one_resource(
    analyse_in: Analyse, folder: Path
) -> None:
    (folder / "copy.tflite").write_bytes((folder / "sine.tflite").read_bytes())
    text = HEAD + "  x: {capability: RAW, outputs: [{type: f32}]}\n"
    text += "  b: {model: ./sine.tflite, inputs: [x]}\n  a: {model: ./sine.tflite, inputs: [b]}\n"
    text += "  c: {model: ./copy.tflite, inputs: [a]}\n  d: {model: $NET, inputs: [c]}\n"
    text += "  serial: {out: serial, inputs: [d]}\n"
    # What a resource holds may be given again at run time: the files stay what they are.
    text += "resources:\n  NET: {type: binary, path: ./sine.tflite}\n"
    pipeline = analyse_in(text).pipeline
    assert [model.resource for model in pipeline.models] == ["b", "b", "b", "NET"]
    assert list(pipeline.resources) == ["NET", "b"]


def test_two_models_from_one_resource_share_it(analyse_in: Analyse) -> None:
    text = HEAD + "  x: {capability: RAW, outputs: [{type: f32}]}\n"
    text += "  b: {model: $NET, inputs: [x]}\n  a: {model: $NET, inputs: [b]}\n"
    text += "  serial: {out: serial, inputs: [a]}\n"
    text += "resources:\n  NET: {type: binary, path: ./sine.tflite}\n"
    pipeline = analyse_in(text).pipeline
    assert [model.resource for model in pipeline.models] == ["NET", "NET"]
    assert list(pipeline.resources) == ["NET"]


def test_an_error_says_nothing_of_unused_stages(diagnose: Diagnose) -> None:
    text = HEAD + "  x: {capability: RAW, outputs: [{type: f32}]}\n"
    text += "  serial: {out: serial, inputs: [y]}\n"
    assert [item.code for item in diagnose(text)] == ["R0102"]


def test_everything_wrong_is_said_in_source_order(diagnose: Diagnose) -> None:
    path = Path(__file__).parent / "invalid" / "several-mistakes-at-once.yml"
    said = diagnose(path.read_text(encoding="utf-8"))
    lines = [item.span.line for item in said if item.span is not None]
    assert lines == sorted(lines)
    assert len(said) == 5


def test_the_same_text_gives_the_same_pipeline(analyse_in: Analyse) -> None:
    text = HEAD + "  x: {capability: RAW, outputs: [{type: f32}]}\n"
    text += "  m: {model: ./sine.tflite, inputs: [x]}\n  serial: {out: serial, inputs: [m]}\n"
    assert analyse_in(text) == analyse_in(text)
