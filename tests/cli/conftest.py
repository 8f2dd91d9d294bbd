from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runec.cli import execute

PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Done:
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def runec(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command line in this process."""

    def call(*arguments: str | Path) -> Done:
        capsys.readouterr()
        code = execute([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return call


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of the test's own, with a copy of an example that needs no model in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(PROJECT / "examples" / "noop", tmp_path / "noop")
    return tmp_path


@pytest.fixture(scope="session")
def noop_rune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small .rune: RAW i32[4] to SERIAL."""
    path = tmp_path_factory.mktemp("runes") / "noop.rune"
    assert execute(["build", str(PROJECT / "examples/noop/Runefile.yml"), "-o", str(path)]) == 0
    return path
