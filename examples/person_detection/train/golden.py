"""Writes what the example must print, without runec: NumPy, Pillow and Google's tflite-micro.

    python golden.py    # needs numpy, pillow and tflite-micro only

Writes `../input.png`, `../inputs/*.png`, `../expected.jsonl` and `../conformance.toml`. Run it
after `train.py`. The pictures are drawn with seeds that training did not use.
"""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pictures import ELSEWHERE, LABELS, SIZE, TRAINING, Place, picture
from PIL import Image
from tflite_micro.python.tflite_micro import runtime

EXAMPLE = Path(__file__).resolve().parents[1]
MODEL = EXAMPLE / "model.tflite"
OUTPUT_ID = 3  # ids count from 1: the capability, the model, this output
SEED = 1000

Bytes = NDArray[np.uint8]


def kernel(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic of Catmull and Rom ("A Class of Local Interpolating Splines", 1974)."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def resized(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Resize the rows of [rows, ...] to `SIZE`, rounded and held to 0..255.

    Where there are more rows than that, the kernel is as much wider.
    """
    rows = len(pixels)
    ratio = rows / SIZE
    centres = (np.arange(SIZE)[:, None] + 0.5) * ratio
    weights = kernel((np.arange(rows) + 0.5 - centres) / max(1.0, ratio))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.clip(np.floor(np.tensordot(weights, pixels, 1) + 0.5), 0.0, 255.0)


def seen(png: bytes) -> Bytes:
    """The picture as the capability gives it: resized, height first, then grey; u8[64, 64]."""
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    if pixels.shape[:2] != (SIZE, SIZE):
        tall = resized(pixels.astype(np.float64))
        pixels = resized(tall.swapaxes(0, 1)).swapaxes(0, 1).astype(np.uint8)
    if pixels.ndim == 3:
        pixels = (pixels.astype(np.uint32) @ [2126, 7152, 722] // 10000).astype(np.uint8)
    return pixels


def answer(png: bytes) -> str:
    """The label of a picture."""
    # The block `quantize` with the scale 1 and the zero point -128: nothing to round.
    integers = (seen(png).astype(np.int16) - 128).astype(np.int8)
    interpreter = runtime.Interpreter.from_file(str(MODEL))
    interpreter.set_input(integers.reshape(1, SIZE, SIZE, 1), 0)
    interpreter.invoke()
    # The first of equal maxima, as the block `most_confident_indices` has it.
    return LABELS[int(np.argmax(interpreter.get_output(0)))]


def line(png: bytes) -> str:
    """The line that the rune prints for one picture."""
    tensor = f'{{"element_type":"utf8","dimensions":[1],"elements":["{answer(png)}"]}}'
    return f'{{"{OUTPUT_ID}":[{tensor}]}}'


def png(pixels: Bytes) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def drawn(number: int, label: str, place: Place = TRAINING, size: int = SIZE) -> Bytes:
    """Picture `number` of a label."""
    return picture(np.random.default_rng(SEED + number), place, label, size)


def tinted(pixels: Bytes) -> Bytes:
    """A grey picture in red, green and blue, as by a warm lamp."""
    colours = pixels[..., None] * [1.0, 0.9, 0.7] + [0.0, 8.0, 20.0]
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


def inputs() -> list[tuple[str, bytes, str]]:
    """File name, content and why it is there."""
    calm = replace(TRAINING, noise=3.0)
    large_person = tinted(drawn(3, "person", calm, 3 * SIZE))
    large_nobody = tinted(drawn(4, "no_person", calm, 3 * SIZE))[:, SIZE // 4 : -SIZE // 4]
    return [
        ("inputs/no_person.png", png(drawn(1, "no_person")), "nobody"),
        ("inputs/person_in_colour.png", png(large_person), "a person, 192 x 192, in colour"),
        ("inputs/no_person_upright.png", png(large_nobody), "nobody, 160 x 192, in colour"),
        ("inputs/person_elsewhere.png", png(drawn(2, "person", ELSEWHERE)), "a place never seen"),
        ("inputs/black.png", png(np.zeros((SIZE, SIZE), np.uint8)), "the lid is on"),
    ]


def run(comment: str, path: str, content: bytes, repeats: int) -> str:
    """One run of `conformance.toml`."""
    lines = [f"# {comment}", "[[run]]", f'image = ["{path}"]']
    if repeats > 1:
        lines.append(f"repeats = {repeats}")
    return "\n".join([*lines, "expected = [", *[f"  '{line(content)}',"] * repeats, "]", ""])


def files() -> dict[str, bytes]:
    """Everything that this script writes: path in the example folder -> content."""
    content = png(drawn(0, "person"))
    written = {"input.png": content, "expected.jsonl": f"{line(content)}\n".encode()}
    runs = [
        "# What this example must print on every machine. Written by train/golden.py.\n",
        run("a person, twice: a rune keeps nothing from run to run", "input.png", content, 2),
    ]
    for path, other, why in inputs():
        written[path] = other
        runs.append(run(why, path, other, 1))
    written["conformance.toml"] = "\n".join(runs).encode()
    return written


def main() -> None:
    """Write the files."""
    for name, content in files().items():
        path = EXAMPLE / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
