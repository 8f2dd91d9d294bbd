"""Pins of a board for the PINs of a rune."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from runec.boards import Board
from runec.container import GraphOutput
from runec.diagnostics import Diagnostic, Severity, UsageError
from runec.firmware.board_sensors import Accelerometer
from runec.firmware.device_rune import DeviceRune
from runec.firmware.refusals import PinError
from runec.numbers import parse_integer
from runec.suggestions import did_you_mean

_WORD = re.compile(r"[A-Za-z0-9.]+")


@dataclass(frozen=True, slots=True)
class DrivenPin:
    """The output with this id drives a pin, which `spelling` is in C.

    `is_inverted`: what hangs on it is on when the pin is low. `level_of_0` is what the rune means
    by 0, before that.
    """

    output: int
    spelling: str
    is_inverted: bool
    level_of_0: bool


def choose_pins(
    rune: DeviceRune, board: Board, framework: str, accelerometer: Accelerometer | None
) -> tuple[DrivenPin, ...]:
    """Return what each PIN of a rune drives; an accelerometer takes the pins of I2C.

    Raises:
        PinError: R0841, the board has no such pin, it is in use, or the board needs it itself.
    """
    outputs = rune.graph.outputs
    taken = _listed(board, board.hal.reserved)
    taken |= {number: "its console" for _, number in _pins_in(board, board.hal.console)}
    if accelerometer is not None:
        taken |= {number: "its I2C" for _, number in _pins_in(board, board.hal.i2c)}
    driven = []
    for stage, output in outputs.items():
        if output.pin is None:
            continue
        name, number, is_inverted = _resolve(board, stage, output)
        if number in taken:
            raise _refused(
                stage,
                f"{output.pin.name!r} is the pin {name} of {board.id}, taken by {taken[number]}",
                "choose another pin",
            )
        taken[number] = f"the out {stage!r}"
        if framework == "bare":
            spelling = f"{number}u"
        elif board.vendor is not None and board.vendor.pins is not None:
            spelling = name if board.vendor.pins == "name" else f"{number}u"
        else:
            raise _refused(
                stage,
                f"unknown pin names of {board.id} with {framework}",
                "omit --framework",
            )
        driven.append(DrivenPin(output.id, spelling, is_inverted, output.pin.active_low))
    return tuple(driven)


def pin_warnings(rune: DeviceRune, board: Board) -> list[tuple[str, Diagnostic]]:
    """Return the stages whose pins a rune had better not drive on a board, each with R0845.

    For pins that `choose_pins` accepts.
    """
    reasons = _listed(board, board.hal.caution)
    found = []
    for stage, output in rune.graph.outputs.items():
        if output.pin is None:
            continue
        name, number, _ = _resolve(board, stage, output)
        if number in reasons:
            message = f"the out {stage!r} drives {name} of {board.id}: {reasons[number]}"
            hint = "use another pin if there is one"
            found.append((stage, Diagnostic("R0845", message, Severity.WARNING, hint=hint)))
    return found


def _listed(board: Board, pins: Mapping[str, Iterable[str]]) -> dict[int, str]:
    """Return the words above each pin of a table of the board's file, by the pin's number."""
    return {
        place[1]: words
        for words, names in pins.items()
        for name in names
        if (place := chip_pin(board, name)) is not None
    }


def pin_number(board: Board, name: str) -> int:
    """Return the HAL's number of a free pin, by the chip's name or the board's.

    Raises:
        UsageError: R0928, the board has no such pin, or console or I2C have it.
    """
    known = board.pins.get(name.lower())
    place = chip_pin(board, known.pin if known is not None else name)
    if place is None:
        raise UsageError(
            "R0928",
            f"the board {board.id} has no pin {name!r}",
            hint=f"known are: {', '.join((*map(str.upper, board.pins), *_ranges(board)))}",
        )
    for text, user in ((board.hal.console, "console"), (board.hal.i2c, "I2C")):
        if place in _pins_in(board, text):
            raise UsageError(
                "R0928",
                f"the pin {place[0]} of {board.id} belongs to its {user}",
                hint="choose another pin",
            )
    return place[1]


def _resolve(board: Board, stage: str, output: GraphOutput) -> tuple[str, int, bool]:
    """Return the chip's name of a pin, its number, and whether the board inverts it."""
    asked = output.pin.name if output.pin is not None else ""
    named = board.pins.get(asked.lower())
    place = chip_pin(board, named.pin if named is not None else asked)
    if place is None:
        known = [name.upper() for name in board.pins]
        ports = _ranges(board)
        raise _refused(
            stage,
            f"the board {board.id} has no pin {asked!r}",
            did_you_mean(asked.upper(), known)
            or f"known pins: {', '.join((*known, *ports)) or 'none'}",
        )
    return *place, named is not None and named.active_low


def chip_pin(board: Board, name: str) -> tuple[str, int] | None:
    """Return a pin of the chip in its own spelling, and its number."""
    for port in sorted(board.hal.ports, key=len, reverse=True):
        digits = name[len(port) :]
        if name.upper().startswith(port.upper()) and digits.isdecimal() and digits.isascii():
            number = parse_integer(digits)
            if number is not None and number < board.hal.pins_per_port:
                return f"{port}{number}", board.hal.ports[port] + number
    return None


def _pins_in(board: Board, text: str) -> Iterator[tuple[str, int]]:
    """Yield the pins that a text of the board's file names, such as `USART1, PA9 (out)`."""
    for word in _WORD.findall(text):
        pin = chip_pin(board, word) if not word.isdecimal() else None
        if pin is not None:
            yield pin


def _ranges(board: Board) -> list[str]:
    last = board.hal.pins_per_port - 1
    return [f"{port}0 to {port}{last}" for port in board.hal.ports if port]


def _refused(stage: str, message: str, hint: str) -> PinError:
    return PinError("R0841", message, stage=stage, hint=hint)
