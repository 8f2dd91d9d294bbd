"""Pictures: converts a file that Pillow reads to the requested pixels.

The rules, in this order, are those of the original platform, which used Rust's `image` crate:

1. 8 bits a channel, red, green, blue or grey. Transparency is dropped, not blended; more bits are
   rounded to 8, see `wide_pixels`; of an animation the first picture is taken; color profiles,
   gamma and the EXIF orientation are not applied, the latter with a warning
2. resized to exactly width x height with the Catmull-Rom kernel (cubic, a = -0.5), which is as
   much wider as the picture becomes smaller: Pillow's BICUBIC. Height first, rounded and held to
   0..255, then width. A sum that lies half-way may be rounded the other way than by the crate
3. grey is (2126 R + 7152 G + 722 B) / 10000, cut to a whole number
4. row by row, from the top left

A picture of the requested size and format is unchanged.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from runec.diagnostics import Diagnostic, RunecError
from runec.files import read_file
from runec.vm.errors import bad_picture, turned_picture, unknown_scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

RGB, BGR, GREY = 0, 1, 2
CHANNELS = {RGB: 3, BGR: 3, GREY: 1}
# 64 million pixels: no camera's picture is larger, and a small file cannot fill the memory.
PIXELS_MAX = 2**26
SIDE_MAX = 2**15
# EPS is a program, which Pillow would run in Ghostscript.
_FORBIDDEN = {"EPS"}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NETPBM_TEXT = (b"P1", b"P2", b"P3")
_ORIENTATION = 274  # a tag of EXIF: 1 is upright


def _open(path: Path, data: bytes, warn: Callable[[Diagnostic], None]) -> Image:
    """Decode a picture to the mode L or RGB."""
    from PIL import Image as Pillow  # noqa: PLC0415 - most runes need none

    from runec.vm.wide_pixels import load_8_bits  # noqa: PLC0415 - as Pillow

    # What decoders log about damaged files is not shown in the user's terminal.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    Pillow.init()
    formats = sorted(set(Pillow.OPEN) - _FORBIDDEN)

    opened: list[ImageFile] = []

    def reopen() -> ImageFile:
        image = Pillow.open(io.BytesIO(data), formats=formats)
        width, height = image.size
        if width * height > PIXELS_MAX:
            raise bad_picture(path, f"it has {width} x {height} pixels, {PIXELS_MAX} are allowed")
        opened.append(image)
        return image

    image = load_8_bits(reopen, data)
    orientation = None
    with contextlib.suppress(Exception):  # the pixels are good where this note is damaged
        orientation = opened[-1].getexif().get(_ORIENTATION)
    # Pillow applies that of a TIFF.
    if isinstance(orientation, int) and 2 <= orientation <= 8 and opened[-1].format != "TIFF":
        warn(turned_picture(path, orientation))
    return image.convert("L" if image.mode in {"1", "L", "LA", "La"} else "RGB")


def _decode(path: Path, data: bytes, warn: Callable[[Diagnostic], None]) -> Image:
    from runec.vm.wide_pixels import UnknownScaleError  # noqa: PLC0415 - most runes need none

    # Pillow reads the numbers of these as Python's, where 1_0 is ten.
    if data.startswith(_NETPBM_TEXT) and b"_" in re.sub(rb"#[^\r\n]*", b"", data):
        raise bad_picture(path, "a number in it has an underscore")
    try:
        with warnings.catch_warnings():
            # About odd files; the pixels that come out are what counts.
            warnings.simplefilter("ignore")
            return _open(path, data, warn)
    except UnknownScaleError as error:
        raise unknown_scale(path, str(error)) from None
    except MemoryError:
        raise bad_picture(path, "out of memory") from None
    except (OSError, SyntaxError) as error:
        what = str(error).splitlines()[0] if str(error) else "it is cut short"
        if "cannot identify image file" in what:
            what = "unknown picture format"
            if data.startswith(_TIFF):
                what = "it is damaged, or its pixels are of a kind that is not supported"
        raise bad_picture(path, what) from None
    except RunecError:
        raise
    # Its decoders raise many kinds of exceptions for damaged files.
    except Exception as error:  # noqa: BLE001
        raise bad_picture(path, str(error) or type(error).__name__) from None


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    import numpy as np  # noqa: PLC0415 - loaded by now

    weights = np.array([2126, 7152, 722], np.uint32)
    return (pixels.astype(np.uint32) @ weights // 10000).astype(np.uint8)


def read_picture(
    path: Path,
    size: tuple[int | None, int | None],
    pixel_format: int,
    warn: Callable[[Diagnostic], None],
) -> bytes:
    """Return a picture as u8[height, width, channels].

    `size` is width and height, None that of the picture; `pixel_format` is `RGB`, `BGR` or `GREY`.
    `warn` takes R0745, the file's EXIF orientation was not applied.

    Raises:
        UserFileError: R0720, it is not a picture, damaged, or has more than `PIXELS_MAX` pixels;
            R0744, its numbers have no defined black and white; R1003, no readable file.
    """
    import numpy as np  # noqa: PLC0415 - most runes need none
    from PIL import Image as Pillow  # noqa: PLC0415 - as NumPy

    image = _decode(path, read_file(path, "the picture"), warn)
    width, height = size[0] or image.width, size[1] or image.height
    for columns in (image.width, width):  # before and after its width is changed
        if columns * height > PIXELS_MAX:
            raise bad_picture(path, f"it would have {columns} x {height} pixels")
    # Pillow alone would begin with the width, which differs where a sum leaves 0..255.
    for part in ((image.width, height), (width, height)):
        image = image.resize(part, Pillow.Resampling.BICUBIC)
    pixels = np.asarray(image)
    if pixel_format == GREY:
        return (pixels if pixels.ndim == 2 else _grey(pixels)).tobytes()
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    return (pixels[:, :, ::-1] if pixel_format == BGR else pixels).tobytes()
