"""Trains `../model.tflite`: 64 x 64 grey pixels in, two probabilities out, all in int8.

    python train.py     # about seven minutes on one core

The network is a narrow MobileNet (Howard and others, "MobileNets", 2017): a convolution, five
pairs of depthwise and pointwise convolutions, a mean over what is left, a softmax; 0.3 million
multiplications, 7,600 weights. It sees pictures that `pictures.py` draws, and no photograph.
Pixels enter as they are, 0 to 255, so that the int8 model's input has the scale 1 and the zero
point -128.

Everything is seeded. Run `golden.py` afterwards: it writes what the example must print.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # read once, while TensorFlow is imported

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from pictures import ELSEWHERE, LABELS, SIZE, TRAINING, Place, data_set
from tflite_micro.python.tflite_micro import runtime

MODEL = Path(__file__).resolve().parents[1] / "model.tflite"
TRAINING_SEED, VALIDATION_SEED, HELD_OUT_SEED, ELSEWHERE_SEED = 1, 2, 3, 4
TRAINING_COUNT, VALIDATION_COUNT, HELD_OUT_COUNT = 8000, 250, 1000  # of each label
EPOCHS = 13
# Channels and stride of each pair of convolutions.
PAIRS = [(16, 2), (24, 2), (32, 1), (48, 2), (64, 1)]


def build() -> tf.keras.Model:
    """Make the untrained network."""
    layers = tf.keras.layers

    def normalized() -> list[tf.keras.layers.Layer]:
        return [layers.BatchNormalization(), layers.ReLU(6.0)]

    stack = [
        layers.Input((SIZE, SIZE, 1)),
        layers.Conv2D(8, 3, 2, "same", use_bias=False),
        *normalized(),
    ]
    for channels, stride in PAIRS:
        stack += [
            layers.DepthwiseConv2D(3, stride, "same", use_bias=False),
            *normalized(),
            layers.Conv2D(channels, 1, use_bias=False),
            *normalized(),
        ]
    stack += [
        layers.AveragePooling2D(SIZE // 16),
        layers.Dropout(0.1),
        layers.Conv2D(len(LABELS), 1),
        layers.Softmax(),
        layers.Reshape((len(LABELS),)),
    ]
    return tf.keras.Sequential(stack)


def fit(model: tf.keras.Model) -> None:
    """Train on drawn pictures, printing the accuracy on others after each epoch."""
    pictures, labels = data_set(TRAINING_SEED, TRAINING_COUNT, TRAINING)
    pictures = np.concatenate([pictures, pictures[:, :, ::-1]])  # and in a mirror
    labels = np.tile(labels, 2)
    seen, named = data_set(VALIDATION_SEED, VALIDATION_COUNT, TRAINING)
    batch = 64

    def batches(source: tf.data.Dataset) -> tf.data.Dataset:
        return source.batch(batch).map(lambda x, y: (tf.cast(x, tf.float32), y))

    data = tf.data.Dataset.from_tensor_slices((pictures, labels))
    rate = tf.keras.optimizers.schedules.CosineDecay(0.004, EPOCHS * len(labels) // batch)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        batches(data.shuffle(len(labels), seed=1)),
        epochs=EPOCHS,
        validation_data=batches(tf.data.Dataset.from_tensor_slices((seen, named))),
        verbose=2,
    )


def examples() -> Iterator[list[np.ndarray]]:
    """Pictures by which the converter chooses the scales, with the darkest and brightest pixel."""
    pictures, _ = data_set(TRAINING_SEED, 150, TRAINING)
    pictures[0, 0, :2, 0] = 0, 255
    for picture in pictures:
        yield [picture[None].astype(np.float32)]


def convert(model: tf.keras.Model) -> bytes:
    """Freeze the network into an int8 .tflite whose batch is 1: every shape is a constant."""
    head = tf.keras.Model(model.inputs, model.layers[-2].output)  # without the reshape
    signature = tf.TensorSpec((1, SIZE, SIZE, 1), tf.float32)
    function = tf.function(lambda picture: head(picture, training=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def confusion(model: bytes, seed: int, place: Place) -> np.ndarray:
    """Count [label, answer] of the finished model on pictures that training did not see."""
    interpreter = runtime.Interpreter.from_bytes(model)
    counts = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for picture, label in zip(*data_set(seed, HELD_OUT_COUNT, place), strict=True):
        interpreter.set_input((picture[None].astype(np.int16) - 128).astype(np.int8), 0)
        interpreter.invoke()
        counts[label, np.argmax(interpreter.get_output(0))] += 1
    return counts


def main() -> None:
    """Train, convert, measure, write."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(2020)
    network = build()
    fit(network)
    model = convert(network)
    print(f"{len(model)} bytes")
    for name, seed, place in (
        ("held out", HELD_OUT_SEED, TRAINING),
        ("elsewhere", ELSEWHERE_SEED, ELSEWHERE),
    ):
        counts = confusion(model, seed, place)
        print(f"{name}: accuracy {counts.trace() / counts.sum():.4f}")
        for label, row in zip(LABELS, counts, strict=True):
            print(f"{label:>12}: {dict(zip(LABELS, row.tolist(), strict=True))}")
    MODEL.write_bytes(model)


if __name__ == "__main__":
    main()
