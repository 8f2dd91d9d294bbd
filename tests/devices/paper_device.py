"""A program whose stdin and stdout are the console of conftest's device.

It takes the command line of an emulator; the machine's name says how the device behaves.
"""

from __future__ import annotations

import importlib.util
import os
import select
import struct
import sys
import time
from pathlib import Path
from typing import Any


def load_device() -> Any:
    path = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("paper_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.Device


def echo() -> Any:
    data = yield ("need", 1, 4)
    (value,) = struct.unpack("<f", data)
    tensor = f'{{"element-type":"f32","dimensions":[1,1],"elements":[{value:.7g}]}}'
    return f'{{"2":[{tensor}]}}\n'.encode()


def trap() -> Any:
    yield ("need", 1, 4)
    yield ("error", 302, "mod360", "load at 70000")


def refuse() -> Any:
    yield ("error", 203, "net", "in front of a full pool")


def greedy() -> Any:
    yield ("need", 1, 2**31)
    return b"\n"


def stranger() -> Any:
    yield ("need", 9, 4)
    return b"\n"


def main() -> None:
    behaviour = sys.argv[sys.argv.index("-M") + 1]
    runs = {"trap": trap, "greedy": greedy, "stranger": stranger, "refuses": refuse}
    facts: dict[str, Any] = {"refuses": {"status": 203}, "old": {"abi": 7}}.get(behaviour, {})
    if behaviour == "other":
        facts = {"digest": bytes(32)}
    if behaviour == "ends":
        sys.stderr.write(
            "qemu: warning: first words\n\nqemu: fatal: Lockup: no HardFault\n\n"
            + "".join(f"R0{number}=00000000\n" for number in range(8))
            + "FPSCR: 00000000\n"
        )
        sys.exit(1)
    if behaviour == "silent":
        time.sleep(3600)
    device = load_device()(runs.get(behaviour, echo), **facts)
    device.boot()
    while True:
        os.write(1, device.take())
        if behaviour == "hangs" and device.runs_started:
            time.sleep(3600)
        if behaviour == "dies" and device.runs_started:
            sys.exit(3)
        if select.select([0], [], [], 0.05)[0]:
            data = os.read(0, 4096)
            if not data:
                return
            device.receive(data, time.monotonic() * 1000)
        device.tick(time.monotonic() * 1000)


if __name__ == "__main__":
    main()
