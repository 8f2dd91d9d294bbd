"""Instructions of `runec check`, compared with those of an idle Python.

Valgrind counts them: the same on a busy machine, where seconds say little.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.bench.probe import ProbeError

BUDGET = 12
"""How many times the instructions of `python -c pass` a check may take."""
_CHECK = ("-m", "runec", "check", str(Path(__file__).resolve().parents[2] / "examples" / "sine"))
_COUNT = re.compile(r"I +refs: +([\d,]+)")


@dataclass(frozen=True, slots=True)
class StartUp:
    """Instructions of `runec check examples/sine`, and of `python -c pass`."""

    check: int
    empty: int

    def __str__(self) -> str:
        count = f"{self.check:,}".replace(",", " ")
        times = f"x{self.check / self.empty:.2f} of an empty Python; at most x{BUDGET}"
        return f"runec check examples/sine: {count} instructions, {times}"


def measure() -> StartUp:
    """Count both, with the byte code of Python already compiled.

    Raises:
        ProbeError: Valgrind is not installed, or does not count.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONHASHSEED": "0"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        empty = _count(("-c", "pass"), environment)
        subprocess.run([sys.executable, *_CHECK], env=environment, capture_output=True, check=True)
        return StartUp(_count(_CHECK, environment), empty)


def _count(arguments: tuple[str, ...], environment: dict[str, str]) -> int:
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    try:
        done = subprocess.run(
            [*command, sys.executable, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise ProbeError("valgrind is not installed") from None
    found = _COUNT.search(done.stderr)
    if done.returncode != 0 or found is None:
        raise ProbeError(f"valgrind counts no instructions: {done.stderr[-200:]}")
    return int(found[1].replace(",", ""))
