from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runec.diagnostics import Diagnostic

TEXT = """\
version: 1
image: runicos/base
pipeline:
  x: {capability: RAW, outputs: [{type: f32, dimensions: [1, 2]}]}
  net: {model: ./net.tflite, inputs: [x]}
  serial: {out: serial, inputs: [net]}
"""


def test_a_scale_that_cannot_be_is_told_where_the_model_is_named(
    diagnose: Callable[..., tuple[Diagnostic, ...]],
    folder: Path,
    make_tflite: Callable[..., bytes],
) -> None:
    tensors = {"x": "FLOAT32", "q": ("INT8", [-0.5], [0])}
    (folder / "net.tflite").write_bytes(make_tflite(2, tensors, [("QUANTIZE", "x", "q")]))
    (found,) = diagnose(TEXT)
    assert found.code == "R0311"
    assert found.span is not None
    assert (found.span.line, found.span.column) == (5, 16)
    assert "QUANTIZE has the scale -0.5 and the zero point 0" in found.message
