"""Trains `../sinemodel.tflite`: one angle in radians in, its sine out, in int8 between the two.

    python train.py     # about ten seconds on one core

The network has the shape of the original platform's example: three dense layers of 16, 16 and 1
units, rectified but for the last. It sees angles from 0 to 2 pi and is good nowhere else: the
block before it in the Runefile takes the remainder by 360 and leaves such angles as they are.

The weights and what flows between the layers are int8; the model itself turns the angle into int8
and the answer back into f32, so that it fits where the original platform's float model fits.

Everything is seeded. Run `golden.py` afterwards: it writes what the example must print.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # read once, while TensorFlow is imported

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from tflite_micro.python.tflite_micro import runtime

MODEL = Path(__file__).resolve().parents[1] / "sinemodel.tflite"
UNITS = 16
STEPS = 30_000
TRAINING_ANGLES = 1024
HELD_OUT_ANGLES = 4096


def build() -> tf.keras.Model:
    """Make the untrained network; its input is scaled by nothing, so the first layer learns it."""
    return tf.keras.Sequential(
        [
            tf.keras.layers.Input((1,), batch_size=1),
            tf.keras.layers.Dense(UNITS, activation="relu", bias_initializer="random_normal"),
            tf.keras.layers.Dense(UNITS, activation="relu", bias_initializer="random_normal"),
            tf.keras.layers.Dense(1),
        ]
    )


def fit(model: tf.keras.Model) -> None:
    """Minimise the squared error over an even grid of angles, all of them in every step."""
    angles = tf.constant(np.linspace(0, 2 * math.pi, TRAINING_ANGLES, dtype=np.float32)[:, None])
    sines = tf.sin(angles)
    optimizer = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(0.01, STEPS))
    optimizer.build(model.trainable_variables)

    @tf.function
    def steps(count: tf.Tensor) -> tf.Tensor:
        loss = tf.constant(0.0)
        for _ in tf.range(count):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(angles, training=True) - sines))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    print(f"mean squared error while training: {float(steps(tf.constant(STEPS))):.2e}")


def convert(model: tf.keras.Model) -> bytes:
    """Freeze the network into an int8 .tflite whose batch is 1: every shape is a constant."""

    def examples() -> Iterator[list[np.ndarray]]:
        for angle in np.linspace(0, 2 * math.pi, TRAINING_ANGLES, dtype=np.float32):
            yield [np.array([[angle]])]

    signature = tf.TensorSpec((1, 1), tf.float32)
    function = tf.function(lambda angle: model(angle, training=False)).get_concrete_function(
        signature
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples  # the scales are chosen by these
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def held_out_error(model: bytes) -> tuple[float, float]:
    """Return the mean and the largest absolute error on angles that training did not see."""
    angles = np.random.default_rng(20_20).uniform(0, 2 * math.pi, HELD_OUT_ANGLES)
    interpreter = runtime.Interpreter.from_bytes(model)
    errors = []
    for angle in angles.astype(np.float32):
        interpreter.set_input(np.array([[angle]], np.float32), 0)
        interpreter.invoke()
        errors.append(abs(float(interpreter.get_output(0)[0, 0]) - math.sin(angle)))
    return float(np.mean(errors)), max(errors)


def main() -> None:
    """Train, convert, measure, write."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(2020)
    network = build()
    fit(network)
    model = convert(network)
    mean, largest = held_out_error(model)
    print(f"{len(model)} bytes, held-out error: mean {mean:.5f}, largest {largest:.5f}")
    MODEL.write_bytes(model)


if __name__ == "__main__":
    main()
