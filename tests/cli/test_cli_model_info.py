from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
SINE = PROJECT / "examples/sine/sinemodel.tflite"
MICROSPEECH = sorted((PROJECT / "../shared/data/hotg/microspeech").glob("**/*.tflite"))


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


@pytest.mark.skipif(not MICROSPEECH, reason="the original's models are not beside the project")
def test_the_originals_golden_result_holds(runec: Callable[..., Any]) -> None:
    told = json.loads(runec("model-info", MICROSPEECH[0], "--format", "json").stdout)
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
    assert "Quantisation:\n\tReshape: scale " in runec("model-info", MICROSPEECH[0]).stdout


def test_what_floats_are_clamped_to_is_told(
    runec: Callable[..., Any], here: Path, make_tflite: Callable[..., bytes]
) -> None:
    tensors = {"x": "FLOAT32", "q": ("INT8", [0.1], [-28]), "n": "FLOAT32", "y": "FLOAT32"}
    operators = [("QUANTIZE", "x", "q"), ("NEG", "n", "y")]
    (here / "x.tflite").write_bytes(make_tflite(2, tensors, operators, "nx", "qy"))
    said = runec("model-info", "x.tflite").stdout
    assert (
        "Clamped, because it makes integers of them:\n\tx: -10 to 15.5, NaN to 0\nOperators:"
        in said
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
    assert "error[R0601]: x.tflite: this is no .rune, but a TensorFlow Lite model" in done.stderr


def test_the_engines_and_boards_of_a_model_are_shown(runec: Callable[..., Any]) -> None:
    said = runec("model-info", SINE).stdout
    assert "Engines:\n\ttflite-micro: yes\n\tLiteRT: yes\n\tdevices: yes\nBoards: " in said
    told = json.loads(runec("model-info", SINE, "-f", "json").stdout)
    assert set(told["engines"].values()) == {None}
    assert "netduinoplus2" in told["boards"]
    assert "bluepill_f103c8" not in told["boards"], "64 KiB of flash hold no engine"
