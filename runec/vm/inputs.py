"""Input data of capabilities, on the host and over the link.

Rules a kind:

RAND         every element random, see `generator`; the stream goes on from request to request.
RAW          the bytes of the file, unchanged. With the parameter `length` the first bytes of the
             file, else the file must be exactly as long as the request.
ACCEL        rows of three f32 from a recording, the first ones of a longer one; its times are
             compared with the parameter `hz` (default 50).
SOUND        i16 samples of one channel at the parameter `hz` (default 16000),
             the first ones of a longer sound; see `sound`. A rune whose buffer is longer than
             its parameter `sample_duration_ms` is padded with silence.
IMAGE        u8[height, width, channels], see `picture`. Without the parameter `width` or `height`
             the picture's own; without `pixel_format` RGB, or grey where the rune asks for one
             byte a pixel.
FLOAT_IMAGE  the same as f32, each byte divided by 255: 0 to 1.

A file that is too short for the request is rejected. A capability's parameter `source` counts the
files given for its kind, from 0. Every request reads its file from the start. Original runes of
2020 and 2021 say `frequency` for `hz`, and `sample_duration` in seconds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runec.container import Graph
from runec.diagnostics import Diagnostic
from runec.files import read_file
from runec.pipeline import CapabilityKind, ElementType
from runec.vm import picture
from runec.vm.errors import (
    MissingInputError,
    bad_request,
    missing_input,
    unused_input,
    wrong_length,
)
from runec.vm.recording import read_recording
from runec.vm.sound import RATE_HZ_MAX, RATE_HZ_MIN, read_sound
from runec.vm.splitmix64 import DEFAULT_SEED, SplitMix64

# As much as runec builds a tensor for, so that an untrusted rune cannot ask for all memory.
REQUEST_BYTES_MAX = 64 * 1024 * 1024
PARAMETER_MAX = 2**63
_ROW_BYTES = 12
_SAMPLE_BYTES = 2
_RATE_HZ = 16_000
_SENSOR_RATE_HZ = 50


def _unheard(_warning: Diagnostic) -> None:
    """Drop a warning."""


@dataclass(frozen=True)
class Inputs:
    """Inputs of a rune: files by kind, in order of `source`, and a seed for RAND.

    With `random_bits` the bits of RAND's floats are random, as in the original platform: any
    number, infinities and NaN among them. `warn` receives warnings about files.
    """

    raw: tuple[Path, ...] = ()
    accelerometer: tuple[Path, ...] = ()
    sound: tuple[Path, ...] = ()
    image: tuple[Path, ...] = ()
    random_seed: int | None = None
    random_bits: bool = False
    warn: Callable[[Diagnostic], None] = field(default=_unheard, compare=False)


@dataclass(frozen=True, slots=True)
class Request:
    """Request of a capability; `element` is None in legacy runes."""

    kind: CapabilityKind
    parameters: Mapping[str, int | float]
    length: int
    element: ElementType | None


Provider = Callable[["InputReader", Request], bytes]


def unused_inputs(
    inputs: Inputs, taken: Iterable[tuple[CapabilityKind, int]], why: str | None = None
) -> Iterator[Diagnostic]:
    """Yield R0749 for unused inputs.

    `taken` are the capabilities: kind and `source`; `why` is the reason where none can take any.
    """
    taken = set(taken)
    names = ", ".join(sorted({kind.name for kind, _ in taken})) or "none"
    why = why or f"the rune's capabilities are {names}"
    for option, paths, takers in (
        ("--raw", inputs.raw, {CapabilityKind.RAW}),
        ("--accelerometer", inputs.accelerometer, {CapabilityKind.ACCEL}),
        ("--sound", inputs.sound, {CapabilityKind.SOUND}),
        ("--image", inputs.image, {CapabilityKind.IMAGE, CapabilityKind.FLOAT_IMAGE}),
    ):
        sources = {source for kind, source in taken if kind in takers}
        if paths and not sources:
            yield unused_input(" ".join([option, *map(str, paths)]), why)
            continue
        for number, path in enumerate(paths):
            if number not in sources:
                reads = " and ".join(str(source + 1) for source in sorted(sources))
                yield unused_input(
                    f"{option} {path}", f"it is number {number + 1}, the rune reads number {reads}"
                )
    if CapabilityKind.RAND not in {kind for kind, _ in taken}:
        if inputs.random_seed is not None:
            yield unused_input(f"--random {inputs.random_seed}", why)
        if inputs.random_bits:
            yield unused_input("--random-bits", why)


class InputReader:
    """The data of one session, made from the user's inputs for the executor of the rune."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        seed = DEFAULT_SEED if inputs.random_seed is None else inputs.random_seed
        self._random = SplitMix64(seed)
        self._cache: dict[Hashable, bytes] = {}
        self._taken: set[tuple[CapabilityKind, int]] = set()

    @property
    def inputs(self) -> Inputs:
        """The user's inputs."""
        return self._inputs

    @property
    def taken(self) -> frozenset[tuple[CapabilityKind, int]]:
        """The capabilities that have asked so far: kind and `source`."""
        return frozenset(self._taken)

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
                malformed recording; R0719, sound; R0720 and R0744, picture; R1003, an unreadable
                file.
            RuneError: R0705, a request that makes no sense.
        """
        request = _checked(kind, parameters, length, element)
        self._taken.add((kind, int(parameters.get("source", 0))))
        return _PROVIDERS[kind](self, request)

    def check(self, graph: Graph, *, may_lack: Container[CapabilityKind] = ()) -> None:
        """Read the data that the capabilities of a rune request, before its run is prepared.

        The data is stored for the run. Capabilities of the kinds in `may_lack` need no file.

        Raises:
            RunecError: as `provide`.
        """
        for capability in graph.capabilities.values():
            kind, tensor = capability.kind, graph.tensors[capability.tensor]
            if kind is CapabilityKind.RAND:
                continue  # random numbers depend on no file, and each is given once
            request = _checked(kind, capability.parameters, tensor.size_bytes, tensor.element)
            try:
                _PROVIDERS[kind](self, request)
            except MissingInputError:
                if kind not in may_lack:
                    raise

    def random(self, request: Request) -> bytes:
        """Return random elements."""
        size = 8 if request.element is None else request.element.size_bytes
        if size == 0:
            raise bad_request("RAND", "text")
        count = -(-request.length // size)
        if request.element is not None and request.length % size:
            raise bad_request(
                "RAND",
                f"{request.length} bytes, not a multiple of {request.element.value}",
            )
        element = request.element
        if self._inputs.random_bits and element in _BITS:
            element = _BITS[element]
        return self._random.elements(count, element)[: request.length]

    def raw(self, request: Request) -> bytes:
        """Return the bytes of a file."""
        path = self._path(request, self._inputs.raw, "--raw")
        data = self._load(path, lambda: read_file(path, "the RAW input"))
        if len(data) < request.length or (
            len(data) > request.length and "length" not in request.parameters
        ):
            raise wrong_length(str(path), request.length, len(data), "bytes")
        return data[: request.length]

    def accelerometer(self, request: Request) -> bytes:
        """Return the first rows of a recording."""
        path = self._path(request, self._inputs.accelerometer, "--accelerometer")
        _check_elements(request, ElementType.F32, _ROW_BYTES, "rows of three f32")
        rate = request.parameters.get("hz", _SENSOR_RATE_HZ)
        hz = rate if isinstance(rate, int) and rate > 0 else None
        data = self._load((path, hz), lambda: read_recording(path, hz, self._inputs.warn))
        if len(data) < request.length:
            rows = request.length // _ROW_BYTES
            raise wrong_length(str(path), rows, len(data) // _ROW_BYTES, "rows")
        return data[: request.length]

    def sound(self, request: Request) -> bytes:
        """Return the first samples of a sound."""
        path = self._path(request, self._inputs.sound, "--sound")
        _check_elements(request, ElementType.I16, _SAMPLE_BYTES, "samples of i16")
        parameters = request.parameters
        rate = parameters.get("hz", parameters.get("frequency", _RATE_HZ))
        if not isinstance(rate, int) or not RATE_HZ_MIN <= rate <= RATE_HZ_MAX:
            raise bad_request(
                "SOUND",
                f"{rate} samples a second, which do not lie from {RATE_HZ_MIN} to {RATE_HZ_MAX}",
            )
        count = request.length // _SAMPLE_BYTES
        milliseconds = parameters.get(
            "sample_duration_ms", 1000 * parameters.get("sample_duration", 0)
        )
        least = min(count, int(rate * milliseconds // 1000)) if milliseconds > 0 else count
        warn = self._inputs.warn
        data = self._load((path, rate, count), lambda: read_sound(path, rate, count, least, warn))
        return data.ljust(request.length, b"\0")

    def image(self, request: Request) -> bytes:
        """Return the pixels of a picture, a byte each."""
        _check_elements(request, ElementType.U8, 1, "pixels of u8")
        return self._pixels(request, request.length)

    def float_image(self, request: Request) -> bytes:
        """Return the pixels of a picture, an f32 from 0 to 1 each."""
        _check_elements(request, ElementType.F32, 4, "pixels of f32")
        data = self._pixels(request, request.length // 4)
        return b"".join(map(_SCALED.__getitem__, data))

    def _pixels(self, request: Request, length: int) -> bytes:
        path = self._path(request, self._inputs.image, "--image")
        size = _side(request, "width"), _side(request, "height")
        pixels = (size[0] or 0) * (size[1] or 0)
        wanted = request.parameters.get("pixel_format")
        if wanted is None:
            wanted = picture.GREY if length == pixels else picture.RGB
        form = int(wanted)
        if form not in picture.CHANNELS or form != wanted:
            raise bad_request(request.kind.name, f"the pixel format {wanted}")
        channels = picture.CHANNELS[form]
        if pixels and length != pixels * channels:
            raise bad_request(
                request.kind.name,
                f"{length} elements, but {size[0]} x {size[1]} pixels of {channels} are "
                f"{pixels * channels}",
            )
        warn = self._inputs.warn
        data = self._load((path, size, form), lambda: picture.read_picture(path, size, form, warn))
        if len(data) == 3 * length and "pixel_format" not in request.parameters:
            form, channels = picture.GREY, 1
            warn = self._inputs.warn
        data = self._load((path, size, form), lambda: picture.read_picture(path, size, form, warn))
        if len(data) != length:
            raise wrong_length(str(path), length // channels, len(data) // channels, "pixels")
        return data

    def _path(self, request: Request, paths: tuple[Path, ...], flag: str) -> Path:
        index = request.parameters.get("source", 0)
        if not isinstance(index, int) or index < 0:
            raise bad_request(request.kind.name, f"source {index}, which is not a number of a file")
        if index >= len(paths):
            raise missing_input(request.kind.name, index, flag)
        return paths[index]

    def _load(self, key: Hashable, load: Callable[[], bytes]) -> bytes:
        if key not in self._cache:
            self._cache[key] = load()
        return self._cache[key]


def _checked(
    kind: CapabilityKind,
    parameters: Mapping[str, int | float],
    length: int,
    element: ElementType | None,
) -> Request:
    if length > REQUEST_BYTES_MAX:
        raise bad_request(kind.name, f"{length} bytes, more than {REQUEST_BYTES_MAX}")
    if length < 0:
        raise bad_request(kind.name, f"{length} bytes")
    for name, value in parameters.items():
        # From an untrusted rune: NaN, infinities, and what makes them when it is multiplied.
        if not isinstance(value, int | float) or not abs(value) <= PARAMETER_MAX:
            raise bad_request(kind.name, f"the {name} {str(value)[:40]}")
    return Request(kind, parameters, length, element)


def _check_elements(request: Request, element: ElementType, size: int, what: str) -> None:
    if request.element not in (None, element) or request.length % size:
        asked = "" if request.element is None else f" of {request.element.value}"
        raise bad_request(request.kind.name, f"{request.length} bytes{asked}, which are no {what}")


def _side(request: Request, name: str) -> int | None:
    """Return the requested width or height; None: that of the picture."""
    side = request.parameters.get(name)
    if side is None:
        return None
    if not isinstance(side, int) or not 1 <= side <= picture.SIDE_MAX:
        raise bad_request(request.kind.name, f"a picture with the {name} {side}")
    return side


_SCALED = [struct.pack("<f", value / 255) for value in range(256)]
_BITS = {ElementType.F32: ElementType.U32, ElementType.F64: ElementType.U64}
_PROVIDERS: Mapping[CapabilityKind, Provider] = {
    CapabilityKind.RAND: InputReader.random,
    CapabilityKind.SOUND: InputReader.sound,
    CapabilityKind.ACCEL: InputReader.accelerometer,
    CapabilityKind.IMAGE: InputReader.image,
    CapabilityKind.RAW: InputReader.raw,
    CapabilityKind.FLOAT_IMAGE: InputReader.float_image,
}
