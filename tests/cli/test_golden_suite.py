"""The integration tests of the original platform, re-created: its folders, its command lines.

Each test there is a folder with a Runefile and files of expectations, each of which must be a
substring of stdout or stderr after floats are cut to five decimals; its harness calls `build` and
`run` as `outcome` does. What is run with the original's models and recordings is run with those of
our examples as well. Its compile-pass is test_golden_builds.py.
"""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.originals import EXAMPLES, HOTG, needing

HEAD = "version: 1\nimage: runicos/base\npipeline:\n"
BLOCKS = "hotg-ai/proc-blocks@v0.11.3"
INVALID = Path(__file__).resolve().parents[1] / "frontend" / "invalid"
SINE_MODEL = {"sinemodel.tflite": "sine/sinemodel.tflite"}
FLAGS = {".png": "--image", ".wav": "--sound", ".csv": "--accelerometer", ".bin": "--raw"}


@dataclass(frozen=True)
class Case:
    """A folder of the original: stages, files beside them, what must be said where.

    A file is its bytes, or a name in `HOTG`.
    """

    runefile: str
    stderr: Sequence[str] = ()
    stdout: Sequence[str] = ()
    beside: Mapping[str, str | bytes] = field(default_factory=dict)


def stage(name: str, kind: str, inputs: str, outputs: str, args: str = "{}") -> str:
    """A stage in one line: `kind` is the key and what stands there."""
    pairs = [item.split(":") for item in outputs.split("; ")]
    types = ", ".join(f"{{type: {kind}, dimensions: [{sizes}]}}" for kind, sizes in pairs)
    lines = [f"  {name}:", f"    {kind}", f"    args: {args}"]
    if inputs:
        lines.append(f"    inputs: [{inputs}]")
    if outputs:
        lines.append(f"    outputs: [{types}]")
    return "\n".join(lines) + "\n"


def capability(name: str, kind: str, output: str, args: str = "{}") -> str:
    return stage(name, f"capability: {kind}", "", output, args)


def block(name: str, path: str, inputs: str, outputs: str, args: str = "{}") -> str:
    return stage(name, f'proc-block: "{BLOCKS}#{path}"', inputs, outputs, args)


def model(name: str, path: str, inputs: str, outputs: str, args: str = "{}") -> str:
    return stage(name, f"model: {path}", inputs, outputs, args)


def serial(*inputs: str, name: str = "serial") -> str:
    return f"  {name}:\n    out: serial\n    inputs: [{', '.join(inputs)}]\n"


RAND = capability("rand", "RAND", "f32:1")
NUMBERS = struct.pack("<4i", 0, 1, 2, 3)
# By the file that the frontend's tests have of the same mistake.
COMPILE_FAIL = {
    "R0005-image-is-required": ["missing field `image`"],
    "R0005-pipeline-is-required": ["missing field `pipeline`"],
    "R0005-version-is-required": ["missing field `version`"],
    "R0008-there-is-no-version-2": ["invalid value: integer `2`, expected version to be 1"],
    "R0102-missing-input": ['Unable to find "asdf" to use as an input for "some_model"'],
    "R0112-no-such-resource": ['No definition for "$MISSING_RESOURCE"'],
    "R0111-self-loop": [
        'Cycle detected when checking "some_model"',
        '... which passes data to "some_model", completing the cycle.',
    ],
    "R0111-simple-loop": [
        'Cycle detected when checking "first"',
        '... which passes data to "second"',
        '... which passes data to "third"',
        ", completing the cycle.",
    ],
    "R0203-str-is-not-a-type": [
        'Unknown element type, "str"',
        'Unknown element type, "string"',
    ],
    "R0305-unknown-model-format": [
        "Expected the format to be one of onnx, tensorflow, tensorflow-js, tensorflow-lite",
        ', but found "unknown-format"',
    ],
}
SINE = (
    capability("rand", "RAW", "F32:1, 1", "{length: 4}")
    + block("mod360", "modulo", "rand", "F32:1, 1", "{modulus: 360.0}")
    + model("sine", "./sinemodel.tflite", "mod360", "F32:1, 1")
    + serial("sine")
)
GESTURE = (
    capability("accelerometer", "ACCEL", "F32:1, 128, 3, 1", "{n: 128}")
    + block("normalize", "normalize", "accelerometer", "f32:1, 128, 3, 1")
    + model("gesture", "./model.tflite", "normalize", "f32:1, 4")
    + block("best", "most_confident_indices", "gesture", "U32:1", "{count: 1}")
    + block("label", "label", "best", "UTF8:1", "LABELS")
    + serial("label")
)
SPECTRUM = block("fft", "fft", "audio", "U32:1, 1960") + block(
    "noise_filtering", "noise-filtering", "fft", "I8:1, 1960"
)
MICROSPEECH = (
    capability("audio", "SOUND", "I16:1, 16000", "{hz: 16000, sample_duration_ms: 1000}")
    + SPECTRUM
    + model("model", "./model.tflite", "noise_filtering", "I8:1, 6")
    + block("most_confident", "most_confident_indices", "model", "U32:1", "{count: 1}")
    + block("label", "label", "most_confident", "UTF8:1", "LABELS")
    + serial("label")
)
WORDS = '{wordlist: "silence\\nunknown\\nup\\ndown\\nleft\\nright\\n"}'


