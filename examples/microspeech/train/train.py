"""Trains the model of the microspeech example and writes `../model.tflite`.

    pip install -r requirements.txt    # in an environment of its own
    apt install espeak-ng
    python train.py                    # 10 minutes on one core

Words from `recordings.py`, through TensorFlow's own micro frontend, into a small convolutional
network with depthwise layers, quantised to 8 bits. The accuracy printed at the end is the finished
.tflite's in tflite-micro, on voices that training did not hear.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # read once, while TensorFlow is imported

from pathlib import Path

import flatbuffers
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from recordings import LABELS, Spoken, data_set, speak_all
from tensorflow.lite.experimental.microfrontend.ops import gen_audio_microfrontend_op as frontend
from tensorflow.lite.python import schema_py_generated as schema
from tflite_micro.python.tflite_micro import runtime

MODEL = Path(__file__).resolve().parents[1] / "model.tflite"
FRAMES, CHANNELS = 49, 40
EPOCHS, BATCH = 14, 64
STEP = 0.1  # what one step of the model's 8-bit input stands for

Features = NDArray[np.int8]


def features(sound: NDArray[np.int16]) -> Features:
    """`i8[49, 40]`, as the block audio_frontend gives them with its default arguments."""
    values = frontend.audio_microfrontend(
        tf.constant(sound),
        sample_rate=16000,
        window_size=30,
        window_step=20,
        num_channels=CHANNELS,
        lower_band_limit=125.0,
        upper_band_limit=7500.0,
        enable_pcan=True,
        out_type=tf.uint16,
    ).numpy()
    steps: Features = np.clip((values.astype(int) * 256 + 333) // 666 - 128, -128, 127)
    return steps.astype(np.int8)


def prepare(seed: int, takes: list[Spoken], each: int) -> tuple[Features, NDArray[np.int64]]:
    """Features and labels of made-up recordings, `each` of every label."""
    sounds, labels = data_set(seed, takes, each)
    return np.stack([features(sound) for sound in sounds]), labels


def as_floats(values: Features) -> NDArray[np.float32]:
    """The numbers that the model's 8-bit inputs stand for."""
    numbers: NDArray[np.float32] = ((values.astype(np.float32) + 128) * STEP)[..., None]
    return numbers


def build() -> tf.keras.Model:
    """Make the untrained network."""
    layers = tf.keras.layers

    def convolution(filters: int, size: tuple[int, int], strides: int = 1) -> list[object]:
        return [
            layers.Conv2D(filters, size, strides, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]

    def separable(filters: int, strides: int = 1) -> list[object]:
        return [
            layers.DepthwiseConv2D((3, 3), strides, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            *convolution(filters, (1, 1)),
        ]

    return tf.keras.Sequential(
        [
            layers.Input((FRAMES, CHANNELS, 1)),
            *convolution(12, (5, 4), 2),
            *separable(24, 2),
            *separable(32),
            *separable(40, 2),
            *separable(48),
            layers.AveragePooling2D((7, 5)),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(len(LABELS), activation="softmax"),
        ]
    )


def fit(
    network: tf.keras.Model,
    training: tuple[Features, NDArray[np.int64]],
    validation: tuple[Features, NDArray[np.int64]],
) -> None:
    """Train, printing the accuracy on unheard voices after each epoch; nothing is chosen by it."""
    values, labels = training
    rate = tf.keras.optimizers.schedules.CosineDecay(0.003, EPOCHS * len(labels) // BATCH)
    network.compile(
        optimizer=tf.keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    network.fit(
        as_floats(values),
        labels,
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=(as_floats(validation[0]), validation[1]),
        verbose=2,
    )


def convert(network: tf.keras.Model, values: Features) -> bytes:
    """Quantise to 8 bits, inputs and outputs too; every shape is a constant."""
    # The whole range occurs among the examples, so that an input step is STEP from -128 on.
    span = np.zeros((FRAMES, CHANNELS), np.int8)
    span[0, 0], span[0, 1] = -128, 127
    examples = as_floats(np.stack([span, *values[:400]]))
    signature = tf.TensorSpec((1, FRAMES, CHANNELS, 1), tf.float32)
    function = tf.function(lambda sound: network(sound, training=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([example[None]] for example in examples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return with_reshape_options(converter.convert())


def with_reshape_options(model: bytes) -> bytes:
    """Write each RESHAPE's constant shape into its options too, where small readers look for it."""
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    (graph,) = tree.subgraphs
    for operator in graph.operators:
        code = tree.operatorCodes[operator.opcodeIndex].builtinCode
        if code == schema.BuiltinOperator.RESHAPE:
            operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
            operator.builtinOptions = schema.ReshapeOptionsT()
            operator.builtinOptions.newShape = graph.tensors[operator.outputs[0]].shape
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def confusion(model: bytes, values: Features, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count [label, answer] of the finished model."""
    interpreter = runtime.Interpreter.from_bytes(model)
    counts = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for example, label in zip(values, labels, strict=True):
        interpreter.set_input(example[None, ..., None], 0)
        interpreter.invoke()
        counts[label, np.argmax(interpreter.get_output(0))] += 1
    return counts


def main() -> None:
    """Speak, train, convert, measure, write."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.keras.utils.set_random_seed(2020)
    heard = speak_all(1, held_out=False, each_keyword=700, each_other=35)
    unheard = speak_all(2, held_out=True, each_keyword=120, each_other=5)
    values, labels = prepare(10, heard, 1600)
    held_out = prepare(11, unheard, 200)
    network = build()
    fit(network, (values, labels), held_out)
    model = convert(network, values)
    counts = confusion(model, *held_out)
    print(f"{len(model)} bytes, held-out accuracy {counts.trace() / counts.sum():.4f}")
    for label, row in zip(LABELS, counts, strict=True):
        print(f"{label:>8}: {dict(zip(LABELS, row.tolist(), strict=True))}")
    MODEL.write_bytes(model)


if __name__ == "__main__":
    main()
