"""Writes docs/guides/pictures/*.svg: what to connect for each kind of console.

Pins, LED, I2C and upload tool are those of the board files. `make docs` runs this script.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from runec.boards import Board, load_board

PROJECT = Path(__file__).resolve().parent.parent
BOARDS = PROJECT / "boards"
PICTURES = PROJECT / "docs" / "guides" / "pictures"

BRIDGE = "usb-serial-chip"
PROBE = "probe-with-port"
PROBE_AND_ADAPTER = "probe-and-adapter"
SEPARATE_PROBE = "separate-probe-and-adapter"
LOADER_AND_ADAPTER = "boot-loader-and-adapter"
TITLES = {
    BRIDGE: "Console through a USB-serial chip on the board",
    PROBE: "Console through the debug probe on the board",
    PROBE_AND_ADAPTER: "Debug probe on the board, console through an adapter",
    SEPARATE_PROBE: "Separate debug probe, console through an adapter",
    LOADER_AND_ADAPTER: "Upload through the boot loader in ROM, console through an adapter",
}
# Boards without a probe of their own: their files state this in a comment only.
WITHOUT_PROBE = frozenset({"bluepill_f103c8"})
# ST's names of the debug pins: "Pin definitions" of the STM32F103x8 data sheet, DS5319.
_SWD_NAMES = {"PA13": "SWDIO", "PA14": "SWCLK"}
_PROBES = {"stlink": "ST-LINK", "jlink": "J-Link"}
_PIN = re.compile(r"([\w.]+) \((out|in|clock|data)(?:, (\w+))?\)")

WIDTH = 760
FONT_PX = 12
# Width of a character of a monospaced font, in parts of its size; the widest common one has 0.602.
CHARACTER = 0.61
_LINE = 20
_ROW = 26
_STYLE = f"""\
text {{ font: {FONT_PX}px monospace; fill: #1f2328 }}
.title {{ font-size: 15px; font-weight: bold }}
.head {{ font-weight: bold }}
.page {{ fill: #ffffff; stroke: #8c959f }}
.box {{ fill: #f6f8fa; stroke: #57606a }}
.part {{ fill: #ffffff; stroke: #57606a }}
.wire {{ stroke: #0969da; stroke-width: 2 }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }}
.page {{ fill: #0d1117; stroke: #6e7681 }}
.box {{ fill: #21262d; stroke: #8b949e }}
.part {{ fill: #0d1117; stroke: #8b949e }}
.wire {{ stroke: #58a6ff }}
}}"""


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin of the chip, and its name on the board's header if the board file has one."""

    name: str
    header: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.header})" if self.header else self.name


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a picture shows of a board; None: the board file names none.

    `sends` is the console's output, `receives` its input; `clock` and `data` are I2C's.
    """

    board: str
    tool: str
    probe: str
    sends: Pin
    receives: Pin
    clock: Pin | None
    data: Pin | None
    led: str
    debug: tuple[str, ...]


def kind_of(board: Board) -> str | None:
    """Return the kind of a board's console, a key of `TITLES`; None without an upload."""
    if board.upload is None:
        return None
    if board.usb_serial:
        return BRIDGE if board.upload.needs_port else PROBE
    if board.upload.protocol == "dfu":
        return LOADER_AND_ADAPTER
    return SEPARATE_PROBE if board.id in WITHOUT_PROBE else PROBE_AND_ADAPTER


def pins_in(text: str) -> dict[str, Pin]:
    """Return the pins of `console` or `i2c` of a board file by their use: out, in, clock, data."""
    return {use: Pin(name, header) for name, use, header in _PIN.findall(text)}


def wiring_of(board: Board) -> Wiring:
    """Return what a picture shows of a board.

    Raises:
        KeyError: its console names no pins.
        ValueError: it has no upload.
    """
    if board.upload is None:
        raise ValueError(f"{board.id} has no upload")
    console, i2c = pins_in(board.hal.console), pins_in(board.hal.i2c or "")
    interface = board.upload_values.get("openocd_interface", "")
    led = board.pins.get("led")
    return Wiring(
        board=board.id,
        tool=board.upload.command[0],
        probe=next((name for word, name in _PROBES.items() if word in interface), "debug probe"),
        sends=console["out"],
        receives=console["in"],
        clock=i2c.get("clock"),
        data=i2c.get("data"),
        led="-" if led is None else f"{led.pin}, {'low' if led.active_low else 'high'}",
        debug=tuple(board.hal.reserved.get("its debug port", ())),
    )


def text(x: float, y: float, words: str, *, at: str = "start", style: str = "") -> str:
    """Return a text; `y` is its base line, `at` its anchor."""
    of_class = f' class="{style}"' if style else ""
    anchor = "" if at == "start" else f' text-anchor="{at}"'
    return f'<text x="{x:g}" y="{y:g}"{of_class}{anchor}>{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, style: str = "box") -> str:
    """Return a rectangle."""
    return f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>'


def wire(left: float, right: float, y: float, above: str = "", below: str = "") -> Iterator[str]:
    """Yield a horizontal wire with its labels."""
    yield f'<line class="wire" x1="{left:g}" y1="{y:g}" x2="{right:g}" y2="{y:g}"/>'
    middle = (left + right) / 2
    if above:
        yield text(middle, y - 6, above, at="middle")
    if below:
        yield text(middle, y + 16, below, at="middle")


def _titled(
    x: float, y: float, width: float, height: float, lines: Sequence[str], *, style: str = "box"
) -> Iterator[str]:
    yield box(x, y, width, height, style)
    for index, line in enumerate(lines):
        yield text(x + width / 2, y + _LINE * (index + 1), line, at="middle", style="head")


def _one_cable(kind: str, wirings: Sequence[Wiring]) -> tuple[list[str], float]:
    """Return a drawing in which one USB cable does everything, and its lower end."""
    probes = " or ".join(dict.fromkeys(each.probe for each in wirings))
    part = ("USB-serial", "chip") if kind == BRIDGE else ("debug probe", probes)
    wires = ("out", "in") if kind == BRIDGE else ("out", "in", "SWD")
    top, height = 52, 150
    drawn = [*_titled(20, top, 110, height, ("host",))]
    drawn += _titled(330, top, 410, height, ("board",))
    drawn += _titled(350, top + 34, 160, height - 50, part, style="part")
    drawn += _titled(610, top + 34, 110, height - 50, ("chip",), style="part")
    drawn += wire(130, 330, top + 75, "USB", "upload, console, supply")
    drawn += wire(330, 350, top + 75)
    for index, name in enumerate(wires):
        drawn += wire(510, 610, top + 64 + _ROW * index, name)
    return drawn, top + height


def _with_adapter(kind: str, wiring: Wiring) -> tuple[list[str], float]:
    """Return a drawing with a USB-serial adapter, and its lower end."""
    rows = 5 if kind == SEPARATE_PROBE else 1
    top = 52
    console_top = top + 34 + _ROW * rows + 8
    height = console_top + 44 + 3 * _ROW + 8 - top
    drawn = [*_titled(20, top, 110, height, ("host",))]
    drawn += _titled(500, top, 240, height, (wiring.board,))
    if kind == SEPARATE_PROBE:
        pins = [(_SWD_NAMES[pin], pin) for pin in wiring.debug]
        pins += [("GND", "GND"), ("3.3 V", "3.3 V")]
        drawn += _group(230, top + 8, (wiring.probe,), pins, "upload")
    else:
        connector = "USB" if kind == LOADER_AND_ADAPTER else f"USB of the {wiring.probe}"
        y = top + 34 + _ROW / 2
        drawn += wire(130, 500, y, "USB: upload, supply")
        drawn.append(text(512, y + 4, connector))
    console = [
        ("RX", f"{wiring.sends}, out"),
        ("TX", f"{wiring.receives}, in"),
        ("GND", "GND"),
    ]
    drawn += _group(230, console_top, ("USB-serial", "adapter, 3.3 V"), console, "console")
    return drawn, top + height


def _group(
    x: float, top: float, title: Sequence[str], pins: Sequence[tuple[str, str]], use: str
) -> Iterator[str]:
    """Yield a device between host and board: its cable, its pins and their wires."""
    width, first = 140, top + _LINE * len(title) + 8 + _ROW / 2
    height = first - top + _ROW * (len(pins) - 1) + _ROW / 2 + 4
    yield from _titled(x, top, width, height, title, style="part")
    yield from wire(130, x, top + height / 2, "USB", use)
    for index, (own, other) in enumerate(pins):
        y = first + _ROW * index
        yield from wire(x + width, 500, y)
        yield text(x + width - 8, y + 4, own, at="end")
        yield text(512, y + 4, other)


def _table(top: float, wirings: Iterable[Wiring]) -> tuple[list[str], float]:
    """Return the rows of pins, and their lower end."""
    columns = (20, 150, 245, 340, 455, 550, 645)
    heads = ("board", "console out", "console in", "LED, lit if", "I2C clock", "I2C data", "upload")
    rows = [heads]
    rows += [
        (
            each.board,
            str(each.sends),
            str(each.receives),
            each.led,
            "-" if each.clock is None else str(each.clock),
            "-" if each.data is None else str(each.data),
            each.tool,
        )
        for each in wirings
    ]
    drawn = []
    for index, row in enumerate(rows):
        y = top + _LINE * index
        style = "" if index else "head"
        drawn += [text(x, y, cell, style=style) for x, cell in zip(columns, row, strict=True)]
    return drawn, top + _LINE * (len(rows) - 1)


def picture(kind: str, boards: Sequence[Board]) -> str:
    """Return the SVG file of a kind of console, for the boards that have it."""
    wirings = [wiring_of(board) for board in boards]
    if kind in (BRIDGE, PROBE):
        drawn, end = _one_cable(kind, wirings)
    else:
        (wiring,) = wirings
        drawn, end = _with_adapter(kind, wiring)
    rows, end = _table(end + 34, wirings)
    height = end + 20
    title = TITLES[kind]
    about = f"{title}: {', '.join(each.board for each in wirings)}"
    sizes = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {sizes} role="img">',
        f"<title>{escape(about)}</title>",
        "<!-- Written by tools/wiring_pictures.py from the board files: run `make docs`. -->",
        f"<style>\n{_STYLE}\n</style>",
        box(0.5, 0.5, WIDTH - 1, height - 1, "page"),
        text(20, 30, title, style="title"),
        *drawn,
        *rows,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def own_boards() -> list[Board]:
    """Return runec's boards, in the order of their ids."""
    return [load_board(str(path)) for path in sorted(BOARDS.glob("*.toml"))]


def pictures(boards: Iterable[Board]) -> Mapping[str, str]:
    """Return the text of each picture by the name of its file."""
    of_kind: dict[str, list[Board]] = {}
    for board in boards:
        kind = kind_of(board)
        if kind is not None:
            of_kind.setdefault(kind, []).append(board)
    return {f"{kind}.svg": picture(kind, of_kind[kind]) for kind in TITLES if kind in of_kind}


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    made = pictures(own_boards())
    for stale in {path.name for path in PICTURES.glob("*.svg")} - made.keys():
        (PICTURES / stale).unlink()
    for name, svg in made.items():
        (PICTURES / name).write_text(svg, encoding="utf-8")
    print(f"wrote {len(made)} pictures in {PICTURES.name}", file=sys.stderr)
