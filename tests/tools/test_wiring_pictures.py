"""The wiring pictures are those of the board files; first-board.md prints what the code prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import msgspec
import pytest
from serial.tools import list_ports

from runec.boards import Board, load_board
from runec.cli.console import Console
from runec.cli.monitor import _Shown, serial_target
from runec.devices.errors import LockedChipError
from runec.devices.esp_flash import check_esp
from runec.devices.link import Lost, LostCause
from runec.devices.ports import check_port, find_port
from runec.devices.session import lost_error
from runec.devices.upload_errors import upload_error
from runec.diagnostics import Diagnostic, RunecError
from runec.explanations import all_pages
from runec.tools import Finished, find_tool
from tools import wiring_pictures as tool

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "guides" / "first-board.md"
TEXT = PAGE.read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())
BOARDS = {board.id: board for board in tool.own_boards()}
UPLOADED = [board for board in BOARDS.values() if board.upload is not None]
SVG = "{http://www.w3.org/2000/svg}"

# Written by hand from the board files' comments, data sheets and vendors' pages, not by the script.
SHOWN = {
    "nucleo_f401re": ("probe-with-port", "PA2", "PA3", "PA5, high", "PB8", "PB9", "openocd"),
    "nrf52840_dk": ("probe-with-port", "P0.06", "P0.08", "P0.13, low", "P0.27", "P0.26", "openocd"),
    "nrf52_dk": ("probe-with-port", "P0.06", "P0.08", "P0.17, low", "P0.27", "P0.26", "openocd"),
    "esp32": ("usb-serial-chip", "GPIO1", "GPIO3", "-", "GPIO22", "GPIO21", "esptool"),
    "esp32c3": ("usb-serial-chip", "GPIO21", "GPIO20", "-", "GPIO5", "GPIO4", "esptool"),
    "disco_f407vg": ("probe-and-adapter", "PA2", "PA3", "PD12, high", "PB6", "PB7", "openocd"),
    "netduinoplus2": (
        "boot-loader-and-adapter", "PA2 (D3)", "PA3 (D2)", "-", "PB6", "PB7", "dfu-util",
    ),
    "bluepill_f103c8": (
        "separate-probe-and-adapter", "PA9", "PA10", "PC13, low", "PB6", "PB7", "openocd",
    ),
}  # fmt: skip
# What each wire of a picture joins: the device's pin, the board's.
WIRES = {
    "probe-and-adapter": [("RX", "PA2, out"), ("TX", "PA3, in"), ("GND", "GND")],
    "boot-loader-and-adapter": [("RX", "PA2 (D3), out"), ("TX", "PA3 (D2), in"), ("GND", "GND")],
    "separate-probe-and-adapter": [
        ("SWDIO", "PA13"), ("SWCLK", "PA14"), ("GND", "GND"), ("3.3 V", "3.3 V"),
        ("RX", "PA9, out"), ("TX", "PA10, in"), ("GND", "GND"),
    ],
}  # fmt: skip


def drawn(kind: str) -> ElementTree.Element:
    svg = (tool.PICTURES / f"{kind}.svg").read_text(encoding="utf-8")
    return ElementTree.fromstring(svg)  # noqa: S314 - a file of ours


def texts(kind: str) -> Iterator[tuple[float, float, float, str]]:
    """Yield left end, right end, base line and words of each text, in a monospaced font."""
    for element in drawn(kind).iter(f"{SVG}text"):
        size = 15 if element.get("class") == "title" else tool.FONT_PX
        words = element.text or ""
        width = len(words) * size * tool.CHARACTER
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        left = x - {"middle": width / 2, "end": width}.get(element.get("text-anchor", ""), 0)
        yield left, left + width, y, words


def test_the_committed_pictures_are_those_of_the_script() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in tool.PICTURES.iterdir()}
    assert committed == dict(tool.pictures(tool.own_boards())), "run `make docs`"


def test_every_board_with_an_upload_is_in_one_picture() -> None:
    assert {board.id for board in UPLOADED} == SHOWN.keys()
    assert BOARDS.keys() - SHOWN.keys() == {"mps2_an386"}


@pytest.mark.parametrize("board_id", SHOWN)
def test_a_picture_has_the_row_of_a_board(board_id: str) -> None:
    kind, *cells = SHOWN[board_id]
    rows: dict[float, list[str]] = {}
    for _, _, y, words in texts(kind):
        rows.setdefault(y, []).append(words)
    assert [board_id, *cells] in rows.values()


@pytest.mark.parametrize("kind", WIRES)
def test_a_wire_joins_output_to_input(kind: str) -> None:
    ends = sorted((y, left, words) for left, _, y, words in texts(kind) if 300 < left < 740)
    found = []
    for line in drawn(kind).iter(f"{SVG}line"):
        y = float(line.attrib["y1"])
        if float(line.attrib["x1"]) == 370:
            found.append(tuple(words for at, _, words in ends if at == y + 4))
    assert found == WIRES[kind]


@pytest.mark.parametrize("kind", tool.TITLES)
def test_texts_are_inside_and_apart(kind: str) -> None:
    root = drawn(kind)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    lines: dict[float, list[tuple[float, float, str]]] = {}
    for left, right, y, words in texts(kind):
        assert left >= 0, words
        assert right <= width, words
        assert 0 < y < height, words
        lines.setdefault(y, []).append((left, right, words))
    for line in lines.values():
        line.sort()
        for (_, end, words), (start, _, other) in pairwise(line):
            assert end <= start, (words, other)


@pytest.mark.parametrize("kind", tool.TITLES)
def test_a_picture_has_both_modes_and_needs_no_other_file(kind: str) -> None:
    svg = (tool.PICTURES / f"{kind}.svg").read_text(encoding="utf-8")
    light, dark = svg.split("@media (prefers-color-scheme: dark)")
    styles = r"^(?:text|\.\w+) \{[^}]*(?:fill|stroke): #[^}]*\}"
    names = [set(re.findall(styles, part, re.MULTILINE)) for part in (light, dark)]
    assert len(names[0]) == len(names[1]) == 5
    assert not names[0] & names[1]
    assert "monospace" in svg
    assert not re.search(r"url\(|@import|<image|<script|href", svg)
    assert re.findall(r"https?://\S+?(?=\")", svg) == ["http://www.w3.org/2000/svg"]
    assert f"({tool.PICTURES.name}/{kind}.svg)" in TEXT


def test_a_picture_follows_the_board_file() -> None:
    board = BOARDS["disco_f407vg"]
    hal = msgspec.structs.replace(board.hal, console="USART6, PC6 (out, D1) and PC7 (in)")
    other = msgspec.structs.replace(board, hal=hal)
    (before,), (after,) = (tool.pictures([each]).values() for each in (board, other))
    assert "PC6 (D1), out" in after
    assert "PC7, in" in after
    assert "PC6" not in before
    assert "PA2" not in after


def test_a_console_without_pins_and_a_board_without_upload_are_errors() -> None:
    with pytest.raises(ValueError, match="mps2_an386 has no upload"):
        tool.wiring_of(BOARDS["mps2_an386"])
    board = BOARDS["disco_f407vg"]
    hal = msgspec.structs.replace(board.hal, console="USART2")
    with pytest.raises(KeyError):
        tool.wiring_of(msgspec.structs.replace(board, hal=hal))


def test_what_is_drawn_beside_a_board_is_a_board_without_a_probe() -> None:
    assert BOARDS.keys() >= tool.WITHOUT_PROBE


@pytest.mark.parametrize("board", UPLOADED, ids=lambda board: board.id)
def test_the_page_has_a_row_with_the_console_of_the_board_file(board: Board) -> None:
    (row,) = re.findall(rf"^\| `{board.id}` \| [12] \|.*$", TEXT, re.MULTILINE)
    assert f"| {board.hal.console} |" in row
    adapters = 1 if board.usb_serial else 2
    assert row.startswith(f"| `{board.id}` | {adapters} |")


def test_the_page_names_the_board_without_upload_as_emulated() -> None:
    assert "`mps2_an386` exists in the emulator only" in WORDS
    assert "No real board was at hand" in WORDS


def failed(words: str) -> Finished:
    return Finished(1, "", words)


def hint_of(board: Board, words: str) -> str:
    error = upload_error(board, board.upload, None, failed(words))
    assert error.code == "R0923"
    return error.hint or ""


@pytest.mark.parametrize("board", UPLOADED, ids=lambda board: board.id)
def test_the_page_has_what_brings_a_board_to_listen(board: Board) -> None:
    hint = " ".join(hint_of(board, "failed to connect").split())
    assert hint in WORDS
    start = WORDS.index("R0923 prints how")
    (item,) = [each for each in WORDS[start:].split(" - **") if hint in each]
    assert f"`{board.id}`" in item or item.startswith("all others")


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def call(*found: tuple[str, int, int]) -> None:
        items = [
            SimpleNamespace(device=device, vid=vendor, pid=product, description="n/a")
            for device, vendor, product in found
        ]
        monkeypatch.setattr(list_ports, "comports", lambda: items)

    return call


def error_of(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(RunecError) as caught:
        call()
    return caught.value.code, caught.value.message


def messages(
    plug: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """Yield codes and messages of the code, in the situations of the page's table."""
    nucleo, disco, pill, c3 = (
        BOARDS[name] for name in ("nucleo_f401re", "disco_f407vg", "bluepill_f103c8", "esp32c3")
    )
    monkeypatch.setenv("PATH", "")
    yield error_of(lambda: find_tool("openocd", hint=""))
    plug()
    yield error_of(lambda: find_port([nucleo]))
    yield error_of(lambda: find_port([disco]))
    plug(("/dev/ttyACM0", 0x0483, 0x374B), ("/dev/ttyACM1", 0x0483, 0x374B))
    yield error_of(lambda: find_port([nucleo]))
    plug(("/dev/ttyUSB0", 0x10C4, 0xEA60))
    quiet = cast("Console", SimpleNamespace(say=lambda _: None))
    yield error_of(lambda: serial_target(quiet, None, list(BOARDS.values())))
    yield error_of(lambda: check_port("/nowhere/ttyUSB0"))
    for board, words in (
        (nucleo, "LIBUSB_ERROR_ACCESS"),
        (nucleo, "open failed"),
        (c3, "This chip is ESP32, not ESP32-C3."),
        (pill, "UNEXPECTED idcode: 0x2ba01477"),
        (nucleo, "another end"),
    ):
        error = upload_error(board, board.upload, None, failed(words))
        yield error.code, error.message
    locked = LockedChipError("nrf52_dk", can_unlock=True, notes=())
    yield locked.code, locked.message
    for board, words in (
        (c3, "Chip type: ESP32-C3 (revision v0.2)"),
        (BOARDS["esp32"], "Chip type: ESP32 (revision v3.1)"),
    ):
        way = board.upload
        assert way is not None
        yield error_of(partial(check_esp, board, way, words, b""))
    lost = lost_error(Lost(LostCause.NO_ANSWER, "x"), "serial:/dev/ttyUSB0")
    yield lost.code, lost.message
    warned: list[Diagnostic] = []
    console = cast("Console", SimpleNamespace(warn=warned.append))
    _Shown(console, nucleo, {}, plot=False)._compare("esp32", nucleo.id)
    yield warned[0].code, warned[0].message


def test_the_messages_of_the_table_are_those_of_the_code(
    plug: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = re.findall(r"^\| (R\d{4}) \| (?:`([^`]*)`)?", TEXT, re.MULTILINE)
    left = {(code, quoted) for code, quoted in rows if quoted}
    for code, message in messages(plug, monkeypatch):
        match = [
            (known, quoted)
            for known, quoted in left
            if known == code and re.match(re.escape(quoted).replace(r"\.\.\.", ".+"), message)
        ]
        assert match, (code, message)
        left -= set(match)
    assert not left
    assert {"R0923", "R0924", "R0830", "R0831", "R0832"} <= {code for code, _ in rows}
    assert {"R0941", "R0942", "R0943", "R0920"} <= {code for code, _ in rows}


def test_the_codes_of_the_page_exist() -> None:
    known = {page.code for page in all_pages()}
    assert set(re.findall(r"\bR\d{4}\b", TEXT)) <= known


def test_a_board_file_outside_the_project_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "my_board.toml"
    own.write_text('inherits = "disco_f407vg"\nid = "my_board"\nname = "Mine"\nverified = []\n')
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path))
    assert load_board("my_board").upload is not None
    assert [board.id for board in tool.own_boards()] == list(BOARDS)
