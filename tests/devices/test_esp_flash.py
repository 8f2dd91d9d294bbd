"""What is on an ESP before it is written to, from images of flash: what is refused, and told."""

from __future__ import annotations

import msgspec
import pytest

from runec.boards import Upload, load_board
from runec.devices.esp_flash import check_esp, partitions, read_words, started
from runec.diagnostics import MachineError
from tests.devices.esp_images import ARDUINO, AT, FACTORY, esp_flash

CHIP_4 = "Serial port /dev/ttyUSB0\nChip is ESP32-D0WD-V3 (revision v3.1)\n"


def way(board_id: str) -> Upload:
    upload = load_board(board_id).upload
    assert upload is not None
    return upload


def judged(board_id: str, flash: bytes, words: str = CHIP_4) -> str:
    return check_esp(load_board(board_id), way(board_id), words, flash)


@pytest.mark.parametrize(
    ("flash", "what"),
    [
        (esp_flash(FACTORY), "factory at 0x10000"),
        (esp_flash(ARDUINO), "app0 at 0x10000"),
        (esp_flash(ARDUINO, chosen=(1,)), "app0 at 0x10000"),
        (esp_flash(ARDUINO, chosen=(1, -2)), "app0 at 0x10000"),  # a damaged choice of app1
        (esp_flash(ARDUINO, chosen=(2, 3)), "app0 at 0x10000"),
    ],
)
def test_an_application_that_the_loader_starts_is_named(flash: bytes, what: str) -> None:
    assert judged("esp32", flash) == (
        "esp32 (ESP32-D0WD-V3, revision 3.1): overwrites the application "
        f"{what}; loader and partition table stay"
    )


@pytest.mark.parametrize(
    ("flash", "words", "hint"),
    [
        (esp_flash(FACTORY, loader_at=None), "no second-stage loader at 0x1000", "--framework"),
        (esp_flash(), "no partition table at 0x8000", "--framework arduino"),
        (esp_flash(AT), "otadata at 0x10000 is no application", "--framework arduino"),
        (esp_flash(ARDUINO[:2]), "no application is at 0x10000", "--framework arduino"),
        (
            esp_flash((*FACTORY[:2], ("small", 0, 0, 0x1_0000, 0x8_0000))),
            "small at 0x10000 has 512 KiB; the firmware and what it stores need 1024",
            "--framework arduino",
        ),
        (
            esp_flash(ARDUINO, chosen=(1, 2)),
            "the loader starts app1 at 0x150000, chosen by otadata at 0xe000, and not app0",
            "erase_region 0xe000 0x2000",
        ),
    ],
)
def test_what_would_not_start_is_refused_before_it_is_written(
    flash: bytes, words: str, hint: str
) -> None:
    with pytest.raises(MachineError) as caught:
        judged("esp32", flash)
    assert caught.value.code == "R0832"
    assert words in caught.value.message
    assert "nothing was written" in caught.value.message
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("flash", "words"),
    [
        (
            esp_flash(FACTORY, loader_at=0),
            "Espressif's loader at 0x0 and the partitions nvs at 0x9000, phy_init at 0xf000, fac",
        ),
        (esp_flash(loader_at=None), "which has no loader"),
        (bytes.fromhex("1d04dbae1d04dbae") + esp_flash(FACTORY)[8:], "without a loader, such as"),
    ],
)
def test_an_image_without_a_loader_tells_what_it_replaces(flash: bytes, words: str) -> None:
    chip = "Chip type:          ESP32-C3 (QFN32) (revision v0.4)\n"
    told = judged("esp32c3", flash, chip)
    assert told.startswith("esp32c3 (ESP32-C3 (QFN32), revision 0.4): overwrites")
    assert words in told


@pytest.mark.parametrize(
    ("revision", "starts"), [("0.2", False), ("0.3", True), ("0.10", True), ("1.1", True)]
)
@pytest.mark.parametrize("line", ["Chip is ESP32-C3 (QFN32)", "Chip type:          ESP32-C3"])
def test_an_early_esp32c3_is_refused(line: str, revision: str, starts: bool) -> None:
    words = f"esptool\n{line} (revision v{revision})\nFeatures: WiFi\n"
    if starts:
        assert f"revision {revision}" in judged("esp32c3", esp_flash(), words)
        return
    with pytest.raises(MachineError) as caught:
        judged("esp32c3", esp_flash(), words)
    assert caught.value.code == "R0831"
    assert f"revision {revision}) is of an earlier revision than 0.3" in caught.value.message


def test_a_table_ends_where_its_entries_do() -> None:
    assert [each.label for each in partitions(esp_flash(ARDUINO))] == [
        *("nvs", "otadata", "app0", "app1", "spiffs")
    ]
    assert partitions(b"") == partitions(esp_flash()) == []
    full = esp_flash([("x", 1, 2, 0, 0)] * 96)
    assert len(partitions(full)) == 96
    assert len(partitions(full[: 0x8000 + 100])) == 3
    # what chooses between applications was not read
    assert started(esp_flash(AT), partitions(esp_flash(AT))) is None


def test_labels_and_sizes_of_a_hostile_table_are_harmless() -> None:
    table = [
        ("\x1b[31m\nred", 0, 0x10, 0xFFFF_FFFF, 0xFFFF_FFFF),
        ("otadata", 1, 0, 0xFFFF_F000, 0),
    ]
    flash = bytearray(esp_flash([("x" * 16, 0, 0x10, 0x1_0000, 0x20_0000), *table]))
    labels = [each.label for each in partitions(bytes(flash))]
    assert labels == ["x" * 16, "?[31m?red", "otadata"]
    assert "overwrites the application xxxxxxxxxxxxxxxx" in judged("esp32", bytes(flash))
    flash[0x8000 + 12 : 0x8000 + 28] = b"\xff\x80" * 8
    assert partitions(bytes(flash))[0].label == "\ufffd" * 16


@pytest.mark.parametrize("place", [("64k", "{app}"), ("0x10000", "{image}")])
def test_a_command_of_another_form_is_not_judged(place: tuple[str, str]) -> None:
    command = ("esptool", "--port", "{port}", "write_flash", *place)
    other = msgspec.structs.replace(way("esp32"), command=command)
    told = check_esp(load_board("esp32"), other, CHIP_4, esp_flash())
    assert "what the command of its board file says" in told


def test_the_command_that_reads_has_the_port_and_the_spelling_of_the_one_that_writes() -> None:
    command = ["esptool", "--chip", "esp32", "--port", "P", "write_flash", "0x10000", "{app}"]
    front = ["esptool", "--chip", "esp32", "--port", "P"]
    assert read_words(command, "f") == [*front, "read_flash", "0x0", "0x10000", "f"]
    command[5] = "write-flash"
    assert read_words(command, "f")[5] == "read-flash"
