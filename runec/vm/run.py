"""Running a .rune on the host."""

from __future__ import annotations

import itertools
import json
import math
import struct
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from runec.container import Rune
from runec.diagnostics import Diagnostic, Severity
from runec.models import ModelFile
from runec.pipeline import EXECUTED_FORMAT, CapabilityKind, ElementType
from runec.vm.errors import (
    REQUESTS_MAX,
    fixed_resource,
    missing_resource,
    mixed_outputs,
    no_output,
    process_died,
    too_many_requests,
    unknown_format,
    unknown_resource,
)
from runec.vm.host_math import preloaded
from runec.vm.inputs import InputReader, Inputs, unused_inputs
from runec.vm.messages import Kind, Outputs, Start, pack_start, unpack_outputs
from runec.vm.output import output_bytes, output_line
from runec.vm.process import RuneProcess, rune_process
from runec.vm.rune_imports import OUTPUT_KINDS, is_mixed
from runec.vm.trace import Step, unpack_step
from runec.vm.validation import validate


@dataclass(frozen=True)
class Watch:
    """Who receives what while a rune runs.

    `log` gets what the rune says to its log, line by line; `warn` what the user should know;
    `step` the steps of each run, which cost time to report.
    """

    log: Callable[[str], None] | None = None
    warn: Callable[[Diagnostic], None] | None = None
    step: Callable[[Step], None] | None = None


def _check_outputs(rune: Rune) -> None:
    """Reject before the start what would fail in the middle of it."""
    if rune.graph is None:
        return
    kinds = {output.kind for output in rune.graph.outputs.values()}
    for kind in kinds - OUTPUT_KINDS:
        raise no_output(kind.name)
    if is_mixed(kinds):
        raise mixed_outputs()


def _check_models(rune: Rune) -> None:
    """Reject models of formats that are only packed."""
    for name, model in rune.graph.models.items() if rune.graph is not None else ():
        if model.format != EXECUTED_FORMAT:
            raise unknown_format(name, model.format)


def _models(rune: Rune) -> list[ModelFile] | None:
    """Return the models that a rune carries; None where only the running rune names them."""
    return None if rune.graph is None else [*rune.models.values()]


def _check_resources(rune: Rune, given: Mapping[str, bytes]) -> None:
    """Compare resources given at run time with what the rune takes. Legacy runes list none."""
    if rune.graph is None:
        return
    listed = rune.graph.resources
    read = rune.graph.read_resources()
    open_names = [name for name, item in listed.items() if item.bytes is None or name in read]
    for name in given:
        if name not in listed:
            raise unknown_resource(name, open_names)
        if name not in open_names:
            raise fixed_resource(name)
    for name, item in listed.items():
        if item.bytes is None and name not in given:
            raise missing_resource(name)


