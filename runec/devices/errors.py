"""Errors of a device that callers handle: transient ones, and locked chips."""

from __future__ import annotations

from collections.abc import Iterable

from runec.diagnostics import MachineError, RuneError


class LinkLostError(RuneError):
    """The port is lost, or the device is silent, has restarted or is too slow; possibly transient.

    A run that timed out continues: the next connection starts with a hello.
    """


class LockedChipError(MachineError):
    """R0830: the chip takes no upload. `can_unlock`: runec can erase it, which unlocks it."""

    def __init__(self, board_id: str, *, can_unlock: bool, notes: Iterable[str]) -> None:
        super().__init__(
            "R0830",
            f"the chip of {board_id} is locked against reading and writing; nothing was written",
            hint="add --unlock, which erases all of the chip"
            if can_unlock
            else "unlock it with its vendor's tool, which erases all of it: nrfjprog --recover, "
            "STM32CubeProgrammer (read protection level 0)",
            notes=notes,
        )
        self.can_unlock = can_unlock
