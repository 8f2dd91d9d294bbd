"""The example folders themselves: complete, and telling what an independent reference computes."""

import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runec.models import ModelFile

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/Runefile.yml"))
GOLDEN_SCRIPTS = sorted(EXAMPLES.glob("*/train/golden.py"))
INPUT_KINDS = {"raw", "accelerometer", "sound", "image"}

# The newest versions that the firmware's TensorFlow Lite Micro (July 2020) registers:
# tensorflow/lite/micro/kernels/all_ops_resolver.cc there.
OPERATOR_VERSIONS = {
    "AVERAGE_POOL_2D": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 2,
    "FULLY_CONNECTED": 4,
    "MAX_POOL_2D": 2,
    "QUANTIZE": 1,
    "RESHAPE": 1,
    "SOFTMAX": 2,
}


def runs_of(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "conformance.toml").read_text(encoding="utf-8")
    runs: list[dict[str, Any]] = tomllib.loads(text)["run"]
    return runs


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The script `train/golden.py` of an example, imported with its folder on the path."""
    script: Path = request.param
    before = set(sys.modules)
    wrote_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(script.parent))
    try:
        spec = importlib.util.spec_from_file_location("golden", script)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(script.parent))
        sys.dont_write_bytecode = wrote_bytecode
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin is not None and Path(origin).parent == script.parent:
                del sys.modules[name]


@pytest.mark.parametrize(
    "golden", GOLDEN_SCRIPTS, ids=lambda path: path.parents[1].name, indirect=True
)
def test_committed_expectations_are_what_numpy_and_tflite_micro_compute(golden: ModuleType) -> None:
    folder = Path(str(golden.__file__)).parents[1]
    given = [path.read_bytes() for path in folder.glob("input.*")] or [golden.DEFAULT_SEED]
    expected = (folder / "expected.jsonl").read_text(encoding="utf-8")
    assert [expected] == [golden.line(each) + "\n" for each in given]
    for run in runs_of(folder):
        if "random" in run:
            lines = [golden.line(run["random"], index) for index in range(run["repeats"])]
            assert run["expected"] == lines
            continue
        (path,) = [path for kind in INPUT_KINDS for path in run.get(kind, ())]
        assert set(run["expected"]) == {golden.line((folder / path).read_bytes())}, path


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_an_example_is_complete(folder: Path) -> None:
    for name in ("Runefile", "README.md", "conformance.toml", "expected.jsonl"):
        assert (folder / name).is_file(), name
    takes_files = any(INPUT_KINDS & set(run) for run in runs_of(folder))
    assert len(list(folder.glob("input.*"))) == takes_files
    assert (folder / "expected.jsonl").read_text(encoding="utf-8").endswith("}\n")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_an_example_lists_every_input_and_a_line_for_each_repeat(folder: Path) -> None:
    listed, seeds = set(), set()
    for run in runs_of(folder):
        assert set(run) <= INPUT_KINDS | {"random", "repeats", "expected"}
        assert len(run["expected"]) == run.get("repeats", 1)
        listed |= {folder / path for kind in INPUT_KINDS for path in run.get(kind, ())}
        seeds |= {run["random"]} if "random" in run else set()
    assert listed == {*folder.glob("inputs/*"), *folder.glob("input.*")}
    assert len(listed | seeds) >= 4, "the input and at least three more"


@pytest.mark.parametrize(
    "path",
    sorted(EXAMPLES.glob("*/*.tflite")),
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_a_models_operators_are_in_the_firmwares_tensorflow_lite_micro(path: Path) -> None:
    for operator in ModelFile(path.read_bytes()).info.operators:
        assert operator.version <= OPERATOR_VERSIONS[operator.name]
