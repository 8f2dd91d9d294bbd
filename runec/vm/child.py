"""The process that executes a rune: `python -m runec.vm.child`, spoken to over stdin and stdout.

It receives a verified .rune, runs it on request, requests data, and reports the result. The parent
kills it after a time-out.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import wasm3

from runec.container import Rune, module_imports, read_rune
from runec.diagnostics import RunecError, RuneError
from runec.pipeline import CapabilityKind, ElementType
from runec.vm.abi1 import Abi1Imports
from runec.vm.errors import REPORTED, process_died, stage_failed, trapped, unsupported_legacy
from runec.vm.legacy_abi import LegacyImports
from runec.vm.messages import (
    HEADER,
    Kind,
    pack_message,
    pack_outputs,
    unpack_start,
)
from runec.vm.rune_imports import Imports
from runec.vm.trace import Step, pack_step

# Deep enough for any block, shallow enough for the process's own stack of 8 MiB.
_WASM_STACK_BYTES = 64 * 1024
_TRAP = re.compile(r"\[trap\] ([^(]*)")


class ClosedError(Exception):
    """The parent has closed the pipe."""


class Connection:
    """The child's end of the pipes."""

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target
        self.is_traced = False

    def send(self, kind: Kind, body: bytes = b"") -> None:
        """Send a message."""
        view = memoryview(pack_message(kind, body))
        while view:
            view = view[os.write(self._target, view) :]

    def _read(self, count: int) -> bytes:
        content = bytearray()
        while len(content) < count:
            part = os.read(self._source, count - len(content))
            if not part:
                raise ClosedError
            content += part
        return bytes(content)

    def receive(self) -> tuple[Kind, bytes]:
        """Return the next message."""
        length, kind = HEADER.unpack(self._read(HEADER.size))
        return Kind(kind), self._read(length - 1)

    def log(self, text: str) -> None:
        """Send a line for the user's log."""
        self.send(Kind.LOG, text.encode("utf-8", "replace"))

    def warn(self, message: str, hint: str) -> None:
        """Send a warning."""
        self.send(Kind.WARN, json.dumps({"message": message, "hint": hint}).encode())

    def step(self, step: Step) -> None:
        """Send a step of the trace."""
        self.send(Kind.STEP, pack_step(step))

    def need(
        self,
        kind: CapabilityKind,
        parameters: Mapping[str, int | float],
        length: int,
        element: ElementType | None,
    ) -> bytes:
        """Ask the parent for a capability's data."""
        request = {
            "kind": kind.name,
            "parameters": dict(parameters),
            "length": length,
            "element": None if element is None else element.value,
        }
        self.send(Kind.NEED, json.dumps(request).encode())
        _, data = self.receive()
        if len(data) != length:
            raise ClosedError
        return data

    def error(self, error: RunecError) -> None:
        """Report how the rune failed."""
        kinds = (name for name, kind in REPORTED.items() if isinstance(error, kind))
        report = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "notes": list(error.notes),
            "kind": next(kinds, "rune"),
        }
        self.send(Kind.ERROR, json.dumps(report).encode())


