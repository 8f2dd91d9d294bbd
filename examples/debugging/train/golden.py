"""Writes what the example must print, without runec: NumPy and Google's tflite-micro.

    python golden.py    # needs numpy and tflite-micro only

Writes `../expected.jsonl` and `../conformance.toml`. The model is the one of the example sine.
"""

from pathlib import Path

import numpy as np
from tflite_micro.python.tflite_micro import runtime

EXAMPLE = Path(__file__).resolve().parents[1]
MODEL = EXAMPLE / "sinemodel.tflite"
MODULUS = np.float32(0.5)
OUTPUT_ID = 3  # ids count from 1: the capability, the model, this output
DEFAULT_SEED = 0

# Seed, runs, why it is here.
RUNS = [
    (DEFAULT_SEED, 3, "the seed without --random; the numbers go on from run to run"),
    (42, 2, "a seed"),
    (2**63 - 1, 1, "a large seed"),
    (1, 1, "another"),
    (2020, 2, "and another"),
]


def random_number(seed: int, index: int) -> np.float32:
    """Number `index` of SplitMix64 (Steele, Lea, Flood, 2014): its upper 24 bits, from 0 to 1."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed) + np.uint64(index + 1) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float32((state ^ (state >> np.uint64(31))) >> np.uint64(40)) / np.float32(2**24)


def infer(number: np.float32) -> np.float32:
    """The model. NaN enters it as 0: the int8 numbers that the model turns it into know no NaN."""
    number = np.nan_to_num(number)
    interpreter = runtime.Interpreter.from_file(str(MODEL))
    interpreter.set_input(np.array([[number]], np.float32), 0)
    interpreter.invoke()
    return np.float32(interpreter.get_output(0)[0, 0])


def line(seed: int, index: int = 0) -> str:
    """The line that the rune prints in run `index` after a start with a seed."""
    given = random_number(seed, index)
    rest = np.fmod(given, MODULUS)
    # None is so small or large that docs/spec/rune.md, section 4, wants an exponent.
    tensors = ",".join(
        f'{{"element-type":"f32","dimensions":[1,1],"elements":[{number!s}]}}'
        for number in (given, rest, infer(rest))
    )
    return f'{{"{OUTPUT_ID}":[{tensors}]}}'


def files() -> dict[str, bytes]:
    """Everything that this script writes: path in the example folder -> content."""
    parts = ["# What this example must print on every machine. Written by train/golden.py.\n"]
    for seed, repeats, why in RUNS:
        lines = [f"  '{line(seed, index)}'," for index in range(repeats)]
        head = [f"# {why}", "[[run]]", f"random = {seed}", f"repeats = {repeats}"]
        parts.append("\n".join([*head, "expected = [", *lines, "]", ""]))
    return {
        "expected.jsonl": f"{line(DEFAULT_SEED)}\n".encode(),
        "conformance.toml": "\n".join(parts).encode(),
    }


def main() -> None:
    """Write the files."""
    for name, content in files().items():
        (EXAMPLE / name).write_bytes(content)
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
