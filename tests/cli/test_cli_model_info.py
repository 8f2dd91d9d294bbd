from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import shape_models
from tests.originals import EXAMPLES, HOTG, needing

SINE = EXAMPLES / "sine/sinemodel.tflite"
MICROSPEECH = HOTG / "microspeech" / "model.tflite"


def test_the_text_begins_as_the_original_prints_it(runec: Callable[..., Any]) -> None:
    done = runec("model-info", SINE)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "Ops: 5\nInputs:\n\tangle: Float32[1, 1]\nOutputs:\n\tIdentity: Float32[1, 1]\n"
    )
    assert "\tFULLY_CONNECTED: version 4\n" in done.stdout
    assert "File: 3528 bytes\n" in done.stdout


def test_json_agrees_with_another_reader(runec: Callable[..., Any]) -> None:
    from tflite_micro.python.tflite_micro import runtime

    told = json.loads(runec("model-info", SINE, "--format", "json").stdout)
    interpreter = runtime.Interpreter.from_bytes(SINE.read_bytes())
    for role, details in (
        ("inputs", interpreter.get_input_details(0)),
        ("outputs", interpreter.get_output_details(0)),
    ):
        (tensor,) = told[role]
        assert tensor["dims"] == [int(size) for size in details["shape"]]
        assert tensor["element_kind"].lower() == details["dtype"].__name__
    assert told["arena_bytes"] % 16 == 0
    assert told["file_bytes"] == SINE.stat().st_size


def test_the_short_option_of_the_original_is_taken(runec: Callable[..., Any]) -> None:
    assert json.loads(runec("model-info", SINE, "-f", "json").stdout)["ops"] == 5
    assert json.loads(runec("model-info", "-f", "json", "nowhere").stderr)["code"] == "R1003"


def test_quantisation_is_printed(runec: Callable[..., Any]) -> None:
    said = runec("model-info", EXAMPLES / "microspeech" / "model.tflite").stdout
    assert "Quantisation:\n\tsound: scale 0.1000000014" in said
    assert ", zero point -128\n\tIdentity: scale 0.00390625, zero point -128\n" in said


@needing("microspeech/model.tflite")
def test_the_originals_golden_result_holds(runec: Callable[..., Any]) -> None:
    told = json.loads(runec("model-info", MICROSPEECH, "--format", "json").stdout)
    kept = {
        role: [{key: item[key] for key in ("name", "element_kind", "dims")} for item in told[role]]
        for role in ("inputs", "outputs")
    }
    assert {**kept, "ops": told["ops"]} == {
        "inputs": [{"name": "Reshape", "element_kind": "Int8", "dims": [1, 1960]}],
        "outputs": [{"name": "labels_softmax", "element_kind": "Int8", "dims": [1, 6]}],
        "ops": 4,
    }
    assert told["inputs"][0]["scale"] > 0
    assert "Quantisation:\n\tReshape: scale " in runec("model-info", MICROSPEECH).stdout


def test_shapes_that_litert_found_are_shown(runec: Callable[..., Any], here: Path) -> None:
    (here / "x.tflite").write_bytes(shape_models.top_k())
    said = runec("model-info", "x.tflite").stdout
    assert "Outputs:\n\tt2: Float32[400]\n\tt3: Int32[400]\n" in said
    assert "\nOutput shapes: determined by LiteRT\n" in said
    told = json.loads(runec("model-info", "x.tflite", "-f", "json").stdout)
    assert [item["dims"] for item in told["outputs"]] == [[400], [400]]
    assert told["shapes_learned"] is True


def test_a_shape_that_depends_on_data_has_no_number(runec: Callable[..., Any], here: Path) -> None:
    (here / "x.tflite").write_bytes(shape_models.places())
    said = runec("model-info", "x.tflite").stdout
    assert "\tt3: Int64[...]\n" in said
    assert "\nKnown at run time only; declare the size in the Runefile: t3\n" in said
    told = json.loads(runec("model-info", "x.tflite", "-f", "json").stdout)
    assert told["outputs"][0]["dims"] is None


