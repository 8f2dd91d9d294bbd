"""Boards as data: `boards/<id>.toml`, checked while they are read."""

from runec.boards.board import (
    Board,
    Cpu,
    Emulator,
    Hal,
    LinkKind,
    Memory,
    Region,
    Toolchain,
    Upload,
    Vendor,
)
from runec.boards.loading import load_board, load_boards

__all__ = [
    "Board",
    "Cpu",
    "Emulator",
    "Hal",
    "LinkKind",
    "Memory",
    "Region",
    "Toolchain",
    "Upload",
    "Vendor",
    "load_board",
    "load_boards",
]
