"""runec's own end of the link against the firmware's own, with a fault injector on both ways.

Whatever the line does to frames, a run ends in one of three ways: the right result, the rune's own
error, or a link that is reported as lost. All of it is counted.
"""

from __future__ import annotations

import dataclasses
import itertools
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from runec.devices.link import DataWanted, Event, Finished, Link, Lost
from runec.devices.messages import Failure, Hello
from tests.firmware_templates.runevm import handmade_runes as made

if TYPE_CHECKING:
    from tests.firmware_templates.runevm.conftest import Probe

SIZE = 1000
RATE = 0.15
STEP_MS = 250
FAULTS = 1500
ALL_FAULTS = 10_000
KINDS = ("lost", "doubled", "cut", "beheaded", "flipped", "stuffed", "swapped")


class Line:
    """One direction: it spoils what passes and counts what it did."""

    def __init__(self, seed: int) -> None:
        self.chance = made.dice(seed)
        self.done: Counter[str] = Counter()
        self.is_good = False
        self._held = b""

    def __call__(self, data: bytes) -> bytes:
        data, self._held = data + self._held, b""
        if not data or self.is_good or self.chance.random() >= RATE:
            return data
        chance = self.chance
        at = chance.randrange(len(data))
        kind = chance.choice(KINDS)
        self.done[kind] += 1
        match kind:
            case "lost":
                return b""
            case "doubled":
                return data + data
            case "cut":
                return data[:at]
            case "beheaded":
                return data[at + 1 :]
            case "flipped":
                spoilt = bytearray(data)
                for _ in range(chance.randint(1, 4)):
                    spoilt[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                return bytes(spoilt)
            case "stuffed":
                return data[:at] + chance.randbytes(chance.randint(1, 300)) + data[at:]
            case _:  # it comes after what follows it
                self._held = data
                return b""


@dataclasses.dataclass
class Talk:
    """The two ends, the lines between them, and the device's clock."""

    to: IO[bytes]
    source: IO[bytes]
    down: Line
    up: Line
    now: float = 0.0
    link: Link = dataclasses.field(default_factory=lambda: Link(silence_ms=30_000))

    def step(self, data: bytes, ms: int) -> bytes:
        """Give the device bytes, let time pass, return what it wrote."""
        orders = b"".join(b"B%c" % byte for byte in data) + b"T" + struct.pack("<I", ms)
        self.to.write(orders)
        self.to.flush()
        self.now += ms
        said = b""
        while (order := self.source.read(1)) != b"I":
            assert order == b"W", "the device is gone"
            (length,) = struct.unpack("<H", self.source.read(2))
            said += self.up(self.source.read(length))
        return said

    def until(self, data: bytes) -> Event:
        """Carry bytes both ways until something ends; `data` is what the capability gives."""
        quiet = 0
        while True:
            out = self.link.output()
            ms = 1 if out or quiet < 2 else STEP_MS
            heard = self.step(self.down(out), ms)
            quiet = 0 if out or heard else quiet + 1
            events = self.link.receive(heard, self.now) if heard else []
            for event in [*events, *self.link.tick(self.now)]:
                if isinstance(event, DataWanted):
                    self.link.give(data[: event.length], self.now)
                elif isinstance(event, Finished | Failure | Lost | Hello):
                    self.step(self.down(self.link.output()), 1)
                    return event

    def greet(self) -> Event:
        self.link.greet(self.now)
        return self.until(b"")

    def run(self, data: bytes) -> Event:
        self.link.run(self.now)
        return self.until(data)


def echo_rune() -> bytes:
    """Takes 1000 bytes, writes them as text; a first byte of 255 traps."""
    pipe = made.Pipe(tensor=("u8", (SIZE,)), memory=2048)
    pipe.call = pipe.provide().trap_if(64, 255)
    pipe.call.call("consume_output", 2, 64, SIZE)
    return pipe.build()


def count_outcomes(probe: Probe, folder: Path, faults: int, seed: int) -> Counter[str]:
    """Run until so many faults were injected; every run's outcome, judged."""
    rune = folder / "x.rune"
    rune.write_bytes(echo_rune())
    found: Counter[str] = Counter()
    with subprocess.Popen(
        [probe.program, "link", rune], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            lines = Line(seed), Line(seed + 1)
            talk = Talk(process.stdin, process.stdout, *lines)
            for turn in itertools.count():
                if sum(line.done.total() for line in lines) >= faults:
                    break
                fails = turn % 5 == 4
                data = b"\xff" * SIZE if fails else made.dice(turn).randbytes(SIZE)
                data = data if fails else bytes((turn % 250,)) + data[1:]
                found[judge(talk.run(data), data, fails=fails)] += 1
                if found["lost"] and not talk.link.is_idle:
                    # A new computer: it starts with hello, as runec does.
                    talk.link = Link(silence_ms=30_000)
                    while not isinstance(talk.greet(), Hello):
                        found["lost at hello"] += 1
                        talk.link = Link(silence_ms=30_000)
            for line in lines:
                line.is_good = True
            for _ in range(20):
                talk.step(b"\0", 1000)
            talk.link = Link()
            assert isinstance(talk.greet(), Hello)
            assert talk.run(bytes(SIZE)) == Finished(made.text_of(bytes(SIZE)))
            process.stdin.close()
            assert process.wait(30) == 0
        finally:
            process.kill()
    for name, line in zip(("to the device", "to the computer"), lines, strict=True):
        found.update({f"{kind} {name}": count for kind, count in line.done.items()})
    return found


def judge(event: Event, data: bytes, *, fails: bool) -> str:
    if isinstance(event, Lost):
        return "lost"
    if fails:
        right = isinstance(event, Failure) and event.code == 301
        return "the rune's own error" if right else "WRONG"
    return "right result" if event == Finished(made.text_of(data)) else "WRONG"


def check(found: Counter[str], faults: int) -> None:
    injected = sum(
        count for name, count in found.items() if name.split()[0] in KINDS and " to " in name
    )
    assert injected >= faults
    assert found["WRONG"] == 0, found
    assert found["right result"] > faults // 30
    assert found["the rune's own error"] > faults // 150
    assert found["lost"] <= found["right result"] // 10, found
    for kind, way in itertools.product(KINDS, ("device", "computer")):
        assert found[f"{kind} to the {way}"] > faults // 40, found


def test_a_bad_line_never_gives_a_wrong_result(probe: Probe, tmp_path: Path) -> None:
    check(count_outcomes(probe, tmp_path, FAULTS, 1), FAULTS)


@pytest.mark.emulated
def test_ten_thousand_faults_never_give_a_wrong_result(
    probe: Probe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = count_outcomes(probe, tmp_path, ALL_FAULTS, 100)
    check(found, ALL_FAULTS)
    with capsys.disabled():
        rows = (f"{count:7} {name}\n" for name, count in sorted(found.items()))
        sys.stdout.write("\n" + "".join(rows))
