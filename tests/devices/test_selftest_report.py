"""The strict reader of reports, and what proves silicon; docs/spec/report.md lists the facts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runec.devices.selftest_report import (
    BEFORE,
    MAX_REPORT_BYTES,
    OPTIONAL,
    REQUIRED,
    parse_report,
    read_report,
    silicon_objections,
)
from runec.diagnostics import UserFileError

PROJECT = Path(__file__).resolve().parents[2]


def good() -> dict[str, Any]:
    """A report that proves silicon, written from the page."""
    passed = [{"name": name, "status": "passed", "value": 1} for name in REQUIRED]
    for fact in passed:
        fact["value"] = {"idle": 60.0, "image.crc": 1000}.get(str(fact["name"]), 1)
    absent = [{"name": name, "status": "not available", "why": "-"} for name in OPTIONAL]
    register = {"name": "identity.CPUID", "status": "measured", "value": "0x410fc241"}
    facts = [register, *passed, *absent]
    return {
        "format": 1,
        "runec": "0.1.0",
        "board": "nucleo_f401re",
        "target": "serial:/dev/ttyACM0",
        "time": "2026-11-30T09:08:07Z",
        "firmware": "0" * 64,
        "result": "passed",
        "before": [{"name": name, "status": "not available", "why": "-"} for name in BEFORE],
        "passes": [{"start": "upload", "facts": facts}, {"start": "reset", "facts": facts}],
    }


def edited(change: Callable[[dict[str, Any]], object]) -> bytes:
    report: dict[str, Any] = json.loads(json.dumps(good()))
    change(report)
    return json.dumps(report).encode()


def fact(report: dict[str, Any], name: str, number: int = 0) -> dict[str, Any]:
    found = [each for each in report["passes"][number]["facts"] if each["name"] == name]
    return dict.__getitem__({"": found[0]}, "")


def test_a_good_report_proves_silicon() -> None:
    report = parse_report(json.dumps(good()).encode(), "x")
    assert silicon_objections(report, "nucleo_f401re") == []
    assert parse_report(report.encode(), "x") == report


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "another format": lambda r: r.update(format=2),
    "a member more": lambda r: r.update(more=1),
    "a member less": lambda r: r.pop("time"),
    "a time without a zone": lambda r: r.update(time="2026-11-30T09:08:07"),
    "a short digest": lambda r: r.update(firmware="0" * 63),
    "a board that is a path": lambda r: r.update(board="../x"),
    "another kind of target": lambda r: r.update(target="host"),
    "one pass": lambda r: r["passes"].pop(),
    "three passes": lambda r: r["passes"].append(r["passes"][0]),
    "a fact before is missing": lambda r: r["before"].pop(),
    "facts before in another order": lambda r: r["before"].reverse(),
    "a fact is missing": lambda r: r["passes"][0]["facts"].remove(fact(r, "led")),
    "a fact twice": lambda r: r["passes"][1]["facts"].append(fact(r, "idle", 1)),
    "an unknown fact": lambda r: fact(r, "led").update(name="lad"),
    "no register": lambda r: r["passes"][0]["facts"].remove(fact(r, "identity.CPUID")),
    "an unknown status": lambda r: fact(r, "idle").update(status="fine"),
    "passed without a value": lambda r: fact(r, "idle").pop("value"),
    "absent with a value": lambda r: fact(r, "led").update(value=1),
    "absent without a reason": lambda r: fact(r, "led").pop("why"),
    "failed without a reason": lambda r: (
        fact(r, "idle").update(status="failed"),
        r.update(result="failed"),
    ),
    "a result that hides a failure": lambda r: fact(r, "idle").update(status="failed", why="-"),
    "a result that nothing explains": lambda r: r.update(result="failed"),
    "control characters": lambda r: fact(r, "led").update(why="\x1b[2J"),
    "two lines": lambda r: fact(r, "led").update(why="a\nb"),
    "a long text": lambda r: fact(r, "led").update(why="a" * 401),
    "a list for a value": lambda r: fact(r, "idle").update(value=[1]),
    "an emulator's pass on a port": lambda r: r["passes"][0].update(start="emulator"),
    "a port's pass in an emulator": lambda r: r.update(target="emulator:nucleo_f401re"),
    "two uploads": lambda r: r["passes"][1].update(start="upload"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_reader_is_strict(name: str) -> None:
    with pytest.raises(UserFileError) as caught:
        parse_report(edited(WRONG[name]), "report.json")
    assert caught.value.code == "R0617"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff", b'{"format":1}', b"[" * 100_000]
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(UserFileError) as caught:
        parse_report(data, "report\x1b.json")
    assert caught.value.code == "R0617"
    assert "\x1b" not in caught.value.message


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(json.dumps(good()).encode() + b" " * MAX_REPORT_BYTES)
    with pytest.raises(UserFileError):
        read_report(path)


NO_PROOF: dict[str, Callable[[dict[str, Any]], object]] = {
    "is about": lambda r: r.update(board="esp32"),
    "failed: led": lambda r: (
        fact(r, "led", 1).update(status="failed", why="-"),
        r.update(result="failed"),
    ),
    "pass 2 did not judge clock.host": lambda r: fact(r, "clock.host", 1).update(status="measured"),
    "pass 1 was idle for less": lambda r: fact(r, "idle").update(value=59.9),
    "pass 2 was idle for less": lambda r: fact(r, "idle", 1).update(value="60"),
    "pass 1 read the image less": lambda r: fact(r, "image.crc").update(value=999),
}


@pytest.mark.parametrize("words", NO_PROOF)
def test_a_report_that_proves_nothing(words: str) -> None:
    report = parse_report(edited(NO_PROOF[words]), "x")
    (objection,) = silicon_objections(report, "nucleo_f401re")
    assert words in objection


def test_an_emulator_proves_nothing() -> None:
    def emulate(report: dict[str, Any]) -> None:
        report["target"] = "emulator:nucleo_f401re"
        for each in report["passes"]:
            each["start"] = "emulator"

    report = parse_report(edited(emulate), "x")
    assert silicon_objections(report, "nucleo_f401re") == ["it is from an emulator"]


def test_the_page_lists_every_fact() -> None:
    page = (PROJECT / "docs" / "spec" / "report.md").read_text()
    before, _, after = page.partition("## 3. Facts of a pass")
    tables = re.findall(r"^\| `([\w.-]+)` \|", before.partition("## 2.")[2], re.MULTILINE)
    assert tuple(tables) == BEFORE
    listed = re.findall(r"^\| `([\w.-]+)` \|", after, re.MULTILINE)
    assert tuple(listed) == (*REQUIRED, *OPTIONAL)
