"""PIN outputs on simulated chips: the chip's register changes, and the bytes are the host's.

QEMU's STM32 has no ports, so these are labwired's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import EmulatedDevice, plan_emulation
from runec.firmware import DeviceRune, build_project, create_project
from runec.frontend import analyse
from runec.vm import InputReader, Inputs, run_rune

SPY = Path(__file__).with_name("pin_spy.py")
RUNEFILE = """\
version: 1
image: runicos/base
pipeline:
  input: {{capability: RAW, outputs: [{{type: f32}}]}}
  serial: {{out: SERIAL, inputs: [input]}}
  lamp: {{out: PIN, inputs: [input], args: {{pin: {pin}, active-low: {low}}}}}
"""
HIGH, LOW = b"\x00\x00\x20\xc1", b"\x00\x00\x00\x80"  # -10 and -0


@pytest.fixture
def make_lamp(tmp_path: Path) -> Callable[[str, bool], Rune]:
    def make(pin: str, low: bool) -> Rune:
        path = tmp_path / "Runefile.yml"
        path.write_text(RUNEFILE.format(pin=pin, low=str(low).lower()))
        pipeline = analyse(path).pipeline
        return write_rune(pipeline, compile_pipeline(pipeline))

    return make


@dataclass(frozen=True)
class Case:
    """A pin, the register of its level, and that of its direction; as the chip's manual has them.

    `output` are the bits of the direction that count, and what they are for an output.
    """

    board: str
    pin: str
    active_low: bool
    levels: int
    bit: int
    directions: int
    output: tuple[int, int]


CASES = [
    Case("nucleo_f401re", "LED", False, 0x4002_0014, 5, 0x4002_0000, (3 << 10, 1 << 10)),
    Case("disco_f407vg", "pd15", True, 0x4002_0C14, 15, 0x4002_0C00, (3 << 30, 1 << 30)),
    Case("nrf52840_dk", "LED2", False, 0x5000_0504, 14, 0x5000_0738, (1, 1)),
    Case("esp32c3", "GPIO4", True, 0x6000_4004, 4, 0x6000_4020, (1 << 4, 1 << 4)),
    Case("esp32", "2", False, 0x3FF4_4004, 2, 0x3FF4_4020, (1 << 2, 1 << 2)),
    Case("esp32", "gpio33", True, 0x3FF4_4010, 1, 0x3FF4_402C, (1 << 1, 1 << 1)),
]


@pytest.mark.emulated
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.board}-{case.pin}")
def test_the_chips_register_has_the_level_that_the_host_prints(
    make_lamp: Callable[[str, bool], Rune],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
) -> None:
    board, rune = load_board(case.board).emulated(), make_lamp(case.pin, case.active_low)
    seen = tmp_path / "seen"
    monkeypatch.setattr("runec.devices.labwired_process.__file__", str(SPY))
    monkeypatch.setenv("PIN_SPY", f"{seen} {case.levels} {case.directions}")
    built = build_project(create_project(DeviceRune.of(rune), board, tmp_path / "p"))
    named = board.pins.get(case.pin.lower())
    is_inverted = named is not None and named.active_low

    def level() -> int:
        now, direction = map(int, seen.read_text().splitlines()[-1].split())
        mask, wanted = case.output
        assert direction & mask == wanted
        return int(bool(now >> case.bit & 1) != is_inverted)

    with EmulatedDevice(plan_emulation(rune, board), built.elf) as device:
        assert level() == int(case.active_low), "before the first run it is what 0 means"
        for data, is_high in ((HIGH, True), (LOW, False), (HIGH, True)):
            wanted = int(is_high != case.active_low)
            (tmp_path / "data").write_bytes(data)
            inputs = Inputs(raw=(tmp_path / "data",))
            (line,) = device.run(InputReader(inputs))
            assert list(run_rune(rune, inputs)) == [line]
            assert line.endswith(f'"3":{{"pin":"{case.pin}","level":{wanted}}}}}')
            assert level() == wanted
