"""audio_frontend against TensorFlow's micro frontend, and against NumPy where sound is drawn."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.pipeline import TensorType
from runec.proc_blocks import BlockMismatch, Catalogue

if TYPE_CHECKING:
    from tests.proc_blocks.conftest import Use

ROOM = Path(__file__).resolve().parent
PROJECT = ROOM.parents[1]
# The first example of a use compiles it, which takes longer than an example may.
BRIEFLY = settings(deadline=None, max_examples=12)


def script(path: Path) -> ModuleType:
    """A Python file that is part of no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look for themselves there
    spec.loader.exec_module(module)
    return module


vectors = script(ROOM / "audio_frontend_vectors.py")
numpy_frontend = script(PROJECT / "examples" / "microspeech" / "train" / "frontend.py")
CASES = {case.name: case for case in vectors.cases()}
with np.load(vectors.VECTORS) as archive:
    TENSORFLOWS = {name: archive[name] for name in archive.files}

each_case = pytest.mark.parametrize("name", CASES)


def run(use: Use, name: str, element: str = "u16") -> np.ndarray:
    """The frames that the block makes of a case's sound in one run."""
    frames, channels = TENSORFLOWS[name].shape
    block = use(
        "audio_frontend",
        f"i16[{len(CASES[name].sound)}]",
        declared=(f"{element}[{frames}, {channels}]",),
        frames=frames,
        **CASES[name].arguments,
    ).restart()
    return block.array(CASES[name].sound).reshape(frames, channels)


@each_case
def test_the_frames_of_a_sound_are_tensorflows(use: Use, name: str) -> None:
    np.testing.assert_array_equal(run(use, name), TENSORFLOWS[name])


@each_case
def test_the_numpy_frontends_frames_are_tensorflows(name: str) -> None:
    frontend = numpy_frontend.MicroFrontend(**CASES[name].arguments)
    np.testing.assert_array_equal(frontend.process(CASES[name].sound), TENSORFLOWS[name])


def test_every_case_has_its_vector() -> None:
    assert TENSORFLOWS.keys() == CASES.keys()


@each_case
def test_as_i8_the_values_are_scaled_as_micro_speech_does(use: Use, name: str) -> None:
    # (v * 256 + 333) / 666 - 128, as micro_speech's features_generator has it, in exact fractions.
    wanted = [
        min(max((int(v) * 256 + 333) // 666 - 128, -128), 127) for v in TENSORFLOWS[name].ravel()
    ]
    assert run(use, name, "i8").ravel().tolist() == wanted


@pytest.mark.parametrize("piece", [160, 320, 500, 4000])
def test_a_sound_in_pieces_gives_the_frames_of_the_whole(use: Use, piece: int) -> None:
    sound, wanted = CASES["sweep"].sound[:4000], TENSORFLOWS["sweep"]
    block = use("audio_frontend", f"i16[{piece}]", declared=("u16[5, 40]",), frames=5).restart()
    silence = np.zeros((5, 40), np.uint16)
    for end in range(piece, len(sound) + 1, piece):
        complete = max(0, (end - 480) // 320 + 1)
        got = block.array(sound[end - piece : end]).reshape(5, 40)
        np.testing.assert_array_equal(got, np.concatenate([silence, wanted[:complete]])[-5:])


def test_the_second_run_goes_on_where_the_first_one_ended(use: Use) -> None:
    sound = CASES["whisper to shout"].sound
    frontend = numpy_frontend.MicroFrontend()
    block = use("audio-frontend", "i16[16000]", declared=("u16[49, 40]",)).restart()
    for _ in range(3):
        wanted = frontend.process(sound)[-49:]
        np.testing.assert_array_equal(block.array(sound).reshape(49, 40), wanted)


def test_before_any_sound_there_is_silence(use: Use) -> None:
    got = use("audio_frontend", "i16[479]", declared=("i8[49, 40]",)).restart().array([9000] * 479)
    assert got.tolist() == [-128] * 1960


@pytest.mark.parametrize("count", [2000, 600])
def test_windows_that_do_not_touch_skip_what_lies_between(use: Use, count: int) -> None:
    arguments = {"window_ms": 10, "stride_ms": 25, "channels": 12}
    sound = CASES["sweep"].sound
    frontend = numpy_frontend.MicroFrontend(**arguments)
    block = use(
        "audio_frontend", f"i16[{count}]", declared=("u16[2, 12]",), frames=2, **arguments
    ).restart()
    last = np.zeros((2, 12), np.uint16)
    for at in range(0, 6000, count):
        last = np.concatenate([last, frontend.process(sound[at : at + count])])[-2:]
        np.testing.assert_array_equal(
            block.array(sound[at : at + count]).reshape(2, 12), last, strict=True
        )
    # What the stream gives is what windows cut out by hand give.
    cut = np.concatenate([sound[at : at + 160] for at in range(0, 6000 - 160 + 1, 400)])
    by_hand = numpy_frontend.MicroFrontend(**(arguments | {"stride_ms": 10})).process(cut)
    np.testing.assert_array_equal(last, by_hand[-2:])


@BRIEFLY
@given(data=st.data())
def test_any_samples_give_numpys_frames(use: Use, data: st.DataObject) -> None:
    block = use(
        "audio_frontend", "i16[800]", declared=("u16[4, 40]",), frames=4, stride_ms=10
    ).restart()
    frontend = numpy_frontend.MicroFrontend(stride_ms=10)
    last = np.zeros((4, 40), np.uint16)
    for _ in range(2):
        # Runs of equal samples shrink well and reach the extremes of every stage.
        levels = data.draw(st.lists(st.integers(-32768, 32767), min_size=1, max_size=800))
        sound = np.resize(np.array(levels, np.int16), 800)
        last = np.concatenate([last, frontend.process(sound)])[-4:]
        np.testing.assert_array_equal(block.array(sound).reshape(4, 40), last)


def test_a_pitch_that_rounds_to_the_end_of_the_spectrum_is_refused(use: Use) -> None:
    below_8000 = float(np.nextafter(np.float32(8000), np.float32(0)))
    block = use("audio_frontend", "i16[480]", declared=("u16[49, 40]",), upper_hz=below_8000)
    done = block.restart().run(bytes(960))
    assert done.status == block.number
    assert done.messages == [
        "the block: lower_hz must be less than upper_hz, and upper_hz less than half of sample_rate"
    ]


@pytest.mark.parametrize("shape", ["[49, 40]", "[1, 49, 40, 1]", "[1, 1960]", "[1960]"])
def test_the_output_has_any_shape_with_as_many_elements(use: Use, shape: str) -> None:
    block = use("audio_frontend", "i16[16000]", declared=(f"i8{shape}",))
    assert str(block.outputs[0].type) == f"i8{shape}"


def test_an_output_with_fewer_elements_is_refused() -> None:
    block = Catalogue.builtin().find("audio_frontend")
    assert block is not None
    sound = TensorType.parse("i16[16000]")
    with pytest.raises(BlockMismatch) as refused:
        block.resolve([sound], [TensorType.parse("i8[48, 40]")], {})
    assert refused.value.code == "R0415"
