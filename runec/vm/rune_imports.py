"""Common code of the host functions: bounded memory, ids, logging, resources.

Executed in the child process. `Abi1Imports` and `LegacyImports` add what their generation of runes
calls. A method of the name of a host function is that function; its arguments are unsigned.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runec.container import Rune
from runec.pipeline import CapabilityKind, ElementType, OutputKind, TensorType
from runec.vm.errors import bad_host_call, mixed_outputs, no_output, too_much_output
from runec.vm.messages import Outputs
from runec.vm.trace import Step, traced_tensor

LOG_BYTES_MAX = 1024 * 1024
LOG_LINE_BYTES = 64  # what a line costs besides its text
MESSAGE_BYTES_MAX = 4096
OUTPUT_KINDS = frozenset({OutputKind.SERIAL, OutputKind.TENSOR, OutputKind.PIN})


Typed = tuple[TensorType | None, bytes]


class Surroundings(Protocol):
    """What the child process gives its host object."""

    is_traced: bool

    def log(self, text: str) -> None:
        """Hand a line to the user's log."""

    def warn(self, message: str, hint: str) -> None:
        """Hand a warning to the user."""

    def step(self, step: Step) -> None:
        """Hand a step of the trace to the user."""

    def need(
        self,
        kind: CapabilityKind,
        parameters: Mapping[str, int | float],
        length: int,
        element: ElementType | None,
    ) -> bytes:
        """Return a capability's data."""


@dataclass
class OpenResource:
    """A resource being read, and how far."""

    data: bytes
    at: int = 0


def is_mixed(kinds: Iterable[OutputKind]) -> bool:
    """Return whether text and binary would share the stream that a run writes."""
    return len({kind is OutputKind.TENSOR for kind in kinds}) > 1


