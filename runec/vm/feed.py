"""What capabilities read: the data that goes into a rune, on the host and over the link.

Rules a kind:

RAND   every element random, see `generator`; the stream goes on from request to request.
RAW    the file's bytes as they are. The file must be exactly as long as the request.
ACCEL  rows of three f32 from a recording. A recording shorter than the request is refused; of a
       longer one the first rows are taken.

A capability's parameter `source` counts the files given for its kind, from 0. Every request
reads its file from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runec.files import read_file
from runec.pipeline import CapabilityKind, ElementType
from runec.vm.errors import bad_request, missing_input, no_provider, wrong_length
from runec.vm.generator import DEFAULT_SEED, SplitMix64
from runec.vm.recording import read_recording

# As much as runec builds a tensor for, so that a stranger's rune cannot ask for all memory.
REQUEST_BYTES_MAX = 64 * 1024 * 1024
_ROW_BYTES = 12


@dataclass(frozen=True)
class Inputs:
    """What the user gives a rune: files by kind, in order of `source`, and a seed for RAND."""

    raw: tuple[Path, ...] = ()
    accelerometer: tuple[Path, ...] = ()
    sound: tuple[Path, ...] = ()
    image: tuple[Path, ...] = ()
    random_seed: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a capability is asked for; `element` is None where an original rune does not say."""

    kind: CapabilityKind
    parameters: Mapping[str, int | float]
    length: int
    element: ElementType | None


Provider = Callable[["Feed", Request], bytes]


class Feed:
    """The data of one session: made from the user's inputs, asked by whatever executes the rune."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        seed = DEFAULT_SEED if inputs.random_seed is None else inputs.random_seed
        self._random = SplitMix64(seed)
        self._cache: dict[Path, bytes] = {}

    def provide(
        self,
        kind: CapabilityKind,
        parameters: Mapping[str, int | float],
        length: int,
        element: ElementType | None,
    ) -> bytes:
        """Return exactly `length` bytes for a capability.

        Raises:
            UserFileError: R0701, no file for it; R0702, a file of another length; R0703, a
                malformed recording; R1003, an unreadable file.
            RuneError: R0704, a kind without provider; R0705, a request that makes no sense.
        """
        provider = PROVIDERS.get(kind)
        if provider is None:
            raise no_provider(kind.name)
        if length > REQUEST_BYTES_MAX:
            raise bad_request(kind.name, f"{length} bytes, more than {REQUEST_BYTES_MAX}")
        return provider(self, Request(kind, parameters, length, element))

    def random(self, request: Request) -> bytes:
        """Return random elements."""
        size = 8 if request.element is None else request.element.size_bytes
        if size == 0:
            raise bad_request("RAND", "text")
        count = -(-request.length // size)
        if request.element is not None and request.length % size:
            raise bad_request(
                "RAND", f"{request.length} bytes, which are no whole {request.element.value}"
            )
        return self._random.elements(count, request.element)[: request.length]

    def raw(self, request: Request) -> bytes:
        """Return the bytes of a file."""
        path = self._path(request, self._inputs.raw, "--raw")
        data = self._load(path, lambda: read_file(path, "the RAW input"))
        if len(data) != request.length:
            raise wrong_length(str(path), request.length, len(data), "bytes")
        return data

    def accelerometer(self, request: Request) -> bytes:
        """Return the first rows of a recording."""
        path = self._path(request, self._inputs.accelerometer, "--accelerometer")
        if request.element not in (None, ElementType.F32) or request.length % _ROW_BYTES:
            element = "" if request.element is None else f" of {request.element.value}"
            raise bad_request(
                "ACCEL", f"{request.length} bytes{element}, which are no rows of three f32"
            )
        data = self._load(path, lambda: read_recording(path))
        if len(data) < request.length:
            rows = request.length // _ROW_BYTES
            raise wrong_length(str(path), rows, len(data) // _ROW_BYTES, "rows")
        return data[: request.length]

    def _path(self, request: Request, paths: tuple[Path, ...], flag: str) -> Path:
        index = request.parameters.get("source", 0)
        if not isinstance(index, int) or index < 0:
            raise bad_request(request.kind.name, f"source {index}, which is no number of a file")
        if index >= len(paths):
            raise missing_input(request.kind.name, index, flag)
        return paths[index]

    def _load(self, path: Path, load: Callable[[], bytes]) -> bytes:
        if path not in self._cache:
            self._cache[path] = load()
        return self._cache[path]


# One line a kind that this host can provide; a kind that is not here is refused by name.
PROVIDERS: dict[CapabilityKind, Provider] = {
    CapabilityKind.RAND: Feed.random,
    CapabilityKind.RAW: Feed.raw,
    CapabilityKind.ACCEL: Feed.accelerometer,
}
