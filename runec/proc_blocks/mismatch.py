"""Errors of a use of a block."""

from __future__ import annotations

from typing import Literal


class BlockMismatch(Exception):  # noqa: N818 - it becomes a diagnostic, it is not shown by itself
    """A use of a block that the block does not support.

    The caller knows the Runefile and turns this into a diagnostic: `about`, `index` and `argument`
    say which part of the stage to point at. Codes:

        R0410  wrong number of inputs         R0415  declared output shape differs
        R0411  element type of an input       R0416  unknown argument
        R0412  shape of an input              R0417  missing argument
        R0413  wrong number of outputs        R0418  argument of the wrong type
        R0414  declared output type differs   R0419  argument out of its range
                                              R0420  duplicate argument
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        about: Literal["inputs", "outputs", "arguments"],
        index: int | None = None,
        argument: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.about: Literal["inputs", "outputs", "arguments"] = about
        self.index = index
        self.argument = argument


class MissingArgument(BlockMismatch):
    """R0417: a missing argument of a block."""

    def __init__(self, message: str, argument: str, *, hint: str) -> None:
        super().__init__("R0417", message, about="arguments", argument=argument, hint=hint)
