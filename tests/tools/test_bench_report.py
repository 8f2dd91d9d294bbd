"""Results of a bench as a page and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runec.firmware import BACKENDS
from tools import board_sizes
from tools.bench import __main__ as bench
from tools.bench import report, start_up
from tools.bench.figures import Comparison, Figures, RunCost


def figures(ready: int, blocks: int, model: int, host: int, size: int) -> Figures:
    return Figures(
        ready=ready,
        first=RunCost(blocks=blocks + 100, model=model, host=host),
        steady=RunCost(blocks=blocks, model=model, host=host),
        flash_bytes=size,
        ram_bytes=size // 2,
        results=("{}", "{}"),
    )


FOUND = Comparison(
    example="sine",
    engine="aot",
    board="netduinoplus2",
    rune=figures(1_000_000, 3_000, 5_000, 2_000, 100_000),
    peer=figures(250_000, 200, 5_000, 0, 25_000),
    linear_memory_bytes=1_088,
    arena_bytes=1_264,
)


def test_the_page_has_a_row_an_example_in_each_table() -> None:
    lines = report.page([FOUND], "A Board").splitlines()
    found = [line.removeprefix("| sine | aot ") for line in lines if line.startswith("| sine")]
    assert found == [
        "| 1 000 000 | 1 010 100 | 10 000 | 3 000 | 5 000 | 2 000 |",
        "| 250 000 | x4.00 | 255 300 | x3.96 | 5 200 | x1.92 | 200 | x15.0 | 5 000 | x1.00 |",
        "| 100 000 | 25 000 | x4.00 | 50 000 | 12 500 | x4.00 | 1 088 | 1 264 |",
    ]
    assert "emulated A Board" in " ".join(lines)


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [(1, 3, "x0.33"), (28, 10, "x2.80"), (999, 10, "x99.9"), (2230, 10, "x223"), (5, 0, "-")],
)
def test_a_ratio_has_three_digits(ours: int, theirs: int, told: str) -> None:
    assert report.ratio(ours, theirs) == told


def test_json_tells_counts_sums_and_ratios_but_no_results() -> None:
    told = json.loads(report.as_json(FOUND))
    assert told["rune"]["first_result"] == 1_010_100
    assert told["rune"]["steady"] == {"blocks": 3000, "model": 5000, "host": 2000, "total": 10_000}
    assert told["ratio"]["run"] == pytest.approx(10_000 / 5_200, abs=1e-4)
    assert "results" not in told["rune"]


def test_a_ratio_to_nothing_is_none() -> None:
    without = Comparison("noop", "aot", "b", FOUND.rune, figures(1, 1, 0, 0, 2), 0, 0)
    assert json.loads(report.as_json(without))["ratio"]["model"] is None


def test_the_page_tells_of_all_examples_or_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "bench.md")
    monkeypatch.setattr(bench, "compare", lambda *_: [FOUND])
    monkeypatch.setattr(start_up, "measure", lambda: "x11")
    with pytest.raises(SystemExit):
        bench.main(["--page", "--example", "sine"])
    assert not (tmp_path / "bench.md").exists()
    assert bench.main(["--page"]) == 0
    assert (tmp_path / "bench.md").read_text().count("| sine |") == 3 * 6
    assert "first result" in capsys.readouterr().out
    assert bench.main(["--example", "nothing"]) == 1


def test_the_page_of_the_project_names_every_example() -> None:
    text = report.PAGE.read_text(encoding="utf-8")
    for path in report.PAGE.parents[1].glob("examples/*/conformance.toml"):
        for engine in BACKENDS:
            assert text.count(f"| {path.parent.name} | {engine} |") == 3


def test_build_times_are_those_of_the_sizes_table(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def sizes(words: list[str]) -> int:
        asked.append(words)
        return 0

    monkeypatch.setattr(board_sizes, "main", sizes)
    assert bench.main(["--build-times", "--example", "sine"]) == 0
    assert asked == [["--time", "--example", "sine"]]
