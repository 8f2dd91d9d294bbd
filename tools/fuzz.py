"""Fuzz every reader of untrusted bytes; print a table and JSON.

    make fuzz FUZZ_SECONDS=60        so long for each target
    python tools/fuzz.py --runs 300  so many executions for each, always the same ones
    python tools/fuzz.py rune c-link some of them

What is found lies in build/fuzz, and how to run it again is printed. Inputs that found something
once belong in tests/fuzz/corpus/NAME, where `make test` runs them.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parent.parent
FUZZ = PROJECT / "tests" / "fuzz"
sys.path.insert(0, str(FUZZ))

if TYPE_CHECKING:
    from tests.fuzz import native_targets, targets
else:
    import native_targets
    import targets

EXIT_FOUND, EXIT_MACHINE = 1, 4
_RUN_S, _RSS_MB = 20, 3000
_COUNT = re.compile(r"^#(\d+)\s|^Done (\d+) runs", re.MULTILINE)
_COVERAGE = re.compile(r"\bcov: (\d+)")
_ARTIFACT = re.compile(r"Test unit written to (.*)")
_TELLING = re.compile(r"^(?:SUMMARY: |\w*Error\b|AssertionError|ERROR: libFuzzer).*", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """What became of one target."""

    target: str
    executions: int
    coverage: int
    findings: tuple[str, ...]
    said: tuple[str, ...]


def read_log(target: str, log: str, *, failed: bool) -> Row:
    """Make a row of what libFuzzer said."""
    counts = [int(first or second) for first, second in _COUNT.findall(log)]
    covered = [int(number) for number in _COVERAGE.findall(log)]
    findings = tuple(_ARTIFACT.findall(log))
    said: tuple[str, ...] = ()
    if failed or findings or not counts:
        said = tuple(_TELLING.findall(log)[:4]) or tuple(log.splitlines()[-4:])
        findings = findings or ("no input: the target does not run",)
    return Row(target, max(counts, default=0), max(covered, default=0), findings, said)


def limits(options: argparse.Namespace, name: str) -> list[str]:
    """The flags of libFuzzer that bound a run."""
    flags = [f"-timeout={_RUN_S}", f"-rss_limit_mb={_RSS_MB}", "-seed=1"]
    if options.runs is None:
        return [*flags, f"-max_total_time={options.seconds}"]
    share = targets.TARGETS[name].share if name in targets.TARGETS else 1.0
    return [*flags, f"-runs={max(1, int(options.runs * share))}"]


def fuzz_python(names: list[str], folder: Path, options: argparse.Namespace) -> list[Row]:
    """Run targets in Python, loaded once."""
    flags = [f"{name}={flag}" for name in names for flag in limits(options, name)]
    command = [sys.executable, str(FUZZ / "run_target.py"), str(folder), *names, "--", *flags]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=folder
    )
    log = done.stdout.decode(errors="replace")
    before, *parts = re.split(r"^TARGET (\w+)\n", log, flags=re.MULTILINE)
    logs = dict(zip(parts[::2], parts[1::2], strict=True))
    return [read_log(name, logs.get(name, before), failed=name not in logs) for name in names]


def fuzz_native(name: str, program: Path, folder: Path, options: argparse.Namespace) -> Row:
    """Run a target in C."""
    target = f"c-{name}"
    corpus = folder / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(native_targets.seeds(name)):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    flags = [f"-artifact_prefix={corpus}.", f"-max_len={native_targets.BYTES_MAX}"]
    flags += limits(options, target)
    folders = [str(path) for path in (corpus, targets.CORPUS / target) if path.is_dir()]
    done = subprocess.run(
        [str(program), *flags, *folders],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        cwd=folder,
    )
    log = done.stdout.decode(errors="replace")
    return read_log(target, log, failed=done.returncode != 0)


def main() -> int:
    """Fuzz and return 0, 1 when something was found, 4 when the machine lacks something."""
    known = [*targets.TARGETS, *(f"c-{name}" for name in native_targets.TARGETS)]
    parser = argparse.ArgumentParser(description="Fuzz the readers of untrusted bytes.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--runs", type=int, help="executions of each target, instead of a time")
    parser.add_argument("--folder", type=Path, default=PROJECT / "build" / "fuzz")
    options = parser.parse_args()
    chosen = options.names or known
    if not set(chosen) <= set(known):
        parser.error(f"the targets are {', '.join(known)}")
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = [name for name in chosen if not name.startswith("c-")]
    # With a time each has a process of its own, and its row as soon as there is one.
    groups = [python] if options.runs is not None and python else [[name] for name in python]
    rows: list[Row] = []
    sys.stdout.write(f"{'target':<14}{'executions':>12}{'coverage':>10}{'findings':>10}\n")
    try:
        for group in groups:
            rows += show(fuzz_python(group, folder, options))
        native = [name.removeprefix("c-") for name in chosen if name not in python]
        for name, program in native_targets.build(native, folder).items() if native else ():
            rows += show([fuzz_native(name, program, folder, options)])
    except native_targets.CannotBuildError as error:
        sys.stderr.write(f"{error}\ninstall clang and its runtime: make setup\n")
        return EXIT_MACHINE
    report = folder / "report.json"
    report.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    sys.stdout.write(f"{report}\n")
    return EXIT_FOUND if any(row.findings for row in rows) else 0


def show(rows: list[Row]) -> list[Row]:
    """Print rows as they come."""
    for row in rows:
        sys.stdout.write(
            f"{row.target:<14}{row.executions:>12}{row.coverage:>10}{len(row.findings):>10}\n"
        )
        for line in (*row.findings, *row.said):
            sys.stdout.write(f"    {line}\n")
        sys.stdout.flush()
    return rows


if __name__ == "__main__":
    sys.exit(main())
