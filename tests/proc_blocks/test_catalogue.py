"""Resolution of block paths, and contents of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from runec.diagnostics import UserFileError
from runec.pipeline import TensorType
from runec.proc_blocks import BlockMismatch, Catalogue, sdk_dir

NAMES = (
    "argmax",
    "audio_float_conversion",
    "audio_frontend",
    "binary_classification",
    "control_logic",
    "debounce",
    "dequantize",
    "fft",
    "gesture_agg",
    "identity",
    "image_normalization",
    "label",
    "mean",
    "median",
    "microspeech_agg",
    "modulo",
    "most_confident_indices",
    "moving_window",
    "noise_filtering",
    "normalize",
    "object_filter",
    "ohv_label",
    "parse",
    "person_detection_agg",
    "quantize",
    "rolling_average",
    "segment_output",
    "softmax",
    "stats",
    "std_dev",
    "text_extractor",
    "threshold",
    "utf8_decode",
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("hotg-ai/proc-blocks@v0.11.3#modulo", "modulo"),
        ("hotg-ai/rune#proc_blocks/modulo", "modulo"),
        ("hotg-ai/rune@v1.2#proc_blocks/normalize", "normalize"),
        ("hotg-ai/rune@x#proc-blocks/most-confident-indices", "most_confident_indices"),
        ("https://github.com/hotg-ai/proc-blocks.git@main#ohv_label", "ohv_label"),
        ("modulo", "modulo"),
        ("most-confident-indices", "most_confident_indices"),
        ("label@0.11", "label"),
        ("debounce_confidence", "debounce"),
        ("hotg-ai/rune#proc_blocks/debounce-confidence", "debounce"),
    ],
)
def test_finds_a_block_under_the_originals_spellings(path: str, name: str) -> None:
    block = Catalogue.builtin().find(path)
    assert block is not None
    assert block.name == name
    assert (block.directory / "block.c").is_file()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "#",
        "hotg-ai/proc-blocks@v0.11.3#nonsense",
        "somebody/else#modulo",
        "./modulo",
        "../modulo",
        "hotg-ai/proc-blocks#..",
        "hotg-ai/proc-blocks#../blocks/",
        "modulo\n",
        "mödulo",
        "modulo#x#y",
    ],
)
def test_does_not_find_what_is_not_there(path: str) -> None:
    assert Catalogue.builtin().find(path) is None


def test_names_every_block_and_each_is_whole() -> None:
    catalogue = Catalogue.builtin()
    assert catalogue.names() == NAMES
    for name in NAMES:
        block = catalogue.find(name)
        assert block is not None
        assert block.description.endswith(".")
        assert all(argument.description.endswith(".") for argument in block.arguments)
        assert (block.directory / "README.md").is_file()
    assert (sdk_dir() / "rune_block.h").is_file()


def test_reads_only_the_block_that_is_asked_for(tmp_path: Path) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    (tmp_path / "good" / "block.toml").write_text(GOOD)
    (tmp_path / "bad" / "block.toml").write_text("not toml")
    catalogue = Catalogue(tmp_path)
    assert catalogue.names() == ("bad", "good")
    assert catalogue.find("good") is not None


GOOD = """
description = "A block."
stack_bytes = 0
in_place = false
[[inputs]]
elements = ["number"]
[[outputs]]
element = "input"
shape = "input"
"""


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("description = 1", "description"),
        (GOOD.replace("in_place = false", ""), "in_place"),
        (GOOD.replace("in_place", "inplace"), "inplace"),
        (GOOD.replace("stack_bytes = 0", "stack_bytes = -1"), "negative"),
        (GOOD.replace('"number"', '"numbr"'), "numbr"),
        (GOOD.replace('element = "input"', 'element = "f31"'), "f31"),
        (GOOD.replace('shape = "input"', 'shape = ["n"]'), "'n'"),
        (GOOD.replace('element = "input"', 'element = "utf8"'), "words"),
        (GOOD + '[[outputs]]\nelement = "input"\nshape = [1]\n', "output 1"),
        (GOOD.replace('element = "input"', 'element = "declared"'), "elements when, and only when"),
        (GOOD.replace('"input"', '"declared"', 1) + 'elements = ["utf8"]\n', "cannot be utf8"),
        (GOOD.replace('"input"', '"declared"', 1) + 'elements = ["f31"]\n', "f31"),
        (GOOD.replace('"number"]', '"number"]\ndimensions = ["x"]'), "'x'"),
        (GOOD.replace('shape = "input"', 'shape = ["in0.0"]'), "'in0.0'"),
        (GOOD.replace('shape = "input"', 'shape = ["in1"]'), "'in1'"),
        (GOOD + "bytes_of = 0\n", "bytes_of"),
        (GOOD.replace('"input"', '"utf8"', 1) + "bytes_of = 1\n", "bytes_of"),
        (GOOD.replace("[[outputs]]", "repeat = true\n[[inputs]]\nelements = []\n[[outputs]]"), ""),
        (GOOD + '[[arguments]]\nname = "x"\ntype = "bool"\ndescription = ""\n', "bool"),
        (
            GOOD + '[[arguments]]\nname = "x"\naliases = ["x"]\ntype = "int"\ndescription = ""',
            "duplicate name or alias of an argument: x",
        ),
        (
            'description = "A block."\nstack_bytes = 0\nin_place = true\ninputs = []\noutputs = []',
            "",
        ),
    ],
)
def test_refuses_a_description_that_is_wrong(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "block.toml").write_text(text)
    with pytest.raises(UserFileError) as caught:
        Catalogue(tmp_path).find("wrong")
    assert caught.value.code == "R0430"
    assert "wrong/block.toml" in caught.value.message
    assert part in caught.value.message
    assert caught.value.hint is not None


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000])
def test_numbers_and_brackets_without_end_are_a_wrong_description(
    tmp_path: Path, value: str
) -> None:
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "block.toml").write_text(f"stack_bytes = {value}\n")
    with pytest.raises(UserFileError) as caught:
        Catalogue(tmp_path).find("wrong")
    assert caught.value.code == "R0430"


@pytest.mark.parametrize("path", ["a" * 300, "hotg-ai/rune#proc_blocks/" + "a" * 5000])
def test_a_name_that_no_folder_can_have_is_not_found(path: str) -> None:
    assert Catalogue.builtin().find(path) is None


def test_an_output_may_take_its_type_from_the_runefile(tmp_path: Path) -> None:
    (tmp_path / "cast").mkdir()
    (tmp_path / "cast" / "block.toml").write_text(
        GOOD.replace('element = "input"', 'element = "declared"\nelements = ["integer"]')
    )
    block = Catalogue(tmp_path).find("cast")
    assert block is not None
    given, wanted = TensorType.parse("f32[2]"), TensorType.parse("i8[2]")
    assert block.resolve([given], [wanted], {}).outputs[0].type == wanted
    with pytest.raises(BlockMismatch) as caught:
        block.resolve([given], [], {})
    assert caught.value.code == "R0414"
