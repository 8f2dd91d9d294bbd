"""Writes what the gesture example must print, without runec: NumPy and Google's tflite-micro.

    python golden.py    # needs numpy and tflite-micro only

Writes `../input.csv`, `../inputs/*.csv`, `../expected.jsonl` and `../conformance.toml`. Run it
after `train.py`. The recordings are made with seeds that training did not use.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from recordings import GRAVITY, LABELS, SAMPLES, normalize, record
from tflite_micro.python.tflite_micro import runtime

EXAMPLE = Path(__file__).resolve().parents[1]
MODEL = EXAMPLE / "model.tflite"
OUTPUT_ID = 3  # ids count from 1: the capability, the model, this output
SEED = 1000  # recording n of a label is made with SEED + n


def csv(recording: NDArray[np.float64]) -> bytes:
    """A recording as text: a row a sample, three numbers of six digits, no header."""
    return "".join(
        ",".join(f"{number:.6g}" for number in sample) + "\n" for sample in recording.tolist()
    ).encode()


def made_up(label: str, number: int) -> NDArray[np.float64]:
    """Recording `number` of a label."""
    return record(np.random.default_rng(SEED + number), label).astype(np.float64)


def inputs() -> list[tuple[str, bytes, str]]:
    """File name, content and why it is there."""
    files = [
        (f"inputs/{label.lower()}_{number}.csv", csv(made_up(label, number)), f"a made-up {label}")
        for label in LABELS
        for number in (1, 2)
    ]
    still = np.tile([0.0, 0.0, GRAVITY], (SAMPLES, 1))
    zeros = np.zeros((SAMPLES, 3))
    huge = made_up("Ring", 1) * 1e30
    return [
        *files,
        ("inputs/still.csv", csv(still), "a device on a table, without noise"),
        ("inputs/zeros.csv", csv(zeros), "no range to scale by: zeros stay zeros"),
        ("inputs/huge.csv", csv(huge), "ring_1 times 10^30: the block takes any scale away"),
    ]


def line(text: bytes) -> str:
    """The line that the rune prints for the text of one recording."""
    rows = [[float(number) for number in row.split(",")] for row in text.decode().splitlines()]
    recording = normalize(np.array(rows, np.float32)).reshape(1, SAMPLES, 3, 1)
    interpreter = runtime.Interpreter.from_file(str(MODEL))
    interpreter.set_input(recording, 0)
    interpreter.invoke()
    # The first of equal maxima, as the block `most_confident_indices` has it.
    label = LABELS[int(np.argmax(interpreter.get_output(0)[0]))]
    return f'{{"{OUTPUT_ID}":[{{"element_type":"utf8","dimensions":[1],"elements":["{label}"]}}]}}'


def run(comment: str, path: str, text: bytes, repeats: int) -> str:
    """One run of `conformance.toml`."""
    lines = [f"# {comment}", "[[run]]", f'accelerometer = ["{path}"]']
    if repeats > 1:
        lines.append(f"repeats = {repeats}")
    return "\n".join([*lines, "expected = [", *[f"  '{line(text)}',"] * repeats, "]", ""])


def files() -> dict[str, bytes]:
    """Everything that this script writes: path in the example folder -> content."""
    text = csv(made_up("Ring", 0))
    written = {"input.csv": text, "expected.jsonl": f"{line(text)}\n".encode()}
    runs = [
        "# What this example must print on every machine. Written by train/golden.py.\n",
        run("a Ring, twice: a rune keeps nothing from one run to the next", "input.csv", text, 2),
    ]
    for path, content, why in inputs():
        written[path] = content
        runs.append(run(why, path, content, 1))
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
