from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tools import demo as tool

PROJECT = Path(__file__).resolve().parent.parent.parent
LINE = '{"2":[{"element-type":"i32","dimensions":[4],"elements":[0,1,2,3]}]}'


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`tools/demo.py`, on a machine without emulated boards."""
    monkeypatch.setattr(tool, "load_boards", tuple)
    return tool


def test_the_demo_prints_a_line_and_a_row_a_target(
    demo: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo.main([str(PROJECT / "examples" / "noop")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"host: {LINE}"
    assert lines[2].split("  ")[0] == "bytes"
    assert lines[3].split()[0] == "host"


def test_the_demo_fails_when_places_do_not_agree(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: Iterator[list[str]] = iter([["a"], ["b"]])
    host = demo.Target("host")
    monkeypatch.setattr(demo, "some_boards", lambda: [object()])
    monkeypatch.setattr(demo, "Target", lambda *_: host)
    monkeypatch.setattr(demo, "run_and_measure", lambda *_: (next(answers), [1, 2, None, None, 3]))
    assert demo.main([str(PROJECT / "examples" / "noop")]) == 1
    assert "do not agree" in capsys.readouterr().err


def test_the_demo_takes_one_emulated_board_a_compiler(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runec.boards import load_boards

    monkeypatch.setattr(demo, "load_boards", load_boards)
    boards = demo.some_boards()
    emulated = [board for board in load_boards() if "emulated" in board.verified]
    prefixes = [board.toolchain.prefix for board in boards]
    assert sorted(prefixes) == sorted({board.toolchain.prefix for board in emulated})
    assert all(board in emulated for board in boards)


def test_an_example_without_an_input_is_told(demo: ModuleType, tmp_path: Path) -> None:
    from runec.diagnostics import UserFileError

    shutil.copytree(PROJECT / "examples" / "noop", tmp_path / "noop")
    (tmp_path / "noop" / "input.bin").unlink()
    with pytest.raises(UserFileError) as caught:
        demo.main([str(tmp_path / "noop")])
    assert caught.value.code == "R1105"
