"""THREAT_MODEL.md: its tables are whole, and the tests that it names exist."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "THREAT_MODEL.md"


def test_every_row_belongs_to_a_table_and_has_its_columns() -> None:
    lines = PAGE.read_text().splitlines()
    columns = 0
    for before, line in zip(["", *lines], lines, strict=False):
        if not line.startswith("|"):
            columns = 0
            continue
        # A pipe inside code would be a column of its own.
        count = line.count("|")
        if not columns:
            assert before == "", line
            columns = count
            following = lines[lines.index(line) + 1]
            assert set(following) <= set("|- "), f"a table without a head: {line}"
        assert count == columns, line


def test_the_tests_that_it_names_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE.read_text())
    assert len(named) > 10
    for path, function in named:
        text = (PROJECT / path).read_text()
        assert not function or f"def {function}(" in text, f"{path}::{function}"


def test_every_attack_names_its_test() -> None:
    section = PAGE.read_text().partition("## Attacks and their tests")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    assert rows
    assert [row for row in rows if "`tests/" not in row.rsplit(" | ", 1)[1]] == []
