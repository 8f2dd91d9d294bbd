"""Writes what the sine example must print, without runec: NumPy and Google's tflite-micro.

    python golden.py    # needs numpy and tflite-micro only

Writes `../input.bin`, `../inputs/*.bin`, `../expected.jsonl` and `../conformance.toml`. Run it
after `train.py`. The spelling of numbers is the one of `docs/spec/rune.md`, section 4.
"""

import math
from pathlib import Path

import numpy as np
from tflite_micro.python.tflite_micro import runtime

EXAMPLE = Path(__file__).resolve().parents[1]
MODEL = EXAMPLE / "sinemodel.tflite"
MODULUS = np.float32(360.0)
OUTPUT_ID = 3  # ids count from 1: the capability, the model, this output

# File name, angle, why it is here.
INPUTS = [
    ("zero", 0.0, "the low end of what the network was trained on"),
    ("half_pi", math.pi / 2, "the top of the wave"),
    ("three", 3.0, "inside the range"),
    ("two_pi", 6.2831855, "the high end of the range"),
    ("past_modulus", 361.25, "the remainder is 1.25"),
    ("degrees", 90.0, "below the modulus, far outside the range: as the highest int8 angle"),
    ("negative", -1.5, "a remainder keeps the sign; outside the range"),
    ("minus_zero", -0.0, "a zero with a sign"),
    ("large", 1.0e9, "the remainder of a number whose neighbours are 64 apart"),
    ("negative_large", -1.0e30, "an exact remainder needs many steps of division"),
    ("subnormal", 1.0e-40, "smaller than the smallest normal number"),
    ("infinity", math.inf, "has no remainder, but NaN: the network sees 0"),
    ("nan", math.nan, "not a number: the network sees 0"),
]


def modulo(angle: np.float32) -> np.float32:
    """The `modulo` block: the truncated remainder, which IEEE 754 makes exact."""
    with np.errstate(invalid="ignore"):
        return np.fmod(angle, MODULUS)


def infer(angle: np.float32) -> np.float32:
    """The model. NaN enters it as 0: the int8 numbers that the model turns it into know no NaN."""
    angle = np.nan_to_num(angle)
    interpreter = runtime.Interpreter.from_file(str(MODEL))
    interpreter.set_input(np.array([[angle]], np.float32), 0)
    interpreter.invoke()
    return np.float32(interpreter.get_output(0)[0, 0])


def spell(number: np.float32) -> str:
    """Spell a number in the shortest form that reads back as the same f32."""
    if not np.isfinite(number):
        return "null"
    if number == 0:
        return "-0.0" if np.signbit(number) else "0.0"
    mantissa, exponent = np.format_float_scientific(abs(number), unique=True, trim="-").split("e")
    digits = mantissa.replace(".", "")
    point = int(exponent) + 1  # digits before the point
    if len(digits) <= point <= 13:
        text = f"{digits}{'0' * (point - len(digits))}.0"
    elif 0 < point <= 13:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        text = f"{mantissa}e{int(exponent)}"
    return f"-{text}" if number < 0 else text


def line(raw: bytes) -> str:
    """The line that the rune prints for the bytes of one input file."""
    angle = np.frombuffer(raw, "<f4")[0]
    number = spell(infer(modulo(angle)))
    tensor = f'{{"element-type":"f32","dimensions":[1,1],"elements":[{number}]}}'
    return f'{{"{OUTPUT_ID}":[{tensor}]}}'


def run(comment: str, path: str, raw: bytes, repeats: int) -> str:
    """One run of `conformance.toml`."""
    lines = [f"# {comment}", "[[run]]", f'raw = ["{path}"]']
    if repeats > 1:
        lines.append(f"repeats = {repeats}")
    return "\n".join([*lines, "expected = [", *[f"  '{line(raw)}',"] * repeats, "]", ""])


def files() -> dict[str, bytes]:
    """Everything that this script writes: path in the example folder -> content."""
    raw = np.float32(0.8).tobytes()
    written = {"input.bin": raw, "expected.jsonl": f"{line(raw)}\n".encode()}
    runs = [
        "# What this example must print on every machine. Written by train/golden.py.\n",
        run("0.8, twice: a rune keeps nothing from one run to the next", "input.bin", raw, 2),
    ]
    for name, angle, why in INPUTS:
        raw = np.array([angle], "<f4").tobytes()
        written[f"inputs/{name}.bin"] = raw
        runs.append(run(f"{angle}: {why}", f"inputs/{name}.bin", raw, 1))
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
