"""Results stay within their tensors for any output of a model."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from runec.container import Rune, read_rune
from runec.diagnostics import RuneError
from runec.models import ModelFile
from runec.pipeline import CapabilityKind, TensorType
from runec.vm import Inputs, run_rune
from runec.vm.host_model import HostModel
from tests import shape_models

if TYPE_CHECKING:
    from tests.vm.conftest import MakeRune, Sketch

MakeLegacy = Callable[..., bytes]


def numbers(folder: Path, values: Any) -> Inputs:
    path = folder / "input.bin"
    path.write_bytes(np.asarray(values, "<f4").tobytes())
    return Inputs(raw=(path,))


def net_rune(
    make_rune: MakeRune, sketch: type[Sketch], model: bytes, given: str, returned: str
) -> Rune:
    """RAW -> net -> SERIAL as `runec build` writes it, with the model as it is."""
    sizes = [TensorType.parse(text).size_bytes for text in (given, returned)]
    call = f"""
        (drop (call $request_provider_response (i32.const 4096) (i32.const {sizes[0]})
            (i32.const 1)))
        (i32.store (i32.const 1040) (i32.const 4096))
        (i32.store (i32.const 1048) (i32.const 1064))
        (drop (call $rune_model_infer (i32.const 2) (i32.const 1040) (i32.const 1048)))
        (drop (call $consume_output (i32.const 3) (i32.const 1064) (i32.const {sizes[1]})))
        (i32.const 0)"""
    manifest = """
        (drop (call $request_capability (i32.const 5)))
        (drop (call $rune_model_open (i32.const 1056) (i32.const 3)))
        (drop (call $request_output (i32.const 1)))"""
    plan = sketch(
        capabilities=(("input", CapabilityKind.RAW, given),),
        model=("net", returned),
        outputs=(("serial", (1,)),),
        resources={"net": model},
        used=16384,
    )
    return make_rune(call, manifest, plan, '(data (i32.const 1056) "net")')


def elements(line: str) -> list[Any]:
    ((tensor,),) = json.loads(line).values()
    found: list[Any] = tensor["elements"]
    return found


@pytest.mark.parametrize("count", [0, 2, 4, 8])
def test_a_result_of_another_size_than_declared_ends_the_run(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path, count: int
) -> None:
    rune = net_rune(make_rune, sketch, shape_models.places(), "f32[8]", "i64[3, 1]")
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, numbers(tmp_path, [1] * count + [-1] * (8 - count))))
    assert caught.value.code == "R0731"
    assert caught.value.message == (
        f"the model net returned {count} elements for its output 0, which is i64[3, 1]"
    )


def test_a_result_of_the_declared_size_is_taken(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path
) -> None:
    rune = net_rune(make_rune, sketch, shape_models.places(), "f32[8]", "i64[3, 1]")
    (line,) = run_rune(rune, numbers(tmp_path, [-1, 1, -1, 1, 1, -1, -1, -1]))
    assert elements(line) == [1, 3, 4]


def test_a_rune_of_an_older_build_does_not_overwrite_its_memory(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path
) -> None:
    """It declares one element, as runec once wanted; the kernel writes 512."""
    rune = net_rune(make_rune, sketch, shape_models.without_shape("ABS"), "f32[512]", "f32[1]")
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, numbers(tmp_path, np.ones(512))))
    assert caught.value.code == "R0714"
    assert "said tensors would be f32[1], the model has f32[512]" in caught.value.message


def test_a_file_without_shapes_takes_the_runes(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path
) -> None:
    rune = net_rune(make_rune, sketch, shape_models.without_shape("ABS"), "f32[512]", "f32[512]")
    (line,) = run_rune(rune, numbers(tmp_path, -np.arange(512)))
    assert elements(line) == list(range(512))


def test_an_open_batch_takes_the_runes(
    make_rune: MakeRune, sketch: type[Sketch], tmp_path: Path
) -> None:
    model = shape_models.keras_reshape()
    rune = net_rune(make_rune, sketch, model, "f32[5, 12]", "f32[1, 3, 4]")
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, numbers(tmp_path, np.ones(60))))
    assert caught.value.code == "R0714"


def test_a_model_nobody_has_a_shape_for_is_refused() -> None:
    with pytest.raises(RuneError) as caught:
        HostModel("net", ModelFile(shape_models.top_k()), None, lambda *_: None)
    assert caught.value.code == "R0732"


# --- legacy runes ------------------------------------------------------------------------------

MODEL_AT = 4096
IN_AT, OUT_AT = 8192, 16384


def legacy_of_2020(
    make_legacy: MakeLegacy, model: bytes, sizes: tuple[int, int], counts: tuple[int, int]
) -> Rune:
    """`tfm_preload_model` with numbers of elements; the output is a JSON text of its own."""
    manifest = f"""
        (drop (call $request_capability (i32.const 5)))
        (drop (call $tfm_preload_model (i32.const {MODEL_AT}) (i32.const {len(model)})
            (i32.const {counts[0]}) (i32.const {counts[1]})))
        (drop (call $request_output (i32.const 1)))"""
    end = OUT_AT + sizes[1]
    call = f"""
        (drop (call $request_provider_response (i32.const {IN_AT}) (i32.const {sizes[0]})
            (i32.const 0)))
        (drop (call $tfm_model_invoke (i32.const 1) (i32.const {IN_AT}) (i32.const {sizes[0]})
            (i32.const {OUT_AT}) (i32.const {sizes[1]})))
        (if (i32.ne (i32.load (i32.const {end})) (i32.const 7)) (then unreachable))
        (if (f32.ne (f32.load (i32.const {end - 4})) (f32.const 3)) (then unreachable))
        (drop (call $consume_output (i32.const 2) (i32.const 64) (i32.const 6)))"""
    data = {64: b'"Ring"', end: struct.pack("<I", 7), MODEL_AT: model}
    return read_rune(make_legacy(manifest, call, data, "0.2.0"))


def test_numbers_of_elements_are_not_numbers_of_tensors(
    make_legacy: MakeLegacy, tmp_path: Path
) -> None:
    model = shape_models.without_shape("ABS", 128)
    rune = legacy_of_2020(make_legacy, model, (512, 512), (128, 4))
    assert list(run_rune(rune, numbers(tmp_path, [-3] * 128))) == ['{"2":"Ring"}']


def test_a_legacy_buffer_of_another_size_is_not_written(
    make_legacy: MakeLegacy, tmp_path: Path
) -> None:
    model = shape_models.without_shape("ABS", 128)
    rune = legacy_of_2020(make_legacy, model, (512, 16), (128, 4))
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, numbers(tmp_path, [-3] * 128)))
    assert caught.value.code == "R0714"


def test_a_model_of_several_outputs_is_not_one_of_2020(make_legacy: MakeLegacy) -> None:
    rune = legacy_of_2020(make_legacy, shape_models.top_k(), (2048, 1600), (1, 1))
    with pytest.raises(RuneError) as caught:
        list(run_rune(rune, Inputs()))
    assert caught.value.code == "R0716"
    assert "1 inputs and 2 outputs" in caught.value.message


@pytest.mark.parametrize(("shape", "code"), [(b"i32[400]", None), (b"i32[001]", "R0731")])
def test_a_later_legacy_rune_declares_what_its_model_lacks(
    make_legacy: MakeLegacy, tmp_path: Path, shape: bytes, code: str | None
) -> None:
    """As the public rune of mobile_object_localizer, whose outputs have no shape in the file."""
    model, mime = shape_models.top_k(), b"application/tflite-model"
    said = b'{"type_name":"f32","channel":3,"elements":[0.5],"dimensions":[1]}'
    manifest = f"""
        (drop (call $request_capability (i32.const 5)))
        (drop (call $rune_model_load (i32.const 512) (i32.const {len(mime)})
            (i32.const {MODEL_AT}) (i32.const {len(model)})
            (i32.const 544) (i32.const 1) (i32.const 552) (i32.const 2)))
        (drop (call $request_output (i32.const 1)))"""
    call = f"""
        (drop (call $request_provider_response (i32.const {IN_AT}) (i32.const 2048)
            (i32.const 1)))
        (drop (call $rune_model_infer (i32.const 2) (i32.const 640) (i32.const 644)))
        (if (f32.ne (f32.load (i32.const {OUT_AT})) (f32.const 511)) (then unreachable))
        (drop (call $consume_output (i32.const 3) (i32.const 700) (i32.const {len(said)})))"""
    data = {
        512: mime,
        544: struct.pack("<6I", 576, 8, 592, 8, 608, 8),
        576: b"f32[512]",
        592: b"f32[400]",
        608: shape,
        640: struct.pack("<3I", IN_AT, OUT_AT, OUT_AT + 1600),
        700: said,
        MODEL_AT: model,
    }
    rune = read_rune(make_legacy(manifest, call, data))
    lines = run_rune(rune, numbers(tmp_path, np.arange(512)))
    if code is None:
        assert len(list(lines)) == 1
        return
    with pytest.raises(RuneError) as caught:
        list(lines)
    assert caught.value.code == code


def test_an_input_whose_value_is_no_shape_is_reported() -> None:
    """RESHAPE to what an input requests: 8 elements do not become 3 x 3."""
    model = shape_models.ModelSketch()
    given, shape = model.tensor("f4", [8]), model.tensor("i4", [2])
    result = model.tensor("f4", [2, 4])
    model.operator("RESHAPE", [given, shape], [result])
    data = ModelFile(model.written([given, shape], [result]))
    ready = HostModel("net", data, None, lambda *_: None)
    values = np.arange(8, dtype="<f4").tobytes()
    assert ready.infer([values, struct.pack("<2i", 2, 4)]) == [values]
    with pytest.raises(RuneError) as caught:
        ready.infer([values, struct.pack("<2i", 3, 3)])
    assert caught.value.code == "R0713"
    assert "check the inputs that hold shapes" in str(caught.value.hint)
