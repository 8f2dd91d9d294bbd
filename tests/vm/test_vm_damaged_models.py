"""Damaged models with a valid digest: an error without a traceback.

The libraries read parts of a file in Python that runec does not look at.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runec.diagnostics import RuneError
from runec.models import ModelFile
from runec.vm.host_model import HostModel
from runec.vm.litert import LitertModel
from runec.vm.tflm import RefusedError, TflmModel

SINE = Path(__file__).resolve().parents[2] / "examples" / "sine" / "sinemodel.tflite"
# Where, what, and what the library's reader raised.
PATCHES = {
    "struct.error": (124, b"\xff\xff\xff\x7f"),
    "struct.error, first table": (28, b"\xff\xff\xff\xff"),
    "TypeError": (72, b"\x01"),
    "TypeError, negative": (64, b"\xf0\xff\xff\xff"),
}


def patched(at: int, change: bytes) -> bytes:
    data = SINE.read_bytes()
    return data[:at] + change + data[at + len(change) :]


@pytest.mark.parametrize("name", PATCHES)
def test_a_damaged_model_is_reported(name: str) -> None:
    with pytest.raises(RuneError) as caught:
        HostModel("net", ModelFile(patched(*PATCHES[name])), None, lambda _what, _hint: None)
    assert caught.value.code == "R0713"
    message = caught.value.message
    assert message.startswith(
        "the model net cannot be run: the model is damaged: the library cannot read it"
    )
    # Of Python nothing: no exception, no traceback.
    assert not re.search(r"Error|Traceback|struct|unpack|None", message)
    assert ("at byte " in message) == (name == "struct.error, first table")
    assert caught.value.notes == ()
    assert "export the model again" in str(caught.value.hint)


class Broken:
    """Stands for a library's interpreter that stumbles while it runs."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> object:
        raise self._error


@pytest.mark.parametrize("kind", [TflmModel, LitertModel])
@pytest.mark.parametrize("error", [KeyError("x"), IndexError("x"), AttributeError("x")])
def test_whatever_a_library_raises_is_reported(
    kind: type[TflmModel | LitertModel], error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = HostModel("net", ModelFile(SINE.read_bytes()), None, lambda _what, _hint: None)
    try:
        if kind is TflmModel:
            tried: TflmModel | LitertModel = TflmModel(
                "net", ModelFile(SINE.read_bytes()), model.inputs, model.outputs
            )
        else:
            tried = LitertModel("net", SINE.read_bytes(), model.inputs, model.outputs)
    except (RefusedError, ImportError):
        pytest.skip("this library is not installed")
    monkeypatch.setattr(tried, "_interpreter", Broken(error))
    data = [bytes(item.size_bytes) for item in model.inputs]
    if kind is LitertModel:
        monkeypatch.setattr(tried, "_inputs", [{"shape": (1, 1), "index": 0}])
    with pytest.raises(RuneError, match="the model is damaged"):
        tried.infer(data)
    monkeypatch.setattr(tried, "_interpreter", Broken(MemoryError()))
    with pytest.raises(MemoryError):
        tried.infer(data)
