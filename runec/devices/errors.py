"""Errors of a device that its next answer, or its next run, may not have."""

from __future__ import annotations

from runec.diagnostics import RuneError


class LinkLostError(RuneError):
    """The port is gone, or the device is silent, has restarted or is too slow: maybe not for long.

    What did not end in time still runs: the next connection begins anew.
    """
