"""Builds runevm for this machine with sanitizers, once for all test processes, and talks to it."""

from __future__ import annotations

import fcntl
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from runec.container import Rune
from tests.common import rune_of_example

HERE = Path(__file__).resolve().parent
RUNEVM = HERE.parents[2] / "firmware_templates" / "runevm"
STRICT = ("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror")
SANITIZED = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

Build = Callable[..., Path]


class Probe:
    """The sanitized program of probe.c."""

    def __init__(self, program: Path) -> None:
        self.program = program

    def __call__(self, what: str, records: Iterable[bytes]) -> list[str]:
        """Give records, get a line for each; a sanitizer's finding fails the test."""
        sent = list(records)
        data = b"".join(struct.pack("<I", len(record)) + record for record in sent)
        done = subprocess.run(
            [self.program, what], input=data, capture_output=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        lines = done.stdout.decode(errors="replace").split("\n")
        assert lines.pop() == ""
        assert len(lines) == len(sent)
        return lines


@pytest.fixture(scope="session")
def runevm() -> Path:
    """The library's folder."""
    return RUNEVM


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Build:
    """Link a program of these sources of the folder and the library, with sanitizers.

    All of them are compiled with `defines`, if any.
    """
    compiler = shutil.which("gcc") or shutil.which("clang")
    assert compiler is not None, "no C compiler: make setup"
    base = tmp_path_factory.getbasetemp()
    root = (base if worker_id == "master" else base.parent) / "runevm-sanitized"
    compile_command = [compiler, *STRICT, *SANITIZED]
    compile_command += [f"-I{RUNEVM / 'include'}", f"-I{RUNEVM / 'src'}", "-c"]

    def make_object(source: Path, folder: Path, defines: tuple[str, ...]) -> Path:
        target = folder / f"{source.stem}.o"
        if not target.exists():
            part = target.with_suffix(".part")
            command = [*compile_command, *defines, str(source), "-o", str(part)]
            subprocess.run(command, check=True, timeout=300)
            part.rename(target)
        return target

    def make(name: str, sources: Iterable[str], defines: tuple[str, ...] = ()) -> Path:
        folder = root / ("".join(defines).replace("=", "-") or "plain")
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = sorted((RUNEVM / "src").glob("*.c"))
            library = [make_object(source, folder, defines) for source in found]
            own = [make_object(HERE / source, folder, defines) for source in sources]
            program = folder / name
            if not program.exists():
                command = [compiler, *SANITIZED, *map(str, [*own, *library]), "-o", str(program)]
                subprocess.run(command, check=True, timeout=300)
            return program

    return make


@pytest.fixture(scope="session")
def probe(build: Build) -> Probe:
    """The program that the tests drive."""
    return Probe(
        build(
            "probe",
            ["probe.c", "link_session.c", "fake_engines.c"],
            ("-DRUNEVM_LINK_SELFTEST",),
        )
    )


@pytest.fixture(scope="session")
def example_rune() -> Callable[[str], Rune]:
    """Build the .rune of an example."""
    return rune_of_example
