from __future__ import annotations

import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runec.boards import Board, Emulator, load_board, load_boards
from runec.container import Rune
from runec.devices import EmulatedDevice, plan_emulation, start_emulator
from runec.devices.messages import Stats
from runec.devices.transport import ChildProcess
from runec.diagnostics import MachineError, RunecError, RuneError, UserFileError
from runec.vm import InputReader, Inputs
from tests.common import children

PAPER = Path(__file__).with_name("paper_device.py")


def board_with(program: str, target: str, kind: str = "qemu") -> Board:
    emulator = msgspec.convert({"kind": kind, "target": target, "program": program}, Emulator)
    return msgspec.structs.replace(load_board("netduinoplus2"), id="paper", emulator=emulator)


@pytest.fixture
def paper_board(tmp_path: Path) -> Callable[[str], Board]:
    """Make a board whose emulator is `paper_device.py`, behaving as asked."""
    program = tmp_path / "paper-emulator"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{PAPER}" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return lambda behaviour: board_with(str(program), behaviour)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> object:
    before = children()
    yield
    assert children() == before


def test_a_run_on_a_device_prints_what_the_device_wrote(
    paper_board: Callable[[str], Board], rune: Rune, inputs: Inputs
) -> None:
    log: list[str] = []
    with EmulatedDevice(
        plan_emulation(rune, paper_board("echo")), Path("x.elf"), log=log.append
    ) as device:
        assert device.hello.engine == "wasm3+tflm"
        assert (
            list(device.run(InputReader(inputs), repeats=3))
            == ['{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}'] * 3
        )
        assert device.stats() == Stats(3, 700, 900, None, None, 42)
    assert log == ["emulator:paper: hello from paper"]


DEVICE_ERRORS = {
    "trap": ("R0907", "mod360"),
    "greedy": ("R0903", "2147483648 bytes"),
    "stranger": ("R0903", "capability 9"),
    "dies": ("R0913", "exited"),
}


@pytest.mark.parametrize("behaviour", DEVICE_ERRORS)
def test_what_goes_wrong_in_a_run_is_an_error_of_the_rune(
    paper_board: Callable[[str], Board], rune: Rune, inputs: Inputs, behaviour: str
) -> None:
    code, words = DEVICE_ERRORS[behaviour]
    with (
        EmulatedDevice(plan_emulation(rune, paper_board(behaviour)), Path("x.elf")) as device,
        pytest.raises(RuneError) as caught,
    ):
        list(device.run(InputReader(inputs)))
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 3


START_ERRORS = {
    "refuses": ("R0906", "(at 'net'): in front of a full pool"),
    "old": ("R0903", "ABI 7"),
    "other": ("R0917", "another rune"),
    "ends": ("R0913", "exited: qemu: fatal: Lockup: no HardFault"),
}


@pytest.mark.parametrize("behaviour", START_ERRORS)
def test_a_device_that_cannot_run_the_rune_is_refused_at_its_start(
    paper_board: Callable[[str], Board], rune: Rune, behaviour: str
) -> None:
    code, words = START_ERRORS[behaviour]
    with pytest.raises(RuneError) as caught:
        EmulatedDevice(plan_emulation(rune, paper_board(behaviour)), Path("x.elf"))
    assert caught.value.code == code
    assert words in caught.value.message


LAST_WORDS = {
    "": [],
    "qemu: could not open 'x.elf'\n": ["qemu: could not open 'x.elf'"],
    "w: warning: slow\nno such machine\nfor more, see\n": ["no such machine", "for more, see"],
    "\nTraceback (most recent call last):\n  File\nKeyError: 'x'\n": ["KeyError: 'x'"],
    "starting\nqemu: fatal: no\nR0=0\nR1=0\nR2=0\nR3=0\nR4=0\n": [
        "qemu: fatal: no",
        "R0=0",
        "R1=0",
        "R2=0",
        "R3=0",
    ],
    "warning: only this\n": ["warning: only this"],
}


