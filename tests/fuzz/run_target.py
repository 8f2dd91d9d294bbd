"""Runs Python fuzz targets under atheris: run_target.py FOLDER NAME... -- NAME=FLAG...

FOLDER/NAME gets the corpus that grows, and an input that was a finding as FOLDER/NAME.crash-*.
Flags are libFuzzer's. The targets are loaded once, with coverage, and each runs in a fork.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

if TYPE_CHECKING:
    from tests.fuzz import targets
else:
    import targets

# Not the parsers of YAML and of the legacy dialect: their coverage is slow and is not ours.
COVERED = ["runec"]
_WARM_UP = 3


def main() -> int:
    """Run each target in turn and return 1 when one of them has found something."""
    at = sys.argv.index("--")
    folder, names = Path(sys.argv[1]), sys.argv[2:at]
    flags = [flag.partition("=") for flag in sys.argv[at + 1 :]]

    made = {}
    with atheris.instrument_imports(include=COVERED):
        for name in names:
            target = made[name] = targets.TARGETS[name].make()
            corpus = folder / name
            corpus.mkdir(parents=True, exist_ok=True)
            for number, seed in enumerate(targets.TARGETS[name].seeds()):
                (corpus / f"seed-{number:03}").write_bytes(seed)
                # Once here, so that what is imported late is imported with coverage as well.
                if number < _WARM_UP:
                    target(seed)
    worst = 0
    for name in names:
        sys.stderr.write(f"TARGET {name}\n")
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            known = targets.CORPUS / name
            words = folder / f"{name}.dict"
            words.write_text(targets.TARGETS[name].dictionary() or "# none\n")
            options = [
                f"-artifact_prefix={folder / name}.",
                f"-max_len={targets.TARGETS[name].bytes_max}",
                f"-dict={words}",
                *(flag for of, _, flag in flags if of == name),
                str(folder / name),
                *([str(known)] if known.is_dir() else []),
            ]
            atheris.Setup([sys.argv[0], *options], made[name])
            atheris.Fuzz()  # ends the process
        _, status = os.waitpid(child, 0)
        worst = max(worst, 0 if status == 0 else 1)
    targets.remove_scratch()
    return worst


if __name__ == "__main__":
    sys.exit(main())
