"""The self test in the emulators: the real firmware of each board, measured by the host."""

from __future__ import annotations

import pytest

from runec.boards import Board, load_boards
from runec.devices import Target
from runec.devices.selftest import SelftestOptions, run_selftest
from runec.devices.selftest_report import Fact, parse_report, silicon_objections
from runec.firmware import pin_number

BOARDS = [board for board in load_boards() if board.emulator is not None]
QUICK = SelftestOptions(idle_s=0.2, rounds=2, clock_s=0.05)
# labwired stops at a fault of these chips instead of taking it.
ENDS_AT_A_FAULT = {"esp32", "esp32c3"}
# In QEMU most registers of a chip read 0.
IDENTITIES = {
    "netduinoplus2": ("identity.CPUID", "0x410fc240"),
    "mps2_an386": ("identity.SCC_ID", "0x41043860"),
    "disco_f407vg": ("identity.CPUID", "0x410fc241"),
    "nucleo_f401re": ("identity.CPUID", "0x410fc241"),
    "nrf52840_dk": ("identity.FICR_INFO_PART", "0x00052840"),
    "nrf52_dk": ("identity.CPUID", "0x410fc241"),  # its FICR is that of an nRF52840
    "bluepill_f103c8": ("identity.DBGMCU_IDCODE", "0x20036410"),
}


@pytest.mark.emulated
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_an_emulated_board_passes_twice(board: Board) -> None:
    led = pin_number(board, "led") if "led" in board.pins else None
    options = SelftestOptions(QUICK.idle_s, QUICK.rounds, QUICK.clock_s, led=led)
    report = run_selftest(board, Target("emulator", board), options)
    assert parse_report(report.encode(), "report") == report
    assert (report.result, report.failures) == ("passed", [])
    assert {fact.status for fact in report.before} == {"not available"}
    assert silicon_objections(report, board.id)
    for each in report.passes:
        facts = {fact.name: fact for fact in each.facts}
        assert facts["console.frame"] == Fact(
            name="console.frame", status="passed", value=249, unit="bytes"
        )
        assert facts["console.repeats"].value == 0
        assert facts["image.crc"].value == QUICK.rounds
        assert facts["clock.host"].status == "measured"
        if led is not None:
            assert facts["led"].value == "101010"
        if board.id in ENDS_AT_A_FAULT:
            assert facts["fault"].status == "not available"
        else:
            assert str(facts["fault"].value).endswith("fault, restarting")
        if board.id in IDENTITIES:
            name, value = IDENTITIES[board.id]
            assert facts[name].value == value
        if board.hal.i2c:
            assert facts["i2c.scan"].status == "measured"
        else:
            assert facts["i2c.scan"].status == "not available"
