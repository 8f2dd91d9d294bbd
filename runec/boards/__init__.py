"""Boards as data: `boards/<id>.toml`, checked while they are read."""

from runec.boards.board import (
    Board,
    Cpu,
    Emulator,
    Hal,
    LinkKind,
    Memory,
    Region,
    Sensor,
    Toolchain,
    Upload,
    Vendor,
)
from runec.boards.loading import board_origins, load_board, load_boards

__all__ = [
    "Board",
    "Cpu",
    "Emulator",
    "Hal",
    "LinkKind",
    "Memory",
    "Region",
    "Sensor",
    "Toolchain",
    "Upload",
    "Vendor",
    "board_origins",
    "load_board",
    "load_boards",
]
