"""A board at a serial port: a pseudo-terminal with a device behind it, that can be unplugged."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from serial.tools import list_ports

from runec.boards import load_board
from runec.codegen import compile_pipeline
from runec.container import Rune, write_rune
from runec.devices import Target, run, run_bytes, serial_port, start_emulator
from runec.devices.ports import Port, find_port
from runec.devices.serial_port import SerialTransport
from runec.diagnostics import MachineError, RuneError, UsageError
from runec.firmware import DeviceRune, held_firmware
from runec.frontend import analyse
from runec.vm import Inputs
from tests.devices.plugged_port import POLL_S, Paper, Plug, echo, plugged

NOOP = Path(__file__).resolve().parents[2] / "examples" / "noop"


@pytest.fixture
def port(tmp_path: Path) -> Path:
    return tmp_path / "ttyACM0"


@pytest.fixture
def target(port: Path) -> Target:
    return Target.parse(f"serial:{port}")


def test_a_board_at_a_port_runs_its_rune(
    make_device: Callable[..., Any], rune: Rune, inputs: Inputs, port: Path, target: Target
) -> None:
    log: list[str] = []
    device = make_device(echo)
    device.boot()
    with plugged(Paper(device), port):
        lines = list(run(rune, inputs, target, repeats=3, log=log.append))
    assert lines == ['{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}'] * 3
    assert log == [f"serial:{port}: hello from paper"]


class Boots(Paper):
    """A device whose boot ROM speaks first, at another speed."""

    def __init__(self, device: Any, words: bytes) -> None:
        super().__init__(device)
        self.words = words

    def exchange(self, data: bytes) -> bytes:
        said, self.words = self.words, b""
        return said + super().exchange(data)


@pytest.mark.parametrize("baud", [921_600, 115_200])
def test_words_before_the_first_frame_are_dropped_at_another_speed_than_the_roms(
    make_device: Callable[..., Any], rune: Rune, inputs: Inputs, port: Path, baud: int
) -> None:
    log: list[str] = []
    device = make_device(echo)
    device.boot()
    target = Target.parse(f"serial:{port}@{baud}")
    with plugged(Boots(device, b"\0zzNqq Wx\0"), port):
        lines = list(run(rune, inputs, target, log=log.append))
    assert lines == ['{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}']
    assert [line for line in log if "zzN" in line] == (
        [f"serial:{port}: zzNqq Wx"] if baud == 115_200 else []
    )


def test_what_never_says_hello_is_quoted(
    rune: Rune, inputs: Inputs, port: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_port, "GREETING_S", 0.5)

    class Other:
        def exchange(self, data: bytes) -> bytes:
            return b"\0another firmware\0" if data else b""

    target = Target.parse(f"serial:{port}@921600")
    with plugged(Other(), port), pytest.raises(RuneError) as caught:
        list(run_bytes(rune, inputs, target))
    assert caught.value.code == "R0901"
    assert caught.value.notes == ("another firmware",)


def test_of_two_ports_of_a_probe_the_one_that_answers_is_taken(
    make_device: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [str(tmp_path / "ttyACM0"), str(tmp_path / "ttyACM1")]
    monkeypatch.setattr(serial_port, "ASKED_S", 0.5)
    board = load_board("nrf52840_dk")

    def show(*locations: str) -> None:
        items: list[Any] = [
            SimpleNamespace(
                device=name, vid=0x1366, pid=0x1055, description="n/a", location=location
            )
            for name, location in zip(names, locations, strict=True)
        ]
        monkeypatch.setattr(list_ports, "comports", lambda: items)

    def find() -> str:
        answers = partial(_answers, baud=board.hal.baud)
        return find_port([board], answers=answers).device

    class Dead(Paper):
        def exchange(self, _data: bytes) -> bytes:
            return b""

    live = Paper(make_device(echo))
    show("1-2:1.1", "1-2:1.3")
    with plugged(Dead(None), Path(names[0])), plugged(live, Path(names[1])):
        assert find() == names[1]
        # two probes: it may be either
        show("1-2:1.1", "1-3:1.1")
        with pytest.raises(UsageError) as caught:
            find()
    assert caught.value.code == "R0943"
    show("1-2:1.1", "1-2:1.3")
    both = plugged(Dead(None), Path(names[0])), plugged(Dead(None), Path(names[1]))
    with both[0], both[1], pytest.raises(UsageError, match="several ports"):
        find()


def _answers(port: Port, *, baud: int) -> bool:
    return serial_port.says_hello(port.device, baud)


def test_a_board_that_was_up_all_along_is_asked_who_it_is(
    make_device: Callable[..., Any], rune: Rune, inputs: Inputs, port: Path, target: Target
) -> None:
    with plugged(Paper(make_device(echo)), port):
        for _ in range(2):
            assert list(run_bytes(rune, inputs, target)) == [
                b'{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}\n'
            ]


def test_a_port_that_is_unplugged_in_a_run_is_told_and_works_when_it_is_back(
    make_device: Callable[..., Any], rune: Rune, inputs: Inputs, port: Path, target: Target
) -> None:
    unplugs: list[Callable[[], None]] = []

    class Pulled(Paper):
        def exchange(self, data: bytes) -> bytes:
            said = super().exchange(data)
            if self.device.runs_started == 2 and unplugs:
                threading.Thread(target=unplugs.pop()).start()
                return b""
            return said

    with plugged(Pulled(make_device(echo)), port) as unplug:
        unplugs.append(unplug)
        results = run(rune, inputs, target, repeats=2)
        assert next(results) == '{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}'
        with pytest.raises(RuneError) as caught:
            next(results)
    assert (caught.value.code, caught.value.exit_code) == ("R0940", 3)
    assert str(port) in caught.value.message
    with pytest.raises(MachineError) as missing:
        list(run(rune, inputs, target))
    assert missing.value.code == "R0941"
    device = make_device(echo)
    device.boot()
    with plugged(Paper(device), port):
        assert list(run(rune, inputs, target)) == [
            '{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}'
        ]


def test_a_debuggers_socket_is_a_port_too(
    make_device: Callable[..., Any], rune: Rune, inputs: Inputs
) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        device = Paper(make_device(echo))

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                plug = Plug(device, connection.fileno())
                done.wait(60)
                plug.pull()

        done = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        stack.callback(thread.join, 30)
        stack.callback(done.set)
        target = Target.parse(f"serial:socket://127.0.0.1:{server.getsockname()[1]}")
        assert list(run(rune, inputs, target)) == [
            '{"2":[{"element-type":"f32","dimensions":[1,1],"elements":[0.8]}]}'
        ]


def test_another_rune_on_the_board_is_not_run(
    make_device: Callable[..., Any], rune: Rune, inputs: Inputs, port: Path, target: Target
) -> None:
    device = make_device(echo, digest=bytes(32))
    with plugged(Paper(device), port), pytest.raises(RuneError) as caught:
        list(run(rune, inputs, target))
    assert caught.value.code == "R0917"
    assert "runec flash" in str(caught.value.hint), "a build alone changes no board"
    assert device.runs_started == 0


def test_a_board_that_says_nothing_is_given_up(
    rune: Rune, inputs: Inputs, port: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        def exchange(self, _data: bytes) -> bytes:
            return b""

    monkeypatch.setattr(SerialTransport, "retry_ms", 20.0)
    with plugged(Silent(), port), pytest.raises(RuneError) as caught:
        list(run(rune, inputs, target))
    assert caught.value.code == "R0901"
    assert "@BAUD" in str(caught.value.hint)
    assert "runec flash" in str(caught.value.hint)


def test_a_missing_port_lists_the_others(rune: Rune, inputs: Inputs, target: Target) -> None:
    with pytest.raises(MachineError) as caught:
        list(run(rune, inputs, target))
    assert (caught.value.code, caught.value.exit_code) == ("R0941", 4)
    assert "no such port" in caught.value.message
    assert "found:" in str(caught.value.hint)


def test_a_file_that_is_no_port_is_told() -> None:
    with pytest.raises(MachineError, match="/dev/null: it is not a serial port") as caught:
        SerialTransport("/dev/null")
    assert caught.value.code == "R0941"


@pytest.mark.parametrize("port", ["socket://", "socket://localhost", "socket://localhost:x"])
def test_an_address_without_host_and_port_is_told(port: str) -> None:
    with pytest.raises(MachineError, match="no host and port in it") as caught:
        SerialTransport(port)
    assert caught.value.code == "R0941"
    assert "socket://HOST:PORT" in str(caught.value.hint)


def test_an_address_where_nobody_listens_is_told() -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = f"socket://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(MachineError, match="refused") as caught:
            SerialTransport(port)
    assert "start the server and pass its address" in str(caught.value.hint)


def test_a_port_that_somebody_holds_is_told(make_device: Callable[..., Any], port: Path) -> None:
    with plugged(Paper(make_device(echo)), port):
        first = SerialTransport(str(port))
        with pytest.raises(MachineError) as caught:
            SerialTransport(str(port))
        first.close()
        SerialTransport(str(port)).close()
    assert caught.value.code == "R0941"
    assert "it is in use by another program" in caught.value.message


def test_a_port_without_permission_names_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(MachineError) as caught:
        SerialTransport("/dev/ttyUSB0")
    assert "dialout" in str(caught.value.hint)


class Emulated:
    """An emulator's console behind the port."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def exchange(self, data: bytes) -> bytes:
        if data:
            self.transport.send(data)
        said: bytes = self.transport.receive(None, time.monotonic() + POLL_S)
        return said


