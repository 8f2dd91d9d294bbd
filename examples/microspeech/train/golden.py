"""Writes what the microspeech example must print, without runec: NumPy and Google's tflite-micro.

    python golden.py    # needs numpy, tflite-micro and espeak-ng only

Writes `../input.wav`, `../inputs/*.wav`, `../expected.jsonl` and `../conformance.toml`. Run it
after `train.py`. The words are spoken by voices that training did not hear.
"""

import io
import wave
from pathlib import Path

import numpy as np
from frontend import MicroFrontend, as_i8
from numpy.typing import NDArray
from recordings import HELD_OUT_ACCENT, LABELS, RATE_HZ, SAMPLES, record, speak
from tflite_micro.python.tflite_micro import runtime

EXAMPLE = Path(__file__).resolve().parents[1]
MODEL = EXAMPLE / "model.tflite"
OUTPUT_ID = 3  # ids count from 1: the capability, the model, this output
FRAMES = 49
# Word, accent, voice, and the seed of everything else.
TAKES = {
    "input": ("up", "en-gb", "f2", 1),
    "inputs/down": ("down", "en-us", "m3", 2),
    "inputs/left": ("left", "en-gb-x-rp", "david", 3),
    "inputs/right": ("right", HELD_OUT_ACCENT, "linda", 4),
    "inputs/unknown": ("coffee", "en-us", "f5", 5),
}


def wav(samples: NDArray[np.int16]) -> bytes:
    """A WAV file of one channel of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def spoken(word: str, accent: str, voice: str, seed: int) -> bytes:
    """A recording of a word."""
    return wav(record(np.random.default_rng(seed), speak(word, accent, voice, 160, 50)))


def inputs() -> dict[str, tuple[bytes, str]]:
    """File name -> content and why it is there."""
    files = {
        f"{name}.wav": (spoken(*take), f"{take[0]!r}, spoken by {take[2]} in {take[1]}")
        for name, take in TAKES.items()
    }
    hiss = wav(record(np.random.default_rng(6), None))
    files["inputs/noise.wav"] = (hiss, "nobody speaks")
    files["inputs/zeros.wav"] = (wav(np.zeros(SAMPLES, np.int16)), "a microphone that is off")
    return files


def lines(data: bytes, repeats: int) -> list[str]:
    """The lines that the rune prints for a WAV file that it hears so many times in a row.

    The noise that the front end has learnt, and the samples behind its last frame, stay from one
    second to the next.
    """
    with wave.open(io.BytesIO(data)) as file:
        samples = np.frombuffer(file.readframes(SAMPLES), "<i2")
    frontend = MicroFrontend()
    interpreter = runtime.Interpreter.from_file(str(MODEL))
    printed = []
    for _ in range(repeats):
        frames = as_i8(frontend.process(samples)[-FRAMES:])
        interpreter.set_input(frames.reshape(1, FRAMES, -1, 1), 0)
        interpreter.invoke()
        # The first of equal maxima, as the block `most_confident_indices` has it.
        label = LABELS[int(np.argmax(interpreter.get_output(0)[0]))]
        printed.append(
            f'{{"{OUTPUT_ID}":[{{"element_type":"utf8","dimensions":[1],"elements":["{label}"]}}]}}'
        )
    return printed


def line(data: bytes) -> str:
    """The line that the rune prints for one WAV file."""
    return lines(data, 1)[0]


def run(comment: str, path: str, data: bytes, repeats: int) -> str:
    """One run of `conformance.toml`."""
    text = [f"# {comment}", "[[run]]", f'sound = ["{path}"]']
    if repeats > 1:
        text.append(f"repeats = {repeats}")
    expected = [f"  '{each}'," for each in lines(data, repeats)]
    return "\n".join([*text, "expected = [", *expected, "]", ""])


def main() -> None:
    """Write the files."""
    files = inputs()
    runs = ["# What this example must print on every machine. Written by train/golden.py.\n"]
    for path, (data, why) in files.items():
        (EXAMPLE / path).parent.mkdir(exist_ok=True)
        (EXAMPLE / path).write_bytes(data)
        runs.append(run(why, path, data, 2 if path == "input.wav" else 1))
    (EXAMPLE / "conformance.toml").write_text("\n".join(runs), encoding="utf-8")
    expected = line(files["input.wav"][0]) + "\n"
    (EXAMPLE / "expected.jsonl").write_text(expected, encoding="utf-8")


if __name__ == "__main__":
    main()
