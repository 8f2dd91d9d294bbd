"""Ports are found by the USB ids of a board's file, and never guessed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serial.tools import list_ports

from runec.boards import Board, load_board
from runec.devices import ports
from runec.diagnostics import MachineError, UsageError

Plug = Callable[..., None]


@pytest.fixture
def board() -> Board:
    return load_board("esp32c3")


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Say which ports pyserial finds: (device, vendor, product)."""

    def call(*found: tuple[str, int | None, int | None]) -> None:
        items: list[Any] = [
            SimpleNamespace(device=device, vid=vendor, pid=product, description="n/a")
            for device, vendor, product in found
        ]
        monkeypatch.setattr(list_ports, "comports", lambda: items)

    return call


def test_the_one_port_with_an_id_of_the_board_is_taken(board: Board, plug: Plug) -> None:
    plug(
        ("/dev/ttyS0", None, None),
        ("/dev/ttyUSB3", 0x10C4, 0xEA60),
        ("/dev/ttyACM0", 0x0483, 0x374B),
    )
    assert ports.find_port([board]).device == "/dev/ttyUSB3"


def test_two_ports_are_listed_and_none_is_taken(board: Board, plug: Plug) -> None:
    plug(("/dev/ttyUSB1", 0x10C4, 0xEA60), ("/dev/ttyACM0", 0x303A, 0x1001))
    with pytest.raises(UsageError) as caught:
        ports.find_port([board], for_upload=True)
    assert caught.value.code == "R0943"
    assert "/dev/ttyACM0 (303a:1001), /dev/ttyUSB1 (10c4:ea60)" in caught.value.message
    assert "--port /dev/ttyACM0" in str(caught.value.hint)


def test_a_port_that_is_not_joined_to_the_console_is_not_the_boards(plug: Plug) -> None:
    plug(("/dev/ttyACM0", 0x0483, 0x374B))
    with pytest.raises(MachineError) as caught:
        ports.find_port([load_board("disco_f407vg")])
    assert caught.value.code == "R0942"
    assert "adapter to USART2, PA2 (out) and PA3 (in)" in str(caught.value.hint)
    # The same id is that of another board, which has its console there.
    assert ports.find_port([load_board("nucleo_f401re")]).device == "/dev/ttyACM0"
    assert ports.find_port([*map(load_board, ("disco_f407vg", "nucleo_f401re"))])


def test_no_port_tells_what_was_looked_for_and_what_is_there(board: Board, plug: Plug) -> None:
    plug(("/dev/ttyUSB0", 0x1A86, 0x7523))
    with pytest.raises(MachineError) as caught:
        ports.find_port([board])
    assert (caught.value.code, caught.value.exit_code) == ("R0942", 4)
    (diagnostic,) = caught.value.diagnostics
    notes = " ".join(diagnostic.notes)
    assert "looked for the USB ids 10c4:ea60" in notes
    assert "/dev/ttyUSB0 (1a86:7523)" in notes
    with pytest.raises(MachineError, match="no board is at a serial port"):
        ports.find_port([board, load_board("nucleo_f401re")])
    assert "--port" in str(caught.value.hint)


def test_a_port_that_this_user_may_not_open_names_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch()
    ports.check_port(str(port))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(MachineError) as caught:
        ports.check_port(str(port))
    assert caught.value.code == "R0941"
    assert "sudo adduser $USER dialout" in str(caught.value.hint)


def test_a_port_that_is_not_there_lists_those_that_are(tmp_path: Path, plug: Plug) -> None:
    plug(("/dev/ttyUSB7", 0x10C4, 0xEA60))
    with pytest.raises(MachineError) as caught:
        ports.check_port(str(tmp_path / "ttyUSB0"))
    assert caught.value.code == "R0941"
    assert "/dev/ttyUSB7 (10c4:ea60)" in str(caught.value.hint)
    ports.check_port("socket://localhost:9090")  # a name, and no file
