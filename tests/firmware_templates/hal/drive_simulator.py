"""Holds a labwired simulator for test_hal_on_boards.py: requests as JSON on stdin.

    ELF CHIP SDA SCL                      the console is the chip's UART
    ELF CHIP SDA SCL RTT ORIGIN BYTES   it is in RAM (ORIGIN, BYTES); RTT is where rtt.py is

SDA and SCL are the numbers of the part's pins, for the chip where labwired wants them.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import labwired

PART = """name: "probe"
chip: "{chip}"
external_devices:
  - id: "adxl345"
    type: "adxl345"
    connection: "{bus}"
{route}    config:
      i2c_address: 0x53
board_io: []
"""
ROUTE = """    route:
      sda: "GPIO{}"
      scl: "GPIO{}"
"""


def start(elf: str, chip: str, pins: tuple[str, str]) -> Any:
    """Return the simulator, with the part on the chip's first I2C bus."""
    path = Path(labwired.__file__).parent / "configs" / "chips" / f"{chip}.yaml"
    bus = "i2c1" if 'id: "i2c1"' in path.read_text(encoding="utf-8") else "i2c0"
    with tempfile.TemporaryDirectory() as folder:
        system = Path(folder) / "system.yaml"
        route = ROUTE.format(*pins) if chip == "esp32c3" else ""
        system.write_text(PART.format(chip=path, bus=bus, route=route), encoding="utf-8")
        return labwired.Sim(elf, system=system)


class Uart:
    """The console of most chips."""

    def __init__(self, sim: Any) -> None:
        self.sim = sim

    def send(self, data: bytes) -> None:
        """Give bytes to the chip."""
        self.sim.send_bytes(data)

    def exchange(self) -> str:
        """Return what the chip has said."""
        text: str = self.sim.read_uart()
        return text


class Memory:
    """The chip's memory, for rtt.py."""

    def __init__(self, sim: Any) -> None:
        self.sim = sim

    def read(self, address: int, length: int) -> bytes:
        """Return `length` bytes."""
        return bytes(self.sim.read_memory(address, length))

    def write_word(self, address: int, value: int) -> None:
        """Write 32 bits."""
        self.sim.write_u32(address, value)


class Rtt:
    """The console of a chip whose simulated UART receives nothing."""

    def __init__(self, sim: Any, path: str, origin: int, size: int) -> None:
        spec = importlib.util.spec_from_file_location("rtt", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        self.rtt = module.Rtt(Memory(sim), sim.symbol(module.SYMBOL), origin, size)
        while not sim.read_u32(sim.symbol(module.SYMBOL)):
            sim.run_for(2e-4)

    def send(self, data: bytes) -> None:
        """Give bytes to the chip, which has room for them."""
        self.rtt.send(data)
        self.exchange()

    def exchange(self) -> str:
        """Return what the chip has said."""
        text: bytes = self.rtt.exchange()
        return text.decode("latin-1")


def said(sim: Any, console: Uart | Rtt) -> str:
    """Run until the program has answered and is silent again."""
    text = ""
    steps = silence = 0
    while silence < 5 and steps < 500:
        sim.run_for(2e-4)
        more = console.exchange()
        text += more
        steps += 1
        silence = silence + 1 if text and not more else 0
    return text


def main() -> None:
    """Serve requests until stdin ends."""
    elf, chip, sda, scl, *ram = sys.argv[1:]
    sim = start(elf, chip, (sda, scl))
    console = Rtt(sim, ram[0], int(ram[1]), int(ram[2])) if ram else Uart(sim)
    for line in sys.stdin:
        what, *values = json.loads(line)
        answer: list[object] = []
        if what == "send":
            console.send(bytes(values[0]))
            answer = [*said(sim, console).splitlines()]
        elif what == "restart":
            console.send(bytes(values[0]))
            sim.run_for(2e-3)
        elif what == "wait":
            sim.run_for(values[0])
        elif what == "word":
            answer = [sim.read_u32(values[0])]
        elif what == "input":
            sim.set_input(*values)
        answer.append(sim.time)
        sys.stdout.write(f"answer {json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
