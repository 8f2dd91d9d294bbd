from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted(path for path in PROJECT.glob("examples/*/Runefile*") if path.is_file())
INVALID = PROJECT / "tests" / "frontend" / "invalid"
SINE = PROJECT / "examples" / "sine"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_examples_have_nothing_wrong(runec: Callable[..., Any], path: Path) -> None:
    done = runec("check", path)
    assert done.code == 0
    assert "no errors" in done.stderr


def test_all_errors_are_the_result_and_the_exit_code_says_so(runec: Callable[..., Any]) -> None:
    done = runec("check", INVALID / "R0001-two-mistakes.Runefile")
    assert done.code == 1
    assert done.stdout.count("error[R0001]") == 2
    assert "^" in done.stdout
    assert "2 errors, no warnings" in done.stderr
    assert "runec explain R0001" in done.stderr


def test_a_warning_is_told_and_fails_nothing(runec: Callable[..., Any]) -> None:
    done = runec("check", INVALID / "R0109-block-without-version.yml")
    assert done.code == 0
    assert "warning[R0109]" in done.stdout
    assert "no errors, 1 warning" in done.stderr


def test_programs_get_an_object_a_line(runec: Callable[..., Any]) -> None:
    done = runec("check", INVALID / "R0001-two-mistakes.Runefile", "--format", "json")
    assert (done.code, done.stderr) == (1, "")
    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == ["R0001", "R0001"]


def test_the_runefile_of_the_folder_is_checked_and_nothing_written(
    runec: Callable[..., Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here / "noop")
    before = sorted(Path().rglob("*"))
    done = runec("check")
    assert (done.code, done.stdout) == (0, "")
    assert "Runefile.yml: no errors, no warnings" in done.stderr
    assert sorted(Path().rglob("*")) == before


def test_a_folder_without_a_runefile_is_told(runec: Callable[..., Any], here: Path) -> None:
    assert list(here.iterdir())
    done = runec("check")
    assert done.code == 1
    assert "error[R1103]" in done.stderr
    assert "runec check path/to" in done.stderr


def test_paths_can_start_elsewhere(runec: Callable[..., Any], tmp_path: Path) -> None:
    example = PROJECT / "examples" / "sine"
    copy = tmp_path / "Runefile.yml"
    copy.write_text((example / "Runefile.yml").read_text())
    assert runec("check", copy).code == 1, "the model is not there"
    assert runec("check", copy, "--current-dir", example).code == 0


def with_model(folder: Path, model: bytes, element: str = "f32", size: int = 4) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.tflite").write_bytes(model)
    path = folder / "Runefile.yml"
    path.write_text(f"""version: 1
image: runicos/base
pipeline:
  x: {{capability: RAW, outputs: [{{type: {element}, dimensions: [1, {size}]}}]}}
  net: {{model: ./model.tflite, inputs: [x]}}
  serial: {{out: serial, inputs: [net]}}
""")
    return path


@pytest.mark.parametrize(
    ("operator", "hint"),
    [
        ("ethos-u", "use the model from before Vela"),
        ("edgetpu-custom-op", "use the model from before the Edge TPU compiler"),
        ("FlexErf", "convert the model without SELECT_TF_OPS"),
        ("PosenetDecoderOp", "end the model before the custom operator PosenetDecoderOp"),
    ],
)
def test_a_model_that_no_engine_runs_is_an_error_that_names_the_operator(
    runec: Callable[..., Any],
    here: Path,
    make_custom: Callable[[str], bytes],
    operator: str,
    hint: str,
) -> None:
    path = with_model(here / "accelerated", make_custom(operator), "i8")
    done = runec("check", path)
    assert done.code == 1
    assert 'error[R0325]: "net": no engine runs the model: ' in done.stdout
    assert f": it uses the custom operator {operator}\n" in done.stdout
    assert hint in done.stdout
    assert f"note: LiteRT: it has no operator {operator}" in done.stdout
    assert "int8" not in done.stdout.replace("model.tflite", "")
    error, model = map(json.loads, runec("check", path, "-f", "json").stdout.splitlines())
    assert (error["code"], model["model"]) == ("R0325", "net")
    assert model["engines"]["LiteRT"] == f"it has no operator {operator}"
    assert None not in model["engines"].values()
    built = runec("build", path)
    assert built.code == 1
    assert "error[R0325]" in built.stderr
    told = runec("model-info", path.parent / "model.tflite")
    assert f"\ttflite-micro: no, it has no operator {operator}\n" in told.stdout
    assert hint in told.stderr


def test_who_runs_a_model_is_printed_and_in_json(
    runec: Callable[..., Any], here: Path, make_tflite: Callable[..., bytes]
) -> None:
    tensors = {"x": "UINT8", "y": "UINT8"}
    model = make_tflite(4, tensors, [("NEG", "x", "y")])
    kinds = {"x": "FLOAT32", "y": "FLOAT32"}
    done = runec("check", with_model(here / "neg", make_tflite(4, kinds, [("NEG", "x", "y")])))
    assert "net: runs on tflite-micro, LiteRT, devices\n" in done.stderr
    path = with_model(here / "elu", make_tflite(4, kinds, [("ELU", "x", "y")]))
    assert "net: runs on tflite-micro (LiteRT: it has no operator ELU; devices: it has no ELU)" in (
        runec("check", path).stderr
    )
    (line,) = runec("check", path, "--format", "json").stdout.splitlines()
    assert json.loads(line) == {
        "model": "net",
        "engines": {
            "tflite-micro": None,
            "LiteRT": "it has no operator ELU",
            "devices": "it has no ELU",
        },
    }
    refused = runec("check", with_model(here / "unsigned", model, "u8"))
    assert "error[R0325]" in refused.stdout
    assert "note: tflite-micro: it has no NEG of uint8" in refused.stdout


def test_the_boards_with_the_memory_for_a_model_are_named(runec: Callable[..., Any]) -> None:
    done = runec("check", SINE, "--board", "esp32c3", "--board", "bluepill_f103c8")
    assert (done.code, done.stdout) == (0, "")
    assert "sine: fits esp32c3\n" in done.stderr
    done = runec("check", SINE, "-b", "all", "--format", "json")
    (line,) = done.stdout.splitlines()
    boards = json.loads(line)["boards"]
    assert "netduinoplus2" in boards
    assert "bluepill_f103c8" not in boards
    none = runec("check", SINE, "--board", "bluepill_f103c8")
    assert "sine: fits none of the boards\n" in none.stderr
    unknown = runec("check", SINE, "--board", "esp33")
    assert (unknown.code, "error[R0802]" in unknown.stderr) == (2, True)
