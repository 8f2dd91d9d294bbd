"""Pins of a board for the PINs of a rune, and errors for impossible ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runec.boards import Board, BoardPin, load_board, load_boards
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.diagnostics import Severity, UserFileError
from runec.firmware import DeviceRune, StageError, create_project, pin_warnings
from runec.firmware.board_sensors import Accelerometer
from runec.firmware.pins import DrivenPin, chip_pin, choose_pins
from runec.frontend import analyse_text

MakeLamps = Callable[..., Rune]


@pytest.fixture
def lamps(tmp_path: Path) -> MakeLamps:
    """Make a rune with a PIN for each name; the second is active low."""

    def make(*pins: str) -> Rune:
        lines = ["FROM runicos/base", "CAPABILITY<u8> input RAW"]
        if len(pins) == 1:
            lines += [f'OUT pin --pin "{pins[0]}"', "RUN input pin"]
            text = "\n".join(lines) + "\n"
        else:
            text = "version: 1\nimage: runicos/base\npipeline:\n"
            text += "  input: {capability: RAW, outputs: [{type: u8}]}\n"
            for number, pin in enumerate(pins):
                arguments = f"pin: {pin}, active-low: {'true' if number == 1 else 'false'}"
                text += f"  pin{number}: {{out: PIN, inputs: [input], args: {{{arguments}}}}}\n"
        pipeline = analyse_text(text, "Runefile", tmp_path, "lamps").pipeline
        return write_rune(pipeline, compile_pipeline(pipeline))

    return make


def chosen(rune: Rune, board: str | Board, framework: str = "bare") -> tuple[DrivenPin, ...]:
    return choose_pins(
        DeviceRune.of(rune), load_board(board) if isinstance(board, str) else board, framework, None
    )


@pytest.mark.parametrize(
    ("board", "pin", "number", "inverted"),
    [
        ("nucleo_f401re", "LED", 5, False),
        ("nucleo_f401re", "led", 5, False),
        ("nucleo_f401re", "PC13", 45, False),
        ("nucleo_f401re", "pc13", 45, False),
        ("nucleo_f401re", "PA0000000005", 5, False),
        ("bluepill_f103c8", "LED", 45, True),
        ("nrf52840_dk", "LED2", 14, True),
        ("nrf52840_dk", "P1.05", 37, False),
        ("nrf52_dk", "P0.17", 17, False),
        ("esp32c3", "GPIO4", 4, False),
        ("esp32c3", "4", 4, False),
        ("esp32", "33", 33, False),
    ],
)
def test_a_pin_is_a_name_of_the_board_or_of_the_chip(
    lamps: MakeLamps, board: str, pin: str, number: int, inverted: bool
) -> None:
    assert chosen(lamps(pin), board) == (DrivenPin(2, f"{number}u", inverted, False),)


@pytest.mark.parametrize(
    ("board", "pins", "words", "hint"),
    [
        ("nucleo_f401re", ["LEDD"], "has no pin 'LEDD'", "LED"),
        ("nucleo_f401re", ["PA16"], "has no pin 'PA16'", "PA0 to PA15"),
        ("nucleo_f401re", ["PA1000000005"], "has no pin 'PA1000000005'", "PA0 to PA15"),
        ("nucleo_f401re", ["PA"], "has no pin 'PA'", "PA0 to PA15"),
        ("nucleo_f401re", ["5"], "has no pin '5'", "PA0 to PA15"),
        ("nrf52_dk", ["P1.0"], "has no pin 'P1.0'", "P0.0 to P0.31"),
        ("esp32", ["34"], "has no pin '34'", "GPIO0 to GPIO33"),
        ("nucleo_f401re", ["PA2"], "the pin PA2 of nucleo_f401re, taken by its console", "another"),
        ("nrf52840_dk", ["P0.8"], "the pin P0.8 of nrf52840_dk, taken by its console", "another"),
        ("esp32c3", ["21"], "the pin 21 of esp32c3, taken by its console", "another"),
        ("nucleo_f401re", ["LED", "PA5"], "taken by the out 'pin0'", "another"),
        *(("esp32", [str(pin)], "taken by its flash chip", "another") for pin in range(6, 12)),
        *(("esp32c3", [str(pin)], "taken by its flash chip", "another") for pin in range(11, 18)),
        *(
            (board, [pin], "taken by its debug port", "another")
            for board in ("nucleo_f401re", "netduinoplus2", "disco_f407vg", "bluepill_f103c8")
            for pin in ("PA13", "PA14")
        ),
        *(
            (board, [pin], "taken by its USB", "another")
            for board in ("netduinoplus2", "disco_f407vg", "bluepill_f103c8")
            for pin in ("PA11", "pa12")
        ),
        ("netduinoplus2", ["PB2"], "taken by the supply of its headers", "another"),
        ("nrf52840_dk", ["P0.18"], "taken by its reset button", "another"),
        ("nrf52_dk", ["P0.21"], "taken by its reset button", "another"),
    ],
)
def test_a_pin_that_cannot_be_had_is_refused_with_its_stage(
    lamps: MakeLamps, board: str, pins: list[str], words: str, hint: str
) -> None:
    with pytest.raises(StageError) as caught:
        chosen(lamps(*pins), board)
    assert caught.value.code == "R0841"
    assert words in caught.value.message
    assert hint in str(caught.value.hint)
    assert caught.value.stage == ("pin1" if len(pins) > 1 else "pin")


@pytest.mark.parametrize(
    ("board", "pins", "reason"),
    [
        *(("esp32", each, "at a reset") for each in ("0", "GPIO2", "5", "12", "15")),
        *(("esp32c3", each, "at a reset") for each in ("2", "8", "9")),
        ("esp32c3", "19", "the chip's own USB"),
        ("nrf52840_dk", "P0.9", "NFC"),
        ("nrf52_dk", "P0.00", "32 kHz crystal"),
        ("esp32", "4", None),
        ("esp32c3", "4", None),
        ("nrf52_dk", "P0.18", None),  # the other board's reset
        ("nucleo_f401re", "PA11", None),  # this one has no USB there
    ],
)
def test_a_pin_with_another_use_is_accepted_with_a_warning(
    lamps: MakeLamps, board: str, pins: str, reason: str | None
) -> None:
    rune = DeviceRune.of(lamps(pins))
    assert choose_pins(rune, load_board(board), "bare", None)
    found = pin_warnings(rune, load_board(board))
    assert [(stage, each.code, each.severity) for stage, each in found] == (
        [] if reason is None else [("pin", "R0845", Severity.WARNING)]
    )
    assert all(reason in each.message for _, each in found if reason)


def test_what_a_board_lists_is_a_pin_of_its_chip() -> None:
    for board in load_boards():
        for table in (board.hal.reserved, board.hal.caution):
            for name in itertools.chain(*table.values()):
                assert chip_pin(board, name) is not None, (board.id, name)


def test_a_sensor_takes_the_pins_of_its_bus(lamps: MakeLamps) -> None:
    board, rune = load_board("nucleo_f401re"), lamps("PB9")
    assert choose_pins(DeviceRune.of(rune), board, "bare", None)[0].spelling == "25u"
    with pytest.raises(StageError, match="taken by its I2C"):
        choose_pins(DeviceRune.of(rune), board, "bare", Accelerometer("adxl345", 0x53, 50))


def test_arduinos_pins_are_called_as_its_core_does(lamps: MakeLamps) -> None:
    assert chosen(lamps("LED"), "nucleo_f401re", "arduino")[0].spelling == "PA5"
    assert chosen(lamps("gpio4"), "esp32c3", "arduino")[0].spelling == "4u"
    assert chosen(lamps("LED"), "nrf52840_dk", "arduino")[0].spelling == "13u"
    board = load_board("nrf52840_dk")
    assert board.vendor is not None
    vendor = msgspec.structs.replace(board.vendor, pins=None)
    with pytest.raises(StageError, match="unknown pin names of"):
        chosen(lamps("LED"), msgspec.structs.replace(board, vendor=vendor), "arduino")


def test_a_refused_pin_leaves_no_project_behind(lamps: MakeLamps, tmp_path: Path) -> None:
    with pytest.raises(UserFileError):
        create_project(DeviceRune.of(lamps("PA2")), load_board("netduinoplus2"), tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_the_firmware_holds_a_table_of_its_pins(lamps: MakeLamps, tmp_path: Path) -> None:
    config = tmp_path / "p" / "src" / "firmware_config.h"
    create_project(DeviceRune.of(lamps("LED1", "P1.2")), load_board("nrf52840_dk"), tmp_path / "p")
    assert config.read_text().partition("FIRMWARE_PINS")[2].splitlines()[:3] == [
        " \\",
        "    {2u, 13u, true, false}, \\",
        "    {3u, 34u, false, true},",
    ]
    create_project(
        DeviceRune.of(lamps("led")),
        load_board("nucleo_f401re"),
        tmp_path / "a",
        framework="arduino",
    )
    config = tmp_path / "a" / "src" / "firmware_config.h"
    assert "#include <Arduino.h>" in config.read_text()
    assert "{2u, PA5, false, false}" in config.read_text()


def test_a_board_of_ones_own_names_its_pins(lamps: MakeLamps) -> None:
    board = load_board("esp32c3")
    assert board.pins == {}
    mine = msgspec.structs.replace(board, pins={"relay": BoardPin(pin="7", active_low=True)})
    assert chosen(lamps("Relay"), mine) == (DrivenPin(2, "7u", True, False),)


def test_every_name_of_every_board_is_a_pin_of_its_chip_that_is_free(lamps: MakeLamps) -> None:
    runes: dict[str, Rune] = {}
    for board in load_boards():
        for name in board.pins:
            assert chosen(runes.setdefault(name, lamps(name)), board)
