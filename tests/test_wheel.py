"""The wheel, installed into an empty environment away from the checkout, makes a firmware."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import runec

PROJECT = Path(__file__).resolve().parents[1]
Installed = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Run the `runec` of an environment that holds the wheel and its dependencies alone."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(PROJECT)], check=True
    )
    (wheel,) = folder.glob("runec-*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    constraints = str(PROJECT / "constraints.txt")
    subprocess.run(
        [python, *pip[1:], "install", "-c", constraints, f"{wheel}[emulators]"], check=True
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        command = [str(environment / "bin" / "runec"), *map(str, arguments)]
        return subprocess.run(
            command, cwd=cwd, env=clean, capture_output=True, text=True, check=False, timeout=600
        )

    return run


def test_the_wheel_goes_from_new_to_firmware(installed: Installed, tmp_path: Path) -> None:
    version = installed("--version", cwd=tmp_path)
    assert runec.__version__ in version.stdout

    assert installed("new", "first", cwd=tmp_path).returncode == 0
    project = tmp_path / "first"
    built = installed("build", cwd=project)
    assert built.returncode == 0, built.stderr
    (rune,) = project.glob("*.rune")

    inputs = ("--raw", "input.bin", "--format", "json")
    on_host = installed("run", rune, *inputs, cwd=project)
    assert on_host.returncode == 0, on_host.stderr
    board = "netduinoplus2"
    firmware = installed("firmware", "build", rune, "--board", board, cwd=project)
    assert firmware.returncode == 0, firmware.stderr
    assert (project / firmware.stdout.strip()).is_file()

    on_board = installed("run", rune, *inputs, "--on", f"emulator:{board}", cwd=project)
    assert on_board.returncode == 0, on_board.stderr
    assert on_board.stdout == on_host.stdout != ""
