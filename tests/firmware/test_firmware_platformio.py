"""Firmware for `pio:ID`, a board without a file: a vendor's project and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import Board, load_board, platformio
from runec.container import Rune
from runec.diagnostics import BoardRefusalError, UsageError
from runec.firmware import DeviceRune, create_project, load_project

MakeRune = Callable[[str], Rune]


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    manifest = {
        "id": "Somebodys_S3",
        "name": "A board",
        "platform": "espressif32",
        "mcu": "ESP32S3",
        "fcpu": 240_000_000,
        "ram": 327_680,
        "rom": 4 << 20,
        "frameworks": ["arduino"],
    }
    monkeypatch.setattr(platformio, "_ask", lambda *_, **__: {manifest["id"]: manifest})
    return load_board("pio:Somebodys_S3")


def test_the_project_names_board_and_platform(
    board: Board, example_rune: MakeRune, tmp_path: Path
) -> None:
    project = create_project(
        DeviceRune.of(example_rune("sine")), board, tmp_path / "p", framework="arduino"
    )
    assert load_project(tmp_path / "p") == project
    text = (tmp_path / "p" / "platformio.ini").read_text()
    assert "\nplatform = espressif32@6.13.0\nboard = Somebodys_S3\nframework = arduino\n" in text
    assert "upload_protocol" not in text  # the manifest has it
    config = (tmp_path / "p" / "src" / "firmware_config.h").read_text()
    assert '#define FIRMWARE_BOARD "pio:Somebodys_S3"' in config
    assert not (tmp_path / "p" / "linker.ld").exists()


def test_bare_metal_is_refused(board: Board, example_rune: MakeRune, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        create_project(DeviceRune.of(example_rune("noop")), board, tmp_path / "p")
    assert caught.value.code == "R0828"
    assert "requires --framework arduino" in caught.value.message
    assert "--framework arduino" in (caught.value.hint or "")
    assert isinstance(caught.value, BoardRefusalError)
    assert not (tmp_path / "p").exists()


def test_names_of_folders_have_no_colon(board: Board) -> None:
    assert board.file_id == "pio-Somebodys_S3"
    assert load_board("esp32").file_id == "esp32"
