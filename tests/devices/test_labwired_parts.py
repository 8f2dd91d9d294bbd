"""Parts on boards simulated by labwired."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from runec.boards import PARTS, load_board
from runec.devices.labwired_parts import simulated_part
from runec.firmware import Accelerometer

CHIP = 'peripherals:\n  - id: "i2c0"\n'


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(
    ("board_id", "route"),
    [("esp32c3", {"sda": "GPIO4", "scl": "GPIO5"}), ("esp32", None), ("nucleo_f401re", None)],
)
def test_a_part_hangs_on_the_pins_of_the_board_where_labwired_wants_them(
    tmp_path: Path, name: str, board_id: str, route: dict[str, str] | None
) -> None:
    chip = tmp_path / "a chip.yaml"
    chip.write_text(CHIP)
    address = PARTS[name].addresses[0]
    part = simulated_part(load_board(board_id), Accelerometer(name, address, 50))
    system = YAML(typ="safe").load(part.system(chip))
    (device,) = system["external_devices"]
    assert device.get("route") == route
    assert (device["type"], device["connection"]) == (name, "i2c0")
    assert device["config"] == {"i2c_address": address}
    assert system["chip"] == str(chip)


def test_other_pins_in_a_board_s_file_are_other_pins_of_the_part(tmp_path: Path) -> None:
    chip = tmp_path / "chip.yaml"
    chip.write_text(CHIP)
    board = load_board("esp32c3")
    defines = {**board.hal.defines, "HAL_SDA_PIN": 6, "HAL_SCL_PIN": 7}
    hal = msgspec.structs.replace(board.hal, defines=defines)
    other = msgspec.structs.replace(board, hal=hal)
    text = simulated_part(other, Accelerometer("adxl345", 0x53, 50)).system(chip)
    assert 'sda: "GPIO6"' in text
    assert 'scl: "GPIO7"' in text
