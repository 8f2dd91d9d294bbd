from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from runec.diagnostics import Diagnostic, RunecError, RuneError, UserFileError
from runec.pipeline import CapabilityKind, ElementType
from runec.vm import InputReader, Inputs
from tests.originals import EXAMPLES, HOTG, needing

IMAGE, FLOAT_IMAGE = CapabilityKind.IMAGE, CapabilityKind.FLOAT_IMAGE
RGB, BGR, GREY = 0, 1, 2


def save(path: Path, pixels: NDArray[np.uint8], form: str = "PNG") -> Path:
    Image.fromarray(pixels).save(path, form)
    return path


def load(
    path: Path, width: int, height: int, pixel_format: int = RGB, channels: int = 3
) -> NDArray[np.uint8]:
    parameters = {"width": width, "height": height, "pixel_format": pixel_format}
    length = width * height * channels
    data = InputReader(Inputs(image=(path,))).provide(IMAGE, parameters, length, ElementType.U8)
    return np.frombuffer(data, np.uint8).reshape(height, width, channels)


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def catmull_rom(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Resize as `resize_exact` of Rust's `image` crate 0.23: height first, u8 after each pass."""

    def kernel(x: float) -> float:
        x = abs(x)
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0

    def matrix(old: int, new: int) -> NDArray[np.float64]:
        weights = np.zeros((new, old))
        ratio = old / new
        scale = max(ratio, 1.0)
        for out in range(new):
            center = (out + 0.5) * ratio
            left = min(max(int(np.floor(center - 2 * scale)), 0), old - 1)
            right = min(max(int(np.ceil(center + 2 * scale)), left + 1), old)
            for index in range(left, right):
                weights[out, index] = kernel((index - (center - 0.5)) / scale)
        weights /= weights.sum(axis=1, keepdims=True)
        return weights

    rows = matrix(pixels.shape[0], height)
    columns = matrix(pixels.shape[1], width)
    middle = np.clip(np.rint(np.einsum("ab,bcd->acd", rows, pixels)), 0, 255)
    result: NDArray[np.float64] = np.rint(np.einsum("ec,acd->aed", columns, middle))
    return result.clip(0, 255).astype(np.uint8)


def test_a_picture_of_the_right_size_and_format_passes_as_it_is(tmp_path: Path) -> None:
    pixels = noise(7, 5)
    path = save(tmp_path / "a.png", pixels)
    assert (load(path, 5, 7) == pixels).all()
    assert (load(path, 5, 7, BGR) == pixels[:, :, ::-1]).all()


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM", "TGA"])
def test_files_of_many_kinds_give_the_same_pixels(tmp_path: Path, form: str) -> None:
    pixels = np.repeat(noise(4, 6, 1)[:, :, np.newaxis] // 64 * 85, 3, axis=2)
    path = tmp_path / "picture.with-any-ending"
    options = {"lossless": True} if form == "WEBP" else {}
    Image.fromarray(pixels).save(path, form, **options)
    assert (load(path, 6, 4) == pixels).all()


@pytest.mark.parametrize(
    ("old", "new"),
    [((40, 30), (8, 6)), ((40, 30), (13, 17)), ((9, 7), (31, 20)), ((5, 64), (64, 5))],
)
def test_resizing_is_that_of_the_image_crate(
    tmp_path: Path, old: tuple[int, int], new: tuple[int, int]
) -> None:
    pixels = noise(old[1], old[0])
    path = save(tmp_path / "a.png", pixels)
    expected = catmull_rom(pixels, *new)
    assert np.abs(load(path, *new).astype(int) - expected).max() <= 1
    assert (load(path, *new) == expected).mean() > 0.99


@pytest.mark.parametrize(
    "path",
    [
        EXAMPLES / "person_detection/inputs/person_in_colour.png",
        pytest.param(
            HOTG / "person_detection/image.png", marks=needing("person_detection/image.png")
        ),
    ],
)
def test_a_picture_in_grey(path: Path) -> None:
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    small = catmull_rom(pixels, 96, 96).astype(np.uint32)
    expected = (small @ np.array([2126, 7152, 722], np.uint32) // 10000)[:, :, np.newaxis]
    found = load(path, 96, 96, GREY, 1)
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def test_grey_has_the_image_crates_weights(tmp_path: Path) -> None:
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (12, 200, 99), (1, 1, 1)]
    path = save(tmp_path / "a.png", np.array([colors], np.uint8))
    expected = [(2126 * r + 7152 * g + 722 * b) // 10000 for r, g, b in colors]
    assert expected[:4] == [54, 182, 18, 255]
    assert list(load(path, 6, 1, GREY, 1).ravel()) == expected


def test_a_grey_picture_stays_grey_and_fills_every_color(tmp_path: Path) -> None:
    pixels = noise(3, 4, 1)
    path = save(tmp_path / "a.png", pixels)
    assert (load(path, 4, 3, GREY, 1)[:, :, 0] == pixels).all()
    assert (load(path, 4, 3) == pixels[:, :, np.newaxis]).all()


def test_transparency_is_dropped(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.array([[[10, 20, 30, 0], [40, 50, 60, 255]]], np.uint8))
    assert load(path, 2, 1).ravel().tolist() == [10, 20, 30, 40, 50, 60]


def test_of_16_bits_the_upper_ones_count(tmp_path: Path) -> None:
    wide = np.array([[0, 127, 128, 0x8000, 0xFFFF]], np.uint16)
    Image.fromarray(wide).save(tmp_path / "a.png")
    expected = [(int(value) + 128) // 257 for value in wide[0]]
    assert load(tmp_path / "a.png", 5, 1, GREY, 1).ravel().tolist() == expected


def chunk(name: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
PASSES = (*ADAM7, (0, 1, 1, 2))


def png16(pixels: NDArray[np.uint16], color_type: int, *, interlaced: bool) -> bytes:
    """Write a PNG of 16 bits by hand: rows of the filters none and up."""
    rows = bytearray()
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        before = b""
        part = pixels[top::down, left::across]
        for row in part if part.size else ():
            data = row.astype(">u2").tobytes()
            if before:
                changes = zip(data, before, strict=True)
                rows += b"\2" + bytes((new - old) % 256 for new, old in changes)
            else:
                rows += b"\0" + data
            before = data
    head = (pixels.shape[1], pixels.shape[0], 16, color_type, 0, 0, int(interlaced))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", *head)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(
    pixels: NDArray[np.generic],
    order: str = "<",
    *,
    photometric: int = 1,
    compressed: bool = False,
    extra: int | None = None,
    planes: bool = False,
) -> bytes:
    """Write a TIFF of one strip (of one for each channel, with `planes`) by hand."""
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    kind, size = pixels.dtype.kind, pixels.dtype.itemsize
    wide = pixels.astype(f"{order}{kind}{size}")
    strips = [wide[..., each].tobytes() for each in range(channels)] if planes else [wide.tobytes()]
    if compressed:
        strips = [zlib.compress(strip) for strip in strips]
    form = {"u": 1, "i": 2, "f": 3}[kind]
    tags: dict[int, list[int]] = {
        256: [width],
        257: [height],
        258: [8 * size] * channels,
        259: [8 if compressed else 1],
        262: [photometric],
        273: [0] * len(strips),
        277: [channels],
        278: [height],
        279: [len(strip) for strip in strips],
        284: [2 if planes else 1],
        **({} if extra is None else {338: [extra]}),
        339: [form] * channels,
    }
    at = 8 + 2 + 12 * len(tags) + 4
    data = b"".join(strips)
    tags[273] = [at + sum(map(len, strips[:each])) for each in range(len(strips))]
    directory, more = struct.pack(f"{order}H", len(tags)), b""
    for tag, values in tags.items():
        field = b"".join(struct.pack(f"{order}I", value) for value in values)
        if len(field) > 4:
            more, field = more + field, struct.pack(f"{order}I", at + len(data) + len(more))
        directory += struct.pack(f"{order}HHI", tag, 4, len(values)) + field
    start = (
        struct.pack("<2sHI", b"II", 42, 8) if order == "<" else struct.pack(">2sHI", b"MM", 42, 8)
    )
    return start + directory + bytes(4) + data + more


def wide(channels: int) -> NDArray[np.uint16]:
    shape = (9, 11, channels) if channels > 1 else (9, 11)
    return np.random.default_rng(channels).integers(0, 65536, shape).astype(np.uint16)


def rounded(values: NDArray[np.generic], white: float) -> NDArray[np.uint8]:
    eight: NDArray[np.float64] = np.floor(values.astype(np.float64) * 255 / white + 0.5)
    return eight.astype(np.uint8)


def in_color(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(values[:, :, np.newaxis], 3, axis=2) if values.ndim == 2 else values


def read(tmp_path: Path, content: bytes, width: int = 11, height: int = 9) -> NDArray[np.uint8]:
    path = tmp_path / "picture"
    path.write_bytes(content)
    return load(path, width, height)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_every_png_of_16_bits_is_rounded_to_8(
    tmp_path: Path, color_type: int, channels: int, interlaced: bool
) -> None:
    pixels = wide(channels)
    colors = {1: pixels, 2: pixels[..., 0], 3: pixels, 4: pixels[..., :3]}[channels]
    expected = in_color(rounded(colors, 65535))
    documented = (colors.astype(np.uint32) + 128) // 257
    assert (expected == in_color(documented.astype(np.uint8))).all()
    found = read(tmp_path, png16(pixels, color_type, interlaced=interlaced))
    assert (found == expected).all()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_16_bits_is_rounded_to_8(tmp_path: Path, order: str, compressed: bool) -> None:
    def check(
        pixels: NDArray[np.uint16], colors: NDArray[np.generic], photometric: int, extra: int | None
    ) -> None:
        content = tiff(pixels, order, photometric=photometric, compressed=compressed, extra=extra)
        assert (read(tmp_path, content) == in_color(rounded(colors, 65535))).all()

    grey, color, four = wide(1), wide(3), wide(4)
    check(grey, grey, 1, None)
    check(color, color, 2, None)
    check(four, four[..., :3], 2, 0)
    check(four, four[..., :3], 2, 2)
    # Colors that were multiplied by the opacity are divided by it.
    opacity = np.maximum(four[..., 3:].astype(np.float64), 1)
    shown = np.minimum(np.floor(four[..., :3] * 65535.0 / opacity + 0.5), 65535)
    check(four, shown, 2, 1)


def test_a_cmyk_tiff_of_16_bits_is_that_of_8(tmp_path: Path) -> None:
    pixels = wide(4)
    eight = Image.frombytes("CMYK", (11, 9), rounded(pixels, 65535).tobytes())
    expected = np.asarray(eight.convert("RGB"))
    assert (read(tmp_path, tiff(pixels, photometric=5)) == expected).all()


def test_where_white_is_zero_a_grey_tiff_is_inverted(tmp_path: Path) -> None:
    for pixels, white in ((wide(1), 65535.0), (noise(9, 11, 1), 255.0)):
        content = tiff(pixels, photometric=0)
        assert (read(tmp_path, content) == in_color(255 - rounded(pixels, white))).all()


def test_unsigned_tiffs_of_32_bits_are_scaled_by_their_range(tmp_path: Path) -> None:
    pixels = np.random.default_rng(5).integers(0, 2**32, (9, 11)).astype(np.uint32)
    pixels[0, :2] = 0, 2**32 - 1
    expected = in_color(rounded(pixels, 2.0**32 - 1))
    assert (read(tmp_path, tiff(pixels)) == expected).all()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_floats_from_0_to_1_are_black_to_white(
    tmp_path: Path, order: str, compressed: bool
) -> None:
    pixels = np.random.default_rng(6).random((9, 11)).astype(np.float32)
    pixels[0, :2] = 0, 1
    content = tiff(pixels, order, compressed=compressed)
    assert (read(tmp_path, content) == in_color(rounded(pixels, 1))).all()
    inverted = tiff(pixels, order, compressed=compressed, photometric=0)
    assert (read(tmp_path, inverted) == in_color(255 - rounded(pixels, 1))).all()


def test_netpbm_of_any_depth_is_scaled_by_its_maximum(tmp_path: Path) -> None:
    grey, color = wide(1), wide(3)
    for magic, pixels in ((b"P5", grey), (b"P6", color)):
        content = b"%s 11 9 65535\n" % magic + pixels.astype(">u2").tobytes()
        assert (read(tmp_path, content) == in_color(rounded(pixels, 65535))).all()
        content = b"%s 11 9 1023\n" % magic + (pixels >> 6).astype(">u2").tobytes()
        assert (read(tmp_path, content) == in_color(rounded(pixels >> 6, 1023))).all()
    text = " ".join(map(str, (grey >> 6).ravel()))
    content = f"P2 11 9 1023\n{text}\n".encode()
    assert (read(tmp_path, content) == in_color(rounded(grey >> 6, 1023))).all()
    floats = np.random.default_rng(7).random((9, 11)).astype("<f4")
    content = b"Pf\n11 9\n-1.0\n" + floats[::-1].tobytes()
    assert (read(tmp_path, content) == in_color(rounded(floats, 1))).all()


def half_up(values: NDArray[np.uint16], top: int) -> NDArray[np.uint8]:
    """What Python's exact fractions say."""
    half = Fraction(1, 2)
    eight = [floor(Fraction(int(value) * 255, top) + half) for value in values.ravel()]
    return np.array(eight, np.uint8).reshape(values.shape)


@pytest.mark.parametrize("maximum", [2, 4, 6, 100, 170, 254, 256, 510, 1000, 1530, 51000, 65534])
def test_netpbm_of_any_maximum_is_rounded_once_and_half_up(tmp_path: Path, maximum: int) -> None:
    spread = np.linspace(0, maximum, 99).round()
    few = np.concatenate((np.arange(min(maximum, 510) + 1), np.arange(99), spread))
    grey = few[few <= maximum].astype(np.uint16)[np.newaxis]
    color = np.stack((grey, grey[:, ::-1], maximum - grey), -1)
    kind = ">u1" if maximum < 256 else ">u2"
    for binary, text, pixels in ((b"P5", b"P2", grey), (b"P6", b"P3", color)):
        head = b" %d 1 %d\n" % (grey.size, maximum)
        expected = half_up(pixels, maximum)
        expected = in_color(expected) if pixels is grey else expected
        numbers = " ".join(map(str, pixels.ravel())).encode()
        for content in (binary + head + pixels.astype(kind).tobytes(), text + head + numbers):
            path = tmp_path / "a.pgm"
            path.write_bytes(content)
            assert (load(path, grey.size, 1) == expected).all()


def test_numbers_of_netpbm_have_no_underscores(tmp_path: Path) -> None:
    path = tmp_path / "x.pgm"
    path.write_bytes(b"P2 # made_by_hand\n2 2 255 10 2 3 4\n")
    assert load(path, 2, 2)[..., 0].tolist() == [[10, 2], [3, 4]]
    path.write_bytes(b"P2 2 2 255 1_0 2 3 4\n")
    with pytest.raises(UserFileError, match="underscore") as caught:
        load(path, 2, 2)
    assert caught.value.code == "R0720"


def test_netpbm_above_its_maximum(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 2 1 100\n\x32\xc8")
    assert load(path, 2, 1)[0, :, 0].tolist() == [128, 255]
    path.write_bytes(b"P2 2 1 100\n50 200\n")
    with pytest.raises(UserFileError) as caught:
        load(path, 2, 1)
    assert caught.value.code == "R0720"


FLOATS = np.full((9, 11), 0.5, np.float32)
UNDEFINED = {
    "a float above white": (tiff(np.full((9, 11), 1.001, np.float32)), "0 (black) to 1 (white)"),
    "a float below black": (tiff(np.full((9, 11), -0.001, np.float32)), "0 (black) to 1 (white)"),
    "NaN": (tiff(np.full((9, 11), np.nan, np.float32)), "0 (black) to 1 (white)"),
    "signed 32 bits": (tiff(np.zeros((9, 11), np.int32)), "signed numbers of 32 bits"),
    "signed 16 bits": (tiff(np.zeros((9, 11), np.int16)), "signed numbers of 16 bits"),
    "signed 8 bits": (tiff(np.zeros((9, 11), np.int8)), "signed numbers of 8 bits"),
    "planes": (tiff(wide(3), photometric=2, planes=True), "each in its own plane"),
    "compressed planes": (
        tiff(wide(3), photometric=2, planes=True, compressed=True),
        "each in its own plane",
    ),
    "PFM of another scale": (b"Pf\n11 9\n-255.0\n" + FLOATS.tobytes(), "the scale 255"),
    "SGI": (
        struct.pack(">HBBHHHH", 474, 0, 2, 3, 11, 9, 3).ljust(512, b"\0") + bytes(2 * 9 * 11 * 3),
        "SGI picture of 16 bits",
    ),
}


@pytest.mark.parametrize("what", UNDEFINED)
def test_numbers_without_a_defined_black_and_white_are_refused(tmp_path: Path, what: str) -> None:
    content, reason = UNDEFINED[what]
    with pytest.raises(UserFileError) as caught:
        read(tmp_path, content)
    assert caught.value.code == "R0744"
    assert reason in caught.value.message


@pytest.mark.parametrize("bits", [16, 32, -32])
def test_scientific_formats_are_refused(tmp_path: Path, bits: int) -> None:
    facts = {"SIMPLE": "T", "BITPIX": bits, "NAXIS": 2, "NAXIS1": 11, "NAXIS2": 9}
    cards = [f"{name:8}= {value:>20}".ljust(80) for name, value in facts.items()]
    fits = "".join((*cards, "END".ljust(80))).ljust(2880).encode() + bytes(9 * 11 * abs(bits) // 8)
    with pytest.raises(UserFileError) as caught:
        read(tmp_path, fits)
    assert caught.value.code == "R0744"
    assert "FITS" in caught.value.message
    assert "black and white" in caught.value.message


@pytest.mark.parametrize("form", ["ICO", "ICNS"])
@pytest.mark.parametrize("color_type", [0, 2])
def test_a_wide_picture_in_an_icon_is_refused(tmp_path: Path, form: str, color_type: int) -> None:
    size = 16
    pixels = np.zeros((size, size, 3) if color_type == 2 else (size, size), np.uint16)
    png = png16(pixels, color_type, interlaced=False)
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, size, size, 0, 0, 1, 32, len(png), 22) + png
    if form == "ICNS":
        icon = b"icns" + struct.pack(">I", 16 + len(png)) + b"icp4"
        icon += struct.pack(">I", 8 + len(png)) + png
    with pytest.raises(UserFileError) as caught:
        read(tmp_path, icon)
    assert caught.value.code == "R0744"
    assert "an icon that holds a PNG of 16 bits" in caught.value.message


def test_a_grey_jpeg_2000_has_its_own_depth_and_a_deep_color_one_is_refused(tmp_path: Path) -> None:
    pixels = wide(1)
    path = tmp_path / "a.jp2"
    Image.fromarray(pixels).save(path, irreversible=False)
    assert (load(path, 11, 9) == in_color(rounded(pixels, 65535))).all()
    Image.fromarray(noise(9, 11)).save(path, irreversible=False)
    shallow = path.read_bytes()
    assert (read(tmp_path, shallow) == noise(9, 11)).all()
    at = shallow.index(b"\xff\x4f\xff\x51") + 42
    deep = bytearray(shallow)
    deep[at] = 11
    with pytest.raises(UserFileError) as caught:
        read(tmp_path, bytes(deep))
    assert caught.value.code == "R0744"
    assert "12 bits" in caught.value.message


@pytest.mark.parametrize("bits", [9, 10, 12, 15])
@pytest.mark.parametrize("suffix", ["jp2", "j2k"])
def test_a_grey_jpeg_2000_of_9_to_15_bits(tmp_path: Path, bits: int, suffix: str) -> None:
    top = (1 << bits) - 1
    pixels = np.linspace(0, top, 99).astype(np.uint16).reshape(9, 11)
    path = tmp_path / f"a.{suffix}"
    # The codestream has numbers around 0: with another depth they are around its half.
    Image.fromarray(pixels + np.uint16(0x8000 - (top + 1) // 2)).save(path, irreversible=False)
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\x4f\xff\x51") + 42] = bits - 1
    if suffix == "jp2":
        data[data.index(b"ihdr") + 14] = bits - 1
    path.write_bytes(data)
    assert (load(path, 11, 9) == in_color(rounded(pixels, top))).all()


def test_floats_of_16_bits_name_the_cause(tmp_path: Path) -> None:
    with pytest.raises(UserFileError) as caught:
        read(tmp_path, tiff(np.zeros((9, 11), np.float16)))
    assert "of a kind that is not supported" in caught.value.message


def test_other_kinds_of_pixels(tmp_path: Path) -> None:
    pixels = noise(9, 11)
    palette = Image.fromarray(pixels).quantize(16)
    expected = np.asarray(palette.convert("RGB"))
    palette.save(tmp_path / "a.png", transparency=3)
    assert (load(tmp_path / "a.png", 11, 9) == expected).all(), "transparent entries keep colors"
    palette.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("P", (11, 9))])
    assert (load(tmp_path / "a.gif", 11, 9) == expected).all(), "the first picture"
    first, second = Image.fromarray(pixels), Image.new("RGB", (11, 9))
    first.save(tmp_path / "a.png", save_all=True, append_images=[second])
    assert (load(tmp_path / "a.png", 11, 9) == pixels).all(), "the first picture"
    bits = noise(9, 11, 1) > 127
    Image.fromarray(bits).save(tmp_path / "b.png")
    assert (load(tmp_path / "b.png", 11, 9) == in_color(bits.astype(np.uint8) * 255)).all()
    grey = np.stack([noise(9, 11, 1), noise(9, 11, 1, 2)], 2)
    Image.fromarray(grey, "LA").save(tmp_path / "c.png")
    assert (load(tmp_path / "c.png", 11, 9) == in_color(grey[..., 0])).all()


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_turned_picture_passes_with_a_warning(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "phone.png"
    note = Image.Exif()
    note[274] = orientation
    pixels = noise(3, 4)
    Image.fromarray(pixels).save(path, exif=note)
    warned: list[Diagnostic] = []
    feed = InputReader(Inputs(image=(path,), warn=warned.append))
    assert feed.provide(IMAGE, {"width": 4, "height": 3}, 36, None) == pixels.tobytes()
    assert [each.code for each in warned] == ([] if orientation == 1 else ["R0745"])


def test_float_pixels_lie_from_0_to_1(tmp_path: Path) -> None:
    pixels = noise(4, 4)
    path = save(tmp_path / "a.png", pixels)
    parameters = {"width": 4, "height": 4}
    data = InputReader(Inputs(image=(path,))).provide(FLOAT_IMAGE, parameters, 192, ElementType.F32)
    expected = (pixels / 255).astype("<f4")
    assert data == expected.tobytes()
    assert 0 <= expected.min() < expected.max() <= 1


def test_without_parameters_the_picture_decides(tmp_path: Path) -> None:
    pixels = noise(3, 4)
    feed = InputReader(Inputs(image=(save(tmp_path / "a.png", pixels),)))
    assert feed.provide(IMAGE, {}, 36, None) == pixels.tobytes()
    assert len(feed.provide(IMAGE, {}, 12, None)) == 12, "grey, a byte each"
    assert len(feed.provide(IMAGE, {"width": 2, "height": 2}, 4, None)) == 4
    assert len(feed.provide(IMAGE, {"width": 2}, 18, None)) == 18, "the height is its own"
    assert len(feed.provide(IMAGE, {"height": 2}, 24, None)) == 24
    with pytest.raises(UserFileError) as caught:
        feed.provide(IMAGE, {}, 48, None)
    assert caught.value.code == "R0702"
    assert "Requested 16 pixels but only 12 were provided" in caught.value.message


def test_a_source_picks_its_picture(tmp_path: Path) -> None:
    black = save(tmp_path / "a.png", np.zeros((1, 1, 3), np.uint8))
    white = save(tmp_path / "b.png", np.full((1, 1, 3), 255, np.uint8))
    feed = InputReader(Inputs(image=(black, white)))
    parameters = {"width": 1, "height": 1}
    assert feed.provide(IMAGE, {**parameters, "source": 0}, 3, None) == b"\0\0\0"
    assert feed.provide(IMAGE, {**parameters, "source": 1}, 3, None) == b"\xff\xff\xff"
    with pytest.raises(UserFileError) as caught:
        feed.provide(IMAGE, {**parameters, "source": 2}, 3, None)
    assert caught.value.code == "R0701"
    assert caught.value.hint == "add --image FILE (3 times in all)"


@pytest.mark.parametrize(
    ("parameters", "length", "element"),
    [
        ({"width": 2, "height": 2}, 11, ElementType.U8),
        ({"width": 2, "height": 2}, 12, ElementType.F32),
        ({"width": 2, "height": 0.5}, 12, None),
        ({"width": 0, "height": 2}, 0, None),
        ({"width": 10**6, "height": 1}, 3 * 10**6, None),
        ({"width": 2, "height": 2, "pixel_format": 3}, 12, None),
        ({"width": 2, "height": 2, "pixel_format": 0.5}, 12, None),
        ({"width": 10**4, "height": 10**4}, 3 * 10**8, None),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    tmp_path: Path, parameters: dict[str, int | float], length: int, element: ElementType | None
) -> None:
    path = save(tmp_path / "a.png", noise(2, 2))
    with pytest.raises(RuneError) as caught:
        InputReader(Inputs(image=(path,))).provide(IMAGE, parameters, length, element)
    assert caught.value.code == "R0705"


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is large."""

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def saved(form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(6, 6)).save(stream, form)
    return stream.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n%%EndComments\nshowpage\n"
BROKEN = {
    "nothing": (b"", "unknown picture format"),
    "text": (b"a thousand words", "unknown picture format"),
    "cut short": (saved("PNG")[:60], ""),
    "a program": (EPS, "unknown picture format"),
    "70 million pixels": (bomb(10000, 7000), "10000 x 7000 pixels"),
    "100 million pixels": (bomb(10000, 10000), "10000 x 10000 pixels"),
    "10^10 pixels": (bomb(100000, 100000), "10000000000 pixels"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_picture_is_refused_with_the_reason(tmp_path: Path, what: str) -> None:
    content, reason = BROKEN[what]
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(UserFileError) as caught:
        load(path, 2, 2)
    assert caught.value.code == "R0720"
    assert reason in caught.value.message
    assert caught.value.hint


SAMPLES = tuple(map(saved, ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "TGA", "PCX")))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_hostile_bytes_raise_nothing_but_our_errors(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    path = tmp_path_factory.getbasetemp() / "hostile"
    path.write_bytes(content)
    try:
        pixels = load(path, 3, 3)
    except RunecError:
        return
    assert pixels.shape == (3, 3, 3)


def test_a_wide_picture_is_not_made_high_before_it_is_made_narrow(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("1", (30_000, 1)).save(path)
    with pytest.raises(UserFileError) as caught:
        load(path, 1, 32_768, GREY, 1)
    assert caught.value.code == "R0720"
    assert "30000 x 32768" in caught.value.message
    assert load(path, 1, 2000, GREY, 1).shape[:2] == (2000, 1)