def test_what_the_build_folds_is_listed(runec: Callable[..., Any], here: Path) -> None:
    (here / "x.tflite").write_bytes(shape_models.keras_reshape())
    said = runec("model-info", "x.tflite").stdout
    assert said.startswith("Ops: 5\nInputs:\n\tt0: Float32[1, 12]\n")
    assert "Open input shapes:\n\tt0: f32[?, 12]\n" in said
    assert "\nFolded when a rune is built: PACK, SHAPE, STRIDED_SLICE\n" in said


def test_without_litert_the_file_is_shown(
    runec: Callable[..., Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    (here / "x.tflite").write_bytes(shape_models.top_k())
    done = runec("model-info", "x.tflite")
    assert done.code == 0
    assert "\tt2: Float32[...]\n" in done.stdout
    assert "warning[R0321]" in done.stderr


def test_what_floats_are_clamped_to_is_told(
    runec: Callable[..., Any], here: Path, make_tflite: Callable[..., bytes]
) -> None:
    tensors = {"x": "FLOAT32", "q": ("INT8", [0.1], [-28]), "n": "FLOAT32", "y": "FLOAT32"}
    operators = [("QUANTIZE", "x", "q"), ("NEG", "n", "y")]
    (here / "x.tflite").write_bytes(make_tflite(2, tensors, operators, "nx", "qy"))
    said = runec("model-info", "x.tflite").stdout
    assert (
        "Clamped before the conversion to integers:\n\tx: -10 to 15.5, NaN to 0\nOperators:" in said
    )
    told = json.loads(runec("model-info", "x.tflite", "-f", "json").stdout)
    ends = [float(np.float32(steps) * np.float32(0.1)) for steps in (-100, 155)]
    assert [item["clamped_to"] for item in told["inputs"]] == [None, ends]
    (here / "n.tflite").write_bytes(
        make_tflite(2, {"n": "FLOAT32", "y": "FLOAT32"}, [("NEG", "n", "y")], "n", "y")
    )
    assert "Clamped" not in runec("model-info", "n.tflite").stdout


@pytest.mark.parametrize("data", [b"", b"not a model", b"\0\0\0\0TFL3", b"\x1c\0\0\0TFL3" * 9])
def test_what_is_no_model_is_told(runec: Callable[..., Any], here: Path, data: bytes) -> None:
    (here / "x.tflite").write_bytes(data)
    done = runec("model-info", "x.tflite")
    assert (done.code, done.stdout) == (1, "")
    assert "error[R031" in done.stderr
    assert "]: x.tflite: " in done.stderr


def c_source(data: bytes) -> str:
    return f"const unsigned char g_model[] = {{{', '.join(map(hex, data))}}};\n"


def test_a_model_is_extracted_from_c_source(runec: Callable[..., Any], here: Path) -> None:
    (here / "a model.h").write_text(c_source(SINE.read_bytes()))
    refused = runec("model-info", "a model.h")
    assert refused.code == 1
    assert "C source with a model as a C array (g_model)" in refused.stderr
    assert "`runec model-info 'a model.h' --extract 'a model.tflite'`" in refused.stderr
    (here / "noop" / "x.yml").write_text(
        "version: 1\nimage: runicos/base\npipeline:\n"
        "  i: {capability: RAW, outputs: [{type: f32}]}\n"
        "  m: {model: ../a model.h, inputs: [i]}\n  o: {out: serial, inputs: [m]}\n"
    )
    checked = runec("check", "noop/x.yml", "--allow-outside").stdout
    assert "`runec model-info 'noop/../a model.h' --extract 'noop/../a model.tflite'`" in checked
    done = runec("model-info", "a model.h", "--extract", "model.tflite")
    assert (done.code, done.stdout) == (0, runec("model-info", SINE).stdout)
    assert done.stderr == "wrote model.tflite: the array g_model, 3528 bytes\n"
    assert (here / "model.tflite").read_bytes() == SINE.read_bytes()


def test_extracting_writes_over_nothing_else(runec: Callable[..., Any], here: Path) -> None:
    (here / "x.h").write_text(c_source(SINE.read_bytes()))
    for name in ("x.h", "."):
        done = runec("model-info", "x.h", "--extract", name)
        assert done.code == 1
        assert f"error[R1107]: {name} already exists" in done.stderr
    assert (here / "x.h").read_text() == c_source(SINE.read_bytes())
    for _ in range(2):  # the same bytes are not a change
        assert runec("model-info", "x.h", "--extract", "y.tflite").code == 0


def test_only_a_whole_model_is_extracted(runec: Callable[..., Any], here: Path) -> None:
    (here / "x.h").write_text(c_source(SINE.read_bytes()[:100]))
    done = runec("model-info", "x.h", "--extract", "y.tflite")
    assert "error[R0311]: x.h: the model is damaged" in done.stderr
    (here / "x.h").write_text("int main;")
    done = runec("model-info", "x.h", "--extract", "y.tflite")
    assert "error[R0315]: x.h: no array in it holds a model" in done.stderr
    assert not (here / "y.tflite").exists()
    assert runec("model-info", "x.h", "--array", "a").code == 2


def test_a_folder_is_no_model(runec: Callable[..., Any], here: Path) -> None:
    (here / "saved").mkdir()
    (here / "saved" / "saved_model.pb").touch()
    done = runec("model-info", "saved")
    assert done.code == 1
    assert "error[R0310]: saved: this is not a TensorFlow Lite model, but a folder" in done.stderr
    assert "from_saved_model" in done.stderr


@pytest.mark.parametrize("verb", ["build", "check", "run", "fmt", "graph", "inspect"])
def test_a_pointer_in_the_place_of_any_file_is_named(
    runec: Callable[..., Any], here: Path, verb: str
) -> None:
    (here / "x.rune").write_text("version https://git-lfs.github.com/spec/v1\nsize 7\n")
    done = runec(verb, "x.rune")
    assert done.code == 1
    assert "a Git LFS pointer" in done.stderr
    assert "git lfs pull" in done.stderr


@pytest.mark.parametrize("verb", ["build", "check", "run", "fmt", "graph"])
def test_a_model_in_the_place_of_a_runefile_is_told_for_what_it_is(
    runec: Callable[..., Any], here: Path, verb: str
) -> None:
    (here / "x.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(1 << 20))
    done = runec(verb, "x.tflite")
    assert (done.code, done.stdout) == (1, "")
    assert "x.tflite is not a Runefile: it is a TensorFlow Lite model" in done.stderr
    assert "runec model-info" in done.stderr


def test_a_rune_in_the_place_of_a_runefile_is_told_for_what_it_is(
    runec: Callable[..., Any], noop_rune: Path
) -> None:
    done = runec("build", noop_rune)
    assert done.code == 1
    assert "error[R0002]" in done.stderr
    assert "noop.rune is not a Runefile: it is WebAssembly, such as a .rune" in done.stderr


def test_a_model_in_the_place_of_a_rune_is_told_for_what_it_is(
    runec: Callable[..., Any], here: Path
) -> None:
    (here / "x.tflite").write_bytes(b"\x1c\0\0\0TFL3" * 9)
    done = runec("inspect", "x.tflite")
    assert done.code == 1
    assert "error[R0601]: x.tflite: this is not a .rune, but a TensorFlow Lite model" in done.stderr


def test_the_engines_and_boards_of_a_model_are_shown(runec: Callable[..., Any]) -> None:
    said = runec("model-info", SINE).stdout
    assert "Engines:\n\ttflite-micro: yes\n\tLiteRT: yes\n\tdevices: yes\nBoards: " in said
    told = json.loads(runec("model-info", SINE, "-f", "json").stdout)
    assert set(told["engines"].values()) == {None}
    assert "netduinoplus2" in told["boards"]
    assert "bluepill_f103c8" not in told["boards"], "64 KiB of flash hold no engine"