def text_line(output: int, word: str) -> str:
    return f'{{"{output}":[{{"element_type":"utf8","dimensions":[1],"elements":["{word}"]}}]}}'


def microspeech(word: str) -> Case:
    return Case(
        HEAD + MICROSPEECH.replace("LABELS", WORDS),
        ["Running rune: "],
        [text_line(3, word)],
        {"model.tflite": "microspeech/model.tflite", f"{word}.wav": f"microspeech/{word}.wav"},
    )


def number_line(output: int, element: str, shape: str, elements: str) -> str:
    tensor = f'"element-type":"{element}","dimensions":[{shape}],"elements":[{elements}]'
    return f'{{"{output}":[{{{tensor}}}]}}'


RUN_FAIL = {
    "missing-raw-capability": Case(
        HEAD + capability("input", "RAW", "i32:4") + serial("input"),
        ['Error: Unable to load the "RAW" input'],
    )
}
RUN_PASS = {
    "noop": Case(
        HEAD + capability("input", "RAW", "i32:4") + serial("input"),
        ["Running rune: "],
        [number_line(2, "i32", "4", "0,1,2,3")],
        {"input.bin": NUMBERS},
    ),
    "sine": Case(
        HEAD + SINE,
        ["Running rune: "],
        [number_line(3, "f32", "1,1", "0.69727874")],
        {**SINE_MODEL, "input.bin": b"\xcd\xcc\x4c\x3f"},
    ),
    "model-from-resource": Case(
        HEAD
        + SINE.replace("./sinemodel.tflite", "$SINE_MODEL")
        + "resources:\n  SINE_MODEL: {type: binary, path: ./sinemodel.tflite}\n",
        ["Running rune: "],
        [number_line(4, "f32", "1,1", "0.69727874")],
        {**SINE_MODEL, "input.bin": b"\xcd\xcc\x4c\x3f"},
    ),
    "multiple-outputs": Case(
        HEAD
        + capability("bytes", "RAW", "u8:16")
        + capability("words", "RAW", "i32:4")
        + serial("bytes", "words"),
        ["Running rune: "],
        [
            '{"3":[{"element-type":"u8","dimensions":[16],"elements":[0,0,0,0,1,0,0,0,2,0,0,0,',
            '3,0,0,0]},{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}',
        ],
        {"input.bin": NUMBERS},
    ),
    "gesture-ring": Case(
        HEAD + GESTURE.replace("LABELS", '{wordlist: "Wing\\nRing\\nSlope\\nUnknown\\n"}'),
        ["Running rune: "],
        [text_line(3, "Ring")],
        {"model.tflite": "gesture/model.tflite", "ring.csv": "gesture/example_ring.csv"},
    ),
    "resources-in-proc-block-args": Case(
        HEAD
        + MICROSPEECH.replace("LABELS", "{wordlist: $LABELS}")
        + "resources:\n  LABELS:\n    type: string\n    inline: |\n"
        + "".join(
            f"      {word}\n" for word in ["silence", "unknown", "up", "down", "left", "right"]
        ),
        ["Running rune: "],
        [text_line(4, "up")],
        {"model.tflite": "microspeech/model.tflite", "up.wav": "microspeech/up.wav"},
    ),
    **{f"microspeech-{word}": microspeech(word) for word in ("up", "left")},
}
# The files of our examples in the places of the original's: other models, other numbers.
OWN_FILES = {
    "sine/sinemodel.tflite": "sine/sinemodel.tflite",
    "gesture/model.tflite": "gesture/model.tflite",
    "gesture/example_ring.csv": "gesture/input.csv",
    "microspeech/model.tflite": "microspeech/model.tflite",
    "microspeech/up.wav": "microspeech/input.wav",
    **{
        f"microspeech/{word}.wav": f"microspeech/inputs/{word}.wav"
        for word in ("down", "left", "right")
    },
}
OWN_TEXT = {
    SPECTRUM: block("noise_filtering", "audio_frontend", "audio", "I8:1, 49, 40, 1"),
    "0.69727874": "0.7216528",  # the line of the original's sine model, that of ours
}


