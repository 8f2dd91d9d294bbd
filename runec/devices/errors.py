"""Transient errors of a device."""

from __future__ import annotations

from runec.diagnostics import RuneError


class LinkLostError(RuneError):
    """The port is lost, or the device is silent, has restarted or is too slow; possibly transient.

    A run that timed out continues: the next connection starts with a hello.
    """
