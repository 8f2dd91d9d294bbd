"""docs/runefile.md matches the compiler's tables; its examples are valid."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from runec.cli import execute
from runec.diagnostics import Diagnostic, RunecError
from runec.firmware.board_sensors import DEFAULT_HZ
from runec.frontend import analyse_text
from runec.frontend.passes.kinds import CAPABILITY_NAMES
from runec.frontend.passes.parameters import PARAMETERS
from runec.frontend.passes.types import MAX_TENSOR_BYTES
from runec.pipeline import CapabilityKind, Pipeline
from runec.proc_blocks import Catalogue
from runec.vm import inputs
from tools import runefile_page as tool

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "runefile.md"
TEXT = PAGE.read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
MARK = re.compile(r"# (R\d{4})\b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the examples name."""
    shutil.copy(PROJECT / "examples/sine/sinemodel.tflite", tmp_path / "sine.tflite")
    shutil.copy(PROJECT / "examples/gesture/model.tflite", tmp_path / "gesture.tflite")
    (tmp_path / "labels.txt").write_text("low\nhigh\n")
    return tmp_path


def diagnosed(text: str, folder: Path) -> tuple[Pipeline | None, tuple[Diagnostic, ...]]:
    try:
        analysis = analyse_text(text, "Runefile", folder, "example")
    except RunecError as error:
        return None, error.diagnostics
    return analysis.pipeline, analysis.warnings


def test_the_generated_parts_are_those_of_the_compiler() -> None:
    assert tool.page(TEXT) == TEXT, "run `make docs`"
    assert sorted(re.findall(r"<!-- begin (\w+):", TEXT)) == sorted(tool.PARTS)


def test_every_block_of_the_catalogue_has_a_row_with_a_link_to_its_page() -> None:
    names = Catalogue.builtin().names()
    rows = re.findall(r"^\| \[(\w+)\]\((\S+)\) \|", TEXT, re.MULTILINE)
    assert [name for name, _ in rows] == list(names)
    assert all((PAGE.parent / link).is_file() for _, link in rows)


def test_a_part_that_the_tool_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError):
        tool.page("<!-- begin words: x -->\n<!-- end words -->\n")


@pytest.mark.parametrize("number", range(len(FENCES)))
def test_an_example_has_the_diagnostics_that_it_marks(number: int, folder: Path) -> None:
    language, text = FENCES[number]
    assert language in ("yaml", "dockerfile")
    marked = {
        (line, code)
        for line, source in enumerate(text.splitlines(), 1)
        for code in MARK.findall(source)
    }
    pipeline, said = diagnosed(text, folder)
    places = {(item.span.line if item.span else 0, item.code) for item in said}
    assert places == marked, [str(item) for item in said]
    assert (pipeline is None) == bool(marked)


PAIRS = [
    (FENCES[index][1], FENCES[index + 1][1])
    for index in range(len(FENCES) - 1)
    if [FENCES[index][0], FENCES[index + 1][0]] == ["yaml", "dockerfile"]
    and not MARK.search(FENCES[index][1])
]


@pytest.mark.parametrize("pair", PAIRS)
def test_an_example_in_both_dialects_is_one_pipeline(pair: tuple[str, str], folder: Path) -> None:
    (yaml, _), (legacy, _) = (diagnosed(text, folder) for text in pair)
    assert yaml is not None
    assert legacy is not None
    assert yaml == legacy


def test_there_are_pairs() -> None:
    assert len(PAIRS) >= 3


def test_the_first_example_builds_and_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Runefile.yml").write_text(FENCES[0][1])
    recording = PROJECT / "examples" / "gesture" / "input.csv"
    assert execute(["run", str(folder), "--accelerometer", str(recording)]) == 0
    assert '"elements":["Ring"]' in capsys.readouterr().out


def test_the_defaults_that_the_page_states_are_those_of_a_run() -> None:
    assert PARAMETERS[CapabilityKind.ACCEL]["hz"].about.endswith(f"default {DEFAULT_HZ}")
    assert set(CAPABILITY_NAMES) == {kind.name for kind in CapabilityKind}
    assert PARAMETERS[CapabilityKind.SOUND]["hz"].about.endswith(f"default {inputs._RATE_HZ}")
    assert inputs.REQUEST_BYTES_MAX == MAX_TENSOR_BYTES
