"""The self test on a board made of Python: what passes, what fails, what is not judged."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from runec.boards import Sensor, load_board
from runec.devices import Target, selftest, serial_port
from runec.devices.board_facts import no_facts_before
from runec.devices.flashing import Flashed
from runec.devices.selftest import SelftestOptions, run_selftest
from runec.devices.selftest_report import Fact, Report, parse_report
from runec.diagnostics import MachineError, RuneError
from tests.devices.tested_board import BASE, TestedBoard

BOARD = load_board("nucleo_f401re")
TARGET = Target("serial", port="/dev/ttyTEST")
MEMORY = bytes(index * 5 & 0xFF for index in range(3001))
QUICK = SelftestOptions(idle_s=1.05, rounds=3, clock_s=0.05, led=5)


def elf(*segments: tuple[int, bytes]) -> bytes:
    """An ELF file of nothing but program headers: ELF specification 1.2, figures 1-3 and 2-1."""
    at = 52 + 32 * len(segments)
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    head = ident + struct.pack(
        "<HHIIIIIHHHHHH", 2, 40, 1, 0, 52, 0, 0, 52, 32, len(segments), *[0] * 3
    )
    table = b""
    for address, data in segments:
        table += struct.pack("<8I", 1, at, 0x2000_0000, address, len(data), len(data), 5, 4)
        at += len(data)
    return head + table + b"".join(data for _, data in segments)


ELF = elf((BASE, MEMORY[:2000]), (BASE + 2000, MEMORY[2000:]))
Test = Callable[..., Report]


@pytest.fixture
def boards() -> list[TestedBoard]:
    return []


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, boards: list[TestedBoard]) -> Test:
    """Test a board of these qualities; the port is opened once for each pass."""

    def open_port(*_: object) -> TestedBoard:
        if boards[-1].unplugged:
            raise MachineError("R0941", "no such port")
        return boards[-1]

    def call(options: SelftestOptions = QUICK, **how: Any) -> Report:
        board = TestedBoard("nucleo_f401re", MEMORY, **how)
        boards.append(board)
        written = (Flashed("/dev/ttyTEST", "openocd", "uart"), ELF)
        monkeypatch.setattr(selftest, "flash_selftest", lambda *_, **__: written)
        monkeypatch.setattr(selftest, "facts_before", lambda *_: no_facts_before("a test"))
        monkeypatch.setattr(serial_port, "SerialTransport", open_port)
        report = run_selftest(BOARD, TARGET, options)
        assert parse_report(report.encode(), "report") == report
        return report

    return call


def facts(report: Report, number: int = 0) -> dict[str, Fact]:
    return {fact.name: fact for fact in report.passes[number].facts}


def test_a_good_board_passes_twice(run: Test) -> None:
    report = run()
    assert report.result == "passed"
    assert [each.start for each in report.passes] == ["upload", "reset"]
    for number in (0, 1):
        found = facts(report, number)
        assert found["identity.CPUID"].value == "0x410fc241"
        assert found["identity.RCC_CSR"].value == "0x14000000"
        assert found["console.frame"].value == 249
        assert found["image.crc"] == Fact(name="image.crc", status="passed", value=3, unit="rounds")
        assert found["image.cache"].value == "on"
        assert found["image.crc-uncached"].status == "passed"
        assert found["clock.host"].status == "passed"
        assert found["clock.second"].status == "passed"
        assert found["clock.second"].value == 32_768
        assert float(str(found["clock.ticks"].value)) == pytest.approx(64e6, rel=0.05)
        assert found["i2c.scan"].value == "0x53"
        assert float(str(found["i2c.scl"].value)) == pytest.approx(98_000, rel=0.05)
        assert found["led"].value == "101010"
        assert found["led.seen"].status == "not available"
        assert found["pins.loopback"].status == "not available"
        assert found["fault"].value == "runec: hard fault, restarting"


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("clock.host", {"speed": 1.05}),
        ("clock.host", {"speed": 0.33}),
        ("clock.second", {"second_hz": 33_800}),
        ("console.frame", {"changes_frame": True}),
        ("console.echo", {"changes_frame": True}),
        ("console.overruns", {"loses": 2}),
        ("led", {"stuck_pins": True}),
        ("i2c.scl", {"scl_hz": 200_000.0}),
        ("i2c.scl", {"scl_hz": 30_000.0}),
        ("image.crc-uncached", {"uncached_memory": bytes(3001)}),
        ("fault", {"last_words": "runec: hard"}),
        ("idle", {"restarts_alone_after_s": 0.9}),
        ("random", {"breaks": {8: bytes(1 + 4 * 59)}}),
        ("random", {"breaks": {8: b"\3"}}),
    ],
)
def test_what_is_wrong_fails(run: Test, name: str, how: dict[str, Any]) -> None:
    report = run(**how)
    found = facts(report)[name]
    assert found.status == "failed"
    assert found.why
    assert report.result == "failed"
    assert name in report.failures


@pytest.mark.parametrize("speed", [0.98, 1.02])
def test_a_clock_within_3_percent_passes(run: Test, speed: float) -> None:
    assert facts(run(speed=speed))["clock.host"].status == "passed"


def test_another_memory_than_the_file_fails_with_its_place(run: Test) -> None:
    changed = bytearray(MEMORY)
    changed[2500] ^= 1
    board = {"uncached_memory": bytes(changed)}
    found = facts(run(**board))
    assert found["image.crc"].status == "passed"
    assert "from 0x080007d0 on" in found["image.crc-uncached"].why


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("clock.second", {"second_hz": None}),
        ("console.overruns", {"loses": None}),
        ("image.crc-uncached", {"has_cache": False}),
        ("i2c.scl", {"part": None}),
        ("random", {"has_random": False}),
    ],
)
def test_what_a_board_lacks_is_not_available_and_no_failure(
    run: Test, name: str, how: dict[str, Any]
) -> None:
    report = run(**how)
    assert facts(report)[name].status == "not available"
    assert facts(report)[name].why
    assert report.result == "passed"


def test_a_sensor_of_the_board_that_does_not_answer_fails(
    run: Test, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    part = Sensor(name="lis3dh", measures="acceleration", bus="I2C1", address=0x19)
    monkeypatch.setitem(globals(), "BOARD", msgspec.structs.replace(BOARD, sensors=(part,)))
    assert "0x19" in facts(run())["i2c.scan"].why
    assert run(part=0x19).result == "passed"


def test_a_wire_between_two_pins(run: Test) -> None:
    options = replace(QUICK, loopback=(0, 1))
    assert facts(run(options))["pins.loopback"].value == 16
    assert facts(run(options, has_wire=False))["pins.loopback"].status == "failed"


@pytest.mark.parametrize(("seen", "status"), [(True, "passed"), (False, "failed")])
def test_a_person_sees_the_led_or_not(run: Test, seen: bool, status: str) -> None:
    found = facts(run(replace(QUICK, is_led_seen=lambda: seen)))
    assert found["led.seen"].status == status


def test_a_lost_device_fails_one_fact_and_the_report_is_whole(run: Test) -> None:
    report = run(deaf_from=4)
    found = facts(report)
    assert found["image.crc"].status == "passed"
    assert found["clock.second"].status == "failed"
    assert "lost" in found["clock.second"].why
    assert {found[name].status for name in ("led", "i2c.scan", "idle", "fault")} == {
        "not available"
    }
    assert report.result == "failed"


def test_a_power_cycle_is_told_by_the_kept_ram(run: Test) -> None:
    # the board counts its starts on: the supply was not switched off
    report = run(replace(QUICK, power_cycle=lambda: None))
    assert report.passes[1].start == "reset"


def test_an_uploaded_firmware_is_not_written_again(
    run: Test, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Built:
        elf = None

    @contextmanager
    def held(*_: object, **__: object) -> Iterator[Built]:
        yield Built()

    monkeypatch.setattr(selftest, "held_selftest", held)
    monkeypatch.setattr(selftest, "read_file", lambda *_: ELF)
    report = run(replace(QUICK, is_on_board=True))
    assert report.passes[0].start == "running"
    assert report.result == "passed"


def test_another_firmware_is_refused(run: Test) -> None:
    with pytest.raises(RuneError) as caught:
        run(engine="wasm3")
    assert caught.value.code == "R0927"


@pytest.mark.parametrize(
    ("test", "answer"),
    [
        (1, b"\0\1\2"),
        (1, b"\0\1\2\3\4\x05AB"),
        (1, b"\0\1\2\3\4\x01\x1b"),
        (1, b"\0\1\2\3\4\x01A"),
        (1, b"\2"),
        (1, b"\x09"),
    ],
)
def test_malformed_registers_fail_the_first_fact(run: Test, test: int, answer: bytes) -> None:
    report = run(breaks={test: answer})
    assert report.failures == ["clock.ticks"]
    assert "protocol" in facts(report)["clock.ticks"].why


@pytest.mark.parametrize(
    ("name", "test", "answer"),
    [
        ("clock.ticks", 2, b"\0\1"),
        ("image.crc", 3, bytes(13) + b"\x07"),
        ("clock.second", 4, b"\0" + struct.pack("<II", 1, 0) + b"\1a"),
        ("clock.second", 4, b"\0" + struct.pack("<II", 1, 1) + b"\x09a"),
        ("clock.second", 4, b"\0" + struct.pack("<II", 1, 1) + b"\1\n"),
        ("led", 5, b"\0\2"),
        ("i2c.scan", 6, b"\0\1"),
        ("i2c.scl", 7, b"\0\1"),
        ("random", 8, b"\0\1"),
    ],
)
def test_a_malformed_answer_fails_its_fact(run: Test, name: str, test: int, answer: bytes) -> None:
    report = run(breaks={test: answer})
    assert facts(report)[name].status == "failed"
    assert "protocol" in facts(report)[name].why


def test_a_board_that_does_not_come_back_has_a_report(run: Test, boards: list[TestedBoard]) -> None:
    def unplug() -> None:
        boards[-1].unplugged = True

    report = run(replace(QUICK, power_cycle=unplug))
    assert report.failures == ["console.echo"]
    assert facts(report, 1)["console.echo"].why == "the device was lost: no such port"
    assert facts(report, 0)["fault"].status == "passed"


def test_a_power_cycle_is_one_when_the_kept_ram_was_lost(
    run: Test, boards: list[TestedBoard]
) -> None:
    def switch_off() -> None:
        boards[-1].starts = 1

    report = run(replace(QUICK, power_cycle=switch_off))
    assert report.passes[1].start == "power cycle"
    assert report.result == "passed"


def test_a_first_pass_without_a_device_is_an_error(run: Test) -> None:
    with pytest.raises(RuneError) as caught:
        run(deaf_from=None, mute=True)
    assert caught.value.code == "R0901"
