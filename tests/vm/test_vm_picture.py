from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from runec.diagnostics import RunecError, RuneError, UserFileError
from runec.pipeline import CapabilityKind, ElementType
from runec.vm import Feed, Inputs

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
    data = Feed(Inputs(image=(path,))).provide(IMAGE, parameters, length, ElementType.U8)
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


def test_the_originals_picture_in_grey(hotg: Path) -> None:
    path = hotg / "person_detection" / "image.png"
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


def test_float_pixels_lie_from_0_to_1(tmp_path: Path) -> None:
    pixels = noise(4, 4)
    path = save(tmp_path / "a.png", pixels)
    parameters = {"width": 4, "height": 4}
    data = Feed(Inputs(image=(path,))).provide(FLOAT_IMAGE, parameters, 192, ElementType.F32)
    expected = (pixels / 255).astype("<f4")
    assert data == expected.tobytes()
    assert 0 <= expected.min() < expected.max() <= 1


def test_without_parameters_the_picture_decides(tmp_path: Path) -> None:
    pixels = noise(3, 4)
    feed = Feed(Inputs(image=(save(tmp_path / "a.png", pixels),)))
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
    feed = Feed(Inputs(image=(black, white)))
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
        Feed(Inputs(image=(path,))).provide(IMAGE, parameters, length, element)
    assert caught.value.code == "R0705"


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is large."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def saved(form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise(6, 6)).save(stream, form)
    return stream.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n%%EndComments\nshowpage\n"
BROKEN = {
    "nothing": (b"", "no kind that is known"),
    "text": (b"a thousand words", "no kind that is known"),
    "cut short": (saved("PNG")[:60], ""),
    "a program": (EPS, "no kind that is known"),
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
