"""The float functions of a host's C library that differ from those of devices."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from runec.backends.tflm import float_math_source
from runec.models import ModelFile
from runec.vm import host_math

EXAMPLE = """version: 1
image: runicos/base
pipeline:
  raw:
    capability: RAW
    outputs: [{type: f32, dimensions: [1, 4096]}]
  squash:
    model: ./tanh.tflite
    inputs: [raw]
    outputs: [{type: f32, dimensions: [1, 4096]}]
  out:
    out: TENSOR
    inputs: [squash]
"""
# Computed in double and rounded: but for rare cases what tanhf of glibc 2.41 gives.
NEWER = "#include <math.h>\nfloat tanhf(float x) { return (float)tanh((double)x); }\n"
VALUES = np.linspace(-4, 4, 4096, dtype="<f4")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    host_math.differing_functions.cache_clear()
    yield
    host_math.differing_functions.cache_clear()


@pytest.fixture
def rune(make_tflite: object, tmp_path: Path) -> Path:
    model = make_tflite(4096, {"x": "FLOAT32", "y": "FLOAT32"}, [("TANH", ["x"], ["y"])])  # type: ignore[operator]
    (tmp_path / "tanh.tflite").write_bytes(model)
    (tmp_path / "Runefile.yml").write_text(EXAMPLE)
    (tmp_path / "input.bin").write_bytes(VALUES.tobytes())
    run(tmp_path, {}, "build", "-o", "tanh.rune")
    return tmp_path / "tanh.rune"


@pytest.fixture
def newer(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a host whose tanhf is another one."""
    (tmp_path / "newer.c").write_text(NEWER)
    library = tmp_path / "newer.so"
    flags = ["-O2", "-fno-builtin", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, tmp_path / "newer.c", "-o", library, "-lm"], check=True)
    return {"LD_PRELOAD": str(library)}


def run(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[bytes, str]:
    done = subprocess.run(
        [sys.executable, "-m", "runec", *arguments],
        cwd=folder,
        env={**os.environ, **environment, "RUNEC_CACHE_DIR": str(folder / "cache")},
        capture_output=True,
        check=True,
    )
    return done.stdout, done.stderr.decode()


def run_tanh(rune: Path, environment: dict[str, str]) -> tuple[bytes, str]:
    output, said = run(rune.parent, environment, "run", rune.name, "--raw", "input.bin")
    return output[-VALUES.nbytes :], said.removeprefix("Running rune: tanh.rune\n")


def devices_tanh(folder: Path) -> bytes:
    """Return what the devices' tanhf gives, called by a program of its own."""
    (folder / "main.c").write_text(
        "#include <stdio.h>\nfloat tanhf(float);\nint main(void) { float x; "
        "while (fread(&x, 4, 1, stdin)) { x = tanhf(x); fwrite(&x, 4, 1, stdout); } return 0; }\n"
    )
    source = float_math_source()
    flags = ["-O2", "-std=c11", "-ffp-contract=off", "-fno-builtin"]
    subprocess.run(["cc", *flags, folder / "main.c", source, "-o", folder / "main"], check=True)
    return subprocess.run(
        [folder / "main"], input=VALUES.tobytes(), capture_output=True, check=True
    ).stdout


def test_devices_results_on_this_host(rune: Path) -> None:
    assert run_tanh(rune, {}) == (devices_tanh(rune.parent), "")


def test_devices_results_where_tanhf_is_another(rune: Path, newer: dict[str, str]) -> None:
    expected = devices_tanh(rune.parent)
    assert expected != np.tanh(VALUES.astype("<f8")).astype("<f4").tobytes()
    assert run_tanh(rune, newer) == (expected, "")


def test_a_host_without_a_compiler_is_warned(rune: Path, newer: dict[str, str]) -> None:
    alone = rune.parent / "programs"
    alone.mkdir()
    for name in ("setpriv", "prlimit"):
        if (found := shutil.which(name)) is not None:
            (alone / name).symlink_to(found)
    output, said = run_tanh(rune, {**newer, "PATH": str(alone)})
    assert "warning[R0751]: tanhf of this host's C library" in said
    assert output == np.tanh(VALUES.astype("<f8")).astype("<f4").tobytes()


def test_functions_that_no_model_calls_are_not_reported(
    monkeypatch: pytest.MonkeyPatch, make_tflite: object
) -> None:
    monkeypatch.setattr(host_math, "differing_functions", lambda: frozenset({"sinf"}))
    monkeypatch.setattr(host_math, "own_functions", lambda: None)
    calls_tanh, calls_sin = (
        ModelFile(
            make_tflite(4, {"x": "FLOAT32", "y": "FLOAT32"}, [(name, ["x"], ["y"])])  # type: ignore[operator]
        )
        for name in ("TANH", "SIN")
    )
    assert host_math.preloaded([]) == host_math.preloaded([calls_tanh]) == (None, None)
    for models in ([calls_tanh, calls_sin], None):
        library, warning = host_math.preloaded(models)
        assert library is None
        assert warning is not None
        assert warning.message.startswith("sinf of this host's C library")
