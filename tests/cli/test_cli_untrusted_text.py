"""Untrusted text is printed without control characters."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
PACKAGE = PROJECT / "runec"
SINE = PROJECT / "examples" / "sine" / "sinemodel.tflite"

RUNEFILE = r"""version: 1
image: "runicos/ba\e[31mse"
pipeline:
  "ra\e[2Jw": {capability: "RA\e[31mW", outputs: [{type: "f\x9b32"}], args: {"l\e": "\e[1m"}}
  raw: {capability: RAW, outputs: [{type: "f\x9b32"}], args: {"l\e": "\e[1m"}}
  block: {proc-block: "mod\e[31mulo", inputs: ["ra\e[2Jw", "nope\e"]}
  own: {proc-block: "./own\e", inputs: [raw], args: {modulus: "\e[1m"}}
  model: {model: "./x\e[31m.tflite", inputs: [block]}
  named: {model: "$N\e", inputs: [block], args: {format: "\a[3m"}}
  serial: {out: "ser\u202eial", inputs: [model]}
resources:
  "N\e2": {path: "no\e[31m"}
  N: {path: "no\e[31m", type: "\eg"}
"""
LEGACY = "FROM runicos/base\nCAPABILITY<f\x1b[31m32> raw RAW --len\x9bgth 5\n\x1b[2JOUT serial\a\n"


def is_harmless(text: str) -> bool:
    return all(char.isprintable() or char in "\n\t" or char >= "\xa0" for char in text) and (
        "\u202e" not in text
    )


@pytest.mark.parametrize("verb", ["check", "build", "fmt", "convert", "run"])
@pytest.mark.parametrize("text", [RUNEFILE, LEGACY], ids=["yaml", "legacy"])
def test_what_a_runefile_holds(
    runec: Callable[..., Any], tmp_path: Path, verb: str, text: str
) -> None:
    path = tmp_path / "Run\x1bfile.yml"
    path = path if text is RUNEFILE else path.with_suffix("")
    path.write_text(text)
    done = runec(verb, path)
    assert done.code != 70
    assert done.stderr
    assert is_harmless(done.stdout + done.stderr)


@pytest.mark.parametrize("length", [len(SINE.read_bytes()), 1500, 300])
def test_what_a_model_holds(runec: Callable[..., Any], tmp_path: Path, length: int) -> None:
    data = SINE.read_bytes()
    path = tmp_path / "mo\x9bdel.tflite"
    for name in (b"sequential_1", b"Identity", b"MLIR Converted."):
        assert name in data
        data = data.replace(name, b"\x1b[31m\x07\xc2\x9b".ljust(len(name), b"\r"))
    path.write_bytes(data[:length])
    for form in ("text", "json"):
        done = runec("model-info", path, "--format", form)
        assert done.code in (0, 1)
        assert is_harmless(done.stdout + done.stderr)


def test_what_a_rune_holds(runec: Callable[..., Any], tmp_path: Path, noop_rune: Path) -> None:
    data = noop_rune.read_bytes()
    path = tmp_path / "no\x1b[31mop.rune"
    for at in range(8, len(data), 5):
        path.write_bytes(data[:at] + b"\x1b[2J\x07" + data[at + 5 :])
        done = runec("inspect", path)
        assert done.code == 1
        assert is_harmless(done.stdout + done.stderr)


def writers(path: Path) -> Iterator[str]:
    """Yield what a module calls that writes on a stream of the process."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in ("print", "click.echo", "click.secho", "warnings.warn") or called.endswith(
            ("stdout.write", "stderr.write", "stdout.buffer.write", "stderr.buffer.write")
        ):
            yield called


def test_the_console_alone_writes_for_people() -> None:
    # It makes everything printable; whoever writes beside it would have to think of that.
    found = {
        str(path.relative_to(PACKAGE)): sorted(set(writers(path)))
        for path in sorted(PACKAGE.rglob("*.py"))
        if list(writers(path))
    }
    # runec.__main__ rejects other systems than Linux, on which the console cannot be imported.
    assert set(found) == {"cli/console.py", "__main__.py"}, found
