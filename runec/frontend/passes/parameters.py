"""Capability parameters: names of all versions of the original platform, values as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from runec.diagnostics import Diagnostics, Label
from runec.frontend.passes.arguments import Arguments, Value, warn_unused
from runec.frontend.passes.names import NameTable
from runec.pipeline import CapabilityKind, ParameterValue

MAX_PARAMETER = 2**31 - 1
_PIXEL_FORMATS = {"rgb": 0, "rgb8": 0, "bgr": 1, "bgr8": 1, "grayscale": 2, "grayscale8": 2}
_PIXEL_FORMAT_NAMES = ("@PixelFormat::RGB", "@PixelFormat::BGR", "@PixelFormat::GrayScale")
_WHOLE = re.compile(r"[0-9]{1,10}(?:\.0*)?\Z")
_SECONDS = re.compile(r"(?:[0-9]{1,7}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})\Z")


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a capability: its name in a rune, what it means, its smallest value."""

    name: str
    about: str
    least: int = 1


_SOURCE = {
    "source": Parameter("source", "which of the files of this kind, counted from 0; default 0", 0)
}
_IMAGE = {
    "width": Parameter("width", "pixels in a row; default: the width of the picture"),
    "height": Parameter("height", "rows; default: the height of the picture"),
    "pixel_format": Parameter(
        "pixel_format",
        f"{', '.join(_PIXEL_FORMAT_NAMES)} (or 0, 1, 2); default: GrayScale where the tensor has "
        "one element per pixel, else RGB",
        0,
    ),
    **_SOURCE,
}
_HZ = Parameter("hz", "sample rate in Hz; default 16000")
_MILLISECONDS = Parameter("sample_duration_ms", "duration in ms; default: that of the tensor")
_SAMPLES = Parameter("n", "number of samples, each x, y, z; default: those of the tensor")

# Names in Runefiles -> parameters of the ABI.
PARAMETERS: Mapping[CapabilityKind, Mapping[str, Parameter]] = MappingProxyType(
    {
        CapabilityKind.RAND: {
            "source": Parameter("source", "accepted without effect: there is one random stream", 0)
        },
        CapabilityKind.SOUND: {
            "hz": _HZ,
            "frequency": _HZ,
            "sample_duration_ms": _MILLISECONDS,
            "sample_duration": msgspec.structs.replace(
                _MILLISECONDS, about="duration in s, such as 1.5; not with `sample_duration_ms`"
            ),
            **_SOURCE,
        },
        CapabilityKind.ACCEL: {
            "n": _SAMPLES,
            "samples": _SAMPLES,
            "hz": Parameter("hz", "sample rate in Hz of a sensor on the board; default 50"),
            **_SOURCE,
        },
        CapabilityKind.IMAGE: _IMAGE,
        CapabilityKind.RAW: {
            "length": Parameter(
                "length",
                "bytes to read from the start of the file; default: the file has exactly the "
                "bytes of the tensor",
            ),
            **_SOURCE,
        },
        CapabilityKind.FLOAT_IMAGE: _IMAGE,
    }
)


def read_parameters(
    names: NameTable,
    kinds: dict[str, CapabilityKind],
    arguments: Arguments,
    diagnostics: Diagnostics,
) -> dict[str, dict[str, ParameterValue]]:
    """The parameters of each capability, in source order; wrong values are reported."""
    return {
        name: _read(name, kind, arguments.values[name], diagnostics)
        for name, kind in kinds.items()
        if name in names.stages
    }


def _read(
    stage: str, kind: CapabilityKind, values: dict[str, Value], diagnostics: Diagnostics
) -> dict[str, ParameterValue]:
    known = PARAMETERS[kind]
    warn_unused(stage, [value.argument for value in values.values()], known, diagnostics)
    found: dict[str, ParameterValue] = {}
    given: dict[str, Value] = {}
    for spelling, value in values.items():
        parameter = known.get(spelling)
        if parameter is None:
            continue
        if parameter.name in given:
            first = given[parameter.name].argument
            diagnostics.error(
                "R0406",
                f'"{value.argument.key.text}" and "{first.key.text}" are the same argument',
                value.argument.key.span,
                hint="keep one of the two",
                labels=[Label(first.key.span, "The first one is here")],
            )
            continue
        given[parameter.name] = value
        number = _number(spelling, value.text)
        if number is None or not parameter.least <= number <= MAX_PARAMETER:
            _report(spelling, parameter, value, diagnostics)
        else:
            found[parameter.name] = number
    return found


def _number(spelling: str, text: object) -> int | None:
    if not isinstance(text, str):
        return None
    if spelling == "pixel_format":
        name = text.rsplit("::", 1)[-1].casefold()
        return _PIXEL_FORMATS.get(name, int(name) if name in ("0", "1", "2") else None)
    if spelling == "sample_duration":
        return round(float(text) * 1000) if _SECONDS.match(text) else None
    return int(text.split(".")[0]) if _WHOLE.match(text) else None


def _report(spelling: str, parameter: Parameter, value: Value, diagnostics: Diagnostics) -> None:
    shown = value.shown
    if spelling == "pixel_format":
        hint = f"use one of {', '.join(_PIXEL_FORMAT_NAMES)}"
    elif spelling == "sample_duration":
        hint = "use seconds, such as 1.5"
    else:
        hint = f"use an integer from {parameter.least} to {MAX_PARAMETER}"
    diagnostics.error(
        "R0402",
        f'"{shown[:40]}" is not a value for "{value.argument.key.text}"',
        value.argument.value_span,
        hint=hint,
    )


def expected_elements(
    kind: CapabilityKind, parameters: Mapping[str, ParameterValue]
) -> tuple[tuple[int, ...], str] | None:
    """How many elements (bytes for RAW) the host will have, and why; None where it is open."""
    values = {name: int(value) for name, value in parameters.items()}
    if kind is CapabilityKind.RAW and "length" in values:
        return (values["length"],), f"length is {values['length']} bytes"
    if kind is CapabilityKind.ACCEL and "n" in values:
        return (values["n"] * 3,), f"n is {values['n']} samples of 3"
    if kind is CapabilityKind.SOUND and {"hz", "sample_duration_ms"} <= values.keys():
        hz, duration = values["hz"], values["sample_duration_ms"]
        return (hz * duration // 1000,), f"{hz} samples a second for {duration} ms"
    if (
        kind in (CapabilityKind.IMAGE, CapabilityKind.FLOAT_IMAGE)
        and {
            "width",
            "height",
        }
        <= values.keys()
    ):
        pixels = values["width"] * values["height"]
        channels = {0: (3,), 1: (3,), 2: (1,)}.get(values.get("pixel_format", -1), (1, 3))
        text = f"{values['width']} x {values['height']} pixels"
        if len(channels) == 1:
            text += f" of {channels[0]} byte{'s' if channels[0] > 1 else ''}"
        return tuple(pixels * count for count in channels), text
    return None