@pytest.mark.emulated
def test_firmware_at_a_port_prints_what_the_host_prints(port: Path, target: Target) -> None:
    pipeline = analyse(NOOP / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    inputs = Inputs(raw=(NOOP / "input.bin",))
    board = load_board("netduinoplus2")
    with held_firmware(DeviceRune.of(rune), board) as built:
        transport = start_emulator(board, built.elf)
    with contextlib.closing(transport), plugged(Emulated(transport), port):
        for _ in range(2):
            lines = list(run(rune, inputs, target, repeats=2))
            assert lines == list(run(rune, inputs, Target("host"), repeats=2))


@pytest.mark.emulated
def test_real_firmware_that_is_unplugged_in_a_run_runs_when_it_is_back(
    port: Path, target: Target
) -> None:
    pipeline = analyse(NOOP / "Runefile.yml").pipeline
    rune = write_rune(pipeline, compile_pipeline(pipeline))
    inputs = Inputs(raw=(NOOP / "input.bin",))
    board = load_board("netduinoplus2")
    with held_firmware(DeviceRune.of(rune), board) as built:
        transport = start_emulator(board, built.elf)
    with contextlib.closing(transport):
        for _ in range(2):
            with plugged(Emulated(transport), port) as unplug:
                results = run(rune, inputs, target, repeats=100_000)
                first = next(results)
                threading.Timer(0.2, unplug).start()
                lines = {first}
                with pytest.raises(RuneError) as caught:
                    lines.update(results)
            assert caught.value.code == "R0940"
            assert lines == {first}
        with plugged(Emulated(transport), port):
            assert list(run(rune, inputs, target)) == list(run(rune, inputs, Target("host")))
