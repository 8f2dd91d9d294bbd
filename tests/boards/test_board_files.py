"""Board files that inherit, and the messages for those that are wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from runec.boards import (
    Board,
    BoardPin,
    Cpu,
    Emulator,
    Hal,
    Memory,
    Overrides,
    Region,
    Sensor,
    Toolchain,
    Upload,
    Vendor,
    board_origins,
    load_board,
    load_boards,
)
from runec.diagnostics import UserFileError, render

CHILD = """\
inherits = "nucleo_f401re"
id = "mine"
name = "My board"
verified = []

[memory]
ram = { size_bytes = 65_536 }

[hal.defines]
HAL_SCL_PIN = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path))
    return tmp_path


def test_a_board_has_what_it_inherits_but_for_what_it_says(folder: Path) -> None:
    (folder / "mine.toml").write_text(CHILD)
    mine, parent = load_board("mine"), load_board("nucleo_f401re")
    assert mine.memory.ram.size_bytes == 65_536
    assert mine.memory.ram.origin == parent.memory.ram.origin
    assert mine.memory.code == parent.memory.code
    assert mine.toolchain == parent.toolchain
    assert mine.hal.defines == {**parent.hal.defines, "HAL_SCL_PIN": 3}
    assert (mine.name, mine.id) == ("My board", "mine")


def test_what_was_verified_is_not_inherited(folder: Path) -> None:
    (folder / "mine.toml").write_text(CHILD)
    assert load_board("mine").verified == ()
    assert load_board("mine").verified_reason == ""
    (folder / "mine.toml").write_text(CHILD.replace("verified = []\n", ""))
    with pytest.raises(UserFileError, match="missing key 'verified'"):
        load_board("mine")


def test_a_list_replaces_the_inherited_one(folder: Path) -> None:
    flags = '[toolchain]\nflags = ["-mcpu=cortex-m7"]\n'
    (folder / "mine.toml").write_text(CHILD + flags)
    assert load_board("mine").toolchain.flags == ("-mcpu=cortex-m7",)


def test_each_key_is_told_with_the_file_that_gave_it(folder: Path) -> None:
    (folder / "mine.toml").write_text(CHILD)
    origins = board_origins("mine")
    assert origins["memory.ram.size_bytes"] == "mine"
    assert origins["memory.ram.origin"] == "nucleo_f401re"
    assert origins["hal.defines.HAL_SCL_PIN"] == "mine"
    assert origins["hal.defines.HAL_PLL_P"] == "nucleo_f401re"
    assert origins["hal.defines.HAL_PLL_N"] == "stm32f4"
    assert origins["toolchain.prefix"] == "arm"
    assert "memory" not in origins


def test_a_board_file_beside_a_project_is_named_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CHILD)
    board = load_board(str(tmp_path / "mine.toml"))
    assert board.id == "mine"
    assert board.id not in {each.id for each in load_boards()}


def test_a_board_file_inherits_from_one_in_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CHILD)
    (tmp_path / "other.toml").write_text(
        'inherits = "mine"\nid = "other"\nname = "Other"\nverified = []\n'
    )
    other = load_board(str(tmp_path / "other.toml"))
    assert other.memory.ram.size_bytes == 65_536


def test_a_board_of_runec_is_changed_by_one_of_its_name_that_inherits_it(folder: Path) -> None:
    text = 'inherits = "nrf52_dk"\nid = "nrf52_dk"\nname = "Mine"\nverified = []\n'
    (folder / "nrf52_dk.toml").write_text(text)
    board = load_board("nrf52_dk")
    assert board.name == "Mine"
    assert board.cpu.name == "nRF52832"


def test_families_are_no_boards(folder: Path) -> None:
    (folder / "families").mkdir()
    (folder / "families" / "pros.toml").write_text('inherits = "nrf52840_dk"\nusb_ids = []\n')
    (folder / "mine.toml").write_text(CHILD.replace("nucleo_f401re", "pros"))
    ids = [board.id for board in load_boards()]
    assert "pros" not in ids
    assert "stm32f4" not in ids
    assert load_board("mine").usb_ids == ()


def refused(folder: Path, **texts: str) -> UserFileError:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)
    with pytest.raises(UserFileError) as caught:
        load_board(next(iter(texts)))
    return caught.value


