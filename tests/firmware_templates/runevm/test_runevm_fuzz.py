"""The fuzz targets build and survive a short, repeatable run; `make fuzz` gives them longer."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.firmware_templates.runevm import handmade_runes as made
    from tests.firmware_templates.runevm.conftest import Build
else:
    import handmade_runes as made

RUNS = {"rune_read": 8000, "link": 10000}


def seeds(target: str) -> list[bytes]:
    if target == "rune_read":
        return [made.full_rune(), made.Pipe(model=b"\x01", blobs={"x": b"y" * 30}).build()]
    chance = made.dice(3)
    frames = [
        bytes((0xFD, chance.randrange(1, 7), chance.choice((0, 2, 4, 5, 6, 8, 10))))
        + bytes(4)
        + chance.randbytes(7)
        for _ in range(60)
    ]
    return [b"".join(frames), b"\xfe\xfe".join(frames), b"\0" * 10]


@pytest.mark.parametrize("target", RUNS)
def test_a_fuzz_target_finds_nothing(target: str, build: Build, tmp_path: Path) -> None:
    name = f"fuzz_{target}"
    program = build(name, [f"{name}.c", "fuzz_main.c", "fake_engines.c"])
    files = []
    for number, data in enumerate(seeds(target)):
        files.append(tmp_path / f"seed{number}")
        files[-1].write_bytes(data)
    done = subprocess.run(
        [program, str(RUNS[target]), "1", *files], capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
