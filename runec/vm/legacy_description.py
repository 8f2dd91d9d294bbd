"""What devices are given for a rune: an original is run up to where it has told what it wants."""

from __future__ import annotations

import contextlib
import functools
import json
import math
from dataclasses import replace

from runec.container import Recorded, Rune, read_rune, write_described
from runec.container.wasm import CODE
from runec.diagnostics import RunecError
from runec.vm.errors import process_died, unsupported_original
from runec.vm.messages import Kind, Start, pack_start, unpack_recorded
from runec.vm.process import RuneProcess, rune_process
from runec.vm.validation import validate

# Of 64 KiB each: what `_call` may grow beyond what it took with inputs of zeros.
SPARE_PAGES = 1
_MEMORY_GROW = b"\x40\x00"  # other instructions may have these bytes too; none of it lacks them
_TIMEOUT_S = 60.0
_KEPT = 8


def device_rune(rune: Rune) -> Rune:
    """Return a rune as devices can read it: itself, or for an original its description.

    `_manifest` of an original is run here, in a process of its own, and so is `_call` once, with
    inputs of zeros, to see how far its memory grows; a `_call` that fails with them tells nothing.
    The same original has the same description, on every computer.

    Raises:
        RuneError: R0707 to R0716, its `_manifest` fails on this computer.
        UserFileError: R0607, it asks for more than a device has tables for; R0609, its module
            imports what no original had.
        MachineError: as `runec.vm.run_rune_bytes`.
    """
    if rune.graph is not None:
        return rune
    return _described(rune.data)


@functools.lru_cache(maxsize=_KEPT)
def _described(data: bytes) -> Rune:
    rune = read_rune(data)
    return read_rune(write_described(rune, _record(rune)))


def _record(rune: Rune) -> Recorded:
    validate(rune)
    with rune_process() as process:
        process.set_deadline(_TIMEOUT_S)
        start = Start(math.ceil(_TIMEOUT_S), is_traced=False, resources={}, rune=rune.data)
        process.send(Kind.START, pack_start(start))
        _until(process, Kind.READY)
        recorded = _ask(process)
        with contextlib.suppress(RunecError):
            process.set_deadline(_TIMEOUT_S)
            process.send(Kind.RUN)
            _until(process, Kind.RESULT)
            pages = _ask(process).memory_pages
            recorded = replace(recorded, memory_pages=max(pages, recorded.memory_pages))
    for _, parameters in recorded.capabilities.values():
        for name, value in parameters.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise unsupported_original(f"on devices: its parameter {name} is {value}")
    return replace(recorded, memory_pages=recorded.memory_pages + _spare_pages(rune))


def _spare_pages(rune: Rune) -> int:
    """Return how far `_call` may grow memory further: not at all where no code can grow any."""
    functions = [rune.data[part.content : part.end] for part in rune.sections if part.id == CODE]
    return SPARE_PAGES if any(_MEMORY_GROW in code for code in functions) else 0


def _ask(process: RuneProcess) -> Recorded:
    process.send(Kind.TELL)
    try:
        return unpack_recorded(_until(process, Kind.ASKED))
    except ValueError:
        raise process_died("it did not tell what it asked for", []) from None


def _until(process: RuneProcess, wanted: Kind) -> bytes:
    """Serve the child with zeros until the message that ends its turn; return its body."""
    while True:
        kind, body = process.receive()
        if kind is wanted:
            return body
        if kind is Kind.NEED:
            process.send(Kind.DATA, bytes(_length(body)))
        elif kind not in (Kind.LOG, Kind.WARN):
            raise process_died("it sent a message out of turn", [])


def _length(body: bytes) -> int:
    try:
        length = int(json.loads(body)["length"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise process_died("it sent no request", []) from None
    if not 0 <= length < 2**32:
        raise process_died("it sent no request", [])
    return length
