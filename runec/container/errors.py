"""The errors of this room: R06."""

from __future__ import annotations

from runec.container.limits import ABI, CODE_MAP_MINOR
from runec.diagnostics import DeviceRefusalError, UserFileError

_REBUILD = "build the rune again with `runec build`, or copy the file again"


class RuneFileError(UserFileError):
    """A .rune that cannot be trusted, or that cannot be written."""


class LegacyRuneError(DeviceRefusalError, RuneFileError):
    """A rune of 2020 to 2022, which only the host runs."""


def not_a_rune(what: str, hint: str | None = None) -> RuneFileError:
    """R0601: the file is something else."""
    otherwise = "use a .rune file by `runec build`"
    return RuneFileError("R0601", what, hint=hint or otherwise)


def truncated(what: str) -> RuneFileError:
    """R0602: the file ends too early."""
    return RuneFileError("R0602", f"the file is truncated: {what}", hint=_REBUILD)


def bad_layout(what: str) -> RuneFileError:
    """R0603: sections missing, twice, out of order, malformed."""
    return RuneFileError("R0603", f"the sections are not those of a .rune: {what}", hint=_REBUILD)


def bad_digest() -> RuneFileError:
    """R0604: the bytes are not those that were written."""
    return RuneFileError("R0604", "the file is damaged: SHA-256 mismatch", hint=_REBUILD)


def bad_graph(what: str) -> RuneFileError:
    """R0605: `.rune_graph` is not a canonical graph."""
    return RuneFileError("R0605", f"the graph is malformed: {what}", hint=_REBUILD)


def bad_abi(found: object) -> RuneFileError:
    """R0606: made for another ABI."""
    return RuneFileError(
        "R0606",
        f"the rune has ABI {found}, this version of runec supports ABI {ABI}.{CODE_MAP_MINOR}",
        hint="build the rune again with this version, or install the version that built it",
    )


def legacy_rune() -> LegacyRuneError:
    """R0616: a rune of 2020 to 2022 where one with a graph is needed."""
    return LegacyRuneError(
        "R0616",
        "legacy rune (2020 to 2022, ABI 0): it has no graph and runs on the host only",
        hint="build the rune again from its Runefile with `runec build`, or run it on the host: "
        "runec run X.rune",
    )


def over_limit(what: str) -> RuneFileError:
    """R0607: more than ABI 1 allows."""
    return RuneFileError(
        "R0607",
        f"the pipeline exceeds the limits of a rune: {what}",
        hint="split the pipeline, or use shorter names and texts; lists of words go into resources",
    )


def inconsistent(what: str) -> RuneFileError:
    """R0608: the parts of the file contradict each other."""
    return RuneFileError("R0608", f"the graph does not fit the file: {what}", hint=_REBUILD)


def nested_too_deep(depth: int, most: int) -> RuneFileError:
    """R0610: blocks nested deeper than the stack of a device's engine."""
    return RuneFileError(
        "R0610",
        f"a function of the module has blocks nested {depth} deep; a device compiles {most}",
        hint="build the rune again, with smaller switch statements in your blocks",
    )


def bad_module(what: str) -> RuneFileError:
    """R0609: the WebAssembly does not match the ABI."""
    return RuneFileError("R0609", f"the WebAssembly module is not a rune's: {what}", hint=_REBUILD)
