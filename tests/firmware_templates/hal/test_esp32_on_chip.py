"""The ESP32's arithmetic where it will be used: our file and the compiler's library together."""

from __future__ import annotations

import itertools
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runec.boards import load_board
from runec.data import data_dir

HERE = Path(__file__).resolve().parent
HAL = data_dir("firmware_templates") / "hal" / "esp32"
LINKER = """ENTRY(runec_start)
SECTIONS {
    . = 0x400D0020;
    .text : { KEEP(*(.text.start)) *(.literal .literal.* .text .text.*) }
    . = 0x3F400020;
    .rodata : { *(.rodata .rodata.*) }
    . = 0x3FFB0000;
    .bss (NOLOAD) : { . += 4096; runec_stack_top = .; *(.bss .bss.* .data .data.*) }
}
"""
SIMULATE = """
import labwired, sys
sim = labwired.Sim(sys.argv[1], chip="esp32")
done, results = sim.symbol("on_chip_done"), sim.symbol("on_chip_results")
while not sim.read_u32(done):
    sim.run_for(5e-4)
open(sys.argv[2], "wb").write(bytes(sim.read_memory(results, int(sys.argv[3]))))
"""
RESULTS = np.dtype(
    [
        *((name, "<u4") for name in ("sum", "difference", "product", "quotient")),
        *((name, "<u4") for name in ("from_double", "from_int", "order", "whole")),
        *((name, "<u8") for name in ("sum2", "difference2", "product2", "quotient2")),
        *((name, "<u8") for name in ("from_float", "from_int2")),
        *((name, "<u4") for name in ("order2", "whole2")),
        *((name, "<i8") for name in ("long_quotient", "long_rest")),
    ]
)
FLOATS = (0, 1, 0x7FFFFF, 0x800000, 0x33800001, 0x3F7FFFFF, 0x3F800000, 0x40490FDB, 0x4B7FFFFF,
          0x7F7FFFFF, 0x7F800000, 0x7FC00000)  # fmt: skip


def operands() -> list[tuple[int, int, int, int]]:
    """Bits of two floats and two doubles."""
    chance = random.Random(7)  # noqa: S311 - numbers for a test
    edges = [bits | sign for bits in FLOATS for sign in (0, 0x8000_0000)]
    found = []
    for a, b in itertools.product(edges[:], edges[::3]):
        wide = [int(np.array(x, "<u4").view("<f4").astype("<f8").view("<u8")) for x in (a, b)]
        found.append((a, b, wide[0] ^ chance.getrandbits(20), wide[1]))
    bits = chance.getrandbits
    found += [(bits(32), bits(32), bits(64), bits(64)) for _ in range(300)]
    assert len(found) <= 512, "what on_chip.c has room for"
    return found


def canonical(values: np.ndarray, bits: str) -> np.ndarray:
    """Return bits, every NaN as the one that the chip gives."""
    nan = 0x7FC00000 if bits == "<u4" else 0x7FF8000000000000
    return np.where(np.isnan(values), np.array(nan, bits), values.view(bits))


def order(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    unordered = np.isnan(x) | np.isnan(y)
    facts = (x < y, x <= y, x == y, x >= y, x > y, x != y, unordered)
    bits = [fact.astype("<u4") << np.uint32(i) for i, fact in enumerate(facts)]
    found: np.ndarray = np.bitwise_or.reduce(np.array(bits))
    return found


def whole(x: np.ndarray) -> np.ndarray:
    fits = (x > -1e9) & (x < 1e9)
    return np.where(fits, x, 0).astype("<i4").view("<u4")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What the emulated chip made of the operands."""
    folder = tmp_path_factory.mktemp("chip")
    rows = b"".join(struct.pack("<IIQQ", *row) for row in operands())
    (folder / "operands.bin").write_bytes(rows)
    (folder / "operands.S").write_text(
        ".section .rodata\n.balign 8\n.globl on_chip_operands, on_chip_count\n"
        'on_chip_operands: .incbin "operands.bin"\n'
        f"on_chip_count: .long {len(operands())}\n"
    )
    (folder / "chip.ld").write_text(LINKER)
    toolchain = load_board("esp32").toolchain
    command = [f"{toolchain.prefix}gcc", *toolchain.flags, "-std=c11", "-Os", "-ffp-contract=off"]
    command += ["-nostartfiles", "-T", "chip.ld", str(HERE / "on_chip.c"), "operands.S"]
    command += [str(HAL / "start.S"), str(HAL / "arithmetic.c"), "-o", "chip.elf"]
    subprocess.run(command, check=True, cwd=folder)
    size = len(operands()) * RESULTS.itemsize
    # A process of its own: the simulator speaks on stdout.
    simulate = [sys.executable, "-c", SIMULATE, "chip.elf", "results.bin", str(size)]
    subprocess.run(simulate, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=600)
    found: np.ndarray = np.frombuffer((folder / "results.bin").read_bytes(), RESULTS)
    return found


@pytest.mark.emulated
def test_the_chip_calculates_and_compares_as_numpy_does(seen: np.ndarray) -> None:
    rows = operands()
    a, b = (np.array([row[i] for row in rows], "<u4").view("<f4") for i in (0, 1))
    c, d = (np.array([row[i] for row in rows], "<u8").view("<f8") for i in (2, 3))
    with np.errstate(all="ignore"):
        expected = {
            "sum": canonical(a + b, "<u4"),
            "difference": canonical(a - b, "<u4"),
            "product": canonical(a * b, "<u4"),
            "quotient": canonical(a / b, "<u4"),
            "from_double": canonical(c.astype("<f4"), "<u4"),
            "from_int": (c.view("<i8") >> 32).astype("<i4").astype("<f4").view("<u4"),
            "order": order(a, b),
            "whole": whole(a),
            "sum2": canonical(c + d, "<u8"),
            "difference2": canonical(c - d, "<u8"),
            "product2": canonical(c * d, "<u8"),
            "quotient2": canonical(c / d, "<u8"),
            "from_float": canonical(a.astype("<f8"), "<u8"),
            "from_int2": c.view("<i8").astype("<i4").astype("<f8").view("<u8"),
            "order2": order(c, d),
            "whole2": whole(c),
        }
    for name, values in expected.items():
        wrong = np.flatnonzero(seen[name] != values)
        assert wrong.size == 0, (name, [hex(part) for part in rows[wrong[0]]])
    for row, found in zip(rows, seen, strict=True):
        left, right = (
            int.from_bytes(x.to_bytes(8, "little"), "little", signed=True) for x in row[2:]
        )
        right |= 1
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        assert int(found["long_quotient"]) == quotient
        assert int(found["long_rest"]) == left - quotient * right
