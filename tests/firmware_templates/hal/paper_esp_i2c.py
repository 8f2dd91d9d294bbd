"""The I2C of ESP32 and ESP32-C3 as their manuals have it: controller, GPIO matrix, pads, a part.

Strict where silicon forgives: an access that no manual names, a FIFO that is overfilled or read
while it is empty, a command for no bytes, a controller without its clock are errors of the program
that does it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

RSTART, WRITE, READ, STOP, END = "RSTART", "WRITE", "READ", "STOP", "END"
END_DETECT, TRANS_COMPLETE, TIME_OUT, NACK = 1 << 3, 1 << 7, 1 << 8, 1 << 10
FIFO_BYTES = 32
EXT0 = 1 << 7
DRAIN, WPU, IE = 1 << 2, 1 << 8, 1 << 9
CTR_OPEN_DRAIN, CTR_MASTER, CTR_START = 0b11, 1 << 4, 1 << 5
TIMES = (0x00, 0x0C, 0x30, 0x34, 0x38, 0x40, 0x44, 0x48, 0x4C, 0x50, 0x54)


@dataclass(frozen=True)
class Chip:
    """What the two manuals say differently."""

    i2c: int
    fifo: int
    gpio: int
    pin: int
    in_select: int
    out_select: int
    by_matrix: int
    own_bit: int
    pad_function: int
    pads: Mapping[int, int]
    clock: int
    reset: int
    scl_signal: int
    sda_signal: int
    operations: Mapping[int, str]
    commands: int
    update: int
    reset_values: Mapping[int, int]


ESP32 = Chip(
    i2c=0x3FF5_3000,
    fifo=0x6001_301C,
    gpio=0x3FF4_4000,
    pin=0x88,
    in_select=0x130,
    out_select=0x530,
    by_matrix=1 << 7,
    own_bit=256,
    pad_function=2 << 12,
    pads={21: 0x3FF4_907C, 22: 0x3FF4_9080},
    clock=0x3FF0_00C0,
    reset=0x3FF0_00C4,
    scl_signal=29,
    sda_signal=30,
    operations={0: RSTART, 1: WRITE, 2: READ, 3: STOP, 4: END},
    commands=16,
    update=0,
    reset_values={0x04: 0x3, 0x18: 0x155_408B, 0x50: 0x8, 0x54: 0x8},
)
ESP32C3 = Chip(
    i2c=0x6001_3000,
    fifo=0x6001_301C,
    gpio=0x6000_4000,
    pin=0x74,
    in_select=0x154,
    out_select=0x554,
    by_matrix=1 << 6,
    own_bit=128,
    pad_function=1 << 12,
    pads={4: 0x6000_9014, 5: 0x6000_9018},
    clock=0x600C_0010,
    reset=0x600C_0018,
    scl_signal=53,
    sda_signal=54,
    operations={1: WRITE, 2: STOP, 3: READ, 4: END, 6: RSTART},
    commands=8,
    update=1 << 11,
    reset_values={0x04: 0x20B, 0x18: 0x408B, 0x50: 0x300, 0x54: 0x20_0000},
)


@dataclass
class Part:
    """Registers behind a pointer that counts up, at a 7-bit address."""

    address: int
    registers: bytearray = field(default_factory=lambda: bytearray(range(256)))
    pointer: int | None = None
    reads: bool | None = None
    acknowledges_left: int = 10**6
    clocks_until_release: int = 0
    """It holds SDA low until it got so many clocks."""
    holds_scl: bool = False
    shorts_sda: bool = False
    trouble: str = ""
    """What begins with the next byte: "holds" SCL, or "shorts" SDA."""
    log: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.reads = None
        self.log.append("start")

    def stop(self) -> None:
        self.reads = None
        self.log.append("stop")

    def take(self, byte: int) -> bool:
        """Take a byte from the master; is it acknowledged?"""
        self.holds_scl = self.trouble == "holds"
        if self.reads is None:
            if byte >> 1 != self.address:
                return False
            self.reads = bool(byte & 1)
            if not self.reads:
                self.pointer = None
        elif self.pointer is None:
            self.pointer = byte
        else:
            self.registers[self.pointer % 256] = byte
            self.pointer += 1
        self.acknowledges_left -= 1
        return self.acknowledges_left >= 0

    def give(self, *, acknowledged: bool) -> int:
        assert self.reads, "the part was not asked for bytes"
        assert self.pointer is not None
        self.shorts_sda = self.trouble == "shorts"
        byte = self.registers[self.pointer % 256]
        self.pointer += 1
        if not acknowledged:
            self.reads = None
        return byte


class Board:
    """A chip with a part between its pins `scl` and `sda`."""

    def __init__(self, chip: Chip, scl: int, sda: int, part: Part) -> None:
        self.chip = chip
        self.scl, self.sda = scl, sda
        self.part = part
        self.clock_enabled = self.in_reset = 0
        self.gpio = {"out": 0, "enable": 0}
        self.matrix: dict[int, int] = {}
        self.pad_values: dict[int, int] = {}
        self.has_time_out = True
        self.now_ms = 0
        self.runs: list[list[tuple[str, int]]] = []
        self._reset()

    # The controller ---------------------------------------------------------------------------

    def _reset(self) -> None:
        self.values = dict(self.chip.reset_values)
        self.active = dict(self.values)
        self.transmit: deque[int] = deque()
        self.receive: deque[int] = deque()
        self.events = 0
        self.holds_scl = self.busy = False

    def _control(self, value: int) -> None:
        before = self.values[0x04]
        assert not value & ~(0x1FF | self.chip.update), "bits for others than a master"
        self.values[0x04] = value & ~self.chip.update
        if not self.chip.update or value & self.chip.update:
            self.active = dict(self.values)
        if value & CTR_START and (self.chip.update or not before & CTR_START):
            self._execute()

    def _execute(self) -> None:
        assert not self.busy, "a list was started while another one is executed"
        assert self.values[0x04] & CTR_MASTER
        assert self.values[0x04] & CTR_OPEN_DRAIN == CTR_OPEN_DRAIN
        if self.chip.update:
            assert not self.values[0x04] & 1 << 3, "a full FIFO would end the acknowledges"
        assert all(self.active.get(at) == self.values.get(at) for at in TIMES), "not taken over"
        self.busy = True
        self.holds_scl = False
        run: list[tuple[str, int]] = []
        self.runs.append(run)
        for number in range(self.chip.commands):
            word = self.active.get(0x58 + 4 * number, 0)
            operation, count = self.chip.operations[word >> 11 & 7], word & 0xFF
            run.append((operation, count))
            if not self._command(operation, count, word):
                return
        raise AssertionError("the list has no end")

    def _command(self, operation: str, count: int, word: int) -> bool:
        """Execute one command; does the next one follow?"""
        if self.part.holds_scl:
            self.events |= TIME_OUT if self.has_time_out else 0
            return False
        if operation == RSTART:
            if self._heard():
                self.part.start()
        elif operation == WRITE:
            assert count > 0, "a command for no bytes never ends"
            assert word & 1 << 8, "nobody looks whether a byte is acknowledged"
            for _ in range(count):
                byte = self.transmit.popleft()
                low = self.part.shorts_sda
                if not low and not (self._heard() and self.part.take(byte)):
                    # The manual promises the interrupt; what SCL does then was seen on silicon.
                    self.events |= NACK
                    self.holds_scl = True
                    return False
        elif operation == READ:
            assert count > 0, "a command for no bytes never ends"
            for _ in range(count):
                byte = self.part.give(acknowledged=not word & 1 << 10)
                self.receive.append(0 if self.part.shorts_sda else byte)
                assert len(self.receive) <= FIFO_BYTES, "the FIFO is too full to receive"
        elif operation == STOP:
            assert not self.part.reads, "a part that is not told to end may hold SDA low"
            if self._heard():
                self.part.stop()
            self.busy = False
            self.events |= TRANS_COMPLETE
            return False
        else:
            self.busy = False
            self.holds_scl = True
            self.events |= END_DETECT
            return False
        return True

    def _heard(self) -> bool:
        """Is the controller joined to both pins, in both directions?"""
        chip = self.chip
        return all(
            self._drives(pin) == signal
            and self.matrix.get(chip.in_select + 4 * signal) == chip.by_matrix | pin
            for pin, signal in ((self.scl, chip.scl_signal), (self.sda, chip.sda_signal))
        )

    # The pins ---------------------------------------------------------------------------------

    def _drives(self, pin: int) -> int:
        return self.matrix.get(self.chip.out_select + 4 * pin, self.chip.own_bit)

    def _let_go(self, pin: int) -> bool:
        if not self.gpio["enable"] >> pin & 1:
            return True
        if self._drives(pin) == self.chip.own_bit:
            high = bool(self.gpio["out"] >> pin & 1)
        else:
            high = pin != self.scl or not self.holds_scl
        assert not high or self.matrix.get(self.chip.pin + 4 * pin, 0) & DRAIN, "driven high"
        return high

    def level(self, pin: int) -> bool:
        """What the wire is at."""
        pad = self.pad_values.get(pin, 0)
        pulled_up = bool(pad & WPU) and pad & 7 << 12 == self.chip.pad_function
        if pin == self.scl:
            part = not (self.part.holds_scl)
        else:
            part = not (self.part.clocks_until_release or self.part.shorts_sda)
        return pulled_up and part and self._let_go(pin)

    def _gpio(self, offset: int, value: int) -> None:
        before = self.level(self.scl), self.level(self.sda)
        name = "out" if offset < 0x20 else "enable"
        if offset in (0x08, 0x24):
            self.gpio[name] |= value
        else:
            self.gpio[name] &= ~value
        after = self.level(self.scl), self.level(self.sda)
        if not before[0] and after[0] and self.part.clocks_until_release:
            self.part.clocks_until_release -= 1
        if before == (True, False) and after == (True, True):
            self.part.stop()

    # What the program does --------------------------------------------------------------------

    def write(self, address: int, value: int) -> None:
        """A store."""
        chip = self.chip
        if address == chip.clock:
            self.clock_enabled = value
        elif address == chip.reset:
            self.in_reset = value & EXT0
            if self.in_reset:
                self._reset()
        elif address in chip.pads.values():
            pin = next(pin for pin, pad in chip.pads.items() if pad == address)
            self.pad_values[pin] = value
        elif address == chip.fifo:
            self._clocked()
            assert len(self.transmit) < FIFO_BYTES, "the FIFO is full"
            self.transmit.append(value)
        elif chip.gpio <= address < chip.gpio + 0x1000:
            offset = address - chip.gpio
            if offset in (0x08, 0x0C, 0x24):
                self._gpio(offset, value)
            else:
                matrix = [chip.pin + 4 * pin for pin in chip.pads]
                matrix += [chip.out_select + 4 * pin for pin in chip.pads]
                matrix += [chip.in_select + 4 * s for s in (chip.scl_signal, chip.sda_signal)]
                assert offset in matrix, hex(address)
                self.matrix[offset] = value
        else:
            self._controller(address - chip.i2c, value)

    def _clocked(self) -> None:
        assert self.clock_enabled & EXT0, "the controller has no clock"
        assert not self.in_reset, "the controller is held in reset"

    def _controller(self, offset: int, value: int) -> None:
        self._clocked()
        if offset == 0x04:
            self._control(value)
        elif offset == 0x24:
            self.events &= ~value
        elif offset == 0x18:
            if value & 1 << 12:
                self.receive.clear()
            if value & 1 << 13:
                self.transmit.clear()
            self.values[offset] = value
        else:
            commands = range(0x58, 0x58 + 4 * self.chip.commands, 4)
            assert offset in TIMES or offset in commands, hex(offset)
            self.values[offset] = value

    def read(self, address: int) -> int:
        """A load."""
        chip = self.chip
        if address == chip.clock:
            return self.clock_enabled
        if address == chip.reset:
            return self.in_reset
        if address == chip.gpio + 0x3C:
            # A pad whose input is off reads as low.
            on = [pin for pin in chip.pads if self.pad_values.get(pin, 0) & IE]
            return sum(self.level(pin) << pin for pin in on)
        self._clocked()
        if address == chip.i2c + 0x1C:
            return self.receive.popleft()
        if address == chip.i2c + 0x20:
            return self.events
        assert address in (chip.i2c + 0x04, chip.i2c + 0x18), hex(address)
        return self.values[address - chip.i2c]

    def milliseconds(self) -> int:
        """A clock that goes on as it is looked at."""
        self.now_ms += 1
        return self.now_ms
