"""The FPU of a Cortex-M4 from reset to fault, in QEMU, which has one."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runec.boards import Board, load_boards

PROBE = Path(__file__).with_name("fpu_probe.c")
FLAGS = ("-fno-math-errno", "-Wl,--wrap=runec_console_last_words")
BOARDS = [
    board
    for board in load_boards()
    if "-mfloat-abi=hard" in board.toolchain.flags
    and board.emulator
    and board.emulator.kind == "qemu"
]
# FPSCR, FPDSCR, FPCCR with ASPEN and LSPEN, CPACR with full access
STARTED = "00000000" + "00000000" + "c0000000" + "00f00000"
# IEEE 754 with the NaNs of Arm's architecture
ARITHMETIC = ("00600000", "00000002", "3eaaaaab", "4b000002", "7fc00000", "7fc12345", "7fc00000")
POISONED = "900d900d"
PRODUCT = "3fc80000"  # 1.25 * 1.25

pytestmark = pytest.mark.emulated
Ask = Callable[[str], list[str]]


@contextmanager
def emulated(board: Board, program: Path) -> Iterator[Ask]:
    """Start a probe: sends letters, gives the lines of the answer."""
    assert board.emulator is not None
    words = [board.emulator.program, "-M", board.emulator.target, *board.emulator.flags]
    words += ["-kernel", str(program), "-serial", "stdio", "-monitor", "none"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        limit = threading.Timer(60, process.kill)
        limit.start()

        def ask(letter: str, lines: int = 1) -> list[str]:
            stdin.write(letter.encode())
            stdin.flush()
            return [stdout.readline().decode().strip() for _ in range(lines)]

        try:
            assert stdout.readline() == b"ready\n"
            yield ask
        finally:
            process.kill()
            limit.cancel()


@pytest.fixture(params=BOARDS, ids=lambda board: board.id)
def board(request: pytest.FixtureRequest) -> Board:
    found: Board = request.param
    return found


@pytest.fixture
def ask(board: Board, on_hal: Callable[..., Path]) -> Iterator[Ask]:
    with emulated(board, on_hal(PROBE, board, *FLAGS)) as asked:
        yield asked


def test_the_fpu_is_ready_and_as_ieee_754_has_it(ask: Ask) -> None:
    assert ask("s") == [STARTED]
    (found,) = ask("a")
    assert tuple(found[at : at + 8] for at in range(0, 56, 8)) == ARITHMETIC


def test_what_a_boot_loader_left_is_undone(ask: Ask) -> None:
    # FZ, DN, AHP and another rounding mode; no access, no saving of registers
    assert ask("p") == ["ready"]
    assert ask("k")[0].startswith(POISONED)
    assert ask("s") == [STARTED]
    (found,) = ask("a")
    assert found.startswith("".join(ARITHMETIC))


def test_a_handler_leaves_the_registers_of_the_program_alone(ask: Ask) -> None:
    for count in (1, 2):
        # the same registers and mode; its own mode; they were saved when it used the first of them
        assert ask("i") == [f"{0:08x}{count:08x}{0:08x}{1:08x}"]
    assert ask("s") == [STARTED]


@pytest.mark.parametrize("letter", ["f", "d"])
def test_a_fault_with_the_fpu_in_use_restarts_the_chip(
    ask: Callable[..., list[str]], letter: str
) -> None:
    ask("k")  # what is kept over a restart begins at random
    said = ask(letter, 3)
    assert any("fault, restarting" in line for line in said)
    assert said[-1] == "ready"
    # the handler could use the FPU, and that saved nothing to the stack that overflowed
    assert ask("k") == [f"{0:08x}{PRODUCT}{0:08x}"]
    assert ask("s") == [STARTED]
