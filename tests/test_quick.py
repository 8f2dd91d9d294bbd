"""`make quick`: the files that tests/quick.txt lists, less than a minute on two cores."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FILES = (PROJECT / "tests" / "quick.txt").read_text("utf-8").splitlines()
# What compiles a firmware, or the engines of one, takes more than all others together.
SLOW = re.compile(r"\b(?:build_project|pio_program|EmulatedDevice|run_(?:model|engine))\b")


def test_each_file_is_there_once_and_in_order() -> None:
    assert sorted(set(FILES)) == FILES
    assert [name for name in FILES if not (PROJECT / name).is_file()] == []


def test_each_package_has_a_file() -> None:
    packages = {path.parent.name for path in (PROJECT / "runec").glob("*/__init__.py")}
    assert len(packages) > 10
    wanted = {*packages, "firmware_templates", "examples", "tools"}
    assert wanted - {Path(name).parts[1] for name in FILES} == set()


def test_none_builds_a_firmware() -> None:
    texts = {name: (PROJECT / name).read_text("utf-8") for name in FILES}
    del texts["tests/test_quick.py"]
    found = {name: SLOW.findall(text) for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}