@pytest.mark.parametrize("words", LAST_WORDS)
def test_an_emulator_that_ends_is_reported_with_its_reason(words: str) -> None:
    child = ChildProcess(["sh", "-c", 'printf %s "$1" >&2', "sh", words], name="it")
    try:
        with pytest.raises(RuneError) as caught:
            child.read(10)
    finally:
        child.close()
    reason = LAST_WORDS[words]
    assert caught.value.message == ": ".join(["it exited", *reason[:1]])
    assert list(caught.value.notes) == reason[1:]
    assert ("--verbose" in str(caught.value.hint)) == ("fatal" in words)


@pytest.mark.parametrize(("behaviour", "code"), [("silent", "R0901"), ("hangs", "R0904")])
def test_a_device_that_does_not_finish_is_ended_in_time(  # noqa: PLR0917
    paper_board: Callable[[str], Board],
    rune: Rune,
    inputs: Inputs,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: str,
    code: str,
) -> None:
    start_s = 1.5 if behaviour == "silent" else 60.0
    monkeypatch.setattr("runec.devices.emulator.START_TIMEOUT_S", start_s)
    start = time.monotonic()
    with (
        pytest.raises(RuneError) as caught,
        EmulatedDevice(
            plan_emulation(rune, paper_board(behaviour)), Path("x.elf"), timeout_s=1.5
        ) as device,
    ):
        list(device.run(InputReader(inputs)))
    assert caught.value.code == code
    assert "sends bytes" not in caught.value.message
    assert time.monotonic() - start < 30


def test_the_time_for_a_run_is_not_that_for_starting(
    paper_board: Callable[[str], Board], rune: Rune, inputs: Inputs
) -> None:
    # A new process cannot say hello in this time.
    with EmulatedDevice(
        plan_emulation(rune, paper_board("hangs")), Path("x.elf"), timeout_s=0.001
    ) as device:
        with pytest.raises(RuneError) as caught:
            list(device.run(InputReader(inputs)))
        assert caught.value.code == "R0904"


def test_an_input_that_cannot_be_given_is_the_users_error_and_the_device_lives_on(
    paper_board: Callable[[str], Board], rune: Rune, inputs: Inputs
) -> None:
    with EmulatedDevice(plan_emulation(rune, paper_board("echo")), Path("x.elf")) as device:
        with pytest.raises(UserFileError) as caught:
            list(device.run(InputReader(Inputs())))
        assert "RAW" in caught.value.message
        assert list(device.run(InputReader(inputs))) == [
            '{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}'
        ]


def test_an_interrupt_in_the_middle_leaves_no_process(
    paper_board: Callable[[str], Board], rune: Rune
) -> None:
    class Interrupting(Inputs):
        @property
        def raw(self) -> tuple[Path, ...]:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        EmulatedDevice(plan_emulation(rune, paper_board("echo")), Path("x.elf")) as device,
    ):
        list(device.run(InputReader(object.__new__(Interrupting))))


def test_a_board_without_an_emulator_is_refused() -> None:
    board = msgspec.structs.replace(load_boards()[0], emulator=None)
    with pytest.raises(UserFileError) as caught:
        start_emulator(board, Path("x.elf"))
    assert caught.value.code == "R0916"


def test_a_missing_emulator_says_what_to_install() -> None:
    with pytest.raises(MachineError) as caught:
        start_emulator(board_with("qemu-system-nothing", "x"), Path("x.elf"))
    assert (caught.value.code, caught.value.exit_code) == ("R1004", 4)
    assert caught.value.hint == "apt-get install qemu-system-nothing"


@pytest.mark.parametrize(("chip", "words"), [("no-such-chip", "chip"), ("esp32c3", "")])
def test_a_simulator_that_cannot_start_says_why(tmp_path: Path, chip: str, words: str) -> None:
    elf = tmp_path / "broken.elf"
    elf.write_bytes(b"no program")
    with pytest.raises(MachineError) as caught:
        start_emulator(board_with("", chip, "labwired"), elf)
    assert caught.value.code == "R0915"
    assert words in caught.value.message


def test_every_board_with_an_emulator_can_be_asked_to_start_it() -> None:
    for board in load_boards():
        if board.emulator is None:
            continue
        try:
            start_emulator(board.emulated(), Path("/nonexistent/x.elf")).close()
        except RunecError as error:
            assert error.code in ("R0915", "R1004", "R0914")  # noqa: PT017 - not every machine has it
