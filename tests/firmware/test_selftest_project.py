"""The project of the self test: whole for every board, small, and apart from those of runes."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import msgspec
import pytest

from runec.boards import Board, load_board, load_boards
from runec.data import data_dir
from runec.diagnostics import UsageError, UserFileError
from runec.firmware import (
    flash_segments,
    has_selftest,
    held_selftest,
    pin_number,
    selftest_project,
)
from runec.firmware.render import SELFTEST_ENGINE

BOARDS = load_boards()
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Os", "-ffp-contract=off")
VARIANTS = [
    *BOARDS,
    *(board.emulated() for board in BOARDS if board.variant_id != board.emulated().variant_id),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "cache"))


def test_every_chip_family_has_a_file_and_every_file_a_family() -> None:
    folder = data_dir("firmware_templates") / "hal" / "selftest"
    families = {board.hal.folder for board in BOARDS}
    assert {path.stem for path in folder.glob("*.c")} == families
    assert all(map(has_selftest, BOARDS))


@pytest.mark.parametrize("board", VARIANTS, ids=lambda board: board.variant_id)
def test_each_c_file_compiles_alone_and_without_a_warning(board: Board) -> None:
    with selftest_project(board) as project:
        plan = json.loads((project.directory / "build_plan.json").read_text())
        command = [f"{board.toolchain.prefix}gcc", *board.toolchain.flags, *STRICT]
        checked = []
        for group in plan["groups"]:
            flags = [*group["flags"], *(f"-I{folder}" for folder in group["include"])]
            for name in group["sources"]:
                if name.startswith(("lib/selftest/", "src/")):
                    checked.append(name)
                    subprocess.run(
                        [*command, *flags, "-fsyntax-only", name],
                        check=True,
                        cwd=project.directory,
                    )
    assert sorted(checked) == [
        "lib/selftest/chip.c",
        "lib/selftest/selftest.c",
        "src/selftest_firmware.c",
    ]


def test_the_project_holds_no_engine_and_no_rune() -> None:
    with selftest_project(load_board("nucleo_f401re")) as project:
        names = project.files
        assert project.rune_name == SELFTEST_ENGINE
        assert not [name for name in names if "wasm3" in name or "tflm" in name or "rune/" in name]
        notice = (project.directory / "NOTICE").read_text()
        assert "wasm3" not in notice
        assert "newlib" in notice
        sbom = json.loads((project.directory / "sbom.json").read_text())
        assert [each["name"] for each in sbom["components"]] == ["runevm"]


def test_it_fits_the_smallest_board() -> None:
    board = load_board("bluepill_f103c8")
    with held_selftest(board) as built:
        assert built.flash_bytes < 24 * 1024
        assert built.ram_bytes < 12 * 1024
        segments = flash_segments(built.elf.read_bytes())
    assert segments[0].address == 0x0800_0000
    # Sections are aligned in the file.
    assert abs(sum(len(each.data) for each in segments) - built.flash_bytes) < 64


def test_segments_are_read_from_program_headers_alone() -> None:
    head = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0, 52, 0, 0, 52, 32, 3, 0, 0, 0)
    rows = [
        (1, 148, 0x2000_0000, 0x0800_0000, 3, 3, 5, 4),
        (1, 151, 0x2000_0100, 0x2000_0100, 0, 64, 6, 4),  # nothing of it is in the file
        (4, 148, 0, 0x0900_0000, 3, 3, 4, 4),  # a note
    ]
    data = head + b"".join(struct.pack("<8I", *row) for row in rows) + b"abc"
    (segment,) = flash_segments(data)
    assert (segment.address, segment.data) == (0x0800_0000, b"abc")
    with pytest.raises(ValueError, match="ELF"):
        flash_segments(b"MZ")


def test_a_board_without_a_file_for_its_chip_is_refused() -> None:
    board = load_board("nucleo_f401re")
    board = msgspec.structs.replace(board, hal=msgspec.structs.replace(board.hal, folder="other"))
    with pytest.raises(UserFileError) as caught, selftest_project(board):
        pass
    assert caught.value.code == "R0926"


def test_pins_of_a_loop_back_are_free() -> None:
    board = load_board("nucleo_f401re")
    assert pin_number(board, "PA0") == 0
    assert pin_number(board, "pb1") == 17
    assert pin_number(board, "led") == 5
    for name in ("PA2", "PA3", "PB8", "PB9", "PA16", "x", ""):
        with pytest.raises(UsageError) as caught:
            pin_number(board, name)
        assert caught.value.code == "R0928"
