"""The fuzz targets run, and past findings stay fixed; `make fuzz` runs them longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fuzz import native_targets, targets
else:
    import native_targets
    import targets

PROJECT = Path(__file__).resolve().parents[2]
RUNS = 300
NATIVE = [f"c-{name}" for name in native_targets.TARGETS]
FOUND = [(name, path) for name in targets.TARGETS for path in targets.regressions(name)]


@pytest.mark.parametrize(("name", "path"), FOUND, ids=lambda value: getattr(value, "name", value))
def test_what_was_found_once_is_mended(name: str, path: Path) -> None:
    try:
        targets.TARGETS[name].make()(path.read_bytes())
    finally:
        targets.remove_scratch()


def test_every_folder_of_the_corpus_belongs_to_a_target() -> None:
    folders = {path.name for path in targets.CORPUS.iterdir()}
    assert folders <= {*targets.TARGETS, *NATIVE}


@pytest.mark.parametrize("chosen", [list(targets.TARGETS), NATIVE], ids=["python", "c"])
def test_a_short_run_finds_nothing(chosen: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "tools/fuzz.py", "--runs", str(RUNS), "--folder", str(tmp_path)]
    done = subprocess.run(
        [*command, *chosen], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "report.json").read_text())
    assert [row["target"] for row in rows] == chosen
    for row in rows:
        assert row["executions"] >= RUNS * 0.2, row
        assert row["coverage"] > 5, row


def test_a_finding_is_told_with_its_input_and_fails_the_run(tmp_path: Path) -> None:
    script = (
        "import sys\nsys.path[:0] = ['tools', 'tests/fuzz']\nimport fuzz\n"
        "log = '#2 INITED cov: 7 ft: 9\\nAssertionError: no\\n"
        "==1== ERROR: libFuzzer: x\\nTest unit written to /a b/c.crash-1\\n'\n"
        "row = fuzz.read_log('x', log, failed=True)\n"
        "assert (row.executions, row.coverage) == (2, 7), row\n"
        "assert row.findings == ('/a b/c.crash-1',), row\n"
        "assert 'AssertionError: no' in row.said, row\n"
        "assert fuzz.read_log('x', 'Traceback', failed=True).findings\n"
        "assert not fuzz.read_log('x', '#5 DONE cov: 1\\n', failed=False).findings\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=True)
    assert list(tmp_path.iterdir()) == []
