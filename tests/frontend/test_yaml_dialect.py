"""The YAML dialect: what its values mean, and where they stand."""

from __future__ import annotations

import pytest

from runec.diagnostics import Diagnostics, SourceFile
from runec.frontend.ast import Argument, CapabilityNode, Document, ModelNode, ResourceRef, Text
from runec.frontend.yaml_dialect import parse_yaml_dialect

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"


def parsed(text: str) -> Document:
    diagnostics = Diagnostics()
    document = parse_yaml_dialect(SourceFile("Runefile.yml", text), diagnostics)
    diagnostics.raise_if_errors()
    return document


def argument(value: str) -> Argument:
    stage = parsed(f"{HEAD}  x:\n    capability: RAW\n    args:\n      key: {value}\n").stages[0]
    return stage.arguments[0]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        # Rust's Display, which the original used: 360.0 is "360".
        ("360.0", "360"),
        ("360", "360"),
        ("-2.50", "-2.50"),
        ("0.5", "0.5"),
        (".5", ".5"),
        ("-.0", "-.0"),
        ("1e-7", "1e-7"),
        ("0x10", "16"),
        ("0o17", "15"),
        ("'360.0'", "360.0"),
        ("'  padded '", "padded"),
        ("word", "word"),
        ('"@PixelFormat::GrayScale"', "@PixelFormat::GrayScale"),
        ("|\n        Wing\n        Ring\n", "Wing\nRing"),
        (">\n        Wing\n        Ring\n", "Wing Ring"),
        ('"true"', "true"),
    ],
)
def test_argument_values_are_texts_as_the_original_printed_them(written: str, text: str) -> None:
    value = argument(written).value
    assert isinstance(value, Text)
    assert value.text == text


@pytest.mark.parametrize(
    "written", ["[Wing, 'Ring', 1]", "\n        - Wing\n        - Ring\n        - 1"]
)
def test_a_list_of_labels_is_a_tuple_of_texts(written: str) -> None:
    value = argument(written).value
    assert isinstance(value, tuple)
    assert [word.text for word in value] == ["Wing", "Ring", "1"]


def test_a_dollar_names_a_resource_in_quotes_or_without() -> None:
    for written in ("$LABELS", "'$LABELS'"):
        value = argument(written).value
        assert isinstance(value, ResourceRef)
        assert value.name == "LABELS"


def test_every_word_of_a_stage_knows_its_place() -> None:
    text = HEAD + "  audio:\n    capability: SOUND\n    args:\n      hz: 16000\n"
    text += "    outputs:\n      - type: I16\n        dimensions: [1, 16000]\n"
    (stage,) = parsed(text).stages
    assert isinstance(stage, CapabilityNode)
    assert stage.outputs is not None
    (type_,) = stage.outputs
    assert type_.element is not None
    spans = {
        "audio": (stage.name.span, 4, 3),
        "SOUND": (stage.kind.span, 5, 17),
        "hz": (stage.arguments[0].key.span, 7, 7),
        "16000": (stage.arguments[0].value_span, 7, 11),
        "I16": (type_.element.span, 9, 15),
        "1": (type_.dimensions[0].span, 10, 22),
    }
    for word, (span, line, column) in spans.items():
        assert (span.text, span.line, span.column) == (word, line, column)


def test_both_spellings_of_an_argument_name_are_one_argument() -> None:
    text = HEAD + "  x: {capability: IMAGE, args: {pixel-format: 0, pixel_format: 0}}\n"
    first, second = parsed(text).stages[0].arguments
    assert first.name == second.name == "pixel_format"
    assert first.key.text == "pixel-format"


def test_an_input_without_a_number_means_output_0() -> None:
    text = HEAD + "  x: {out: serial, inputs: [fft, fft.2, my-stage.10]}\n"
    (stage,) = parsed(text).stages
    assert not isinstance(stage, CapabilityNode)
    assert [(ref.name, ref.index) for ref in stage.inputs] == [
        ("fft", 0),
        ("fft", 2),
        ("my-stage", 10),
    ]


def test_resources_are_strings_unless_they_say_binary() -> None:
    text = HEAD + "  x: {capability: RAW}\nresources:\n"
    text += "  A: {inline: ' kept as it is '}\n  B: {type: binary, path: ./b.bin}\n  C:\n"
    a, b, c = parsed(text).resources
    assert (a.kind, a.inline and a.inline.text) == (None, " kept as it is ")
    assert (b.kind and b.kind.text, b.path and b.path.text) == ("binary", "./b.bin")
    assert (c.kind, c.inline, c.path) == (None, None, None)


def test_stages_keep_the_order_of_the_file() -> None:
    text = HEAD + "".join(f"  {name}: {{capability: RAW}}\n" for name in "zebra")
    assert [stage.name.text for stage in parsed(text).stages] == list("zebra")


def test_what_looks_like_a_space_inside_a_file_name_belongs_to_it() -> None:
    text = f"{HEAD}  x: {{model: ./a\u00a0\u201cb\u201d.tflite, inputs: [y]}}\n"
    (stage,) = parsed(text).stages
    assert isinstance(stage, ModelNode)
    assert stage.model == Text("./a\u00a0\u201cb\u201d.tflite", stage.model.span)


def test_what_looks_like_a_space_beside_a_value_is_one() -> None:
    text = f"{HEAD}  x:\n    capability: RAW\u00a0\n"
    text += "    outputs: [{type: u8, dimensions: [1,\u00a02]}]\n"
    (stage,) = parsed(text).stages
    assert isinstance(stage, CapabilityNode)
    assert stage.kind.text == "RAW"
    assert stage.outputs is not None
    assert [item.value for item in stage.outputs[0].dimensions] == [1, 2]


STAGE = "    capability: RAW\n    outputs:\n      - {type: u8, dimensions: [1]}\n"


@pytest.mark.parametrize("char", ["\u00a0", "\u2003", "\u200b", "\ufeff"])
@pytest.mark.parametrize(
    ("line", "column"), [(line, at) for line in (5, 6, 7) for at in range(1, 7 if line == 7 else 5)]
)
def test_what_looks_like_a_space_in_an_indentation_is_named(
    char: str, line: int, column: int
) -> None:
    """Also where YAML takes it for a part of the key, and where it cannot be read far below."""
    lines = (HEAD + "  x:\n" + STAGE).split("\n")
    row = lines[line - 1]
    lines[line - 1] = row[: column - 1] + char + row[column:]
    for below in ("", "\n".join(f"  y{n}: {{capability: RAW}}" for n in range(9)) + "\n  z: [\n"):
        diagnostics = Diagnostics()
        text = "\n".join(lines) + below
        parse_yaml_dialect(SourceFile("Runefile.yml", text), diagnostics)
        (error,) = diagnostics
        assert error.code == "R0003"
        assert f"U+{ord(char):04X}" in error.message
        assert error.span is not None
        assert (error.span.line, error.span.column) == (line, column)


def test_what_looks_like_a_space_in_a_text_of_lines_belongs_to_it() -> None:
    text = HEAD + "  x:\n" + STAGE + "resources:\n  A:\n    inline: |\n      a\n      \u00a0b\n"
    (resource,) = parsed(text).resources
    assert resource.inline is not None
    assert resource.inline.text == "a\n\u00a0b\n"