def limit_resources(time_limit_s: int) -> None:
    """Bound the processor time of a run; memory and files are bounded from the start on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + time_limit_s + 2
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or seconds < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _unsigned(function: Callable[..., int | None]) -> Callable[..., int | None]:
    def call(*arguments: int) -> int | None:
        return function(*(argument & 0xFFFFFFFF for argument in arguments))

    return call


class Instance:
    """A module in the engine, with its host."""

    def __init__(self, rune: Rune, host: Imports) -> None:
        self._host = host
        self._environment = wasm3.Environment()
        self._runtime = self._environment.new_runtime(_WASM_STACK_BYTES)
        self._module = self._guard(lambda: self._environment.parse_module(rune.code))
        self._guard(lambda: self._runtime.load(self._module))
        for item in module_imports(rune):
            function = getattr(host, item.name, None)
            if function is None or not item.is_known:
                raise unsupported_legacy(f"it imports {item.name}")
            self._module.link_function("env", item.name, item.signature, _unsigned(function))
        self._used = None if rune.graph is None else rune.graph.memory_used
        host.attach(self._memory)

    def _memory(self) -> memoryview:
        memory: memoryview | None = self._runtime.get_memory(0)
        if memory is None:
            return memoryview(b"")
        if self._used is not None and len(memory) > self._used:
            memory = self._shrink(memory, self._used)
        return memory

    def _shrink(self, memory: memoryview, used: int) -> memoryview:
        """Limit the module to `used` bytes of its memory, as on devices: an access past them traps.

        wasm3 has an option for that (`memoryLimit`), pywasm3 has not: the length stands just
        before the memory itself (`M3MemoryHeader`). Another wasm3 may hold something else there.
        """
        at = ctypes.addressof(ctypes.c_char.from_buffer(memory)) - ctypes.sizeof(ctypes.c_size_t)
        length = ctypes.c_size_t.from_address(at)
        if length.value == len(memory):
            length.value = used
        return self._runtime.get_memory(0) or memory

    def _guard(self, action: Callable[[], Any]) -> Any:
        """Turn the engine's errors into ours; errors of host functions pass through."""
        try:
            return action()
        except RuntimeError as error:
            found = _TRAP.search(str(error))
            reason = found[1].strip() if found else str(error)
            raise trapped(reason, self._host.place()) from None

    def call(self, name: str, *arguments: int) -> int:
        """Call an exported function. Raises RuneError."""
        self._memory()
        function = self._guard(lambda: self._runtime.find_function(name))
        result = self._guard(lambda: function(*arguments))
        return int(result) & 0xFFFFFFFF

    def run(self) -> int:
        """Run the pipeline once; return 0, or the number of the stage that failed.

        Stage by stage where the rune allows it, so that the host knows the stage of a trap.
        """
        if not self._host.step_count:
            return self.call("_call", 0, 0, 0)
        for number in range(1, self._host.step_count + 1):
            self._host.begin_step(number)
            failed = self.call("_call", 0, number, number)
            self._host.end_step()
            if failed:
                return number
        return 0


def _serve(connection: Connection) -> None:
    kind, body = connection.receive()
    if kind is not Kind.START:
        raise ClosedError
    start = unpack_start(body)
    rune = read_rune(start.rune).with_resources(start.resources)
    connection.is_traced = start.is_traced
    limit_resources(start.time_limit_s)
    host: Imports = (LegacyImports if rune.is_legacy else Abi1Imports)(rune, connection)
    instance = Instance(rune, host)
    host.in_manifest = True
    instance.call("_manifest")
    host.in_manifest = False
    connection.send(Kind.READY)
    while True:
        kind, _ = connection.receive()
        if kind is not Kind.RUN:
            raise ClosedError
        limit_resources(start.time_limit_s)
        host.begin_run()
        failed = instance.run()
        if failed:
            raise stage_failed(failed, host.stage_name(failed), host.last_message)
        outputs = pack_outputs(host.take_outputs())
        connection.send(Kind.RESULT, bytes((host.is_binary,)) + outputs)


def main() -> NoReturn:
    """Serve one parent until it closes the pipe, or the rune fails."""
    # The library prints to stdout; the pipe must carry nothing but messages.
    target = os.dup(1)
    os.dup2(2, 1)
    connection = Connection(0, target)
    status = 0
    try:
        _serve(connection)
    except RunecError as error:
        connection.error(error)
    except MemoryError:
        connection.error(RuneError("R0712", "the rune exceeded its memory limit"))
    except (ClosedError, BrokenPipeError):
        status = 1
    except Exception as error:
        if os.environ.get("RUNEC_DEBUG"):
            raise
        connection.error(process_died(f"{type(error).__name__}: {error}"[:300], []))
    # Nothing here is worth an orderly end, which takes longer than the run.
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
