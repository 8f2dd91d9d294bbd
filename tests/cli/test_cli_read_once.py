"""A command reads models and block descriptions once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec import files
from runec.diagnostics import MachineError
from runec.models import ModelFile
from runec.models.flatbuffer import Table
from runec.vm.host_model import HostModel
from tests import shape_models

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RUNEFILE = """\
version: 1
image: runicos/base
pipeline:
  angle: {capability: RAW, outputs: [{type: f32, dimensions: [1, 1]}]}
  mine: {proc-block: ./mine, inputs: [angle], args: {modulus: 360.0}}
  again: {proc-block: ./mine, inputs: [angle], args: {modulus: 180.0}}
  first: {model: sine.tflite, inputs: [mine]}
  second: {model: copy.tflite, inputs: [again]}
  third: {model: $SINE, inputs: [mine]}
  serial: {out: serial, inputs: [first, second, third]}
resources:
  SINE: {path: sine.tflite, type: binary}
"""


class Reads:
    """How often the root of each model was parsed, and each `block.toml` read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.roots: Counter[bytes] = Counter()
        self.descriptions: Counter[Path] = Counter()
        open_table, read_regular = Table.open, files.read_regular

        def counted_open(data: bytes, at: int) -> Table:
            self.roots[data] += at == int.from_bytes(data[:4], "little")
            return open_table(data, at)

        def counted_read(path: Path, *arguments: Any) -> bytes:
            self.descriptions[path] += path.name == "block.toml"
            return read_regular(path, *arguments)

        monkeypatch.setattr(Table, "open", counted_open)
        monkeypatch.setattr(files, "read_regular", counted_read)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A pipeline with a block of the user's own and a model, each used more than once."""
    blocks = EXAMPLES.parent / "runec" / "proc_blocks" / "blocks"
    shutil.copytree(blocks / "modulo", tmp_path / "mine")
    for name in ("sine.tflite", "copy.tflite"):
        shutil.copy(EXAMPLES / "sine" / "sinemodel.tflite", tmp_path / name)
    (tmp_path / "Runefile.yml").write_text(RUNEFILE)
    return tmp_path


def stop(*_arguments: object) -> None:
    raise MachineError("R0821", "that is far enough")


@pytest.mark.parametrize(
    "verb",
    [
        ("build", "PROJECT", "-o", "PROJECT/x.rune"),
        ("check", "PROJECT", "--board", "all"),
        ("firmware", "new", "PROJECT", "-b", "netduinoplus2", "-d", "PROJECT/firmware"),
        ("firmware", "build", "PROJECT", "-b", "netduinoplus2", "-b", "esp32c3", "-d", "PROJECT/f"),
        ("run", "PROJECT", "--raw", "PROJECT/input.bin", "--on", "emulator:netduinoplus2"),
        ("run", "PROJECT", "--raw", "PROJECT/input.bin"),
        ("graph", "PROJECT"),
    ],
    ids=" ".join,
)
def test_a_command_reads_each_file_once(
    runec: Callable[..., Any],
    project: Path,
    reads: Reads,
    monkeypatch: pytest.MonkeyPatch,
    verb: tuple[str, ...],
) -> None:
    monkeypatch.setattr("runec.firmware.build._build", stop)
    (project / "input.bin").write_bytes(bytes(4))
    done = runec(*(word.replace("PROJECT", str(project)) for word in verb))
    assert done.code == 0 or "that is far enough" in done.stderr, done.stderr
    assert reads.descriptions[project / "mine" / "block.toml"] == 1
    (sine,) = {(project / name).read_bytes() for name in ("sine.tflite", "copy.tflite")}
    assert reads.roots == {sine: 1}


def test_a_model_that_is_folded_is_parsed_once_as_it_was_and_once_as_it_is(
    runec: Callable[..., Any], tmp_path: Path, reads: Reads
) -> None:
    (tmp_path / "model.tflite").write_bytes(shape_models.keras_reshape())
    given = ModelFile(shape_models.keras_reshape()).info.inputs[0].type
    assert given is not None
    reads.roots.clear()
    (tmp_path / "Runefile.yml").write_text(
        "version: 1\nimage: runicos/base\npipeline:\n"
        f"  x: {{capability: RAW, outputs: [{{type: {given.element.value}, "
        f"dimensions: {list(given.dimensions)}}}]}}\n"
        "  y: {model: model.tflite, inputs: [x]}\n  out: {out: serial, inputs: [y]}\n"
    )
    done = runec("build", tmp_path, "-o", tmp_path / "x.rune")
    assert done.code == 0, done.stderr
    assert set(reads.roots.values()) == {1}


def test_the_process_that_executes_a_model_parses_it_once(reads: Reads) -> None:
    data = (EXAMPLES / "sine" / "sinemodel.tflite").read_bytes()
    HostModel("sine", ModelFile(data), None, lambda *_: None)
    assert reads.roots == {data: 1}
