"""The command `runec`, and `python -m runec`."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

_MACHINE = "x86_64"


def main() -> NoReturn:
    """Import the command line and run it; Ctrl-C while it is imported shows no traceback."""
    if sys.platform != "linux":
        _refuse(sys.platform)
    if os.uname().machine != _MACHINE:
        _refuse(f"Linux on {os.uname().machine}")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from runec import cli  # noqa: PLC0415 - not before the line above

    cli.main()


def _refuse(platform: str) -> NoReturn:
    """Exit with R1113: what is imported next needs Linux on x86-64."""
    from runec.diagnostics import MachineError  # noqa: PLC0415 - see main

    error = MachineError(
        "R1113",
        f"runec runs on Linux on x86-64 only, not on {platform}",
        hint="use WSL 2 on Windows, a virtual machine or container for linux/amd64 elsewhere",
    )
    sys.stderr.write(f"error[{error.code}]: {error.message}\n  = help: {error.hint}\n")
    sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
