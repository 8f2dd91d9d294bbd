"""The command `runec`, and `python -m runec`."""

from __future__ import annotations

import signal
from typing import NoReturn


def main() -> NoReturn:
    """Import the command line and run it; Ctrl-C while it is imported shows no traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from runec import cli  # noqa: PLC0415 - not before the line above

    cli.main()


if __name__ == "__main__":
    main()