def _provide(feed: InputReader, body: bytes) -> bytes:
    try:
        request = json.loads(body)
        kind = CapabilityKind[request["kind"]]
        element = None if request["element"] is None else ElementType(request["element"])
        parameters, length = dict(request["parameters"]), int(request["length"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise process_died("it sent no request", []) from None
    return feed.provide(kind, parameters, length, element)


def _warning(body: bytes) -> Diagnostic:
    try:
        document = json.loads(body)
        message, hint = str(document["message"]), str(document["hint"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise process_died("it sent no warning", []) from None
    return Diagnostic("R0722", message, Severity.WARNING, hint=hint)


def _step(body: bytes) -> Step:
    try:
        return unpack_step(body)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise process_died("it sent no step", []) from None


def _until(process: RuneProcess, wanted: Kind, feed: InputReader, watch: Watch) -> bytes:
    """Serve the child until the message that ends its turn; return that message's body."""
    requests = 0
    while True:
        kind, body = process.receive()
        if kind is wanted:
            return body
        started = time.monotonic()
        if kind is Kind.LOG:
            if watch.log is not None:
                watch.log(body.decode("utf-8", "replace"))
        elif kind is Kind.WARN:
            if watch.warn is not None:
                watch.warn(_warning(body))
        elif kind is Kind.STEP:
            if watch.step is not None:
                watch.step(_step(body))
        elif kind is Kind.NEED:
            requests += 1
            if requests > REQUESTS_MAX:
                raise too_many_requests()
            process.send(Kind.DATA, _provide(feed, body))
        else:
            raise process_died("unexpected message", [])
        process.extend_deadline(time.monotonic() - started)


def run_rune_feeds(
    rune: Rune,
    feeds: Iterable[InputReader],
    *,
    timeout_s: float,
    resources: Mapping[str, bytes],
    watch: Watch,
) -> Generator[tuple[bool, Outputs], None, None]:
    """Run a rune in a process of its own, once for each feed; yield what each run gave.

    That is whether it goes to TENSOR outputs, and the outputs.

    Raises:
        RunecError: as `run_rune_bytes`.
    """
    _check_outputs(rune)
    _check_models(rune)
    _check_resources(rune, resources)
    validate(rune)
    feeds = iter(feeds)
    feed = next(feeds, None)
    if feed is None:
        return
    library, warning = preloaded(_models(rune))
    if warning is not None and watch.warn is not None:
        watch.warn(warning)
    with rune_process(library) as process:
        process.set_deadline(timeout_s)
        limit = min(math.ceil(timeout_s), 2**31)
        start = Start(limit, watch.step is not None, resources, rune.data)
        process.send(Kind.START, pack_start(start))
        _until(process, Kind.READY, feed, watch)
        while feed is not None:
            process.set_deadline(timeout_s)
            process.send(Kind.RUN)
            body = _until(process, Kind.RESULT, feed, watch)
            try:
                result = bool(body[0]), unpack_outputs(body[1:])
            except (ValueError, IndexError, struct.error):
                raise process_died("it sent no outputs", []) from None
            yield result
            feed = next(feeds, None)


def run_rune_bytes(
    rune: Rune,
    inputs: Inputs,
    *,
    repeats: int = 1,
    timeout_s: float = 60.0,
    resources: Mapping[str, bytes] | None = None,
    watch: Watch | None = None,
) -> Generator[bytes, None, None]:
    """Run a rune in a process of its own; yield what each run writes.

    That is a line of JSON with its newline for a rune with SERIAL outputs, and tensors in binary
    for one with TENSOR outputs. `timeout_s` bounds the set-up and each run by itself. `resources`
    are those given at run time. The process ends with the iterator, whichever way that ends.

    Raises:
        UserFileError: R0701 to R0703, R0719 and R0720, the inputs; R0725, a missing resource;
            R1003, a file that cannot be read.
        RuneError: R0705 to R0716, R0726, R0736 and R0737, see `runec.vm.errors`.
        UsageError: R0723 and R0724, the resources.
        MachineError: R0717, R0718, this machine cannot execute runes; R0721, it lacks a library.
    """
    feed = InputReader(inputs)
    results = run_rune_feeds(
        rune,
        itertools.repeat(feed, repeats),
        timeout_s=timeout_s,
        resources={} if resources is None else resources,
        watch=watch or Watch(),
    )
    pins = {
        output.id: output.pin
        for output in (rune.graph.outputs.values() if rune.graph is not None else ())
        if output.pin is not None
    }
    with closing(results):
        for is_binary, outputs in results:
            try:
                spelt = (
                    output_bytes(outputs)
                    if is_binary
                    else output_line(outputs, pins).encode() + b"\n"
                )
            except (ValueError, IndexError, struct.error):
                raise process_died("it sent no outputs", []) from None
            yield spelt
    if rune.graph is None:  # it requests what it takes, but does not declare it
        for warning in unused_inputs(inputs, feed.taken):
            inputs.warn(warning)


def run_rune(
    rune: Rune,
    inputs: Inputs,
    *,
    repeats: int = 1,
    timeout_s: float = 60.0,
    log: Callable[[str], None] | None = None,
) -> Generator[str, None, None]:
    """Run a rune with SERIAL outputs; yield one line of JSON a run, without its newline.

    Raises:
        RunecError: as `run_rune_bytes`.
    """
    results = run_rune_bytes(
        rune, inputs, repeats=repeats, timeout_s=timeout_s, watch=Watch(log=log)
    )
    with closing(results):
        for result in results:
            yield result.decode(errors="replace").removesuffix("\n")
