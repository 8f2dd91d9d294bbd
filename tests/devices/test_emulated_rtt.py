"""The link in RAM rings: real firmware on boards whose UART would do as well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runec.boards import Board, load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import EmulatedDevice, plan_emulation
from runec.diagnostics import RuneError
from runec.firmware import DeviceRune, build_project, create_project
from runec.frontend import analyse
from runec.vm import InputReader, Inputs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytestmark = pytest.mark.emulated


@pytest.fixture(scope="module")
def noop() -> Rune:
    pipeline = analyse(EXAMPLES / "noop" / "Runefile.yml").pipeline
    return write_rune(pipeline, compile_pipeline(pipeline))


def stm32f407() -> Board:
    """A Cortex-M4 in labwired, which lacks some of the FPU."""
    board = load_board("netduinoplus2")
    emulator = load_board("esp32c3").emulator
    assert emulator is not None
    flags = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")
    return msgspec.structs.replace(
        board,
        toolchain=msgspec.structs.replace(board.toolchain, flags=flags),
        emulator=msgspec.structs.replace(emulator, target="stm32f407"),
    )


BOARDS: dict[str, Callable[[], Board]] = {
    "esp32c3": lambda: load_board("esp32c3"),
    "stm32f407": stm32f407,
}


@pytest.mark.parametrize("board_id", BOARDS)
def test_a_board_prints_over_rings_what_it_prints_over_its_uart(
    noop: Rune, tmp_path: Path, board_id: str
) -> None:
    inputs = Inputs(raw=(EXAMPLES / "noop" / "input.bin",))
    expected = (EXAMPLES / "noop" / "expected.jsonl").read_text().splitlines()
    board = BOARDS[board_id]().with_link("rtt")
    built = build_project(create_project(DeviceRune.of(noop), board, tmp_path / "p"))
    log: list[str] = []
    with EmulatedDevice(plan_emulation(noop, board), built.elf, log=log.append) as device:
        assert list(device.run(InputReader(inputs), repeats=3)) == expected * 3
        assert device.stats().runs == 3
    assert any("runec" in line and board.id in line for line in log), "its words come this way too"


@pytest.mark.parametrize("board_id", ["esp32", *BOARDS])
def test_a_firmware_that_spoils_its_control_block_is_refused(
    noop: Rune, tmp_path: Path, board_id: str
) -> None:
    board = (BOARDS.get(board_id) or (lambda: load_board("esp32")))().with_link("rtt")
    project = create_project(DeviceRune.of(noop), board, tmp_path / "p")
    console = project.directory / "lib" / "hal" / "console.c"
    init = "runevm_rtt_init(&rtt, up, sizeof up, down, sizeof down);"
    text = console.read_text()
    assert init in text
    console.write_text(text.replace(init, f"{init} rtt.down.size = 0x7fffffff;"))
    built = build_project(project)
    with pytest.raises(RuneError) as caught:
        EmulatedDevice(plan_emulation(noop, board), built.elf)
    assert caught.value.code == "R0930"
    assert "down" in caught.value.message
