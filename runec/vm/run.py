"""Running a .rune on this computer."""

from __future__ import annotations

import json
import math
import struct
import time
from collections.abc import Callable, Iterator

from runec.container import Rune
from runec.pipeline import CapabilityKind, ElementType, OutputKind
from runec.vm.errors import no_output, process_died
from runec.vm.feed import Feed, Inputs
from runec.vm.messages import Kind, unpack_outputs
from runec.vm.output import output_line
from runec.vm.process import RuneProcess, rune_process
from runec.vm.validation import validate


def _check_kinds(rune: Rune) -> None:
    """Refuse before the start what would fail in the middle of it."""
    if rune.graph is None:
        return
    for output in rune.graph.outputs.values():
        if output.kind is not OutputKind.SERIAL:
            raise no_output(output.kind.name)


def _provide(feed: Feed, body: bytes) -> bytes:
    try:
        request = json.loads(body)
        kind = CapabilityKind[request["kind"]]
        element = None if request["element"] is None else ElementType(request["element"])
        parameters, length = dict(request["parameters"]), int(request["length"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise process_died("it sent no request", []) from None
    return feed.provide(kind, parameters, length, element)


def _until(
    process: RuneProcess, wanted: Kind, feed: Feed, log: Callable[[str], None] | None
) -> bytes:
    """Serve the child until the message that ends its turn; return that message's body."""
    while True:
        kind, body = process.receive()
        if kind is wanted:
            return body
        started = time.monotonic()
        if kind is Kind.LOG:
            if log is not None:
                log(body.decode("utf-8", "replace"))
        elif kind is Kind.NEED:
            process.send(Kind.DATA, _provide(feed, body))
        else:
            raise process_died("it sent a message out of turn", [])
        process.extend_deadline(time.monotonic() - started)


def run_rune(
    rune: Rune,
    inputs: Inputs,
    *,
    repeats: int = 1,
    timeout_s: float = 60.0,
    log: Callable[[str], None] | None = None,
) -> Iterator[str]:
    """Run a rune in a process of its own; yield one line of JSON a run, without its newline.

    `timeout_s` bounds the set-up and each run by itself. `log` gets what the rune says to its
    log, line by line. The process ends with the iterator, whichever way that ends.

    Raises:
        UserFileError: R0701 to R0703, the inputs; R1003, a file that cannot be read.
        RuneError: R0704 to R0716, see `runec.vm.errors`.
        MachineError: R0717, R0718, this machine cannot execute runes.
    """
    _check_kinds(rune)
    validate(rune)
    feed = Feed(inputs)
    with rune_process() as process:
        process.set_deadline(timeout_s)
        limit = struct.pack("<I", min(math.ceil(timeout_s), 2**31))
        process.send(Kind.START, limit + rune.data)
        _until(process, Kind.READY, feed, log)
        for _ in range(repeats):
            process.set_deadline(timeout_s)
            process.send(Kind.RUN)
            body = _until(process, Kind.RESULT, feed, log)
            try:
                yield output_line(unpack_outputs(body))
            except (ValueError, struct.error):
                raise process_died("it sent no outputs", []) from None
