"""What is read of a board before it is written, with stand-ins for the tools."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.devices import board_facts
from runec.devices.board_facts import facts_before, partition_table
from runec.devices.selftest_report import BEFORE, Fact


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """A program on PATH; its Python sees the arguments as `given`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(board_facts, "_USB_DEVICES", tmp_path / "usb")
    monkeypatch.setattr(board_facts, "_PROCESSES", tmp_path / "proc")

    def make(name: str, code: str) -> Path:
        path = folder / name
        path.write_text(f"#!{sys.executable}\nimport sys\ngiven = sys.argv[1:]\n{code}\n")
        path.chmod(0o755)
        return path

    return make


def found(board: str, port: str = "/dev/ttyUSB0", protocol: str | None = None) -> dict[str, Fact]:
    facts = facts_before(load_board(board), port, protocol)
    assert tuple(fact.name for fact in facts) == BEFORE
    return {fact.name: fact for fact in facts}


def entry(name: bytes, offset: int, size: int) -> bytes:
    """A partition as ESP-IDF's documentation of partition tables draws it."""
    return struct.pack("<BBBBII16sI", 0xAA, 0x50, 0, 0x10, offset, size, name, 0)


TABLE = (
    entry(b"nvs", 0x9000, 0x5000) + entry(b"app0", 0x10000, 0x140000) + b"\xeb\xeb" + b"\xff" * 30
)


def test_partitions_are_listed_up_to_the_first_that_is_none() -> None:
    assert partition_table(TABLE) == "nvs@0x9000+0x5000 app0@0x10000+0x140000"
    assert partition_table(b"\xff" * 0xC00) == "none"
    assert partition_table(b"") == "none"


def test_an_esp32_by_its_tool(tool: Callable[[str, str], Path]) -> None:
    tool(
        "esptool",
        f"""
if "--version" in given: print("esptool v5.1.0")
elif "chip_id" in given: print("Serial port x\\nChip type:          ESP32-D0WD-V3 (revision v3.1)")
elif "read_flash" in given:
    assert given[:5] == ["--port", "/dev/ttyUSB0", "read_flash", "0x8000", "0xc00"], given
    open(given[5], "wb").write({TABLE!r})
""",
    )
    facts = found("esp32")
    assert facts["upload.tool"].value == "esptool 5.1.0"
    assert facts["esp.chip"].value == "ESP32-D0WD-V3 (revision v3.1)"
    assert facts["esp.partitions"].value == "nvs@0x9000+0x5000 app0@0x10000+0x140000"
    assert facts["nrf.lock"].why == "the chip is no nRF52"
    assert facts["dfu.device"].status == "not available"


def test_a_tool_that_fails_or_is_missing_is_a_fact(tool: Callable[[str, str], Path]) -> None:
    missing = found("esp32")["esp.chip"]
    assert (missing.status, missing.value) == ("not available", None)
    assert "esptool" in missing.why
    tool("esptool", "sys.exit(2)")
    facts = found("esp32")
    assert facts["esp.chip"].why == "esptool does not report the chip (exit 2)"
    assert facts["esp.partitions"].why == "esptool cannot read flash (exit 2)"


@pytest.mark.parametrize(("status", "value"), [("0x00000001", "unlocked"), ("0x0", "locked")])
def test_the_lock_of_an_nrf(tool: Callable[[str, str], Path], status: str, value: str) -> None:
    tool(
        "openocd",
        f"""
if "--version" in given: sys.stderr.write("Open On-Chip Debugger 0.12.0\\n")
else:
    assert given[:6] == ["-f", "interface/jlink.cfg", "-c", "transport select swd", "-f",
                         "target/nrf52.cfg"], given
    assert "apreg 1 0x0c" in given[7]
    sys.stderr.write("Info : x\\nAPPROTECTSTATUS {status}\\n")
""",
    )
    facts = found("nrf52840_dk")
    assert facts["nrf.lock"].value == value
    assert facts["upload.tool"].value == "openocd 0.12.0"
    tool("openocd", "sys.exit(1)")
    assert "exit 1" in found("nrf52840_dk")["nrf.lock"].why


def test_boot_loaders_that_dfu_util_finds(tool: Callable[[str, str], Path]) -> None:
    line = 'Found DFU: [0483:df11] ver=2200, devnum=9, name=\\"x\\"'
    tool(
        "dfu-util", f'print("dfu-util 0.11") if "--version" in given else print("{line}\\n{line}")'
    )
    assert found("netduinoplus2")["dfu.device"].value == "0483:df11"
    tool("dfu-util", 'print("dfu-util 0.11")')
    assert found("netduinoplus2")["dfu.device"].value == "none"


def test_usb_ids_and_brltty(tool: Callable[[str, str], Path], tmp_path: Path) -> None:
    tool("openocd", 'print("0.12.0")')
    assert found("nucleo_f401re")["usb.ids"].status == "not available"
    for name, ids in (("1-1", ("0483", "374b")), ("1-2", ("dead", "beef")), ("usb1", ())):
        (tmp_path / "usb" / name).mkdir(parents=True)
        for key, value in zip(("idVendor", "idProduct"), ids, strict=False):
            (tmp_path / "usb" / name / key).write_text(f"{value}\n")
    facts = found("nucleo_f401re")
    assert facts["usb.ids"].value == "port without a USB id; of the board's: 0483:374b"
    assert facts["host.brltty"].value == "is not running"
    (tmp_path / "proc" / "77").mkdir(parents=True)
    (tmp_path / "proc" / "77" / "comm").write_text("brltty\n")
    assert found("nucleo_f401re")["host.brltty"].value == "runs"


def test_words_of_a_tool_cannot_reach_the_terminal(tool: Callable[[str, str], Path]) -> None:
    tool("esptool", 'print("Chip is ESP32\\x1b[2J" + "x" * 999)')
    value = str(found("esp32")["esp.chip"].value)
    assert "\x1b" not in value
    assert len(value) == 400
