"""Runes as those of 2020 to 2022 with a float model of sine: what `make_original` takes of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping

MODEL_AT = 4097  # as rustc places bytes: anywhere
_MIME = b"application/tflite-model"

Bodies = tuple[str, str, dict[int, bytes]]
"""Those of `_manifest` and `_call`, and data."""


def first_generation(model: bytes, tensor: bytes) -> Bodies:
    """Of v0.3: ids from 0, `tfm_preload_model`, an output TENSOR; `tensor` is its type."""
    head = struct.pack("<I", len(tensor)) + tensor
    manifest = f"""
        (drop (call $request_capability (i32.const 5)))
        (drop (call $tfm_preload_model (i32.const {MODEL_AT}) (i32.const {len(model)})
            (i32.const 1) (i32.const 1)))
        (drop (call $request_output (i32.const 5)))"""
    call = f"""
        (drop (call $request_provider_response (i32.const 8) (i32.const 4) (i32.const 0)))
        (drop (call $tfm_model_invoke (i32.const 1) (i32.const 8) (i32.const 4)
            (i32.const {64 + len(head)}) (i32.const 4)))
        (drop (call $consume_output (i32.const 2) (i32.const 64) (i32.const {len(head) + 4})))"""
    return manifest, call, {64: head, MODEL_AT: model}


def load_model(model: bytes) -> str:
    """What loads the model in the second generation."""
    return f"""
        (drop (call $rune_model_load (i32.const 512) (i32.const {len(_MIME)})
            (i32.const {MODEL_AT}) (i32.const {len(model)})
            (i32.const 544) (i32.const 1) (i32.const 552) (i32.const 1)))"""


def second_generation(
    model: bytes, *, number_2: str, answered: str, data: Mapping[int, bytes]
) -> Bodies:
    """Of v0.11: ids from 1, a parameter, `rune_model_load`, an output SERIAL, which is number 4.

    `number_2` asks for what lies between the capability and the model; `answered` goes on with the
    model's f32 at 16; `data` begins at 720.
    """
    manifest = f"""
        (drop (call $request_capability (i32.const 5)))
        (drop (call $request_capability_set_param (i32.const 1) (i32.const 700) (i32.const 6)
            (i32.const 708) (i32.const 4) (i32.const 1)))
        {number_2} {load_model(model)}
        (drop (call $request_output (i32.const 1)))"""
    call = f"""
        (drop (call $request_provider_response (i32.const 8) (i32.const 4) (i32.const 1)))
        (drop (call $rune_model_infer (i32.const 3) (i32.const 600) (i32.const 604)))
        {answered}"""
    own = {
        512: _MIME,
        544: struct.pack("<4I", 576, 9, 588, 9),
        576: b"f32[1, 1]",
        588: b"f32[1, 1]",
        600: struct.pack("<2I", 8, 16),
        700: b"length\0\0" + struct.pack("<I", 4),
        MODEL_AT: model,
    }
    return manifest, call, {**own, **data}
