"""The examples from end to end on the host: Runefile, .rune, run, output, in both dialects."""

import functools
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runec.codegen import compile_pipeline
from runec.container import read_rune, write_rune
from runec.frontend import analyse
from runec.vm import Inputs, run_rune
from tests.originals import EXAMPLES, HOTG, needing

FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/Runefile.yml"))
DIALECTS = ("Runefile.yml", "Runefile")
INPUT_OF_SUFFIX = {".bin": "raw", ".csv": "accelerometer", ".wav": "sound", ".png": "image"}

each_dialect = pytest.mark.parametrize("dialect", DIALECTS)
each_example = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


@dataclass(frozen=True)
class Run:
    """One `[[run]]` of an example's `conformance.toml`."""

    folder: Path
    number: int
    inputs: Inputs
    repeats: int
    expected: list[str]

    def __str__(self) -> str:
        return f"{self.folder.name}-{self.number}"


def runs_of(folder: Path) -> list[Run]:
    """The runs that an example lists."""
    text = (folder / "conformance.toml").read_text(encoding="utf-8")
    runs = []
    for number, table in enumerate(tomllib.loads(text)["run"]):
        files: dict[str, Any] = {
            kind: tuple(folder / path for path in table.get(kind, ()))
            for kind in INPUT_OF_SUFFIX.values()
        }
        inputs = Inputs(**files, random_seed=table.get("random"), random_bits=False)
        runs.append(Run(folder, number, inputs, table.get("repeats", 1), table["expected"]))
    return runs


def build(runefile: Path) -> bytes:
    """Compile a Runefile to the bytes of a .rune."""
    pipeline = analyse(runefile).pipeline
    return write_rune(pipeline, compile_pipeline(pipeline)).data


build_once = functools.cache(build)


def outputs(rune: bytes, inputs: Inputs, repeats: int = 1) -> list[str]:
    """Run the bytes of a .rune on the host."""
    return list(run_rune(read_rune(rune, source="test.rune"), inputs, repeats=repeats))


def input_of(path: Path) -> Inputs:
    """One input file, given to the capability that its suffix stands for."""
    files: dict[str, Any] = {INPUT_OF_SUFFIX[path.suffix]: (path,)}
    return Inputs(**files, random_seed=None, random_bits=False)


def copy_with_model(folder: Path, target: Path, model: Path) -> Path:
    """Copy an example and put another model in the place of its own."""
    copy = Path(shutil.copytree(folder, target / folder.name))
    (own,) = copy.glob("*.tflite")
    own.unlink()  # copies of read-only files are read-only
    shutil.copyfile(model, own)
    return copy


@each_dialect
@each_example
def test_an_example_prints_its_expected_line(folder: Path, dialect: str) -> None:
    files = [input_of(path) for path in folder.glob("input.*")]
    (inputs,) = files or [Inputs()]  # RAND takes no file
    (line,) = outputs(build_once(folder / dialect), inputs)
    assert line + "\n" == (folder / "expected.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("run", [run for folder in FOLDERS for run in runs_of(folder)], ids=str)
def test_an_example_prints_what_its_conformance_runs_list(run: Run) -> None:
    rune = build_once(run.folder / DIALECTS[0])
    assert outputs(rune, run.inputs, run.repeats) == run.expected


@each_example
def test_both_dialects_mean_the_same_pipeline(folder: Path) -> None:
    runes = [read_rune(build_once(folder / dialect), source=dialect) for dialect in DIALECTS]
    assert runes[0].code == runes[1].code
    graphs = [rune.graph for rune in runes]
    for member in ("stages", "capabilities", "models", "outputs", "resources", "tensors"):
        yaml, legacy = (getattr(graph, member) for graph in graphs)
        assert yaml == legacy, member


@each_dialect
@each_example
def test_a_build_in_another_folder_gives_the_same_bytes(
    folder: Path, dialect: str, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "another place" / folder.name))
    assert build(copy / dialect) == build_once(folder / dialect)


def test_sine_stays_within_one_kilobyte_of_code_and_four_of_memory() -> None:
    graph = read_rune(build_once(EXAMPLES / "sine" / "Runefile.yml"), source="sine").graph
    assert graph is not None
    assert graph.code_bytes <= 1024
    assert graph.memory_used <= 4096


@each_dialect
def test_noop_prints_the_originals_line(dialect: str) -> None:
    folder = EXAMPLES / "noop"
    assert outputs(build_once(folder / dialect), input_of(folder / "input.bin")) == [
        '{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}'
    ]


@needing("sine/sinemodel.tflite")
@each_dialect
def test_sine_with_the_originals_model_prints_its_line(dialect: str, tmp_path: Path) -> None:
    model = HOTG / "sine" / "sinemodel.tflite"
    folder = copy_with_model(EXAMPLES / "sine", tmp_path, model)
    assert outputs(build(folder / dialect), input_of(folder / "input.bin")) == [
        '{"3":[{"element-type":"f32","dimensions":[1,1],"elements":[0.69727874]}]}'
    ]


@needing("gesture/model.tflite", "gesture/example_ring.csv")
@each_dialect
def test_gesture_with_the_originals_model_and_recording_prints_ring(
    dialect: str, tmp_path: Path
) -> None:
    data = HOTG / "gesture"
    folder = copy_with_model(EXAMPLES / "gesture", tmp_path, data / "model.tflite")
    assert outputs(build(folder / dialect), input_of(data / "example_ring.csv")) == [
        '{"3":[{"element_type":"utf8","dimensions":[1],"elements":["Ring"]}]}'
    ]
