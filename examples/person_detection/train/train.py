"""Trains `../model.tflite`: 64 x 64 grey pixels in, two probabilities out, all in int8.

    python train.py [--drawings FOLDER]     # about five minutes on one core

The network is a narrow MobileNet (Howard and others, "MobileNets", 2017): a convolution, six pairs
of depthwise and pointwise convolutions, a mean over what is left, a softmax; 0.6 million
multiplications, 12,000 weights. It sees pictures that `pictures.py` draws, and no photograph.
Pixels enter as they are, 0 to 255, so that the int8 model's input has the scale 1 and the zero
point -128. FOLDER keeps the drawn pictures for the next time.

While it is trained the network also tells in which of 8 x 8 squares it sees heads, trunks, arms and
legs: what makes a person is learnt far sooner so. The finished model has nothing of it.

Everything is seeded. Run `golden.py` afterwards: it writes what the example must print.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # read once, while TensorFlow is imported

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from drawings import drawings
from pictures import CELLS, LABELS, PARTS, SIZE
from tflite_micro.python.tflite_micro import runtime

MODEL = Path(__file__).resolve().parents[1] / "model.tflite"
TRAINING_SEED, VALIDATION_SEED, HELD_OUT_SEED, ELSEWHERE_SEED = 1, 2, 3, 4
TRAINING_COUNT, VALIDATION_COUNT, HELD_OUT_COUNT = 12000, 250, 1000  # of each label
EPOCHS = 6
BATCH = 64
RATE = 0.005
# Channels and stride of each pair of convolutions.
PAIRS = [(20, 2), (24, 1), (32, 2), (48, 1), (56, 2), (80, 1)]
PARTS_WEIGHT = 3.0  # of finding parts, beside 1 for the label


def build() -> tf.keras.Model:
    """Make the untrained network, with the outputs `label` and `parts`."""
    layers = tf.keras.layers

    def normalized(x: tf.Tensor) -> tf.Tensor:
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))

    picture = layers.Input((SIZE, SIZE, 1))
    x = normalized(layers.Conv2D(8, 3, 2, "same", use_bias=False)(picture))
    for channels, stride in PAIRS:
        if stride == 2 and x.shape[1] == CELLS:
            parts = layers.Conv2D(PARTS, 1, activation="sigmoid", name="parts")(x)
        x = normalized(layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x))
        x = normalized(layers.Conv2D(channels, 1, use_bias=False)(x))
    x = layers.AveragePooling2D(x.shape[1])(x)
    x = layers.Conv2D(len(LABELS), 1)(x)
    x = layers.Softmax(name="answer")(x)
    return tf.keras.Model(picture, {"label": layers.Flatten(name="label")(x), "parts": parts})


def batches(
    pictures: np.ndarray, labels: np.ndarray, parts: np.ndarray, seed: int
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Give the pictures in another order each epoch, about half of them mirrored."""
    rng = np.random.default_rng(seed)
    for _ in range(EPOCHS):
        order = rng.permutation(len(labels))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            seen, where = pictures[chosen].astype(np.float32), parts[chosen] / np.float32(255)
            mirrored = rng.random(BATCH) < 0.5
            seen[mirrored], where[mirrored] = seen[mirrored, :, ::-1], where[mirrored, :, ::-1]
            # A head covers little of a square: a quarter is enough.
            yield seen, {"label": labels[chosen], "parts": np.minimum(1.0, 4.0 * where)}


def fit(model: tf.keras.Model, folder: Path | None) -> None:
    """Train on drawn pictures, printing the accuracy on others after each epoch."""
    pictures, labels, parts = drawings(folder, TRAINING_SEED, TRAINING_COUNT)
    seen, named, where = drawings(folder, VALIDATION_SEED, VALIDATION_COUNT)
    steps = len(labels) // BATCH
    model.compile(
        optimizer=tf.keras.optimizers.Adam(
            tf.keras.optimizers.schedules.CosineDecay(
                RATE / 10, EPOCHS * steps, warmup_target=RATE, warmup_steps=steps // 2
            )
        ),
        loss={"label": "sparse_categorical_crossentropy", "parts": "binary_crossentropy"},
        loss_weights={"label": 1.0, "parts": PARTS_WEIGHT},
        metrics={"label": ["accuracy"]},
    )
    model.fit(
        batches(pictures, labels, parts, seed=1),
        epochs=EPOCHS,
        steps_per_epoch=steps,
        validation_data=(
            seen.astype(np.float32),
            {"label": named, "parts": np.minimum(1.0, where / np.float32(255) * 4.0)},
        ),
        verbose=2,
    )


def convert(model: tf.keras.Model, folder: Path | None) -> bytes:
    """Freeze the network into an int8 .tflite whose batch is 1: every shape is a constant."""
    pictures = drawings(folder, TRAINING_SEED, TRAINING_COUNT)[0][:300].copy()
    pictures[0, 0, :2, 0] = 0, 255  # the darkest and the brightest pixel

    def examples() -> Iterator[list[np.ndarray]]:
        for picture in pictures:
            yield [picture[None].astype(np.float32)]

    answer = tf.keras.Model(model.inputs, model.get_layer("answer").output)
    signature = tf.TensorSpec((1, SIZE, SIZE, 1), tf.float32)
    function = tf.function(lambda picture: answer(picture, training=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(signature)]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples  # the scales are chosen by these
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def confusion(model: bytes, pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count [label, answer] of the finished model."""
    interpreter = runtime.Interpreter.from_bytes(model)
    counts = np.zeros((len(LABELS), len(LABELS)), np.int64)
    for picture, label in zip(pictures, labels, strict=True):
        interpreter.set_input((picture[None].astype(np.int16) - 128).astype(np.int8), 0)
        interpreter.invoke()
        counts[label, np.argmax(interpreter.get_output(0))] += 1
    return counts


def main() -> None:
    """Train, convert, measure, write."""
    parser = argparse.ArgumentParser(description="Train the model of person_detection.")
    parser.add_argument("--drawings", type=Path, help="folder in which drawn pictures are kept")
    folder = parser.parse_args().drawings
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    tf.keras.utils.set_random_seed(2020)
    network = build()
    fit(network, folder)
    model = convert(network, folder)
    print(f"{len(model)} bytes")
    for name, seed, place in (
        ("held out", HELD_OUT_SEED, "training"),
        ("elsewhere", ELSEWHERE_SEED, "elsewhere"),
    ):
        pictures, labels, _ = drawings(folder, seed, HELD_OUT_COUNT, place)
        counts = confusion(model, pictures, labels)
        print(f"{name}: accuracy {counts.trace() / counts.sum():.4f}")
        for label, row in zip(LABELS, counts, strict=True):
            print(f"{label:>12}: {dict(zip(LABELS, row.tolist(), strict=True))}")
    MODEL.write_bytes(model)


if __name__ == "__main__":
    main()