class Imports:
    """What both generations share. Subclasses set which outputs they write."""

    output_kinds = OUTPUT_KINDS

    def __init__(self, rune: Rune, surroundings: Surroundings) -> None:
        self._rune = rune
        self._surroundings = surroundings
        self._memory: Callable[[], memoryview] = lambda: memoryview(b"")
        self._next_id = 1
        self._resources: dict[int, OpenResource] = {}
        self._log_bytes = 0
        self._output_kinds: set[OutputKind] = set()
        self._clock_s = 0.0
        self.last_message = ""
        self.in_manifest = False

    def attach(self, memory: Callable[[], memoryview]) -> None:
        """Tell where the rune's linear memory is; it is asked for again at each call."""
        self._memory = memory

    def begin_run(self) -> None:
        """Forget what belongs to the run before."""
        self._log_bytes = 0
        self.last_message = ""
        self._clock_s = time.perf_counter()

    @property
    def is_binary(self) -> bool:
        """True for a rune whose outputs are TENSOR."""
        return OutputKind.TENSOR in self._output_kinds

    def take_outputs(self) -> Outputs:
        """Return what the run wrote."""
        return []

    @property
    def step_count(self) -> int:
        """How many stages `_call` runs one by one; 0 where it runs all of them at once."""
        return 0

    def begin_step(self, number: int) -> None:
        """The n-th stage, counted from 1, is about to run."""

    def end_step(self) -> None:
        """The stage that began last has returned, with an error or without."""

    def place(self) -> str:
        """Report where the rune is, for a message: `in the stage x`, or nothing."""
        return ""

    def stage_name(self, number: int) -> str:
        """Return the name of the n-th stage, counted from 1."""
        return f"{number}"

    # --- memory and ids ----------------------------------------------------------------------

    def memory_limit(self, size: int) -> int:
        """Return how many bytes of a memory of `size` the rune may name to the host."""
        return size

    def read(self, function: str, at: int, length: int) -> bytes:
        """Return bytes of linear memory. Raises RuneError R0710 outside."""
        memory = self._memory()
        self._check(function, at, length, len(memory))
        return bytes(memory[at : at + length])

    def write(self, function: str, at: int, data: bytes) -> None:
        """Write bytes to linear memory. Raises RuneError R0710 outside."""
        memory = self._memory()
        self._check(function, at, len(data), len(memory))
        memory[at : at + len(data)] = data

    def _check(self, function: str, at: int, length: int, size: int) -> None:
        limit = self.memory_limit(size)
        if at + length > limit:
            raise bad_host_call(
                function, f"bytes {at} to {at + length} lie outside its {limit} bytes of memory"
            )

    def pointers(self, function: str, at: int, count: int) -> list[int]:
        """Return an array of pointers."""
        data = self.read(function, at, 4 * count)
        return [int.from_bytes(data[i : i + 4], "little") for i in range(0, 4 * count, 4)]

    def name(self, function: str, at: int, length: int) -> str:
        """Return a name that the rune passes."""
        if length > MESSAGE_BYTES_MAX:
            raise bad_host_call(function, f"a name of {length} bytes")
        try:
            return self.read(function, at, length).decode("utf-8")
        except UnicodeDecodeError:
            raise bad_host_call(function, "a name that is not UTF-8") from None

    def take_id(self) -> int:
        """Return the next id of the one counter."""
        self._next_id += 1
        return self._next_id - 1

    def capability_kind(self, number: int) -> CapabilityKind:
        """Return the kind of a capability by its number."""
        try:
            return CapabilityKind(number)
        except ValueError:
            raise bad_host_call(
                "request_capability", f"Unknown capability type: {number}"
            ) from None

    def output_kind(self, number: int) -> OutputKind:
        """Return the kind of an output by its number, if this host writes it."""
        try:
            kind = OutputKind(number)
        except ValueError:
            raise bad_host_call("request_output", f"Unknown output type: {number}") from None
        if kind not in self.output_kinds:
            raise no_output(kind.name)
        self._output_kinds.add(kind)
        if is_mixed(self._output_kinds):
            raise mixed_outputs()
        return kind

    # --- the trace ---------------------------------------------------------------------------

    @property
    def is_traced(self) -> bool:
        """True when somebody wants to know each step."""
        return self._surroundings.is_traced

    def lap(self) -> float:
        """Return the milliseconds since the last lap."""
        before, self._clock_s = self._clock_s, time.perf_counter()
        return 1000 * (self._clock_s - before)

    def trace(
        self,
        stages: Sequence[str],
        what: str,
        inputs: Sequence[Typed] = (),
        outputs: Sequence[Typed] = (),
        spent_ms: float | None = None,
    ) -> None:
        """Report what was done since the last lap, or in `spent_ms`, if anybody wants to know."""
        if not self.is_traced:
            return
        milliseconds = self.lap() if spent_ms is None else spent_ms
        given, made = (
            tuple(traced_tensor(kind, data) for kind, data in tensors)
            for tensors in (inputs, outputs)
        )
        self._surroundings.step(Step(tuple(stages), what, milliseconds, given, made))
        self.lap()  # reporting it does not count as part of the run

    # --- host functions ----------------------------------------------------------------------

    def _debug(self, message: int, length: int) -> int:
        content = self.read("_debug", message, length)
        self._log_bytes += length + LOG_LINE_BYTES
        if self._log_bytes > LOG_BYTES_MAX:
            raise too_much_output(f"more than {LOG_BYTES_MAX} bytes of log in a run")
        text = self.message_text(content[:MESSAGE_BYTES_MAX].decode("utf-8", "replace"))
        self.last_message = text
        self._surroundings.log(text)
        return 0

    def message_text(self, text: str) -> str:
        """Return what a message to `_debug` says: legacy runes wrap it in JSON."""
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return text
        message = record.get("message") if isinstance(record, dict) else None
        return message if isinstance(message, str) else text

    def rune_resource_open(self, name: int, length: int) -> int:
        """Open a resource for reading; -1 when there is none of that name."""
        data = self._rune.resources.get(self.name("rune_resource_open", name, length))
        if data is None:
            return -1
        resource = self.take_id()
        self._resources[resource] = OpenResource(data)
        return resource

    def rune_resource_read(self, resource: int, buffer: int, length: int) -> int:
        """Read on in a resource; 0 at its end."""
        entry = self._open_resource("rune_resource_read", resource)
        self.read("rune_resource_read", buffer, length)
        content = entry.data[entry.at : entry.at + length]
        self.write("rune_resource_read", buffer, content)
        entry.at += len(content)
        return len(content)

    def rune_resource_close(self, resource: int) -> None:
        """Close a resource."""
        self._open_resource("rune_resource_close", resource)
        del self._resources[resource]

    def _open_resource(self, function: str, resource: int) -> OpenResource:
        if resource not in self._resources:
            raise bad_host_call(function, f"no resource is open under the id {resource}")
        return self._resources[resource]
