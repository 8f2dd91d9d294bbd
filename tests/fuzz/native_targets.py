"""The fuzz targets in C: the device's readers, with libFuzzer and sanitizers (clang)."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[2]
HARNESSES = PROJECT / "tests" / "firmware_templates" / "runevm"
sys.path.insert(0, str(HARNESSES))

if TYPE_CHECKING:
    from tests.firmware_templates.runevm import handmade_runes as made
else:
    import handmade_runes as made

RUNEVM = PROJECT / "firmware_templates" / "runevm"

# Sources beside the target's own; the target `x` is fuzz_x.c.
TARGETS: dict[str, tuple[str, ...]] = {
    "rune_read": (),
    "link": ("fake_engines.c",),
    "spelling": (),
}
FLAGS = (
    *("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-g", "-O1"),
    *("-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"),
)
BYTES_MAX = 4096


class CannotBuildError(Exception):
    """There is no clang with libFuzzer, or a target does not compile."""


def build(names: list[str], folder: Path) -> dict[str, Path]:
    """Compile the library and targets into a folder and return the programs by target."""
    folder = folder / "native"
    folder.mkdir(parents=True, exist_ok=True)
    own = {name: [f"fuzz_{name}.c", *TARGETS[name]] for name in names}
    harnesses = [HARNESSES / source for source in sorted({s for of in own.values() for s in of})]
    library = sorted((RUNEVM / "src").glob("*.c"))
    include = [f"-I{RUNEVM / 'include'}", f"-I{RUNEVM / 'src'}", f"-I{HARNESSES}"]
    _clang([*FLAGS, *include, "-c", *map(str, [*library, *harnesses])], folder)
    programs = {}
    for name, sources in own.items():
        objects = [f"{Path(source).stem}.o" for source in (*sources, *map(str, library))]
        programs[name] = folder / f"fuzz_{name}"
        _clang([*FLAGS, *objects, "-o", str(programs[name])], folder)
    return programs


def _clang(arguments: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            ["clang", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
            cwd=folder,
        )
    except FileNotFoundError:
        raise CannotBuildError("clang is not installed") from None
    if done.returncode != 0:
        raise CannotBuildError(done.stderr)


def seeds(name: str) -> Iterator[bytes]:
    """Inputs to start from."""
    if name == "spelling":
        yield from (bytes.fromhex("000000000000f03f"), bytes.fromhex("9a9999999999b93f"))
        yield "größe \N{SNOWMAN} \U0001f40d".encode()
    elif name == "rune_read":
        yield made.full_rune()
        yield made.Pipe(model=b"\x01", blobs={"x": b"y" * 30}).build()
    else:
        chance = random.Random(3)  # noqa: S311 - repeatable, not secret
        frames = [
            bytes((0xFD, chance.randrange(1, 7), chance.choice((0, 2, 4, 5, 6, 8, 10))))
            + bytes(4)
            + chance.randbytes(7)
            for _ in range(60)
        ]
        yield from (b"".join(frames), b"\xfe\xfe".join(frames), b"\0" * 10)
