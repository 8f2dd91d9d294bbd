"""Errors of a rune that does not fit a board."""

from __future__ import annotations

from collections.abc import Iterable

from runec.diagnostics import BoardRefusalError, DeviceRefusalError, UsageError, UserFileError


class UnfitDeviceError(DeviceRefusalError, UserFileError):
    """A rune that requests what only the host has."""


class StageError(UnfitDeviceError):
    """A rune that a board can't run because of one of its stages, `stage`."""

    def __init__(
        self, code: str, message: str, *, stage: str | None, hint: str, notes: Iterable[str] = ()
    ) -> None:
        super().__init__(code, message, hint=hint, notes=notes)
        self.stage = stage


class UnfitBoardError(BoardRefusalError, UserFileError):
    """A board that lacks what a rune asks for: a sensor, memory."""


class PinError(BoardRefusalError, StageError):
    """A PIN, `stage`, whose pin the board does not have, or uses itself."""


class BudgetError(BoardRefusalError, StageError):
    """A rune that does not fit on a board; `stage` is the one of its stages that costs most."""


class VendorError(BoardRefusalError, UsageError):
    """A framework that a board does not have, or needs."""
