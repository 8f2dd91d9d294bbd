from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from runec.explanations import all_pages


def test_a_code_is_explained_with_both_examples(runec: Callable[..., Any]) -> None:
    done = runec("explain", "R0012")
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith("R0012: a path that can't be read\n")
    for word in ("Wrong:\n    version: 1\n", "Right:\n    version: 1\n", "Fix: "):
        assert word in done.stdout
    assert all(len(line) <= 104 for line in done.stdout.splitlines())


def test_yaml_comes_before_the_legacy_dialect(runec: Callable[..., Any]) -> None:
    lines = runec("explain", "R0101").stdout.splitlines()
    order = [lines.index(f"{what}:") for what in ("Wrong", "Right")]
    order += [lines.index(f"{what} (legacy dialect):") for what in ("Wrong", "Right")]
    assert order == sorted(order)
    first = [lines[index + 1].strip() for index in order]
    assert first == ["version: 1", "version: 1", "FROM runicos/base", "FROM runicos/base"]


def test_without_a_code_all_are_listed(runec: Callable[..., Any]) -> None:
    done = runec("explain")
    listed = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert listed == [page.code for page in all_pages()]


def test_programs_get_an_object_a_page(runec: Callable[..., Any]) -> None:
    (line,) = runec("explain", "r0202", "--format", "json").stdout.splitlines()
    page = json.loads(line)
    assert page.keys() == {
        *("code", "title", "cause", "wrong", "right", "legacy_wrong", "legacy_right", "fix")
    }
    assert page["code"] == "R0202"
    every = [json.loads(line) for line in runec("explain", "--format", "json").stdout.splitlines()]
    assert page in every


def test_an_unknown_code_is_a_mistake_of_usage(runec: Callable[..., Any]) -> None:
    done = runec("explain", "R9999")
    assert (done.code, done.stdout) == (2, "")
    assert "error[R1110]" in done.stderr
