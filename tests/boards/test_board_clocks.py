"""Clocks of a board file against what the HAL makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runec.boards import load_board, load_boards
from runec.boards.clocks import wrong_clock
from runec.diagnostics import UserFileError


def board_file(
    folder: Path, parent: str, clock: int | None, defines: dict[str, int], chip: str = ""
) -> str:
    cpu = f"clock_hz = {clock}\n" if clock else ""
    cpu += f'name = "{chip}"\n' if chip else ""
    lines = "".join(f"{name} = {value}\n" for name, value in defines.items())
    (folder / "mine.toml").write_text(
        f'inherits = "{parent}"\nid = "mine"\nname = "Mine"\nverified = []\n'
        f"[cpu]\n{cpu}[hal.defines]\n{lines}"
    )
    return str(folder / "mine.toml")


def test_the_clocks_of_every_board_are_right() -> None:
    assert [board.id for board in load_boards() if wrong_clock(board)] == []


WRONG = {
    # RM0368: f(VCO) = HSI x (N / M), f = f(VCO) / P.
    "clock": (
        ("nucleo_f401re", 80_000_000),
        {},
        "N = 336 and HAL_PLL_P = 4 make 84_000_000",
        "clock_hz = 84_000_000; or HAL_PLL_N = 320 and HAL_PLL_P = 4 for 80_000_000",
    ),
    "N": (
        ("netduinoplus2", None),
        {"HAL_PLL_N": 300},
        "make 150_000_000",
        "clock_hz = 150_000_000; or HAL_PLL_N = 336 and HAL_PLL_P = 2 for 168_000_000",
    ),
    "odd P": (("netduinoplus2", None), {"HAL_PLL_P": 3}, "only 2, 4, 6 and 8", "HAL_PLL_P = 2"),
    "P of 0": (("netduinoplus2", None), {"HAL_PLL_P": 0}, "HAL_PLL_P is 0", "HAL_PLL_P = 2"),
    "oscillator": (
        ("nucleo_f401re", 42_000_000),
        {"HAL_PLL_N": 168, "HAL_PLL_P": 4},
        "only 192 to 432",
        "HAL_PLL_N = 192",
    ),
    "too fast": (
        ("nucleo_f401re", 168_000_000),
        {"HAL_PLL_P": 2},
        "84_000_000 at most",
        "clock_hz = 84_000_000, HAL_PLL_N = 336 and HAL_PLL_P = 4 for 84_000_000",
    ),
    "generator": (("netduinoplus2", None), {"HAL_PLL_Q": 4}, "only 7 to 15", "HAL_PLL_Q = 7"),
    "bus": (
        ("netduinoplus2", None),
        {"HAL_BUS_DIVIDERS": 0x8000},
        "APB1 to 168 MHz",
        "HAL_BUS_DIVIDERS = 0x9400",
    ),
    "other bits": (
        ("netduinoplus2", None),
        {"HAL_BUS_DIVIDERS": 0x9480},
        "bits 10 to 15",
        "HAL_BUS_DIVIDERS = 0x9400",
    ),
    "USART of APB2": (
        ("netduinoplus2", None),
        {"HAL_USART_BASE": 0x4001_1000, "HAL_USART_CLOCK_HZ": 42_000_000},
        "APB2 runs at 84_000_000",
        "HAL_USART_CLOCK_HZ = 84_000_000",
    ),
    "USART": (
        ("netduinoplus2", None),
        {"HAL_USART_CLOCK_HZ": 84_000_000},
        "APB1 runs at 42_000_000",
        "HAL_USART_CLOCK_HZ = 42_000_000",
    ),
    "I2C": (
        ("netduinoplus2", None),
        {"HAL_I2C_CLOCK_HZ": 84_000_000},
        "APB1 runs at 42_000_000",
        "HAL_I2C_CLOCK_HZ = 42_000_000",
    ),
    "flash": (
        ("netduinoplus2", None),
        {"HAL_WAIT_STATES": 4},
        "at 168 MHz 5 to 15",
        "HAL_WAIT_STATES = 5",
    ),
    "F103": (("bluepill_f103c8", 64_000_000), {}, "runs at 72_000_000", "clock_hz = 72_000_000"),
    "I2C of an F103": (
        ("bluepill_f103c8", None),
        {"HAL_I2C_CLOCK_HZ": 72_000_000},
        "APB1 runs at 36_000_000",
        "HAL_I2C_CLOCK_HZ = 36_000_000",
    ),
    "nRF52": (("nrf52_dk", 16_000_000), {}, "runs at 64_000_000", "clock_hz = 64_000_000"),
    "ESP32": (("esp32", 240_000_000), {}, "runs at 160_000_000", "clock_hz = 160_000_000"),
    "MPS2": (("mps2_an386", 20_000_000), {}, "runs at 25_000_000", "clock_hz = 25_000_000"),
}


@pytest.mark.parametrize(("base", "defines", "said", "hint"), WRONG.values(), ids=WRONG)
def test_a_wrong_clock_is_refused_with_the_nearest_right_one(
    base: tuple[str, int | None], defines: dict[str, int], said: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(UserFileError, match=re.escape(said)) as caught:
        load_board(board_file(tmp_path, *base, defines))
    assert (caught.value.code, caught.value.hint) == ("R0844", hint)
    assert caught.value.span is not None


def test_a_board_with_another_chip_and_its_clocks_is_accepted(tmp_path: Path) -> None:
    # An STM32F446RE at its most: RM0390, 6.3.2; data sheet, table 16.
    defines = {
        "HAL_PLL_N": 360,
        "HAL_PLL_P": 2,
        "HAL_PLL_Q": 8,
        "HAL_BUS_DIVIDERS": 0x9400,
        "HAL_WAIT_STATES": 5,
        "HAL_USART_CLOCK_HZ": 45_000_000,
        "HAL_I2C_CLOCK_HZ": 45_000_000,
    }
    path = board_file(tmp_path, "nucleo_f401re", 180_000_000, defines, "STM32F446RE")
    assert load_board(path).cpu.clock_hz == 180_000_000
