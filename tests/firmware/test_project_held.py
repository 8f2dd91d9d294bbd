"""Two processes of runec and one project folder: one waits, and nothing is half-written."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runec.boards import load_board
from runec.container import Rune
from runec.diagnostics import UserFileError
from runec.firmware import DeviceRune, build_project, create_project, load_project
from runec.firmware.project_manifest import held_folder

if TYPE_CHECKING:
    ExampleRune = Callable[[str], Rune]

HOLD = """
import sys, time
from pathlib import Path
from runec.firmware.project_manifest import held_folder
with held_folder(Path(sys.argv[1]), make=True):
    print("held", flush=True)
    sys.stdin.read()
"""
CREATE = """
import sys
from pathlib import Path
from runec.boards import load_board
from runec.container import load_rune
from runec.firmware import DeviceRune, create_project
rune = DeviceRune.of(load_rune(Path(sys.argv[1])))
create_project(rune, load_board("netduinoplus2"), Path(sys.argv[2]))
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    return other


@pytest.mark.parametrize("ends", ["orderly", "killed"])
def test_the_second_waits_for_the_first_and_reports_it(ends: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "project"
    with hold(folder) as other:
        assert other.stdin is not None
        threading.Timer(0.5, other.kill if ends == "killed" else other.stdin.close).start()
        told: list[str] = []
        began = time.monotonic()
        with held_folder(folder, told.append, make=True):
            assert time.monotonic() - began > 0.3
            assert folder.is_dir()
        assert told == [f"waiting for another process that uses {folder}"]


def test_a_folder_that_nothing_was_put_into_is_gone_again(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held_folder(tmp_path / "a" / "b", make=True):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_for_others_to_report(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with held_folder(tmp_path / "file", make=True):
        pass
    with held_folder(tmp_path / "none"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_many_write_one_new_folder_at_once(example_rune: ExampleRune, tmp_path: Path) -> None:
    rune = example_rune("noop")
    path, folder = tmp_path / "noop.rune", tmp_path / "new" / "project"
    path.write_bytes(rune.data)
    command = [sys.executable, "-c", CREATE, str(path), str(folder)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0)] * 4
    project = load_project(folder)
    assert all((folder / name).is_file() for name in project.files)
    assert not list(folder.rglob("*.tmp"))


def test_a_project_that_another_process_replaced_is_not_built(
    example_rune: ExampleRune, tmp_path: Path
) -> None:
    folder = tmp_path / "p"
    board = load_board("netduinoplus2")
    first = create_project(DeviceRune.of(example_rune("noop")), board, folder)
    create_project(DeviceRune.of(example_rune("noop")), board.with_time_budget(1.0), folder)
    with pytest.raises(UserFileError) as caught:
        build_project(first)
    assert caught.value.code == "R1017"
