"""The report of a self test: its facts as values, its strict reader, what it proves.

docs/spec/report.md describes the format. A report comes from anybody's bug report, so nothing of it
is used before all of it was checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from runec.boards.board import BoardId
from runec.diagnostics import UserFileError, printable
from runec.files import read_file

FORMAT = 1
MAX_REPORT_BYTES = 1 << 18
SILICON_IDLE_S = 60.0
SILICON_ROUNDS = 1000
EMULATOR = "emulator:"

# What each report lists before the firmware is written, and in each pass. Registers of the chip,
# `identity.NAME`, come on top.
BEFORE = (
    "usb.ids",
    "host.brltty",
    "upload.tool",
    "esp.chip",
    "esp.partitions",
    "nrf.lock",
    "dfu.device",
)
# Without these a board does not work; in a report for silicon each must have passed.
REQUIRED = (
    "console.echo",
    "console.frame",
    "console.repeats",
    "image.crc",
    "idle",
    "clock.host",
    "fault",
)
# What not every board has; none may have failed.
OPTIONAL = (
    "clock.ticks",
    "clock.second",
    "console.overruns",
    "image.cache",
    "image.crc-uncached",
    "led",
    "led.seen",
    "pins.loopback",
    "i2c.scan",
    "i2c.scl",
    "random",
)
_REGISTER = "identity."

Status = Literal["passed", "failed", "measured", "not available"]
Start = Literal["upload", "running", "reset", "power cycle", "emulator"]
_Text = Annotated[str, msgspec.Meta(max_length=400)]


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fact. `passed` and `failed` are judgements; `measured` is not judged.

    `why` says why a fact is not available or failed, or what was measured. `unit` is that of a
    number.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(\.[A-Za-z0-9_-]{1,40})?$")]
    status: Status
    value: int | float | _Text | None = None
    unit: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z%/ ]{0,12}$")] = ""
    why: _Text = ""


class Pass(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All sub-tests once, and what came before them."""

    start: Start
    facts: tuple[Fact, ...]


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A self test of one board.

    `time` is UTC, ISO 8601; `firmware` is the SHA-256 of the program; `target` is spelled as for
    `runec run --on`.
    """

    format: Literal[1]
    runec: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+[\w.+-]{0,20}$")]
    board: BoardId
    target: Annotated[str, msgspec.Meta(pattern=r"^(emulator|serial):[^\s]{1,200}$")]
    time: Annotated[str, msgspec.Meta(pattern=r"^20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ$")]
    firmware: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    result: Literal["passed", "failed"]
    before: tuple[Fact, ...]
    passes: tuple[Pass, Pass]

    @property
    def is_silicon(self) -> bool:
        """Whether a real board was tested, as far as the report says."""
        return not self.target.startswith(EMULATOR)

    @property
    def failures(self) -> list[str]:
        """The names of the facts that failed, each once."""
        return failures(self.passes)

    def encode(self) -> bytes:
        """Return the report as one line of JSON, with its newline."""
        return msgspec.json.encode(self) + b"\n"


def failures(passes: tuple[Pass, ...]) -> list[str]:
    """Return the names of the facts that failed in any pass, each once."""
    failed = (fact.name for each in passes for fact in each.facts if fact.status == "failed")
    return list(dict.fromkeys(failed))


def read_report(path: Path) -> Report:
    """Read a file with one report.

    Raises:
        UserFileError: R0617, it is no report, or contradicts itself; R1003, it cannot be read.
    """
    return parse_report(read_file(path, "report", max_bytes=MAX_REPORT_BYTES), str(path))


def parse_report(data: bytes, name: str) -> Report:
    """Read a report; `name` is where it is from. Raises UserFileError R0617."""
    try:
        report = msgspec.json.decode(data, type=Report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(name, str(error)) from None
    for objection in _contradictions(report):
        raise _malformed(name, objection)
    return report


def _malformed(name: str, what: str) -> UserFileError:
    return UserFileError(
        "R0617",
        f"{printable(name)} is not the report of a self test: {printable(what)}",
        hint="make it with `runec doctor --board B --selftest --format json`, and change nothing",
    )


def _contradictions(report: Report) -> Iterator[str]:
    if tuple(fact.name for fact in report.before) != BEFORE:
        yield f"`before` must list {', '.join(BEFORE)}"
    if (report.result == "failed") != bool(report.failures):
        yield f"the result is {report.result!r}, which its facts contradict"
    for number, each in enumerate(report.passes, start=1):
        names = [fact.name for fact in each.facts]
        known = [name for name in names if not name.startswith(_REGISTER)]
        if sorted(known) != sorted((*REQUIRED, *OPTIONAL)) or len(set(names)) != len(names):
            yield f"pass {number} does not have each fact once"
        # A device that was lost at once has none.
        has_some = any(fact.status in ("passed", "measured") for fact in each.facts)
        if len(names) == len(known) and has_some:
            yield f"pass {number} has no register of the chip"
        if (each.start == "emulator") == report.is_silicon:
            yield f"pass {number} cannot begin with {each.start!r} on {report.target}"
    if report.passes[1].start in ("upload", "running"):
        yield "nothing lies between the passes"
    for fact in (*report.before, *(fact for each in report.passes for fact in each.facts)):
        yield from _wrong(fact)


def _wrong(fact: Fact) -> Iterator[str]:
    texts = (fact.why, fact.value if isinstance(fact.value, str) else "")
    if any(printable(text) != text for text in texts):
        yield f"{fact.name} has characters that cannot be printed"
    if fact.status in ("failed", "not available") and not fact.why:
        yield f"{fact.name} is {fact.status}, but not why"
    if fact.status == "not available" and fact.value is not None:
        yield f"{fact.name} is not available, but has a value"
    if fact.status in ("passed", "measured") and fact.value is None:
        yield f"{fact.name} has no value"


def silicon_objections(report: Report, board_id: str) -> list[str]:
    """Return why a report does not prove that runec works on a real board of this id."""
    found = []
    if report.board != board_id:
        found.append(f"it is about {report.board}")
    if not report.is_silicon:
        found.append("it is from an emulator")
    if report.result != "passed":
        found.append(f"failed: {', '.join(report.failures)}")
    for number, each in enumerate(report.passes, start=1):
        facts = {fact.name: fact for fact in each.facts}
        lacking = [name for name in REQUIRED if facts[name].status not in ("passed", "failed")]
        if lacking:
            found.append(f"pass {number} did not judge {', '.join(lacking)}")
        if _number(facts["idle"]) < SILICON_IDLE_S:
            found.append(f"pass {number} was idle for less than {SILICON_IDLE_S:g} s")
        if _number(facts["image.crc"]) < SILICON_ROUNDS:
            found.append(f"pass {number} read the image less than {SILICON_ROUNDS} times")
    return found


def _number(fact: Fact) -> float:
    return float(fact.value) if isinstance(fact.value, int | float) else 0.0
