"""Every file stands alone, for every compiler; what the library uses of its surroundings."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-ffp-contract=off")
COMPILERS = {
    "gcc": ("gcc",),
    "clang": ("clang",),
    "cortex-m4": ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb"),
    "rv32imc": (
        "riscv64-unknown-elf-gcc",
        "--specs=picolibc.specs",
        "-march=rv32imc",
        "-mabi=ilp32",
    ),
    "xtensa": (
        "xtensa-lx106-elf-gcc",
        "--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs",
        "-mlongcalls",
    ),
}
# All that a freestanding C library has, and what compilers add for 64-bit arithmetic.
OUTSIDE = re.compile(r"runevm_\w+|mem(cpy|cmp|set|move)|strlen|strcmp|__aeabi_\w+|__\w+di3")
FLASH_BYTES_MAX = 20 * 1024
STACK_BYTES_MAX = 2048


def compiler(name: str) -> tuple[str, ...]:
    assert shutil.which(COMPILERS[name][0]), f"{COMPILERS[name][0]} is not installed: make setup"
    return COMPILERS[name]


@pytest.mark.parametrize("name", COMPILERS)
def test_each_file_compiles_alone_without_a_warning(
    name: str, runevm: Path, tmp_path: Path
) -> None:
    sources = sorted((runevm / "src").glob("*.c"))
    assert len(sources) > 10
    command = [*compiler(name), *STRICT, "-Os", f"-I{runevm / 'include'}", "-c"]
    command += map(str, sources)
    subprocess.run(command, check=True, cwd=tmp_path)
    assert len(list(tmp_path.glob("*.o"))) == len(sources)


@pytest.mark.parametrize("language", ["c11", "c++11"])
def test_each_public_header_compiles_alone(language: str, runevm: Path) -> None:
    for header in sorted((runevm / "include").glob("*.h")):
        command = [*compiler("gcc"), "-x", language.rstrip("1"), f"-std={language}", "-Wall"]
        command += ["-Wextra", "-Werror", f"-I{runevm / 'include'}", "-fsyntax-only", "-"]
        subprocess.run(command, input=f'#include "{header.name}"\n', text=True, check=True)


@pytest.fixture(scope="module")
def arm_objects(runevm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arm")
    command = [*compiler("cortex-m4"), *STRICT, "-Os", "-fcallgraph-info=su", "-c"]
    command += [f"-I{runevm / 'include'}", *map(str, sorted((runevm / "src").glob("*.c")))]
    subprocess.run(command, check=True, cwd=folder)
    return folder


def text_bytes(objects: Iterable[Path]) -> int:
    command = ["arm-none-eabi-size", *map(str, objects)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return sum(int(line.split()[0]) for line in lines[1:])


def test_the_library_has_no_globals_but_constants_and_needs_no_heap(arm_objects: Path) -> None:
    command = ["arm-none-eabi-nm", *map(str, arm_objects.glob("*.o"))]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    symbols = [line.split()[-2:] for line in lines if line and not line.endswith(":")]
    assert len(symbols) > 100
    assert {name for kind, name in symbols if kind in "bBdDcCgGsS"} == set()
    outside = {name for kind, name in symbols if kind == "U"}
    assert {name for name in outside if not OUTSIDE.fullmatch(name)} == set()


def test_the_library_fits_its_flash_budget_on_a_cortex_m4(arm_objects: Path) -> None:
    assert text_bytes(arm_objects.glob("*.o")) <= FLASH_BYTES_MAX


@pytest.fixture(scope="module")
def calls(arm_objects: Path) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Bytes of stack of each function, and whom it calls, as the compiler says."""
    frames: dict[str, int] = {}
    called: dict[str, set[str]] = {}
    for path in arm_objects.glob("*.ci"):
        text = path.read_text()
        for title, size in re.findall(r'node: { title: "([^"]+)" label: "[^"]*?(\d+) bytes', text):
            frames[title] = int(size)
        for source, target in re.findall(
            r'edge: { sourcename: "([^"]+)" targetname: "([^"]+)', text
        ):
            called.setdefault(source, set()).add(target)
    return frames, called


def paths(function: str, called: dict[str, set[str]], above: list[str]) -> Iterator[list[str]]:
    assert function not in above, f"recursion: {[*above, function]}"
    yield [*above, function]
    for target in called.get(function, ()):
        yield from paths(target, called, [*above, function])


def test_nothing_recurses_and_the_stack_is_bounded(
    calls: tuple[dict[str, int], dict[str, set[str]]],
) -> None:
    frames, called = calls
    assert len(frames) > 50
    worst = max(
        sum(frames.get(step, 0) for step in path)
        for function in frames
        for path in paths(function, called, [])
    )
    assert 0 < worst <= STACK_BYTES_MAX


def test_limits_are_those_of_the_format(runevm: Path) -> None:
    from runec.container import limits

    text = (runevm / "include" / "runevm_limits.h").read_text()
    text = text.partition("/* Of this library")[0]
    defined = dict(re.findall(r"#define RUNEVM_(MAX_\w+) (\d+)", text))
    assert len(defined) >= 11
    for name, value in defined.items():
        assert getattr(limits, name) == int(value), name


def test_error_names_and_numbers_agree(runevm: Path) -> None:
    header = (runevm / "include" / "runevm.h").read_text()
    source = (runevm / "src" / "error.c").read_text()
    codes = re.findall(r"RUNEVM_ERR_(\w+) = (\d+)", header)
    assert len(codes) == 24
    named = re.findall(r'case RUNEVM_ERR_(\w+): return "(\w+)"', source)
    assert named == [(name, name) for name, _ in codes]
