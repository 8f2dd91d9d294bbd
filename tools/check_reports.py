"""Compares boards/*.toml with boards/reports/: a report verifies silicon, and nothing else does.

    python tools/check_reports.py [FOLDER]

FOLDER is `boards` of this checkout. Every `.json` below `reports/` must be the report of the board
that it is named after and prove it; every board file with `verified = [..., "silicon"]` must have
one. Exit codes: 0 all do, 1 something is wrong, a line for each.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from runec.devices.selftest_report import read_report, silicon_objections
from runec.diagnostics import RunecError

BOARDS = Path(__file__).resolve().parent.parent / "boards"


def wrong(folder: Path) -> Iterator[str]:
    """Yield what is wrong in a folder with board files and `reports/`."""
    proven = set()
    for path in sorted((folder / "reports").glob("*.json")):
        name = f"reports/{path.name}"
        try:
            objections = silicon_objections(read_report(path), path.stem)
        except RunecError as error:
            yield f"{name}: {error.message}"
            continue
        yield from (f"{name} does not prove silicon: {each}" for each in objections)
        if not (folder / f"{path.stem}.toml").is_file():
            yield f"{name}: there is no board {path.stem}"
        elif not objections:
            proven.add(path.stem)
    for path in sorted(folder.glob("*.toml")):
        claims = tomllib.loads(path.read_text(encoding="utf-8")).get("verified", [])
        if "silicon" in claims and path.stem not in proven:
            yield f"{path.name} claims silicon without a report that proves it"


def main(arguments: list[str]) -> int:
    """Print what is wrong; return the exit code."""
    found = list(wrong(Path(arguments[0]) if arguments else BOARDS))
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
