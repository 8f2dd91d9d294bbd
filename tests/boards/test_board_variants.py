"""The board and the variant that its emulator runs: the file describes the hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from runec.boards import Overrides, load_board, load_boards
from runec.diagnostics import UserFileError

FPU = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
SOFT = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")
M4 = [board.id for board in load_boards() if board.cpu.isa == "Cortex-M4F"]
HEAD = 'inherits = "esp32"\nid = "mine"\nname = "m"\nverified = []\n'


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


@pytest.mark.parametrize("board_id", M4)
def test_every_chip_with_an_fpu_uses_it(board_id: str) -> None:
    board = load_board(board_id)
    assert board.toolchain.flags == FPU
    assert board.emulator is not None
    # labwired's faults at some instructions, QEMU's is complete
    flags = SOFT if board.emulator.kind == "labwired" else FPU
    assert board.emulated().toolchain.flags == flags


def leaves(tables: dict[str, Any], above: str = "") -> dict[str, object]:
    """Every value of a board by its path, but what nobody stated."""
    found: dict[str, object] = {}
    for key, value in tables.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{above}{key}.")
        elif value is not None:
            found[above + key] = value
    return found


@pytest.mark.parametrize("board_id", [board.id for board in load_boards()])
def test_a_variant_differs_in_its_overrides_alone(board_id: str) -> None:
    board = load_board(board_id)
    emulated = board.emulated()
    assert emulated.emulated() == emulated
    prefix = "emulator.overrides."
    stated = leaves(msgspec.to_builtins(board))
    overrides = {key.removeprefix(prefix): stated.pop(key) for key in [*stated] if prefix in key}
    assert leaves(msgspec.to_builtins(emulated)) == {**stated, **overrides}


def test_a_board_without_an_emulator_is_its_own_variant() -> None:
    board = msgspec.structs.replace(load_board("esp32"), emulator=None)
    assert board.emulated() is board
    assert board.variant_id == "esp32"


def test_a_user_overrides_what_the_emulator_lacks(mine: Path) -> None:
    mine.write_text(
        HEAD
        + "[emulator.overrides.cpu]\nclock_hz = 1_000_000\n"
        + '[emulator.overrides.toolchain]\nflags = ["-mlongcalls", "-O2"]\n'
        + "[emulator.overrides.hal.defines]\nHAL_SCL_PIN = 5\nHAL_MORE = 6\n"
    )
    board, parent = load_board(str(mine)), load_board("esp32")
    emulated = board.emulated()
    assert (board.cpu, board.toolchain, board.hal) == (parent.cpu, parent.toolchain, parent.hal)
    assert emulated.cpu.clock_hz == 1_000_000
    assert emulated.toolchain.flags == ("-mlongcalls", "-O2")
    defines = parent.emulated().hal.defines
    assert emulated.hal.defines == {**defines, "HAL_SCL_PIN": 5, "HAL_MORE": 6}
    assert emulated.hal.link == "rtt", "the override of the inherited file stays"
    assert emulated.emulator is not None
    assert emulated.emulator.overrides == Overrides()


@pytest.mark.parametrize(
    ("table", "problem", "hint"),
    [
        (
            "[emulator.overrides]\nlink = 'rtt'\n",
            "'link' in emulator.overrides",
            "cpu, toolchain, hal",
        ),
        ("[emulator.overrides.hal]\nlnk = 'rtt'\n", "'lnk' in emulator.overrides.hal", '"link"'),
        ("[emulator.overrides.hal]\nlink = 'x'\n", "emulator.overrides.hal.link", "rtt, uart"),
        ("[emulator.overrides.cpu]\nclock_hz = 0\n", "emulator.overrides.cpu.clock_hz", ""),
    ],
)
def test_a_wrong_override_is_an_error(mine: Path, table: str, problem: str, hint: str) -> None:
    mine.write_text(HEAD + table)
    with pytest.raises(UserFileError) as caught:
        load_board(str(mine))
    assert caught.value.code == "R0801"
    assert problem in caught.value.message
    assert hint in (caught.value.hint or "")


def test_both_variants_of_a_board_are_built_in_folders_of_their_own() -> None:
    board = load_board("nrf52840_dk")
    assert board.variant_id != board.emulated().variant_id
    same = load_board("netduinoplus2")
    assert same.emulated() == same
    assert same.variant_id == same.emulated().variant_id == same.id
