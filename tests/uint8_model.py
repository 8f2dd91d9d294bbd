"""A model of uint8, as converters of before 2019 wrote them: today's tflite-micro refuses it."""

from __future__ import annotations

import functools

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tests.backends.operator_models import Model, Tensor, constant

INPUT, OUTPUT = "u8[1, 96, 96, 1]", "u8[1, 1, 1, 3]"


@functools.cache
def uint8_model() -> bytes:
    """Return a .tflite of one CONV_2D over a whole picture: `INPUT` to `OUTPUT`.

    The tensors are those of the original platform's person_detection.
    """
    generator = np.random.default_rng(8)
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideW = options.strideH = options.dilationWFactor = options.dilationHFactor = 1
    picture = Tensor("uint8", (1, 96, 96, 1), scales=(0.0078125,), zero_points=(128,))
    weights = constant(
        generator.integers(0, 256, (3, 96, 96, 1), np.uint8), scales=(0.01,), zero_points=(127,)
    )
    bias = constant(
        np.array([200, -300, 0], np.int32), scales=(0.0078125 * 0.01,), zero_points=(0,)
    )
    scores = Tensor("uint8", (1, 1, 1, 3), scales=(2.0,), zero_points=(100,))
    return Model("CONV_2D", (picture, weights, bias), (scores,), options).write()
