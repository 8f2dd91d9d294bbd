"""Pictures of more than 8 bits a channel, rounded to 8.

Pillow cuts the colors of such files to their upper 8 bits, and holds grey ones to 0..255. Here
integers of n bits become (v * 255 + (2^n - 1) / 2) / (2^n - 1), which is (v + 128) / 257 for 16,
and floats from 0 (black) to 1 (white) become v * 255, rounded to the nearest number, of two as near
the higher one. The numbers of a PGM or PPM with another maximum m become v * 255 / m, rounded once;
Pillow would round to the even one, and those of 16 bits twice. A file that does not define which
numbers are black and white is rejected.

Pillow has no mode that holds 16 bits of several channels, so a file is decoded twice: as it is,
which gives the upper bytes, and with the bytes of each number swapped, which gives the lower ones.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR, _SAMPLE_FORMAT = 258, 262, 284, 339  # tags of TIFF 6.0
_WHITE_IS_ZERO = 0
_UNSIGNED, _SIGNED = 1, 2
_WIDE_RAW = re.compile(r"(LA|RGB|RGBA|RGBX|RGBa|CMYK);16([BLN])")
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
# The start of a JPEG 2000 codestream: SOC, SIZ; the components' depths follow.
_J2K_START = b"\xff\x4f\xff\x51"
_J2K_COMPONENTS = 40
_ICONS = frozenset({"ICO", "CUR", "ICNS"})
_PNG_DEPTH = 12  # bytes from the name of its header to the depth
_BLOCK = 2**20  # numbers that are rounded at once


class UnknownScaleError(Exception):
    """The file does not define which of its numbers are black and white; the text says what."""


def load_8_bits(reopen: Callable[[], ImageFile], data: bytes) -> Image:
    """Decode the picture that `reopen` opens; its channels have 8 bits, whatever the file's have.

    Raises:
        UnknownScaleError: the numbers have no defined black and white.
        Exception: the file is damaged; any that Pillow raises.
    """
    image = reopen()
    maximum = _netpbm_maximum(image)
    if maximum is not None:
        return _netpbm(image, maximum)
    found = _scale(image, data)
    if found is not None:
        low, high, upside_down = found
        image.load()
        values = np.asarray(image)
        if image.mode == "I" and high > 2**31:
            values = values.view(np.uint32)
        return Pillow.fromarray(_rounded(values, low, high, inverted=upside_down))
    if any(_wide_raw(tile.args) for tile in image.tile):
        return _colors(reopen, image)
    image.load()
    if image.mode[0] in "IF":  # of what an icon holds, for example
        raise _undefined(image)
    return image


def _scale(image: ImageFile, data: bytes) -> tuple[float, float, bool] | None:
    """Return black, white and whether they are swapped, where all channels are one wide number."""
    if isinstance(image, TiffImageFile):
        return _tiff_scale(image)
    if image.format == "JPEG2000":
        bits = _j2k_bits(data)
        if bits > 8 and image.mode == "L":  # Pillow does so where a JP2 has 9 bits
            image._mode = "I;16"
        if bits > 8 and image.mode != "I;16":
            raise UnknownScaleError(f"it is a JPEG 2000 with colors of {bits} bits a channel")
        # Pillow has shifted the numbers to 16 bits.
        return (0, ((1 << bits) - 1) << (16 - bits), False) if image.mode == "I;16" else None
    if image.format == "SGI" and data[3:4] == b"\2":
        raise UnknownScaleError("it is an SGI picture of 16 bits a channel")
    if image.mode.startswith("I;16") and image.format == "PNG":
        return 0, 0xFFFF, False
    if image.format == "PPM" and image.mode == "I":
        return 0, 0xFFFF, False
    if image.format == "PPM" and image.mode == "F":
        scale = image.info.get("scale", 1.0)
        if scale != 1.0:
            raise UnknownScaleError(f"it is a PFM with the scale {scale:g}")
        return 0.0, 1.0, False
    if image.format in _ICONS and _holds_wide_png(data):
        raise UnknownScaleError("it is an icon that holds a PNG of 16 bits a channel")
    if image.mode[0] in "IF":
        raise _undefined(image)
    return None


def _netpbm_maximum(image: ImageFile) -> int | None:
    """Return the maximum of a PGM or PPM that Pillow would scale; None for other pictures."""
    if image.format != "PPM" or image.mode == "P" or not image.tile:
        return None
    decoder, arguments = image.tile[0].codec_name, image.tile[0].args
    if decoder not in ("ppm", "ppm_plain") or not isinstance(arguments, tuple):
        return None
    return int(arguments[-1])


def _netpbm(image: ImageFile, maximum: int) -> Image:
    """Decode a PGM or PPM: its numbers as they are, in one wide channel, and then rounded."""
    mode, (width, height), bands = image.mode, image.size, image.getbands()
    raw, full = ("L", 0xFF) if maximum <= 0xFF else ("I", 0xFFFF)
    extents = (0, 0, width * len(bands), height)
    is_text = image.tile[0].codec_name == "ppm_plain"
    image.tile = [image.tile[0]._replace(extents=extents, args=(raw, full))]
    image._mode, image._size = raw, extents[2:]
    image.load()
    values = np.asarray(image)
    if is_text and values.max(initial=0) > maximum:
        raise ValueError("a number is larger than the maximum")
    eight = _rounded(np.minimum(values, maximum), 0, maximum)
    return Pillow.frombytes("L" if mode == "I" else mode, (width, height), eight.tobytes())


def _undefined(image: Image) -> UnknownScaleError:
    return UnknownScaleError(
        f"the format {image.format} does not define which numbers of mode {image.mode} are black "
        "and white"
    )


def _holds_wide_png(data: bytes) -> bool:
    """Return whether a PNG in a file has 16 bits a channel, by its header."""
    heads = (match.start() for match in re.finditer(b"IHDR", data))
    return any(data[at + _PNG_DEPTH : at + _PNG_DEPTH + 1] == b"\x10" for at in heads)


def _tiff_scale(image: TiffImageFile) -> tuple[float, float, bool] | None:
    tags = image.tag_v2
    bits = _tiff_bits(image)[0]
    (form, *_) = tags.get(_SAMPLE_FORMAT, (_UNSIGNED,))
    is_inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    if form == _SIGNED:
        raise UnknownScaleError(
            f"it is a TIFF with signed numbers of {bits} bits, which define no black and white"
        )
    if bits > 8 and tags.get(_PLANAR, 1) != 1 and len(image.getbands()) > 1:
        raise UnknownScaleError(f"it is a TIFF with {bits} bits a channel, each in its own plane")
    if image.mode == "F":
        # libtiff gives the machine's byte order, which Pillow forgets for floats.
        image.tile = [
            tile._replace(args=("F;32NF", *tile.args[1:]))
            if tile.codec_name == "libtiff" and isinstance(tile.args, tuple)
            else tile
            for tile in image.tile
        ]
        return 0.0, 1.0, is_inverted
    if image.mode[0] == "I":
        return 0, (1 << bits) - 1, is_inverted
    return None


def _tiff_bits(image: TiffImageFile) -> tuple[int, ...]:
    bits: tuple[int, ...] = image.tag_v2.get(_BITS_PER_SAMPLE, (1,))
    return bits


def _j2k_bits(data: bytes) -> int:
    """Return the depth of the deepest component of a JPEG 2000."""
    start = data.find(_J2K_START)
    at = start + _J2K_COMPONENTS
    if start < 0 or len(data) < at + 2:
        raise UnknownScaleError("its JPEG 2000 codestream is truncated")
    depths = data[at + 2 : at + 2 + 3 * int.from_bytes(data[at : at + 2], "big") : 3]
    if any(depth >> 7 for depth in depths):
        raise UnknownScaleError("it is a JPEG 2000 with signed numbers")
    return min(max((depth + 1 for depth in depths), default=8), 16)


def _rounded(
    values: NDArray[Any], black: float, white: float, *, inverted: bool = False
) -> NDArray[np.uint8]:
    """Return numbers as u8; black is 0, white 255."""
    flat = values.reshape(-1)
    result = np.empty(flat.shape, np.uint8)
    is_float = values.dtype.kind == "f"
    for start in range(0, len(flat), _BLOCK):
        block = flat[start : start + _BLOCK]
        if is_float and not ((block >= black) & (block <= white)).all():
            raise UnknownScaleError(
                f"it has float numbers outside {black:g} (black) to {white:g} (white)"
            )
        if is_float:
            eight = np.floor(block.astype(np.float64) * 255 + 0.5)
        else:
            top = int(white)
            eight = (block.astype(np.uint64) * 255 + top // 2) // top
        result[start : start + _BLOCK] = np.minimum(eight, 255)
    if inverted:
        np.subtract(255, result, out=result)
    return result.reshape(values.shape)


def _wide_raw(arguments: object) -> re.Match[str] | None:
    """Return the parts of a tile's raw mode where it has 16 bits of several channels."""
    raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return _WIDE_RAW.fullmatch(raw) if isinstance(raw, str) else None