@pytest.mark.parametrize(
    ("texts", "told", "place"),
    [
        (
            {"mine": CHILD.replace("nucleo_f401re", "mine")},
            "board files: mine -> mine",
            "mine.toml:1:1",
        ),
        (
            {
                "mine": CHILD.replace("nucleo_f401re", "second"),
                "second": 'inherits = "third"\n',
                "third": '\ninherits = "second"\n',
            },
            "board files: second -> third -> second",
            "third.toml:2:1",
        ),
        ({"mine": CHILD.replace("401", "41")}, "inherits from 'nucleo_f41re'", "mine.toml:1:1"),
        ({"mine": CHILD.replace("nucleo_f401re", "zzz")}, "inherits from 'zzz'", "mine.toml:1:1"),
    ],
    ids=["itself", "in a circle", "misspelled", "unknown"],
)
def test_a_wrong_heritage_is_told_at_its_place(
    folder: Path, texts: dict[str, str], told: str, place: str
) -> None:
    error = refused(folder, **texts)
    assert error.code == "R0804"
    assert told in error.message
    assert error.span is not None
    assert str(error.span).endswith(place)
    if "f41re" in told:
        assert error.hint == 'did you mean "nucleo_f401re"?'


WRONG = {
    "a key that is none": ('name = "My', 'nam = "My', ":3:1", 'did you mean "name"?'),
    "a table that is none": ("[memory]", "[memroy]", ":6:2", 'did you mean "memory"?'),
    "a key in an inline table": (
        "size_bytes = 65",
        "size_byte = 65",
        ":7:9",
        'did you mean "size_bytes"?',
    ),
    "a value of the wrong type": ("65_536", '"big"', ":7:9", ""),
    "a value out of range": ("65_536", "0", ":7:9", ""),
    "no such level": ("verified = []", 'verified = ["build"]', ":4:13", 'did you mean "builds"?'),
    "not a list": ("verified = []", "verified = 3", ":4:1", ""),
    "an inherits that is not text": ('"nucleo_f401re"', "3", ":1:1", ""),
    "no TOML": ("id =", "id", ":2:4", "see toml.io"),
    "no TOML at its end": ("HAL_SCL_PIN = 3\n", 'HAL_SCL_PIN = "', ":10:", "see toml.io"),
    "another id": ('id = "mine"', 'id = "yours"', ":2:1", "rename the file to yours.toml"),
    "a text where a number must be": ("HAL_SCL_PIN = 3", 'HAL_SCL_PIN = "3"', ":10:", ""),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_board_file_is_told_with_line_column_and_hint(folder: Path, case: str) -> None:
    old, new, place, hint = WRONG[case]
    assert CHILD.count(old) == 1
    error = refused(folder, mine=CHILD.replace(old, new))
    assert error.code == "R0801"
    drawn = render(error.diagnostics[0])
    assert f"mine.toml{place}" in drawn
    assert "^" in drawn
    assert (error.hint or "").startswith(hint)


def test_a_mistake_in_an_inherited_file_is_told_there(folder: Path) -> None:
    (folder / "families").mkdir()
    text = 'inherits = "nucleo_f401re"\n[cpu]\nclock_hz = "fast"\n'
    (folder / "families" / "quick.toml").write_text(text)
    error = refused(folder, mine=CHILD.replace("nucleo_f401re", "quick"))
    assert str(error.span).endswith("families/quick.toml:3:1")


GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "boards.md"


def test_the_boards_of_the_guide_are_boards(tmp_path: Path) -> None:
    texts = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(texts) == 2
    for text in texts:
        # A file, or tables of one.
        whole = text if "inherits" in tomllib.loads(text) else CHILD + text
        name = tomllib.loads(whole)["id"]
        (tmp_path / f"{name}.toml").write_text(whole)
        assert load_board(str(tmp_path / f"{name}.toml")).id == name


def test_the_guide_names_every_key() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    kinds: tuple[type[msgspec.Struct], ...] = (Board, Cpu, Memory, Region, Toolchain, Hal)
    kinds += (Emulator, Overrides, Upload, Sensor, BoardPin, Vendor)
    for kind in kinds:
        for field in msgspec.structs.fields(kind):
            assert re.search(rf"`[^`]*\b{field.encode_name}\b[^`]*`", guide), field.encode_name


def test_every_board_of_runec_says_why_it_stands_where_it_stands() -> None:
    for board in load_boards():
        assert len(board.verified_reason) > 20, board.id
        assert list(board.verified) == [
            level for level in ("builds", "emulated", "silicon") if level in board.verified
        ]
        assert (board.vendor is None) == (board.upload is None) == (not board.usb_ids), board.id
        assert board.hal.defines == dict(msgspec.to_builtins(board)["hal"]["defines"])
