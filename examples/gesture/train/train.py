"""Trains `../model.tflite`: 128 samples of acceleration in, the probabilities of four labels out.

    python train.py     # about two minutes on one core

The network has the shape of the original platform's example: two convolutions over time, each
followed by a maximum, two dense layers and a softmax; 4,300 weights. It sees recordings that
`recordings.py` makes up, after the pipeline's `normalize` block, and no recording of a person.

The weights and what flows between the layers are int8; the model itself turns the samples into
int8 and the answer back into f32, so that it fits where the original platform's float model fits.

Everything is seeded. Run `golden.py` afterwards: it writes what the example must print.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # read once, while TensorFlow is imported

from collections.abc import Iterator
from pathlib import Path

import flatbuffers
import numpy as np
import tensorflow as tf
from recordings import LABELS, SAMPLES, data_set
from tensorflow.lite.python import schema_py_generated as schema
from tflite_micro.python.tflite_micro import runtime

MODEL = Path(__file__).resolve().parents[1] / "model.tflite"
TRAINING_SEED, VALIDATION_SEED, HELD_OUT_SEED = 1, 2, 3
TRAINING_COUNT, HELD_OUT_COUNT = 6000, 1000  # of each label
EPOCHS = 30
SCALE_EVERY = 24  # of the training recordings one in so many is used to choose the int8 scales


def build() -> tf.keras.Model:
    """Make the untrained network."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((SAMPLES, 3, 1)),
            layers.Conv2D(8, (4, 3), padding="same", activation="relu"),
            layers.MaxPool2D((3, 3)),
            layers.Dropout(0.05),
            layers.Conv2D(16, (4, 1), padding="same", activation="relu"),
            layers.MaxPool2D((3, 1)),
            layers.Dropout(0.05),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(len(LABELS), activation="softmax"),
        ]
    )


def fit(model: tf.keras.Model) -> None:
    """Train on made-up recordings, printing the accuracy on others after each epoch."""
    recordings, labels = data_set(TRAINING_SEED, TRAINING_COUNT)
    batch = 64
    rate = tf.keras.optimizers.schedules.CosineDecay(0.003, EPOCHS * len(labels) // batch)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        recordings,
        labels,
        batch_size=batch,
        epochs=EPOCHS,
        validation_data=data_set(VALIDATION_SEED, HELD_OUT_COUNT),
        verbose=2,
    )


def convert(model: tf.keras.Model) -> bytes:
    """Freeze the network into an int8 .tflite whose batch is 1: every shape is a constant."""
    recordings = data_set(TRAINING_SEED, TRAINING_COUNT)[0][::SCALE_EVERY]

    def examples() -> Iterator[list[np.ndarray]]:
        for recording in recordings:
            yield [recording[None]]

    signature = tf.TensorSpec((1, SAMPLES, 3, 1), tf.float32)
    function = tf.function(lambda recording: model(recording, training=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples  # the scales are chosen by these
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
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


def confusion(model: bytes) -> np.ndarray:
    """Count [label, answer] of the finished model on recordings that training did not see."""
    interpreter = runtime.Interpreter.from_bytes(model)
    counts = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for recording, label in zip(*data_set(HELD_OUT_SEED, HELD_OUT_COUNT), strict=True):
        interpreter.set_input(recording[None], 0)
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
    counts = confusion(model)
    print(f"{len(model)} bytes, held-out accuracy {counts.trace() / counts.sum():.4f}")
    for label, row in zip(LABELS, counts, strict=True):
        print(f"{label:>8}: {dict(zip(LABELS, row.tolist(), strict=True))}")
    MODEL.write_bytes(model)


if __name__ == "__main__":
    main()
