"""Boards as data: `boards/<id>.toml`, checked while they are read."""

from runec.boards.board import (
    MAX_TIME_BUDGET_MS,
    Board,
    BoardPin,
    Cpu,
    Emulator,
    Hal,
    InputKind,
    LinkKind,
    Memory,
    Overrides,
    Region,
    Sensor,
    Toolchain,
    Upload,
    Vendor,
)
from runec.boards.loading import board_origins, load_board, load_boards
from runec.boards.parts import ACCELERATION, PARTS, Part

__all__ = [
    "ACCELERATION",
    "MAX_TIME_BUDGET_MS",
    "PARTS",
    "Board",
    "BoardPin",
    "Cpu",
    "Emulator",
    "Hal",
    "InputKind",
    "LinkKind",
    "Memory",
    "Overrides",
    "Part",
    "Region",
    "Sensor",
    "Toolchain",
    "Upload",
    "Vendor",
    "board_origins",
    "load_board",
    "load_boards",
]
