"""Shapes of custom operators, compared with the kernels of TensorFlow Lite Micro."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from runec.models import ModelFile
from runec.models.custom_rules import CUSTOM_RULES
from runec.models.engines import _CUSTOM, KERNELS, Engine
from runec.models.flatbuffer import MalformedError
from runec.models.flexbuffer import read_options
from runec.models.shape_rules import RULES
from runec.vm.host_model import HostModel
from tests.originals import DATA
from tests.shape_models import ModelSketch

Tensor = tuple[str, Sequence[int]]
Options = Mapping[str, Any] | None

INT16, FLOAT32 = 7, 0
# Channels 0 to 2, of which the first is scratch: starts in the input and the weights, widths.
BANK = ([0, 2, 5], [0, 2, 5], [2, 3, 3])
SMOOTH = {
    "alternate_one_minus_smoothing": 15401,
    "alternate_smoothing": 983,
    "clamping": False,
    "min_signal_remaining": 819,
    "num_channels": 4,
    "one_minus_smoothing": 15975,
    "smoothing": 409,
    "smoothing_bits": 10,
    "spectral_subtraction_bits": 14,
}
STACK = {
    "num_channels": 3,
    "stacker_left_context": 2,
    "stacker_right_context": 1,
    "stacker_step": 2,
}
DETECT = {
    "max_detections": 3,
    "max_classes_per_detection": 1,
    "nms_score_threshold": 0.1,
    "nms_iou_threshold": 0.5,
    "num_classes": 2,
    "y_scale": 10.0,
    "x_scale": 10.0,
    "h_scale": 5.0,
    "w_scale": 5.0,
}


def model(
    name: str,
    options: Options,
    inputs: Sequence[Tensor],
    results: Sequence[Tensor],
    constants: Sequence[tuple[str, Any]] = (),
    *,
    raw: bytes | None = None,
) -> bytes:
    sketch = ModelSketch()
    given = [sketch.tensor(kind, shape, is_scalar=not shape) for kind, shape in inputs]
    fixed = [sketch.constant(kind, values) for kind, values in constants]
    made = [sketch.tensor(kind, shape, is_scalar=not shape) for kind, shape in results]
    written = None if options is None else bytes(flexbuffers.Dumps(dict(options)))
    written = written if raw is None else raw
    sketch.operator(
        "CUSTOM", [*given, *fixed], made, custom_code=name.encode(), custom_options=written
    )
    # runec has no type for truth values, which some results are.
    return sketch.written(
        given, [at for at, (kind, _) in zip(made, results, strict=True) if kind != "b1"]
    )


Case = tuple[str, Options, list[Tensor], list[Tensor], list[tuple[str, Any]]]
RIGHT: dict[str, Case] = {
    "circular buffer": ("CIRCULAR_BUFFER", {"cycles_max": 1},
        [("i1", [1, 1, 1, 4])], [("i1", [1, 3, 1, 4])], []),
    "delay": ("SignalDelay", {"delay_length": 3}, [("i2", [2, 8])], [("i2", [2, 8])], []),
    "energy": ("SignalEnergy", {"end_index": 5, "start_index": 0},
        [("i2", [10])], [("u4", [5])], []),
    "auto scale": ("SignalFftAutoScale", None, [("i2", [6])], [("i2", [6]), ("i4", [])], []),
    "filter bank": ("SignalFilterBank", {"num_channels": 2}, [("u4", [8])], [("u8", [2])],
        [("i2", [1] * 8), ("i2", [2] * 8), *(("i2", each) for each in BANK)]),
    "filter bank log": ("SignalFilterBankLog", {"input_correction_bits": 3, "output_scale": 64},
        [("u4", [4])], [("i2", [4])], []),
    "spectral subtraction": ("SignalFilterBankSpectralSubtraction", SMOOTH,
        [("u4", [4])], [("u4", [4]), ("u4", [4])], []),
    "square root": ("SignalFilterBankSquareRoot", None,
        [("u8", [4]), ("i4", [])], [("u4", [4])], []),
    "framer": ("SignalFramer", {"frame_size": 6, "frame_step": 4, "prefill": True},
        [("i2", [2, 8])], [("i2", [2, 2, 6]), ("b1", [])], []),
    "inverse FFT": ("SignalIrfft", {"T": INT16, "fft_length": 16},
        [("i2", [2, 18])], [("i2", [2, 16])], []),
    "overlap": ("SignalOverlapAdd", {"T": FLOAT32, "frame_step": 2},
        [("f4", [3, 4])], [("f4", [6])], []),
    "PCAN": ("SignalPCAN", {"snr_shift": 6}, [("u4", [4]), ("u4", [4])], [("u4", [4])],
        [("i2", [1] * 125)]),
    "FFT": ("SignalRfft", {"T": FLOAT32, "fft_length": 16}, [("f4", [2, 12])], [("f4", [2, 18])],
        []),
    "stacker": ("SignalStacker", STACK, [("i2", [3])], [("i2", [12]), ("b1", [])], []),
    "window": ("SignalWindow", {"shift": 12}, [("i2", [2, 6])], [("i2", [2, 6])],
        [("i2", [4096] * 3)]),
    "detection": ("TFLite_Detection_PostProcess", DETECT,
        [("f4", [1, 5, 4]), ("f4", [1, 5, 3])],
        [("f4", [1, 3, 4]), ("f4", [1, 3]), ("f4", [1, 3]), ("f4", [1])],
        [("f4", [[0.5, 0.1 * at, 0.2, 0.2] for at in range(5)])]),
    "regular detection": ("TFLite_Detection_PostProcess", DETECT | {"use_regular_nms": True},
        [("f4", [1, 5, 4]), ("f4", [1, 5, 3])],
        [("f4", [1, 3, 4]), ("f4", [1, 3]), ("f4", [1, 3]), ("f4", [1])],
        [("f4", [[0.5, 0.1 * at, 0.2, 0.2] for at in range(5)])]),
}  # fmt: skip


def test_every_rule_has_a_case() -> None:
    assert {name for name, *_ in RIGHT.values()} == CUSTOM_RULES.keys()


def test_what_has_no_rule_is_known() -> None:
    """A kernel that is new in the wheel needs a rule, or a line here."""
    custom = _CUSTOM[Engine.TFLM] - CUSTOM_RULES.keys()
    assert custom == {"BasicClassifier", "TFLM_DECODE"}
    flow = {"ASSIGN_VARIABLE", "CALL_ONCE", "IF", "READ_VARIABLE", "VAR_HANDLE", "WHILE"}
    assert KERNELS[Engine.TFLM].keys() - RULES.keys() == flow


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_model_is_accepted_and_runs(name: str) -> None:
    data = model(*RIGHT[name])
    assert ModelFile(data).findings.objection is None
    said: list[str] = []
    host = HostModel("net", ModelFile(data), None, lambda text, _: said.append(text))
    results = host.infer([bytes([1, 0]) * (kind.size_bytes // 2) for kind in host.inputs])
    assert not any("LiteRT" in text for text in said)
    assert [len(item) for item in results] == [kind.size_bytes for kind in host.outputs]


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("by", [-1, 1, 7])
def test_results_of_another_size_are_rejected(name: str, by: int) -> None:
    operator, options, inputs, results, constants = RIGHT[name]
    for number, (kind, shape) in enumerate(results):
        for axis in range(len(shape)):
            if operator == "CIRCULAR_BUFFER" and axis == 1:
                continue  # as many as the file states
            other = [*shape[:axis], shape[axis] + by, *shape[axis + 1 :]]
            if min(other) < 1:
                continue
            wrong = [*results[:number], (kind, other), *results[number + 1 :]]
            found = ModelFile(model(operator, options, inputs, wrong, constants)).findings
            assert found.objection is not None, wrong


# What would read or write outside of the tensors: the case, and what of it changes.
OUTSIDE: list[tuple[str, dict[str, Any]]] = [
    ("circular buffer", {"inputs": [("i1", [1, 2, 1, 4])]}),
    ("circular buffer", {"inputs": [("i1", [1, 1, 1, 3])]}),
    ("circular buffer", {"results": [("i1", [12])]}),
    ("delay", {"options": {"delay_length": -1}}),
    ("delay", {"options": {"delay_length": 1 << 30}}),
    ("energy", {"options": {"end_index": 6, "start_index": 0}}),
    ("energy", {"options": {"end_index": 5, "start_index": -1}}),
    ("energy", {"options": {"end_index": (1 << 32) + 5, "start_index": 0}}),
    ("energy", {"inputs": [("i2", [11])]}),
    ("auto scale", {"inputs": [("i2", [5])]}),
    ("filter bank", {"options": {"num_channels": 3}}),
    ("filter bank", {"options": {"num_channels": -1}}),
    ("filter bank", {"bank": ([0, 2, 6], BANK[1], BANK[2])}),
    ("filter bank", {"bank": ([-1, 2, 5], BANK[1], BANK[2])}),
    ("filter bank", {"bank": (BANK[0], [0, 2, 6], BANK[2])}),
    ("filter bank", {"bank": (BANK[0], BANK[1], [2, 3, 4])}),
    ("filter bank", {"bank": (BANK[0][:2], BANK[1][:2], BANK[2][:2])}),
    ("filter bank log", {"options": {"input_correction_bits": 32, "output_scale": 64}}),
    ("spectral subtraction", {"options": SMOOTH | {"num_channels": 5}}),
    ("spectral subtraction", {"options": SMOOTH | {"smoothing_bits": -1}}),
    ("square root", {"inputs": [("u8", [4]), ("i4", [1])]}),
    ("framer", {"options": {"frame_size": 6, "frame_step": 0, "prefill": False}}),
    ("framer", {"options": {"frame_size": 6, "frame_step": 3, "prefill": False}}),
    ("framer", {"options": {"frame_size": 2, "frame_step": 4, "prefill": True}}),
    ("inverse FFT", {"options": {"T": INT16, "fft_length": 32}}),
    ("inverse FFT", {"options": {"T": INT16, "fft_length": 14}}),
    ("FFT", {"options": {"T": FLOAT32, "fft_length": 8}}),
    ("FFT", {"options": {"T": FLOAT32, "fft_length": 1 << 20}}),
    ("FFT", {"options": {"T": 9, "fft_length": 16}}),
    ("overlap", {"options": {"T": FLOAT32, "frame_step": 5}}),
    ("overlap", {"options": {"T": FLOAT32, "frame_step": 0}}),
    ("PCAN", {"constants": [("i2", [1] * 124)]}),
    ("PCAN", {"inputs": [("u4", [4]), ("u4", [3])]}),
    ("PCAN", {"options": {"snr_shift": 64}}),
    ("stacker", {"options": STACK | {"num_channels": 4}}),
    ("stacker", {"options": STACK | {"stacker_step": 5}}),
    ("stacker", {"options": STACK | {"stacker_left_context": -1}}),
    ("window", {"constants": [("i2", [1] * 5)]}),
    ("window", {"options": {"shift": 32}}),
    ("window", {"options": {"shift": 1, "size": 2}}),
    ("window", {"options": {}}),
    ("window", {"options": None}),
    ("window", {"raw": b"\xff\xff\x28\x01"}),
    ("detection", {"options": DETECT | {"max_detections": 4}}),
    ("detection", {"options": DETECT | {"max_classes_per_detection": 2}}),
    ("detection", {"options": DETECT | {"num_classes": 4}}),
    ("detection", {"options": DETECT | {"num_classes": 1}}),
    ("detection", {"constants": [("f4", [[0.5, 0.5, 0.2, 0.2]] * 4)]}),
    ("detection", {"constants": [("i1", [[1, 1, 1, 1]] * 5)]}),
    ("detection", {"inputs": [("f4", [1, 5, 3]), ("f4", [1, 5, 3])]}),
    ("detection", {"inputs": [("f4", [1, 5, 4]), ("f4", [1, 4, 3])]}),
    ("regular detection", {"options": DETECT | {"use_regular_nms": True, "max_detections": 1}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes"), OUTSIDE, ids=[str(each) for each in OUTSIDE])
def test_what_would_leave_the_tensors_is_rejected(name: str, changes: dict[str, Any]) -> None:
    operator, options, inputs, results, constants = RIGHT[name]
    if "bank" in changes:
        changes = {"constants": [*constants[:2], *(("i2", each) for each in changes["bank"])]}
    found = ModelFile(
        model(
            operator,
            changes.get("options", options),
            changes.get("inputs", inputs),
            changes.get("results", results),
            changes.get("constants", constants),
            raw=changes.get("raw"),
        )
    ).findings
    assert found.objection is not None


def test_a_table_that_is_computed_is_not_trusted() -> None:
    """Its elements are indices."""
    operator, options, inputs, results, constants = RIGHT["filter bank"]
    inputs = [*inputs, *(("i2", np.shape(values)) for _, values in constants)]
    found = ModelFile(model(operator, options, inputs, results)).findings
    assert found.unverified == ("SignalFilterBank",)


@pytest.mark.parametrize("name", ["TFLM_DECODE", "BasicClassifier", "SomethingElse"])
def test_an_operator_without_a_rule_is_not_trusted(name: str) -> None:
    found = ModelFile(model(name, None, [("i2", [4])], [("i2", [4])])).findings
    assert found.unverified == (name,)
    assert name in str(found.objection)


PREPROCESSOR = "public-models/tflite-micro_models_audio_preprocessor_float.tflite"


@pytest.mark.originals(PREPROCESSOR)
def test_the_public_preprocessor_of_speech_is_accepted() -> None:
    model = ModelFile((DATA / PREPROCESSOR).read_bytes())
    assert len({use.name for use in model.graph.operators} & CUSTOM_RULES.keys()) == 9
    assert model.findings.objection is None


NUMBERS = st.dictionaries(
    st.text("abc_", min_size=1, max_size=6),
    st.integers(-(2**31), 2**31 - 1) | st.booleans() | st.integers(-(2**62), 2**62),
    min_size=1,
    max_size=6,
)


@given(members=NUMBERS)
def test_options_are_read_as_the_library_writes_them(members: dict[str, int]) -> None:
    assert read_options(bytes(flexbuffers.Dumps(members))) == members


@given(members=NUMBERS, at=st.integers(0, 200), value=st.integers(0, 255), cut=st.integers(0, 9))
def test_damaged_options_are_rejected_or_read_within_their_bytes(
    members: dict[str, int], at: int, value: int, cut: int
) -> None:
    data = bytearray(flexbuffers.Dumps(members))
    data[at % len(data)] = value
    damaged = bytes(data[: len(data) - cut])
    try:
        found = read_options(damaged)
    except MalformedError:
        return
    # The library reads the same, so it does not leave the bytes either.
    root = flexbuffers.GetRoot(damaged).AsMap
    assert [key.AsKey for key in root.Keys] == [*found] or len(found) < len(root)


@pytest.mark.parametrize(
    "value",
    [{}, [1, 2], 7, "text", {"a": "text"}, {"a": [1]}, {"a": {"b": 1}}, {"a": None}],
)
def test_options_of_other_forms_are_rejected(value: Any) -> None:
    if value == {}:
        assert read_options(bytes(flexbuffers.Dumps(value))) == {}
        return
    with pytest.raises(MalformedError):
        read_options(bytes(flexbuffers.Dumps(value)))
