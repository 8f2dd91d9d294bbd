"""The C that firmware is made of: no warnings on any target, no fused arithmetic in it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import Board, load_board, load_boards
from runec.container import Rune
from runec.firmware import DeviceRune, build_project, create_project

MakeRune = Callable[[str], Rune]
BOARDS = [board for board in load_boards() if "builds" in board.verified]
STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Werror", "-Os", "-ffp-contract=off")
# What is ours among the sources of a project, and is compiled with the strictest warnings.
OWN = (
    "lib/runevm/",
    "lib/hal/",
    "lib/engine_wasm3/",
    "lib/model_tflm/float_math.c",
    "src/firmware.c",
)
FUSED = re.compile(r"\t(vfn?m[as]\S*|f[n]?m(?:add|sub)\S*)\t")


def own_c(project: Path) -> list[tuple[str, list[str]]]:
    """The C files of ours with the flags that the plan gives them."""
    plan = json.loads((project / "build_plan.json").read_text())
    found = []
    for group in plan["groups"]:
        flags = [*group["flags"], *(f"-I{folder}" for folder in group["include"])]
        found += [
            (name, flags)
            for name in group["sources"]
            if name.startswith(OWN) and name.endswith(".c")
        ]
    return found


@pytest.fixture(scope="module")
def project(
    example_rune: MakeRune, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Board], Path]:
    def make(board: Board) -> Path:
        folder = tmp_path_factory.mktemp(board.id) / "p"
        create_project(DeviceRune.of(example_rune("sine")), board, folder)
        return folder

    return make


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_each_c_file_of_ours_compiles_alone_and_without_a_warning(
    board: Board, project: Callable[[Board], Path]
) -> None:
    folder = project(board)
    files = own_c(folder)
    names = {name for name, _ in files}
    assert {
        "src/firmware.c",
        "lib/model_tflm/float_math.c",
        "lib/engine_wasm3/engine_wasm3.c",
    } <= names
    assert len([name for name in names if name.startswith("lib/hal/")]) >= 2
    chip = [name for name in names if not name.startswith("lib/runevm/")]
    command = [f"{board.toolchain.prefix}gcc", *board.toolchain.flags, "-std=c11", *STRICT]
    for name, flags in files:
        # The library itself is compiled for every processor in tests/firmware_templates/runevm.
        if name in chip:
            subprocess.run([*command, *flags, "-fsyntax-only", name], check=True, cwd=folder)


# Clang has no Xtensa: what it reads for the ESP32 is the other 32-bit chip's.
ARM = ("--target=arm-none-eabi", "-isystem", "/usr/include/newlib", "-mcpu=cortex-m4", "-mthumb")
RISC_V = (
    *("--target=riscv32-unknown-elf", "-march=rv32imc", "-mabi=ilp32"),
    *("-isystem", "/usr/lib/picolibc/riscv64-unknown-elf/include"),
)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_clang_finds_no_fault_with_them_either(
    board: Board, project: Callable[[Board], Path]
) -> None:
    folder = project(board)
    target = ARM if board.toolchain.prefix == "arm-none-eabi-" else RISC_V
    files = [item for item in own_c(folder) if not item[0].startswith("lib/runevm/")]
    assert len(files) >= 5
    for name, flags in files:
        command = ["clang", *target, "-std=c11", *STRICT, *flags, "-fsyntax-only", name]
        subprocess.run(command, check=True, cwd=folder)


def test_every_compiler_is_told_not_to_fuse(project: Callable[[Board], Path]) -> None:
    for board in BOARDS:
        plan = json.loads((project(board) / "build_plan.json").read_text())
        assert "-ffp-contract=off" in plan["flags"]
        said = [flag for group in plan["groups"] for flag in group["flags"]]
        assert not [flag for flag in said if "fp-contract" in flag or "fast-math" in flag]


def disassembly(path: Path) -> str:
    command = ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("board_id", "example"),
    [
        ("netduinoplus2", "sine"),
        pytest.param("netduinoplus2", "gesture", marks=pytest.mark.emulated),
        pytest.param("mps2_an386", "microspeech", marks=pytest.mark.emulated),
        pytest.param("mps2_an386", "person_detection", marks=pytest.mark.emulated),
    ],
)
def test_no_fused_instruction_is_in_a_firmware_with_hardware_floats(
    example_rune: MakeRune, tmp_path: Path, board_id: str, example: str
) -> None:
    board = load_board(board_id)
    assert "-mfloat-abi=hard" in board.toolchain.flags
    built = build_project(
        create_project(DeviceRune.of(example_rune(example)), board, tmp_path / "p")
    )
    listing = disassembly(built.elf)
    assert len(re.findall(r"\tv(?:mul|add|sub)\.f32\t", listing)) > 5
    assert FUSED.findall(listing) == []

    # What the pattern is there to find: the same compiler, left to itself.
    (tmp_path / "a.c").write_text("float f(float a, float b, float c) { return a * b + c; }\n")
    command = ["arm-none-eabi-gcc", *board.toolchain.flags, "-Os", "-ffp-contract=fast", "-c"]
    subprocess.run([*command, "a.c", "-o", "a.o"], check=True, cwd=tmp_path)
    assert FUSED.findall(disassembly(tmp_path / "a.o")) == ["vfma.f32"]
