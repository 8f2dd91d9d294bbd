from __future__ import annotations

import re
from pathlib import Path

import pytest

from runec.data import data_dir
from runec.devices.runevm_errors import RUNEVM_ERRORS, device_error

HEADER = data_dir("firmware_templates") / "runevm" / "include" / "runevm.h"


def test_the_table_is_the_enum_of_the_header() -> None:
    enum = re.findall(r"RUNEVM_ERR_([A-Z_]+) = (\d+)", HEADER.read_text())
    assert {int(value): name for name, value in enum} == {
        value: error.name for value, error in RUNEVM_ERRORS.items()
    }
    assert len(enum) > 15


@pytest.mark.parametrize("code", RUNEVM_ERRORS)
def test_each_code_says_what_where_and_what_to_try(code: int) -> None:
    error = device_error(code, "mod360", "seen 3")
    assert error.exit_code == 3
    assert re.fullmatch(r"R09\d\d", error.code)
    assert "mod360" in error.message
    assert "seen 3" in error.message
    assert error.hint
    assert str(code) in error.notes[0]
    assert "firmware build" not in str(error.hint), "a build alone changes no board"
    assert "boards show" not in str(error.hint), "it lists nothing of what a firmware gives"


@pytest.mark.parametrize("code", [201, 202, 203, 204, 206])
def test_what_a_firmware_lacks_is_first_that_of_another_rune(code: int) -> None:
    assert "runec flash X.rune" in str(device_error(code).hint)


def test_an_unknown_code_is_told_as_such() -> None:
    assert "999" in device_error(999).message


def test_the_codes_are_listed_in_the_rooms_page() -> None:
    import runec.devices

    assert runec.devices.__doc__ is not None
    listed = set(re.findall(r"R09\d\d", runec.devices.__doc__))
    folder = Path(runec.devices.__file__).parent
    used = {
        code
        for path in folder.glob("*.py")
        if path.name != "__init__.py"
        for code in re.findall(r'"(R09\d\d)"', path.read_text())
    }
    assert used == listed
