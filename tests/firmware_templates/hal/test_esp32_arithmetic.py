"""The ESP32's own arithmetic against this processor's, bit by bit."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.data import data_dir

HERE = Path(__file__).resolve().parent
SOURCE = data_dir("firmware_templates") / "hal" / "esp32" / "arithmetic.c"
STRICT = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
RANDOM_OPERANDS = 400_000
FLOAT_OPERATIONS = ("addsf3", "subsf3", "mulsf3", "divsf3")
DOUBLE_OPERATIONS = ("adddf3", "subdf3", "muldf3", "divdf3")
# What Debian's libgcc for Xtensa lx106 lacks of what GCC calls.
LACKING = {
    *FLOAT_OPERATIONS, *DOUBLE_OPERATIONS,
    "divsi3", "udivsi3", "modsi3", "umodsi3", "muldi3", "divdi3",
    "udivdi3", "umulsidi3", "fixunssfsi", "fixunsdfsi", "fixdfsi", "floatsisf", "floatunsisf",
    "floatsidf", "floatunsidf", "truncdfsf2", "extendsfdf2",
}  # fmt: skip


def build(folder: Path, name: str, *flags: str) -> Path:
    program = folder / name
    command = ["gcc", "-std=c11", "-O2", "-ffp-contract=off", *flags, "-DRUNEC_NAME(n)=my_##n"]
    command += [str(HERE / "arithmetic_check.c"), str(SOURCE), "-o", str(program)]
    subprocess.run(command, check=True, timeout=120)
    return program


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The comparing program, with sanitizers."""
    return build(tmp_path_factory.mktemp("arithmetic"), "checked", *SANITIZED)


def counts(output: str) -> dict[str, tuple[int, int]]:
    rows = [line.split() for line in output.splitlines()]
    return {name: (int(seen), int(wrong)) for name, seen, wrong in rows}


def test_random_operands_and_edge_cases_give_the_processors_bits(tmp_path: Path) -> None:
    program = build(tmp_path, "fast")
    command = [str(program), "20220613", str(RANDOM_OPERANDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    found = counts(done.stdout)
    assert set(found) >= LACKING
    assert {name: wrong for name, (_, wrong) in found.items() if wrong} == {}, done.stderr
    assert all(seen > RANDOM_OPERANDS // 2 for seen, _ in found.values())


def test_no_operand_makes_it_do_what_c_leaves_undefined(checked: Path) -> None:
    command = [str(checked), "7", "50000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not any(wrong for _, wrong in counts(done.stdout).values())


def test_a_wrong_bit_would_be_noticed(tmp_path: Path) -> None:
    spoilt = str(shutil.copy(SOURCE, tmp_path))
    text = SOURCE.with_name("float_width.h").read_text()
    ties = "(below == 4u && (value & 1u) != 0)"
    assert text.count(ties) == 1
    (tmp_path / "float_width.h").write_text(text.replace(ties, "below == 4u"))
    command = ["gcc", "-std=c11", "-O2", "-ffp-contract=off", "-DRUNEC_NAME(n)=my_##n"]
    command += [str(HERE / "arithmetic_check.c"), spoilt, "-o", str(tmp_path / "p")]
    subprocess.run(command, check=True, timeout=120)
    done = subprocess.run(
        [str(tmp_path / "p"), "1", "1000"], capture_output=True, text=True, check=True, timeout=60
    )
    wrong = {name for name, (_, wrong) in counts(done.stdout).items() if wrong}
    assert {"addsf3", "mulsf3", "adddf3", "muldf3", "floatsisf", "truncdfsf2"} <= wrong


FLOATS = st.floats(width=32).map(lambda x: struct.unpack("<I", struct.pack("<f", x))[0])
DOUBLES = st.floats().map(lambda x: struct.unpack("<Q", struct.pack("<d", x))[0])


@settings(max_examples=30, deadline=None)
@given(
    floats=st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=60),
    doubles=st.lists(st.tuples(DOUBLES, DOUBLES), min_size=1, max_size=60),
)
def test_any_floats_give_the_processors_bits(
    checked: Path, floats: list[tuple[int, int]], doubles: list[tuple[int, int]]
) -> None:
    singles = (*FLOAT_OPERATIONS, "fixunssfsi", "extendsfdf2")
    longer = (*DOUBLE_OPERATIONS, "fixunsdfsi", "fixdfsi", "truncdfsf2")
    lines = [f"{name} {a:x} {b:x}" for name in singles for a, b in floats]
    lines += [f"{name} {a:x} {b:x}" for name in longer for a, b in doubles]
    done = subprocess.run(
        [str(checked)], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen, wrong = map(int, done.stdout.split())
    assert seen >= len(floats) * len(FLOAT_OPERATIONS) + len(doubles) * len(DOUBLE_OPERATIONS)
    assert wrong == 0, done.stderr


WORDS = st.integers(0, 2**32 - 1)
LONGS = st.integers(0, 2**64 - 1)


@settings(max_examples=30, deadline=None)
@given(
    words=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=60),
    longs=st.lists(st.tuples(LONGS, LONGS), min_size=1, max_size=60),
)
def test_any_integers_give_the_processors_bits(
    checked: Path, words: list[tuple[int, int]], longs: list[tuple[int, int]]
) -> None:
    always = ("umulsidi3", "floatsisf", "floatunsisf", "floatsidf", "floatunsidf")
    short = (*always, "divsi3", "udivsi3", "modsi3", "umodsi3")
    lines = [f"{name} {a:x} {b:x}" for name in short for a, b in words]
    lines += [f"{name} {a:x} {b:x}" for name in ("muldi3", "divdi3", "udivdi3") for a, b in longs]
    done = subprocess.run(
        [str(checked)], input="\n".join(lines), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen, wrong = map(int, done.stdout.split())
    # What divides by 0, and the lowest number by -1, is left out.
    assert seen >= len(words) * len(always) + len(longs)
    assert wrong == 0, done.stderr


def test_for_the_chip_it_calls_nothing_that_is_lacking(tmp_path: Path) -> None:
    compiler = "xtensa-lx106-elf-gcc"
    assert shutil.which(compiler), f"{compiler} is not installed: make setup"
    flags = ["--specs=/usr/lib/xtensa-lx106-elf/picolibc.specs", "-mlongcalls", "-Os"]
    command = [compiler, *flags, *STRICT, "-c", str(SOURCE), "-o", str(tmp_path / "a.o")]
    subprocess.run(command, check=True)
    done = subprocess.run(
        ["xtensa-lx106-elf-nm", str(tmp_path / "a.o")], check=True, capture_output=True, text=True
    )
    defined = set(re.findall(r" T __(\w+)", done.stdout))
    assert defined >= LACKING
    # Shifts of 64 bits are in the library, in assembler.
    assert set(re.findall(r" U __(\w+)", done.stdout)) <= {"ashldi3", "lshrdi3", "ashrdi3"}