def own(case: Case) -> Case:
    """Return a case with the files of our examples."""

    def changed(text: str) -> str:
        for old, new in OWN_TEXT.items():
            text = text.replace(old, new)
        return text

    return Case(
        changed(case.runefile),
        case.stderr,
        [changed(line) for line in case.stdout],
        {
            name: content
            if isinstance(content, bytes)
            else (EXAMPLES / OWN_FILES[content]).read_bytes()
            for name, content in case.beside.items()
        },
    )


def files_of(case: Case) -> list[str]:
    """Return the files of the original that a case takes."""
    return [content for content in case.beside.values() if isinstance(content, str)]


OWN_RUN_PASS = {
    name: own(case)
    for name, case in (
        *RUN_PASS.items(),
        *((f"microspeech-{word}", microspeech(word)) for word in ("down", "right")),
    )
}
ORIGINAL_RUN_PASS = {name: case for name, case in RUN_PASS.items() if files_of(case)}

Runec = Callable[..., Any]


def prepare(case: Case, folder: Path) -> None:
    (folder / "Runefile.yml").write_text(case.runefile)
    for name, content in case.beside.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            shutil.copyfile(HOTG / content, folder / name)


def built(runec: Runec, folder: Path) -> Any:
    """Build as the original platform's harness did; the folder is the rune's name."""
    return runec(
        *("build", folder / "Runefile.yml", "-o", folder / f"{folder.name}.rune"),
        *("--current-dir", folder, "--debug", "--colour=never", "--cache-dir", folder / "cache"),
    )


def ran(runec: Runec, folder: Path) -> Any:
    """Run as the original platform's harness did, each input by the end of its name."""
    inputs: list[str | Path] = []
    for path in sorted(folder.iterdir()):
        if path.suffix in FLAGS:
            inputs += [FLAGS[path.suffix], path]
    return runec("run", folder / f"{folder.name}.rune", *inputs, "--engine", "wasm3")


def cut(text: str) -> str:
    """Cut floats to five decimals."""
    return re.sub(r"(\d*\.\d{5})\d+", r"\1", text)


def check(case: Case, outcome: Any) -> None:
    for words in case.stderr:
        assert cut(words) in cut(outcome.stderr)
    for words in case.stdout:
        assert cut(words) in cut(outcome.stdout)


@pytest.mark.parametrize("name", COMPILE_FAIL)
def test_compile_fail(runec: Runec, name: str, tmp_path: Path) -> None:
    case = Case((INVALID / f"{name}.yml").read_text("utf-8"), COMPILE_FAIL[name])
    prepare(case, tmp_path)
    outcome = built(runec, tmp_path)
    assert outcome.code == 1, outcome.stderr
    assert not list(tmp_path.glob("*.rune"))
    check(case, outcome)


@pytest.mark.parametrize("name", RUN_FAIL)
def test_run_fail(runec: Runec, name: str, tmp_path: Path) -> None:
    prepare(RUN_FAIL[name], tmp_path)
    assert built(runec, tmp_path).code == 0
    outcome = ran(runec, tmp_path)
    assert outcome.code not in (0, 70)
    check(RUN_FAIL[name], outcome)


@pytest.mark.parametrize(
    "case",
    [
        *(pytest.param(case, id=name) for name, case in OWN_RUN_PASS.items()),
        *(
            pytest.param(case, id=f"{name}-original", marks=needing(*files_of(case)))
            for name, case in ORIGINAL_RUN_PASS.items()
        ),
    ],
)
def test_run_pass(runec: Runec, case: Case, tmp_path: Path) -> None:
    prepare(case, tmp_path)
    outcome = built(runec, tmp_path)
    assert outcome.code == 0, outcome.stderr
    outcome = ran(runec, tmp_path)
    assert outcome.code == 0, outcome.stderr
    check(case, outcome)
    assert len(outcome.stdout.splitlines()) == 1


PERSON = (
    capability(
        *("image", "IMAGE", "U8:1, 96, 96, 1"),
        '{pixel-format: "@PixelFormat::GrayScale", height: 96, width: 96}',
    )
    + model("person_detection", "./model.tflite", "image", "U8:1, 1, 1, 3")
    + block("best", "most_confident_indices", "person_detection", "U32:1", "{count: 1}")
    + block("label", "label", "best", "UTF8:1", "LABELS")
    + serial("label")
)


@needing("person_detection/model.tflite", "person_detection/image.png")
def test_the_crate_test_of_person_detection(runec: Runec, tmp_path: Path) -> None:
    words = '{wordlist: "unknown\\nperson_prob\\nnot_person_prob\\n"}'
    case = Case(
        HEAD + PERSON.replace("LABELS", words),
        ["warning[R0722]"],
        [text_line(3, "person_prob")],
        {
            "model.tflite": "person_detection/model.tflite",
            "image.png": "person_detection/image.png",
        },
    )
    prepare(case, tmp_path)
    assert built(runec, tmp_path).code == 0
    check(case, ran(runec, tmp_path))
