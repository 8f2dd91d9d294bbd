"""Holds a labwired simulator for test_hal_on_boards.py: ELF CHIP, requests as JSON on stdin."""

from __future__ import annotations

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
    config:
      i2c_address: 0x53
board_io: []
"""


def start(elf: str, chip: str) -> Any:
    """Return the simulator, with the part on the chip's first I2C bus."""
    path = Path(labwired.__file__).parent / "configs" / "chips" / f"{chip}.yaml"
    bus = "i2c1" if 'id: "i2c1"' in path.read_text(encoding="utf-8") else "i2c0"
    with tempfile.TemporaryDirectory() as folder:
        system = Path(folder) / "system.yaml"
        system.write_text(PART.format(chip=path, bus=bus), encoding="utf-8")
        return labwired.Sim(elf, system=system)


def said(sim: Any) -> str:
    """Run until the program has answered and is silent again."""
    text = ""
    steps = silence = 0
    while silence < 5 and steps < 500:
        sim.run_for(2e-4)
        more = sim.read_uart()
        text += more
        steps += 1
        silence = silence + 1 if text and not more else 0
    return text


def main() -> None:
    """Serve requests until stdin ends."""
    sim = start(*sys.argv[1:])
    for line in sys.stdin:
        what, *values = json.loads(line)
        answer: list[object] = []
        if what == "send":
            sim.send_bytes(bytes(values[0]))
            answer = [*said(sim).splitlines()]
        elif what == "restart":
            sim.send_bytes(bytes(values[0]))
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
