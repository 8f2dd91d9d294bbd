"""Errors that say that a rune and a board do not go together, not that anything broke."""

from __future__ import annotations

from runec.diagnostics import RunecError

# Too little memory, no such sensor or pin, no vendor's platform for the framework.
_BOARD = frozenset({"R0803", "R0811", "R0812", "R0824", "R0828", "R0840", "R0841"})
# A legacy rune; operators, resources and models that only the host has; no simulated sensor.
_DEVICE = frozenset({"R0616", "R0810", "R0814", "R0815", "R0951"})


def is_board_refusal(error: RunecError) -> bool:
    """Return whether an error of making a firmware is about this board; another may do."""
    return error.code in _BOARD


def is_device_refusal(error: RunecError) -> bool:
    """Return whether an error of making a firmware is about this board, or about any board."""
    return error.code in _BOARD | _DEVICE
