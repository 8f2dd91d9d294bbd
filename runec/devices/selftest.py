"""A self test of a board: facts of the host, two passes of sub-tests, one report.

`run_selftest` writes the firmware of the self test to a board, or starts it in the emulator, and
measures. What an emulator has no model of is measured but not judged, or reported as not available.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import runec
from runec.boards import Board
from runec.devices.board_facts import facts_before, no_facts_before
from runec.devices.emulator import START_TIMEOUT_S, check_emulator, start_emulator
from runec.devices.flashing import flash_selftest
from runec.devices.messages import Hello, TestStatus
from runec.devices.selftest_bench import (
    ECHO_BYTES_MAX,
    RANDOM_WORDS,
    Bench,
    PinAction,
    Sample,
    SubTest,
)
from runec.devices.selftest_report import (
    EMULATOR,
    OPTIONAL,
    REQUIRED,
    SILICON_IDLE_S,
    SILICON_ROUNDS,
    Fact,
    Pass,
    Report,
    Start,
    Status,
    failures,
)
from runec.devices.session import Log, Session
from runec.devices.targets import Target
from runec.diagnostics import MachineError, RuneError
from runec.files import read_file
from runec.firmware import flash_segments, held_selftest
from runec.tools import Progress

GREETING_S = 30.0
CLOCK_TOLERANCE = 0.03
_EMULATED = "clocks of an emulator are not judged"
_LOST = "the device was lost before"
_WRAP = 1 << 32
_FRAME_BYTES = ECHO_BYTES_MAX + 10
_ECHO_LENGTHS = (0, 1, 2, 62, 63, 64, 65, 126, 127, 128, 238, ECHO_BYTES_MAX)
_CRC_REQUEST_S = 0.25
_JUDGED_MS = 1000.0
_SHORT_READ, _LONG_READ = 8, 72
_CLOCKS_OF_A_BYTE = 9
# 100 kHz, less where a controller works through lists of commands.
_SCL_HZ = (70_000, 103_000)
_BLINKS = 3


@dataclass(frozen=True, slots=True)
class SelftestOptions:
    """How long a self test takes, and what somebody prepared for it.

    `idle_s` without a frame, `rounds` of reading the image, `clock_s` to compare the device's
    clocks. `is_on_board`: the firmware was written before. `loopback` are the numbers of two pins
    that a wire joins; `led` is that of the board's LED. `is_led_seen` asks a person whether it
    blinked; None: nobody is there. `power_cycle` asks for one, and returns when the supply is on
    again; None: a reset.
    """

    idle_s: float = SILICON_IDLE_S
    rounds: int = SILICON_ROUNDS
    clock_s: float = 2.0
    is_on_board: bool = False
    loopback: tuple[int, int] | None = None
    led: int | None = None
    is_led_seen: Callable[[], bool] | None = None
    power_cycle: Callable[[], None] | None = None


def run_selftest(
    board: Board,
    target: Target,
    options: SelftestOptions,
    *,
    protocol: str | None = None,
    log: Log | None = None,
    progress: Progress | None = None,
) -> Report:
    """Test a board and return the report; whether it passed is in there.

    The board of an emulator's target is the emulated variant of `board`.

    Raises:
        RunecError: as `held_selftest`, `flash_selftest` and `start_emulator`.
        RuneError: R0927, another firmware answers; R0901, none does.
        MachineError: R0941, the port cannot be opened.
    """
    step = progress or (lambda _: contextlib.nullcontext())
    if target.board is not None:
        before, passes, elf = _emulated(board, options, log, step)
    else:
        before, passes, elf = _on_silicon(
            board, target, options, protocol=protocol, log=log, step=step
        )
    return Report(
        format=1,
        runec=runec.__version__,
        board=board.id,
        target=str(target),
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        firmware=hashlib.sha256(elf).hexdigest(),
        result="failed" if failures(passes) else "passed",
        before=before,
        passes=passes,
    )


_Measured = tuple[tuple[Fact, ...], tuple[Pass, Pass], bytes]


def _emulated(board: Board, options: SelftestOptions, log: Log | None, step: Progress) -> _Measured:
    variant = board.emulated()
    check_emulator(variant)

    def measure(number: int) -> Pass:
        with held_selftest(variant, log=log) as built:
            transport = start_emulator(variant, built.elf)
        with contextlib.closing(transport), step(f"testing, pass {number} of 2"):
            session = Session(transport, name=f"{EMULATOR}{board.id}", log=log)
            _check_firmware(session.greet(booting=True, timeout_s=START_TIMEOUT_S), board)
            bench = Bench(session, transport, timeout_s=START_TIMEOUT_S)
            return _Tester(variant, bench, options, elf, is_emulated=True).run("emulator")

    with step(f"building the self test for {board.id}"), held_selftest(variant, log=log) as built:
        elf = read_file(built.elf, "firmware")
    return no_facts_before("an emulator"), (measure(1), measure(2)), elf


def _on_silicon(
    board: Board,
    target: Target,
    options: SelftestOptions,
    *,
    protocol: str | None,
    log: Log | None,
    step: Progress,
) -> _Measured:
    # Only here: pyserial looks for a system that it knows.
    from runec.devices.serial_port import SerialTransport  # noqa: PLC0415

    with step("looking at the board"):
        before = facts_before(board, target.port, protocol)
    start: Start = "running" if options.is_on_board else "upload"
    if options.is_on_board:
        with step(f"building the self test for {board.id}"), held_selftest(board, log=log) as built:
            elf = read_file(built.elf, "firmware")
    else:
        _, elf = flash_selftest(board, port=target.port, protocol=protocol, log=log, progress=step)

    @contextmanager
    def tester() -> Iterator[_Tester]:
        with contextlib.closing(SerialTransport(target.port, target.baud)) as transport:
            session = Session(transport, name=str(target), log=log)
            _check_firmware(session.greet(booting=False, timeout_s=GREETING_S), board)
            bench = Bench(session, transport, timeout_s=GREETING_S)
            yield _Tester(board, bench, options, elf, is_emulated=False)

    with tester() as first, step("testing, pass 1 of 2"):
        one = first.run(start)
        if options.power_cycle is None and first.lost is None:
            with contextlib.suppress(RuneError):  # the second pass reports a device that is lost
                first.bench.restart(SubTest.RESTART)
    if options.power_cycle is not None:
        options.power_cycle()
    try:
        with tester() as second, step("testing, pass 2 of 2"):
            is_on_anew = options.power_cycle is not None and second.bench.sample().starts == 1
            two = second.run("power cycle" if is_on_anew else "reset")
    except (RuneError, MachineError) as error:
        # It was there before: that is what the test has found.
        two = _lost_pass("reset", error)
    return before, (one, two), elf


def _lost_pass(start: Start, error: RuneError | MachineError) -> Pass:
    """Return the pass of a device that did not come back."""
    first, *others = (*REQUIRED, *OPTIONAL)
    facts = [Fact(name=first, status="failed", why=f"the device was lost: {error.message}")]
    facts += [Fact(name=name, status="not available", why=_LOST) for name in others]
    return Pass(start=start, facts=tuple(facts))


def _check_firmware(hello: Hello, board: Board) -> None:
    if (hello.engine, hello.board) != ("selftest", board.id):
        raise RuneError(
            "R0927",
            f"the device is {hello.board} with {hello.engine}, not the self test of {board.id}",
            hint="check --port and --board: this device was not written, or runs older firmware",
        )


class _Tester:
    """One pass over one connection."""

    def __init__(
        self,
        board: Board,
        bench: Bench,
        options: SelftestOptions,
        elf: bytes,
        *,
        is_emulated: bool,
    ) -> None:
        self.bench = bench
        self.lost: RuneError | None = None
        self._session = bench.session
        self._board = board
        self._options = options
        self._segments = flash_segments(elf)
        self._is_emulated = is_emulated
        self._facts: list[Fact] = []
        self._ticks_hz: float | None = None

    def run(self, start: Start) -> Pass:
        """Do all sub-tests; the fault is the last, because some emulators end there.

        A device that is lost meanwhile fails the fact that was being measured.
        """
        steps: tuple[tuple[Callable[[], None], tuple[str, ...]], ...] = (
            (self._identity, ()),
            (self._ticks, ("clock.ticks",)),
            (
                self._console,
                ("console.echo", "console.frame", "console.repeats", "console.overruns"),
            ),
            (self._image, ("image.crc", "image.cache", "image.crc-uncached")),
            (self._second_clock, ("clock.second",)),
            (self._led, ("led", "led.seen")),
            (self._loopback, ("pins.loopback",)),
            (self._i2c, ("i2c.scan", "i2c.scl")),
            (self._random, ("random",)),
            (self._idle, ("idle", "clock.host")),
            (self._fault, ("fault",)),
        )
        names = [name for _, of_step in steps for name in of_step]
        for step, _ in steps:
            try:
                step()
            except RuneError as error:
                self.lost = error
                break
        done = {fact.name for fact in self._facts}
        left = [name for name in names if name not in done]
        if self.lost is not None and left:
            self._add(left[0], "failed", why=f"the device was lost: {self.lost.message}")
            for name in left[1:]:
                self._absent(name, _LOST)
        return Pass(start=start, facts=tuple(self._facts))

    def _add(
        self,
        name: str,
        status: Status,
        value: float | str | None = None,
        unit: str = "",
        why: str = "",
    ) -> None:
        self._facts.append(Fact(name=name, status=status, value=value, unit=unit, why=why))

    def _measured(self, name: str, value: float | str, unit: str = "", why: str = "") -> None:
        self._add(name, "measured", value, unit, why)

    def _absent(self, name: str, why: str) -> None:
        self._add(name, "not available", why=why)

    def _judge(
        self, name: str, ok: bool, value: float | str, unit: str = "", why: str = ""
    ) -> None:
        """Add a fact that passes or fails; `why` says what is wrong with one that fails."""
        self._add(name, "passed" if ok else "failed", value, unit, "" if ok else why)

    def _judge_clock(self, name: str, ratio: float, value: float, unit: str, what: str) -> None:
        if self._is_emulated:
            self._measured(name, value, unit, f"{what}; {_EMULATED}")
            return
        ok = abs(ratio - 1) <= CLOCK_TOLERANCE
        off = f"{100 * (ratio - 1):+.1f} %"
        self._add(name, "passed" if ok else "failed", value, unit, f"{what}: {off}")

    def _identity(self) -> None:
        for name, value in self.bench.registers():
            self._measured(f"identity.{name}", f"{value:#010x}")

    def _ticks(self) -> None:
        first = self.bench.sample()
        self._session.listen(self._options.clock_s)
        last = self.bench.sample()
        passed_ms = (last.device_ms - first.device_ms) % _WRAP
        if not passed_ms:
            self._absent("clock.ticks", "the device's clock stood still")
            return
        self._ticks_hz = (last.ticks - first.ticks) % _WRAP * 1000 / passed_ms
        self._measured("clock.ticks", round(self._ticks_hz), "Hz", "ticks, by its milliseconds")

    def _console(self) -> None:
        patterns = (bytes(256), b"\xff" * 256, bytes(range(256)), b"\x55\xaa" * 128)
        wrong = [
            length
            for length in _ECHO_LENGTHS
            for pattern in patterns
            if not self.bench.echo(pattern[:length])
        ]
        sent = sum(_ECHO_LENGTHS) * len(patterns)
        self._judge("console.echo", not wrong, sent, "bytes", f"wrong with {wrong} bytes")
        self._judge(
            "console.frame",
            ECHO_BYTES_MAX not in wrong,
            _FRAME_BYTES,
            "bytes",
            "the largest frame came back changed",
        )
        repeats = self._session.repeats
        self._judge("console.repeats", repeats == 0, repeats, why="requests had no answer at first")
        overruns = self.bench.sample().overruns
        if self._is_emulated:
            self._absent("console.overruns", "an emulated receiver loses nothing")
        elif self._board.hal.link == "rtt":
            self._absent("console.overruns", "the link is in RAM")
        elif overruns is None:
            self._absent("console.overruns", "the chip does not report them")
        else:
            self._judge("console.overruns", overruns == 0, overruns, why="the receiver lost bytes")

    def _image(self) -> None:
        cache = self._read_image("image.crc", uncached=False)
        if self._is_emulated:
            for name in ("image.cache", "image.crc-uncached"):
                self._absent(name, "an emulator has no prefetch and no cache of flash")
            return
        self._measured("image.cache", cache or "none", why="prefetch or cache, as the HAL has it")
        if self._read_image("image.crc-uncached", uncached=True) is None:
            self._absent("image.crc-uncached", "no prefetch or cache that can be switched off")

    def _read_image(self, name: str, *, uncached: bool) -> str | None:
        """Add a fact; return the state of the cache, None where it cannot be as asked for."""
        wrong: list[str] = []
        cache = ""
        for segment in self._segments:
            left, at_once = self._options.rounds, 1
            while left:
                rounds = min(left, at_once)
                found = self.bench.checksum(
                    segment.address, len(segment.data), rounds, uncached=uncached
                )
                if found is None:
                    return None
                cache = found.cache
                left -= rounds
                if found.crc != zlib.crc32(segment.data) or found.differing:
                    wrong.append(f"{segment.address:#010x}")
                    break
                at_once = self._rounds_at_once(found.ticks / rounds)
        self._judge(
            name,
            not wrong,
            self._options.rounds,
            "rounds",
            f"memory differs from the firmware's file, from {' and '.join(wrong)} on",
        )
        return cache

    def _rounds_at_once(self, ticks: float) -> int:
        """Return how many rounds fit well below the time after which a request is repeated."""
        if self._ticks_hz is None:
            return 1
        return max(1, min(60_000, int(_CRC_REQUEST_S * self._ticks_hz / max(ticks, 1.0))))

    def _second_clock(self) -> None:
        clock = self.bench.second_clock()
        if clock is None:
            self._absent("clock.second", "the board has no second oscillator, or it does not run")
            return
        what = f"{clock.name}, nominal {clock.nominal_hz} Hz"
        ratio = clock.measured_hz / clock.nominal_hz
        self._judge_clock("clock.second", ratio, clock.measured_hz, "Hz", what)

    def _led(self) -> None:
        pin = self._options.led
        if pin is None:
            for name in ("led", "led.seen"):
                self._absent(name, "the board file names no pin `led`")
            return
        levels = []
        for action in (PinAction.HIGH, PinAction.LOW) * _BLINKS:
            if self.bench.pin(action, pin) is None:
                break
            levels.append(self.bench.pin(PinAction.LEVEL, pin))
            if self._options.is_led_seen is not None:
                self._session.listen(0.3)
        if None in levels or not levels:
            self._absent("led", "its level cannot be read back")
        else:
            text = "".join(map(str, levels))
            self._judge("led", text == "10" * _BLINKS, text, why="the pin does not follow")
        if self._options.is_led_seen is None:
            self._absent("led.seen", "nobody was asked")
        else:
            seen = self._options.is_led_seen()
            self._judge("led.seen", seen, "yes" if seen else "no", why="nobody saw it blink")

    def _loopback(self) -> None:
        if self._options.loopback is None:
            self._absent("pins.loopback", "no pins are joined: --loopback names them")
            return
        wrong = 0
        for driven, read in (self._options.loopback, self._options.loopback[::-1]):
            if self.bench.pin(PinAction.RELEASE, read) is None:
                self._absent("pins.loopback", "a pin cannot be an input")
                return
            for action in (PinAction.HIGH, PinAction.LOW) * 4:
                self.bench.pin(action, driven)
                expected = int(action is PinAction.HIGH)
                wrong += self.bench.pin(PinAction.LEVEL, read) != expected
            self.bench.pin(PinAction.RELEASE, driven)
        self._judge(
            "pins.loopback", wrong == 0, 16 - wrong, "levels", f"{wrong} of 16 levels were wrong"
        )

    def _i2c(self) -> None:
        found = self.bench.scan() if self._board.hal.i2c else None
        if found is None:
            for name in ("i2c.scan", "i2c.scl"):
                self._absent(name, "the board file names no I2C bus")
            return
        text = " ".join(f"{address:#04x}" for address in found) or "no part answers"
        expected = {part.address for part in self._board.sensors if part.address is not None}
        lacking = sorted(expected - set(found))
        if lacking and not self._is_emulated:
            names = " ".join(f"{address:#04x}" for address in lacking)
            self._add("i2c.scan", "failed", text, why=f"the board's own {names} does not answer")
        else:
            self._measured("i2c.scan", text)
        if not found:
            self._absent("i2c.scl", "no part answers on the bus")
            return
        short, long = (self.bench.read_ticks(found[0], size) for size in (_SHORT_READ, _LONG_READ))
        if short is None or long is None or self._ticks_hz is None or long <= short:
            self._absent("i2c.scl", f"the part at {found[0]:#04x} cannot be read twice")
            return
        scl_hz = round(
            (_LONG_READ - _SHORT_READ) * _CLOCKS_OF_A_BYTE * self._ticks_hz / (long - short)
        )
        if self._is_emulated:
            self._measured("i2c.scl", scl_hz, "Hz", _EMULATED)
        else:
            slow, fast = _SCL_HZ
            self._judge("i2c.scl", slow <= scl_hz <= fast, scl_hz, "Hz", "not about 100 kHz")

    def _random(self) -> None:
        try:
            status, words = self.bench.random()
        except RuneError as error:
            if not self._is_emulated:
                raise
            # A simulated chip without the generator faults at its registers.
            self._absent("random", f"the emulated chip has no generator: {error.message}")
            self._session.begin_anew()
            self._session.greet(booting=False, timeout_s=START_TIMEOUT_S)
            return
        if status is TestStatus.ABSENT:
            self._absent("random", "the chip has no random number generator, or it does not start")
            return
        if status is TestStatus.FAILED and self._is_emulated:
            self._absent("random", "the emulated generator stops after some words")
            return
        ones = sum(word.bit_count() for word in words)
        share = ones / (32 * RANDOM_WORDS)
        # Of 1,888 fair bits the share of ones is within 0.058 of a half in all but one of two
        # million draws.
        ok = len(set(words)) >= RANDOM_WORDS - 1 and abs(share - 0.5) < 0.058
        if self._is_emulated and words:
            self._measured("random", round(share, 3), why="share of ones; an emulator's generator")
        else:
            self._judge("random", ok, round(share, 3), why="not random, or it stopped")

    def _idle(self) -> None:
        first = self.bench.sample()
        restarted = self._session.listen(self._options.idle_s)
        last = self.bench.sample()
        ok = restarted is None and last.starts == first.starts
        self._judge("idle", ok, self._options.idle_s, "s", "the device restarted by itself")
        self._clock_by_host(first, last)

    def _clock_by_host(self, first: Sample, last: Sample) -> None:
        host_ms = last.host_ms - first.host_ms
        device_ms = (last.device_ms - first.device_ms) % _WRAP
        if host_ms <= 0:
            self._absent("clock.host", "the emulator's clock stood still")
            return
        ratio = device_ms / host_ms
        if host_ms < _JUDGED_MS and not self._is_emulated:
            self._measured("clock.host", round(ratio, 4), why="too short to be judged")
            return
        self._judge_clock("clock.host", ratio, round(ratio, 4), "", "its time by that of the host")

    def _fault(self) -> None:
        before = self.bench.sample()
        try:
            self.bench.restart(SubTest.FAULT)
        except RuneError as error:
            if not self._is_emulated:
                raise
            self._absent("fault", error.message)
            return
        words = [line for line in self._session.last_words if "restarting" in line]
        after = self.bench.sample()
        ok = bool(words) and after.starts == before.starts + 1
        self._judge(
            "fault", ok, words[-1] if words else "none", why="its last words did not arrive"
        )