def _colors(reopen: Callable[[], ImageFile], image: ImageFile) -> Image:
    """Decode a picture with several channels of 16 bits."""
    first = next(filter(None, (_wide_raw(tile.args) for tile in image.tile)))
    if first[1] == "LA":  # each two numbers are four bytes
        both = _decoded(reopen, lambda _: "RGBA").astype(np.uint16)
        return Pillow.fromarray(_rounded(both[..., 0] << 8 | both[..., 1], 0, 0xFFFF))

    def raw(match: re.Match[str], order: str) -> str:
        return f"{match[1].replace('a', 'A')};16{order}"

    wide = _decoded(reopen, lambda match: raw(match, match[2])).astype(np.uint16) << 8
    wide |= _decoded(reopen, lambda match: raw(match, _SWAPPED[match[2]]))
    if first[1] == "RGBa":  # the colors were multiplied by the opacity
        colors, opacity = wide[..., :3].astype(np.uint64), wide[..., 3:].astype(np.uint64)
        colors = (colors * 0xFFFF + opacity // 2) // np.maximum(opacity, 1)
        wide = np.minimum(colors, 0xFFFF).astype(np.uint16)
    if image.mode == "RGBA":
        wide = np.ascontiguousarray(wide[..., :3])
    mode = "CMYK" if image.mode == "CMYK" else "RGB"
    eight = _rounded(wide, 0, 0xFFFF)
    return Pillow.frombytes(mode, (eight.shape[1], eight.shape[0]), eight.tobytes())


def _decoded(
    reopen: Callable[[], ImageFile], raw: Callable[[re.Match[str]], str]
) -> NDArray[np.uint8]:
    """Decode a picture with other raw modes than the ones that Pillow chose."""
    image = reopen()
    tiles = []
    for tile in image.tile:
        match, given = _wide_raw(tile.args), tile.args
        if match is not None:
            name = raw(match)
            given = (name, *given[1:]) if isinstance(given, tuple) else name
        tiles.append(tile._replace(args=given))
    image.tile = tiles
    image.load()
    return np.asarray(image)
