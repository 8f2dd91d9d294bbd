"""`pio:ID`: boards from the manifests of PlatformIO's platforms, here a stand-in for them."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from runec.boards import board_origins, load_board, platformio
from runec.diagnostics import RunecError
from runec.tools import Finished, find_tool


def install(core: Path, platform: str, board: str, **changes: Any) -> None:
    """Write a platform with one board into a core folder of PlatformIO."""
    folder = core / "platforms" / platform
    (folder / "boards").mkdir(parents=True, exist_ok=True)
    about = {"name": platform, "title": "A stand-in", "version": "1.0.0", "packages": {}}
    (folder / "platform.json").write_text(json.dumps(about))
    manifest = {
        "name": "A board of somebody",
        "vendor": "somebody",
        "url": "https://example.org/board",
        "frameworks": ["arduino", "espidf"],
        "build": {"mcu": "esp32s3", "f_cpu": "240000000L"},
        "upload": {"maximum_size": 8 << 20, "maximum_ram_size": 327_680},
    }
    (folder / "boards" / f"{board}.json").write_text(json.dumps(manifest | changes))


def listed(monkeypatch: pytest.MonkeyPatch, *answers: object) -> list[list[str]]:
    """Let PlatformIO print these lists, one a call; return its arguments."""
    calls: list[list[str]] = []

    def run(command: list[Any], **_: object) -> Finished:
        calls.append([str(word) for word in command[1:]])
        answer = answers[len(calls) - 1]
        return answer if isinstance(answer, Finished) else Finished(0, json.dumps(answer), "")

    monkeypatch.setattr(platformio, "run_tool", run)
    return calls


def brief(**changes: object) -> dict[str, object]:
    return {
        "id": "a_board",
        "name": "A board",
        "platform": "ststm32",
        "mcu": "STM32F411CEU6",
        "fcpu": 100_000_000,
        "ram": 131_072,
        "rom": 524_288,
        "frameworks": ["arduino"],
        "vendor": "somebody",
        "url": "https://example.org",
        **changes,
    }


def refusal(board: str) -> RunecError:
    with pytest.raises(RunecError) as caught:
        load_board(board)
    return caught.value


def test_platformio_reads_the_manifest_of_an_installed_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "espressif32", "seeed_xiao_esp32s3")
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    board = load_board("pio:seeed_xiao_esp32s3")
    assert (board.id, board.name) == ("pio:seeed_xiao_esp32s3", "A board of somebody")
    assert (board.cpu.name, board.cpu.clock_hz) == ("ESP32S3", 240_000_000)
    assert board.vendor is not None
    assert (board.vendor.package, board.vendor.board) == (
        "espressif32@6.13.0",
        "seeed_xiao_esp32s3",
    )
    assert (board.upload, board.emulator, board.usb_ids) == (None, None, ())
    memory = board.with_vendor().memory
    # app0 of the partition table for 8 MB; the static RAM of an ESP32-S3.
    assert (memory.flash_bytes, memory.ram.size_bytes) == (0x33_0000, 345_856)
    assert board_origins("pio:seeed_xiao_esp32s3") == {}


def test_a_board_of_ours_by_platformios_name_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, [brief(id="nrf52840_dk", platform="nordicnrf52", mcu="NRF52840")])
    assert load_board("pio:nrf52840_dk") == load_board("nrf52840_dk")


@pytest.mark.parametrize(
    ("mcu", "isa", "ram_origin"),
    [
        ("STM32F411CEU6", "Cortex-M4F", 0x2000_0000),
        ("STM32F103C8T6", "Cortex-M3", 0x2000_0000),
        ("STM32G071RBT6", "Cortex-M0+", 0x2000_0000),
        ("STM32H743ZIT6", "Cortex-M7", 0x2400_0000),
    ],
)
def test_memory_of_an_stm32_is_that_of_the_manifest(
    monkeypatch: pytest.MonkeyPatch, mcu: str, isa: str, ram_origin: int
) -> None:
    listed(monkeypatch, [brief(mcu=mcu)])
    board = load_board("pio:a_board")
    memory = board.with_vendor().memory
    assert board.cpu.isa == isa
    assert (memory.flash_bytes, memory.ram.size_bytes) == (524_288, 131_072)
    assert (memory.code.origin, memory.ram.origin) == (0x0800_0000, ram_origin)
    assert board.vendor is not None
    assert (board.vendor.pins, board.vendor.upload_protocol) == ("name", None)


def test_the_variant_of_another_nrf52_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, [brief(platform="nordicnrf52", mcu="NRF52833")])
    vendor = load_board("pio:a_board").vendor
    assert vendor is not None
    assert (vendor.variant, vendor.ldscript, vendor.serial_pins) == (None, None, None)
    assert (vendor.defines, vendor.undefines, vendor.pins) == ((), (), None)


def test_the_registry_is_asked_for_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = listed(monkeypatch, [], [brief(id="b_board"), brief()])
    assert load_board("pio:a_board").id == "pio:a_board"
    assert ["--installed" in call for call in calls] == [True, False]


def test_a_board_that_is_not_found_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, [], [brief(id="a_board_v2")])
    error = refusal("pio:a_board")
    assert (error.code, error.hint) == ("R0825", "did you mean 'pio:a_board_v2'?")
    assert refusal("pio:--help").code == "R0825"


def test_a_wrong_name_and_a_silent_registry_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    uno, mine = brief(id="uno", platform="atmelavr"), brief(id="uno_mine")
    # By name: installed, all; then a text that many have: all, installed.
    listed(monkeypatch, [], [], [uno, mine], [mine])
    wrong = refusal("pio:a_board")
    assert (wrong.code, wrong.exit_code) == ("R0825", 2)
    assert "installed or in its registry" in wrong.message
    for nothing in ([], [mine]):
        listed(monkeypatch, [], [], nothing, nothing)
        silent = refusal("pio:a_board")
        assert (silent.code, silent.exit_code) == ("R0829", 4)
        assert "registry does not answer" in silent.message
        assert f"{find_tool('pio', hint='')} pkg install -g -p espressif32" in (silent.hint or "")
    listed(monkeypatch, [mine], [mine], [], [])
    assert (refusal("pio:uno_min").hint or "").endswith("did you mean 'pio:uno_mine'?")


@pytest.mark.parametrize("silent_at", ["--json-output", "uno"])
def test_a_registry_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent_at: str
) -> None:
    """PlatformIO tries again for a minute; its own process is ended before."""
    install(tmp_path, "espressif32", "seeed_xiao_esp32s3")
    program = tmp_path / "pio"
    program.write_text(
        "#!/bin/sh\ncase \"$*\" in\n  *--installed*) echo '[]';;\n"
        f"  *{silent_at}*) sleep 60;;\n  *) echo '[]';;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(platformio, "find_tool", lambda *_, **__: program)
    monkeypatch.setattr(platformio, "REGISTRY_S", 0.5)
    shown: list[str] = []

    def progress(what: str) -> contextlib.AbstractContextManager[None]:
        shown.append(what)
        return contextlib.nullcontext()

    started_s = time.monotonic()
    with pytest.raises(RunecError) as caught:
        load_board("pio:a_board", progress=progress)
    assert time.monotonic() - started_s < 30
    assert (caught.value.code, caught.value.exit_code) == ("R0829", 4)
    assert "does not answer within 0.5 s" in caught.value.message
    assert shown == ["asking PlatformIO's registry for the board a_board"]


def test_a_board_that_is_installed_needs_no_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "espressif32", "seeed_xiao_esp32s3")
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    monkeypatch.setattr(platformio, "REGISTRY_S", 0)
    assert load_board("pio:seeed_xiao_esp32s3").name == "A board of somebody"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"platform": "atmelavr"}, "belongs to the platform atmelavr"),
        ({"frameworks": ["zephyr"]}, "has no Arduino core"),
        ({"platform": "espressif32", "mcu": "ESP32C6"}, "has the chip ESP32C6"),
        ({"mcu": "STM32N657X0H3Q"}, "has the chip STM32N657X0H3Q"),
    ],
)
def test_what_runec_does_not_build_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], why: str
) -> None:
    listed(monkeypatch, [brief(**changes)])
    error = refusal("pio:a_board")
    assert error.code == "R0826"
    assert why in error.message
    assert "espressif32, nordicnrf52, ststm32" in (error.hint or "")


@pytest.mark.parametrize(
    "answer", [Finished(1, "", "Traceback\nKeyError: 'name'\n"), Finished(0, "{", ""), {"id": 1}]
)
def test_platformio_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    listed(monkeypatch, answer)
    assert refusal("pio:a_board").code == "R0827"


def test_a_manifest_without_sizes_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, [brief(ram="much")])
    error = refusal("pio:a_board")
    assert error.code == "R0827"
    assert "a_board" in error.message
