"""The error codes of `runevm.h` on the host: message and hint of each.

A test compares `RUNEVM_ERRORS` with `runevm_error` in the header.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runec.devices.errors import LinkLostError
from runec.diagnostics import RuneError
from runec.vm import FailedRunError

NO_DATA = 401
_LINK = 402
# Missing features of the firmware, and failed runs, after which the next run is possible.
_RUN = range(200, 400)


@dataclass(frozen=True, slots=True)
class RunevmError:
    """A value of `runevm_error`: its name, runec's code for its kind, a message, a hint."""

    name: str
    code: str
    message: str
    hint: str


_FILE = "R0905"
_BOARD = "R0906"
# Hints include the flashing: a new build alone does not change the board.
REFLASH = "flash it with this version of runec: runec flash X.rune --board B"
_REBUILD = f"build the .rune again and {REFLASH}"
_FOR_THIS_RUNE = "flash this rune: runec flash X.rune --board B"
_SMALLER = (
    f"{_FOR_THIS_RUNE}; if the firmware is already this rune's, choose a board with more memory"
)
_REPORT = "run it on the host first: runec run X.rune --on host"

RUNEVM_ERRORS: dict[int, RunevmError] = {
    101: RunevmError("TRUNCATED", _FILE, "the .rune in the firmware is truncated", _REBUILD),
    102: RunevmError("NOT_A_RUNE", _FILE, "the firmware contains no .rune", _REBUILD),
    103: RunevmError("MALFORMED", _FILE, "the .rune in the firmware is malformed", _REBUILD),
    104: RunevmError("DIGEST", _FILE, "SHA-256 mismatch of the .rune in the firmware", _REBUILD),
    105: RunevmError("ABI", _FILE, "the firmware does not support the rune's ABI", _REBUILD),
    106: RunevmError(
        "LIMIT", _FILE, "the rune exceeds a fixed limit of the firmware", "split the pipeline"
    ),
    201: RunevmError(
        "MEMORY", _BOARD, "the rune needs more linear memory than the firmware has", _SMALLER
    ),
    202: RunevmError("ARENA", _BOARD, "the firmware's tensor arena is too small", _SMALLER),
    203: RunevmError("HEAP", _BOARD, "the firmware's engine pool is too small", _SMALLER),
    204: RunevmError(
        "CAPABILITY",
        _BOARD,
        "the rune requests a capability that this firmware does not provide",
        f"{_FOR_THIS_RUNE}; in custom firmware add it to capability_kinds",
    ),
    205: RunevmError(
        "OUTPUT_KIND",
        _BOARD,
        "the firmware does not support this kind of output",
        "use SERIAL outputs",
    ),
    206: RunevmError(
        "OPERATOR",
        _BOARD,
        "the firmware lacks an operator of the model",
        f"{_FOR_THIS_RUNE}; if the firmware is already this rune's, devices have no kernel for "
        "it (docs/operators.md)",
    ),
    207: RunevmError(
        "MODEL",
        _BOARD,
        "the model in the firmware is malformed, or its tensors differ from the graph",
        _REBUILD,
    ),
    301: RunevmError("TRAP", "R0907", "the rune trapped", _REPORT),
    302: RunevmError(
        "OUT_OF_BOUNDS", "R0907", "the rune accessed memory outside its linear memory", _REPORT
    ),
    303: RunevmError("STACK", "R0907", "stack overflow in the rune", _REPORT),
    304: RunevmError("STAGE", "R0908", "a stage of the rune failed", _REPORT),
    305: RunevmError("HOST_CALL", "R0909", "invalid call of a host function by the rune", _REPORT),
    306: RunevmError("INVOKE", "R0910", "the model could not be run on the device", _REPORT),
    307: RunevmError(
        "TIME",
        "R0911",
        "the rune exceeded its time budget",
        "look for an endless loop in its blocks, or increase --timeout of `runec run` or "
        "--time-budget of `runec flash`",
    ),
    308: RunevmError("ENGINE", _BOARD, "the engine of the device rejected the module", _REBUILD),
    401: RunevmError("NO_DATA", "R0912", "a capability has no data", "provide its input"),
    402: RunevmError(
        "LINK", "R0901", "the device timed out waiting for the host", "run it once more"
    ),
    403: RunevmError(
        "SENSOR",
        "R0950",
        "the board's sensor cannot be read",
        "check its wiring and its address, or use data of the host: --input link of `runec flash`",
    ),
}


def _kind(code: int) -> type[RuneError]:
    if code == _LINK:
        return LinkLostError
    return FailedRunError if code in _RUN else RuneError


def device_error(
    code: int, place: str = "", detail: str = "", *, notes: Iterable[str] = ()
) -> RuneError:
    """Return the error that a device's ERROR frame, or its HELLO status, stands for."""
    known = RUNEVM_ERRORS.get(code)
    if known is None:
        return RuneError(
            "R0903",
            f"the device reports error {code}, which is unknown to this version of runec",
            hint=REFLASH,
        )
    where = f" (at {place!r})" if place else ""
    # It may have untrusted text of the rune.
    words = "".join(char if char.isprintable() else "\ufffd" for char in detail)
    what = f": {words}" if words else ""
    return _kind(code)(
        known.code,
        f"{known.message}{where}{what}",
        hint=known.hint,
        notes=[f"runevm error {code}, {known.name}", *notes],
    )
