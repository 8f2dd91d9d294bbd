"""tools/check_reports.py: board files claim silicon with a report, and only then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.devices.test_selftest_report import good
from tools import check_reports as tool


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """The folder with one board that claims silicon, and its report."""
    (tmp_path / "reports").mkdir()
    text = (tool.BOARDS / "nucleo_f401re.toml").read_text()
    assert '"emulated"]' in text
    (tmp_path / "nucleo_f401re.toml").write_text(
        text.replace('"emulated"]', '"emulated", "silicon"]')
    )
    shutil.copy(tool.BOARDS / "esp32.toml", tmp_path)
    put(tmp_path, good())
    return tmp_path


def put(boards: Path, report: dict[str, Any], name: str = "nucleo_f401re") -> None:
    (boards / "reports" / f"{name}.json").write_text(json.dumps(report))


def test_the_boards_of_this_project_keep_to_it() -> None:
    assert tool.main([]) == 0


def test_a_report_that_proves_it_is_enough(boards: Path) -> None:
    assert tool.main([str(boards)]) == 0


def test_a_claim_without_a_report(boards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (boards / "reports" / "nucleo_f401re.json").unlink()
    assert tool.main([str(boards)]) == 1
    assert capsys.readouterr().err == (
        "nucleo_f401re.toml claims silicon without a report that proves it\n"
    )


def test_a_report_from_an_emulator(boards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = good()
    report["target"] = "emulator:nucleo_f401re"
    for each in report["passes"]:
        each["start"] = "emulator"
    put(boards, report)
    assert tool.main([str(boards)]) == 1
    said = capsys.readouterr().err
    assert "it is from an emulator" in said
    assert "claims silicon without" in said


def test_a_malformed_report(boards: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (boards / "reports" / "nucleo_f401re.json").write_text("{}")
    assert tool.main([str(boards)]) == 1
    assert "is not the report of a self test" in capsys.readouterr().err


def test_a_report_of_a_board_that_is_not_there(
    boards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(boards, {**good(), "board": "other"}, "other")
    put(boards, good(), "esp32")
    assert tool.main([str(boards)]) == 1
    said = capsys.readouterr().err
    assert "reports/other.json: there is no board other" in said
    assert "reports/esp32.json does not prove silicon: it is about nucleo_f401re" in said
