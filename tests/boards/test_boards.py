from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runec.boards import load_board, load_boards
from runec.data import data_dir
from runec.diagnostics import UsageError, UserFileError

OWN = data_dir("boards")


def text_of(board_id: str) -> str:
    return (OWN / f"{board_id}.toml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path))
    return tmp_path


def test_every_board_file_is_loaded_in_order_of_id() -> None:
    assert [board.id for board in load_boards()] == sorted(path.stem for path in OWN.glob("*.toml"))


@pytest.mark.parametrize("path", sorted(OWN.glob("*.toml")), ids=lambda path: str(path.stem))
def test_a_board_says_what_its_file_says(path: Path) -> None:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    board = load_board(path.stem)
    shown = msgspec.to_builtins(board)
    for key, value in leaves(said):
        found = shown
        for part in key:
            found = found[part]
        assert (list(found) if isinstance(found, tuple) else found) == value, key
    for folder in (board.hal.folder, *board.hal.shares):
        assert (data_dir("firmware_templates") / "hal" / folder).is_dir()
    regions = [board.memory.code, board.memory.constants]
    flash = sum(region.size_bytes for region in regions if region is not None)
    assert board.memory.flash_bytes == flash


def test_an_application_as_large_as_an_esp32_has_room_leaves_its_storage_alone() -> None:
    board, page = load_board("esp32"), 65536
    memory = board.memory
    assert memory.constants is not None
    assert memory.storage is not None
    # as esptool and the loader have it: every part begins in a page where its address does, behind
    # a header of 8 bytes; a checksum that ends a multiple of 16 bytes, and a SHA-256 follow
    end = 24
    for part in (memory.constants, memory.code):
        end += 8
        end += (part.origin - end) % page
        end += part.size_bytes
    end += 16 + 32
    application, one_mib = 0x1_0000, 0x10_0000
    storage = board.hal.defines["HAL_STORAGE_OFFSET"]
    assert application + end <= storage
    assert storage % page == memory.storage.origin % page == 0
    assert storage + memory.storage.size_bytes == application + one_mib
    window = range(0x3F40_0000, 0x3F80_0000)
    assert memory.constants.origin + memory.constants.size_bytes <= memory.storage.origin
    assert memory.storage.origin + memory.storage.size_bytes - 1 in window


def leaves(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, (*above, key))
        elif key != "sensors":
            yield (*above, key), value


@pytest.mark.parametrize("what", ["nowhere", "file"])
def test_a_folder_of_boards_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RUNEC_BOARDS_DIR", str(tmp_path / what))
    for asked in (load_boards, lambda: load_board("esp32c3")):
        with pytest.raises(UsageError) as caught:
            asked()
        assert caught.value.code == "R0806"
        assert str(tmp_path / what) in caught.value.message
    monkeypatch.setenv("RUNEC_BOARDS_DIR", "")
    assert load_boards()


def test_no_board_claims_silicon() -> None:
    for board in load_boards():
        assert "silicon" not in board.verified


def test_a_third_board_is_a_third_file(folder: Path) -> None:
    text = text_of("netduinoplus2").replace('"netduinoplus2"', '"mine"', 1)
    (folder / "mine.toml").write_text(text)
    assert load_board("mine").cpu == load_board("netduinoplus2").cpu
    assert len(load_boards()) == len(list(OWN.glob("*.toml"))) + 1


def test_a_file_of_the_user_comes_before_one_of_runec(folder: Path) -> None:
    text = text_of("esp32c3").replace("ESP32-C3-DevKitM-1", "My own")
    (folder / "esp32c3.toml").write_text(text)
    assert load_board("esp32c3").name == "My own"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("netduinoplus", 'did you mean "netduinoplus2"?'),
        ("esp32-c3", 'did you mean "esp32c3"?'),
        ("../boards/esp32c3", "use one of "),
        ("", "use one of "),
    ],
)
def test_an_unknown_board_is_a_usage_error_with_a_way_out(asked: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_board(asked)
    assert caught.value.code == "R0802"
    assert caught.value.exit_code == 2
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint.rstrip())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "esp32c3"', 'id = "other"', "its id is 'other'"),
        ("[memory]", "[memory]\nsize = 3", "size"),
        ("[hal]", "speed = 9\n[hal]", "speed"),
        ('kind = "labwired"', 'kind = "real"', "real"),
        ('verified = ["builds", "emulated"]', 'verified = ["sold"]', "sold"),
        ("origin = 0x3FC8_0000", "origin = -1", "memory.ram.origin"),
        ("size_bytes = 327_680", 'size_bytes = "much"', "memory.ram.size_bytes"),
        ("HAL_UART_BASE", "hal-uart", "hal"),
        ('folder = "esp32c3"', 'folder = "../../etc"', "hal.folder"),
        ("name =", "name", ""),
        ("[cpu]", "[processor]", "processor"),
    ],
)
def test_a_wrong_board_file_says_what_is_wrong(folder: Path, old: str, new: str, told: str) -> None:
    text = text_of("esp32c3")
    assert old in text
    (folder / "esp32c3.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(UserFileError) as caught:
        load_board("esp32c3")
    assert caught.value.code == "R0801"
    assert told in caught.value.message
    assert "esp32c3.toml" in caught.value.message


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"id = " + b"9" * 5000, b"id = " + b"[" * 5000]
)
def test_a_board_file_that_is_no_text_or_has_no_end_is_refused(
    folder: Path, content: bytes
) -> None:
    (folder / "esp32c3.toml").write_bytes(content)
    with pytest.raises(UserFileError) as caught:
        load_boards()
    assert caught.value.code == "R0801"


def test_no_source_of_boards_backends_firmware_and_components_names_a_board() -> None:
    root = Path(__file__).resolve().parents[2]
    rooms = [root / "runec" / room for room in ("boards", "backends", "firmware", "components")]
    rooms.append(root / "firmware_templates")
    ids = [board.id for board in load_boards()]
    for path in (path for room in rooms for path in room.rglob("*.*") if path.is_file()):
        text = path.read_bytes().decode("utf-8", "replace") if path.suffix != ".pyc" else ""
        assert not [name for name in ids if name in text], path


def test_the_page_lists_the_memory_with_an_arduino_core() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "guides" / "boards.md").read_text(
        encoding="utf-8"
    )
    for board in load_boards():
        if board.vendor is None:
            continue
        bare, memory = board.memory, board.with_vendor().memory
        taken = "not measured"
        if memory.core is not None:
            taken = f"{memory.core.flash_bytes}, {memory.core.ram_bytes}"
        assert (
            f"| `{board.id}` | {bare.flash_bytes}, {bare.ram.size_bytes} | "
            f"{memory.flash_bytes}, {memory.ram.size_bytes} | {taken} |"
        ) in page
