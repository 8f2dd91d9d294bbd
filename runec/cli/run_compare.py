"""One rune on several targets: comparison of the bytes of their results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runec.cli.console import Console, table
from runec.container import Rune
from runec.devices import Target
from runec.diagnostics import DeviceRefusalError, MachineError, RunecError, RuneError
from runec.firmware import BudgetError
from runec.vm.output import output_line, parse_output_bytes

ALL = "all"
_SHOWN_CHARS = 60

Start = Callable[[Target], Iterator[bytes]]
"""Starts the rune on a target; yields the output of each run."""


@dataclass(slots=True)
class Outcome:
    """What came of a rune on one target."""

    target: Target
    results: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    verdict: str = "same"
    error: RunecError | None = None

    def as_json(self) -> dict[str, object]:
        """Return it as one JSON object; `results` are the lines that a run alone would print."""
        return {
            "target": str(self.target),
            "verdict": self.verdict,
            "seconds": round(self.seconds, 3),
            "results": [json.loads(json_result(each)) for each in self.results],
            "code": None if self.error is None else self.error.code,
            "reason": None if self.error is None else self.error.message,
        }


def wanted_targets(names: Sequence[str], *, trust_board: bool = False) -> list[tuple[Target, bool]]:
    """Return the named targets and, for each, whether it may be skipped if it rejects the rune.

    Raises:
        RunecError: as `Target.parse`.
    """
    targets: list[tuple[Target, bool]] = []
    for name in names:
        if name == ALL:
            targets += [(target, True) for target in Target.everywhere()]
        else:
            targets.append((Target.parse(name, trust_board=trust_board), False))
    return targets


def json_result(result: bytes) -> bytes:
    """Return the output of a run as a line of JSON, binary tensors (TENSOR) included."""
    # A run writes a line of JSON, or tensors, which begin with the length of a short text.
    if result.startswith(b"{"):
        return result
    line = output_line([(0, parse_output_bytes(result))])
    return b'{"tensors":' + line.removeprefix('{"0":').encode() + b"\n"


def output_names(rune: Rune | None) -> dict[str, str]:
    """Return the stage of each output by its id, where it is known."""
    graph = None if rune is None else rune.graph
    return {} if graph is None else {str(out.id): name for name, out in graph.outputs.items()}


def compare(
    console: Console,
    targets: Sequence[tuple[Target, bool]],
    start: Start,
    names: Mapping[str, str],
) -> int:
    """Run on every target and print a table; return 0, or the exit code of the first that failed.

    `names`: as `output_names`; of several outputs each is shown with its own.

    The first target with results is the reference. A board that the rune does not fit
    (too little memory, no such pin or sensor, no kernel for an operator) is reported and skipped
    if `targets` allows it, else it has failed; the others run.

    Raises:
        RuneError: R1111, the targets do not agree.
        RunecError: a mistake of the user's that is the same on every target.
    """
    outcomes: list[Outcome] = []
    right: Outcome | None = None
    for target, may_lack in targets:
        outcome = _run(console, target, start, may_lack=may_lack)
        outcomes.append(outcome)
        if outcome.verdict == "same":
            right = right or outcome
            if outcome.results != right.results:
                outcome.verdict = "DIFFERENT"
        if console.is_json:
            console.result_json(outcome.as_json())
    if not console.is_json:
        console.result(_table(outcomes, names))
    different = [str(each.target) for each in outcomes if each.verdict == "DIFFERENT"]
    if right is not None and different:
        raise RuneError(
            "R1111",
            f"bytes differ from {right.target}: {', '.join(different)}",
            hint="runec run --format json with both targets shows the results; "
            "build all firmware with this version of runec",
        )
    failed = [each.error for each in outcomes if each.error and each.verdict == "failed"]
    same = sum(each.verdict == "same" for each in outcomes)
    if not failed:
        console.say(f"the same bytes on {same} target{'s' if same != 1 else ''}")
    return failed[0].exit_code if failed else 0


def _run(console: Console, target: Target, start: Start, *, may_lack: bool) -> Outcome:
    outcome = Outcome(target)
    began_s = time.monotonic()
    try:
        with console.progress(f"running on {target}"):
            outcome.results = list(start(target))
    except (RuneError, MachineError) as error:
        outcome.error, outcome.verdict = error, "failed"
    except DeviceRefusalError as error:
        if target.kind == "host":
            raise
        what = "too little memory" if isinstance(error, BudgetError) else "does not fit"
        outcome.error, outcome.verdict = error, what if may_lack else "failed"
    outcome.seconds = time.monotonic() - began_s
    if outcome.error is not None and outcome.verdict == "failed":
        console.report(outcome.error.diagnostics)
    return outcome


def _table(outcomes: Sequence[Outcome], names: Mapping[str, str]) -> str:
    rows = [
        (each.target, each.verdict, f"{each.seconds:.1f}", _shown(each, names)) for each in outcomes
    ]
    return table(("target", "verdict", "seconds", "output"), rows)


def _shown(outcome: Outcome, names: Mapping[str, str]) -> str | None:
    """Return the elements that the last run wrote, or what went wrong."""
    if not outcome.results:
        error = outcome.error
        return None if error is None else f"{error.code}: {error.message}"
    record = json.loads(json_result(outcome.results[-1]))
    parts = []
    for number, output in record.items():
        if len(record) > 1 and number in names:
            parts.append(f"{names[number]}:")
        # A PIN has a level, any other output tensors.
        values = [output["level"]] if isinstance(output, dict) else [t["elements"] for t in output]
        parts += [json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in values]
    line = " ".join(parts)
    return line if len(line) <= _SHOWN_CHARS else f"{line[: _SHOWN_CHARS - 3]}..."
