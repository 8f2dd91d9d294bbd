from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tflite_micro
from msgspec.structs import replace

import runec
from runec.container import CodeMap, WasmModule, load_rune, write_rune
from runec.diagnostics import UserFileError
from runec.models import ModelFile
from runec.pipeline import (
    Capability,
    CapabilityKind,
    Model,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Resource,
    ResourceWords,
    Tensor,
    TensorType,
)
from tests.blocks import known_block

if TYPE_CHECKING:
    from tests.container.conftest import Parts

SINE = Path(next(iter(tflite_micro.__path__))) / "python/tflite_micro/sine_float.tflite"


@pytest.fixture
def pipeline() -> Pipeline:
    kind = TensorType.parse("f32[1, 1]")
    raw, scaled, result = (Tensor(number, kind, 4) for number in range(3))
    model = ModelFile(SINE.read_bytes())
    words = ("a", 'b"\\\n\t')
    return Pipeline(
        "probe",
        (
            Capability("raw", CapabilityKind.RAW, {"length": 4}, (raw,)),
            ProcBlock(
                "scale",
                known_block("modulo"),
                "hotg-ai/proc-blocks@v0.11.3#modulo",
                {"modulus": 360.0, "words": words, "n": -3, "listed": ResourceWords("net")},
                (raw,),
                (scaled,),
            ),
            Model("net", "net", "tensorflow-lite", (scaled,), (result,), file=model),
            Output("serial", OutputKind.SERIAL, (result,)),
        ),
        {"net": Resource("net", model.data)},
    )


def test_the_file_is_what_an_independent_builder_makes(
    parts: Parts, pipeline: Pipeline, module: bytes
) -> None:
    parts.set_resource("net", SINE.read_bytes())
    parts.version = json.dumps({"version": runec.__version__}, separators=(",", ":")).encode()
    assert write_rune(pipeline, WasmModule(module, 1104, 1024)).data == parts.build()


def test_a_file_with_a_code_map_is_what_an_independent_builder_makes(
    parts: Parts, pipeline: Pipeline, module: bytes
) -> None:
    parts.set_resource("net", SINE.read_bytes())
    parts.add_code_map()
    parts.version = json.dumps({"version": runec.__version__}, separators=(",", ":")).encode()
    code_map = CodeMap({"scale": 9}, (1032, 1032, 1096))
    assert write_rune(pipeline, WasmModule(module, 1104, 1024, code_map)).data == parts.build()


@pytest.mark.parametrize("name_bytes", range(1, 20))
def test_the_data_of_every_resource_is_aligned(
    pipeline: Pipeline, module: bytes, name_bytes: int
) -> None:
    data = b"\xa5data\xa5"
    resources = {**pipeline.resources, "r" * name_bytes: Resource("r" * name_bytes, data)}
    file = write_rune(replace(pipeline, resources=resources), WasmModule(module, 1104, 1024)).data
    assert file.index(data) % 16 == 0
    assert file.index(SINE.read_bytes()) % 16 == 0


def test_resources_are_in_order_of_their_names_bytes(pipeline: Pipeline, module: bytes) -> None:
    names = ["\u00e9", "z", "a", "Z", "\U0001f600", "\uffff"]
    resources = {**pipeline.resources, **{name: Resource(name, b"1") for name in names}}
    rune = write_rune(replace(pipeline, resources=resources), WasmModule(module, 1104, 1024))
    assert list(rune.resources) == sorted([*names, "net"], key=str.encode)


def test_a_resource_given_at_run_time_is_listed_without_data(
    pipeline: Pipeline, module: bytes
) -> None:
    resources = {**pipeline.resources, "late": Resource("late", None)}
    rune = write_rune(replace(pipeline, resources=resources), WasmModule(module, 1104, 1024))
    assert rune.resources["late"] is None


def test_the_graph_carries_what_the_model_needs(pipeline: Pipeline, module: bytes) -> None:
    graph = write_rune(pipeline, WasmModule(module, 1104, 1024)).require_graph()
    model = graph.models["net"]
    assert (model.id, model.arena) == (2, 1264)
    assert [(item.name, item.version) for item in model.operators] == [("FULLY_CONNECTED", 1)]


def test_a_pipeline_larger_than_the_format_is_refused(pipeline: Pipeline, module: bytes) -> None:
    resources = {f"r{i}": Resource(f"r{i}", b"") for i in range(16)}
    large = replace(pipeline, resources={**pipeline.resources, **resources})
    with pytest.raises(UserFileError) as caught:
        write_rune(large, WasmModule(module, 1104, 1024))
    assert caught.value.code == "R0607"
    assert "17 resources, 16 are allowed" in caught.value.message


def test_an_arena_larger_than_the_format_can_say_is_refused(
    pipeline: Pipeline, module: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runec.models.model_file.measure_arena", lambda _: 2**31)
    with pytest.raises(UserFileError) as caught:
        write_rune(pipeline, WasmModule(module, 1104, 1024))
    assert caught.value.code == "R0607"
    assert "2147483648 bytes of arena" in caught.value.message


def test_a_module_that_does_not_fit_is_refused(pipeline: Pipeline, module: bytes) -> None:
    with pytest.raises(UserFileError) as caught:
        write_rune(pipeline, WasmModule(module, 1200, 1024))
    assert caught.value.code == "R0608"


def test_a_model_that_is_none_is_refused(pipeline: Pipeline, module: bytes) -> None:
    stages = tuple(
        replace(stage, file=ModelFile(b"no model at all")) if isinstance(stage, Model) else stage
        for stage in pipeline.stages
    )
    broken = replace(pipeline, stages=stages)
    with pytest.raises(UserFileError) as caught:
        write_rune(broken, WasmModule(module, 1104, 1024))
    assert caught.value.code == "R0310"


def test_a_rune_is_loaded_from_its_path(tmp_path: Path, pipeline: Pipeline, module: bytes) -> None:
    path = tmp_path / "probe.rune"
    path.write_bytes(write_rune(pipeline, WasmModule(module, 1104, 1024)).data)
    assert load_rune(path).name == "probe"
    with pytest.raises(UserFileError) as caught:
        load_rune(tmp_path / "none.rune")
    assert caught.value.code == "R1003"
