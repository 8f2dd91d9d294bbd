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
# A board and, where that is another image, what its emulator runs.
VARIANTS = [
    *BOARDS,
    *(board.emulated() for board in BOARDS if board.variant_id != board.emulated().variant_id),
]
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


@pytest.mark.parametrize("board", VARIANTS, ids=lambda board: board.variant_id)
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


def abi(path: Path) -> tuple[str, bool]:
    """How floats are passed, and whether code for an FPU is in a program."""
    words = ["arm-none-eabi-readelf", "--file-header", "--arch-specific", str(path)]
    facts = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    passed = "hard" if "hard-float ABI" in facts else "soft"
    assert (passed == "hard") == ("Tag_ABI_VFP_args: VFP registers" in facts)
    return passed, re.search(r"\tv[a-z]+", disassembly(path)) is not None


@pytest.mark.parametrize(
    "board_id",
    [
        "nrf52840_dk",
        *(
            pytest.param(board.id, marks=pytest.mark.emulated)
            for board in BOARDS
            if board.cpu.isa == "Cortex-M4F" and board.id != "nrf52840_dk"
        ),
    ],
)
def test_the_firmware_of_a_board_uses_the_fpu_that_its_emulator_may_lack(
    example_rune: MakeRune, tmp_path: Path, board_id: str
) -> None:
    rune, board = DeviceRune.of(example_rune("sine")), load_board(board_id)
    folder = tmp_path / "silicon"
    built = build_project(create_project(rune, board, folder))
    assert abi(built.elf) == ("hard", True)
    listing = disassembly(built.elf)
    # what labwired cannot do is among it
    assert re.search(r"\tvcmpe?\.f32\t", listing)
    assert re.search(r"\tvmrs\t", listing)
    # the libraries are those for this ABI as well: the linker has refused any other
    linked = re.findall(r"^LOAD (\S+/(?:libgcc|libc_nano|libm)\.a)", read_map(folder), re.MULTILINE)
    assert linked
    assert all("/v7e-m+fp/hard/" in path for path in linked)

    emulated = build_project(create_project(rune, board.emulated(), tmp_path / "emulated"))
    soft = board.emulated() != board
    assert abi(emulated.elf) == (("soft", False) if soft else ("hard", True))


def read_map(project: Path) -> str:
    return (project / ".pio" / "build" / "firmware" / "firmware.map").read_text()


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
    # newlib's longjmp() restores no register of the FPU: who calls setjmp() keeps them.
    functions = re.split(r"\n(?=[0-9a-f]+ <)", listing)
    jumps = [text for text in functions if re.search(r"\tbl\t\S+ <setjmp>", text)]
    assert len(jumps) == 2
    assert all("vpush\t{d8-d15}" in text for text in jumps)

    # What the pattern is there to find: the same compiler, left to itself.
    (tmp_path / "a.c").write_text("float f(float a, float b, float c) { return a * b + c; }\n")
    command = ["arm-none-eabi-gcc", *board.toolchain.flags, "-Os", "-ffp-contract=fast", "-c"]
    subprocess.run([*command, "a.c", "-o", "a.o"], check=True, cwd=tmp_path)
    assert FUSED.findall(disassembly(tmp_path / "a.o")) == ["vfma.f32"]
