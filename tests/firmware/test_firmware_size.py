from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.container import Rune
from runec.diagnostics import UserFileError
from runec.firmware import (
    DeviceRune,
    FirmwareBuild,
    Project,
    build_project,
    create_project,
    load_project,
    measure_parts,
    size,
)
from runec.firmware.map_file import Piece
from runec.firmware.project_manifest import MANIFEST
from runec.firmware.size import PARTS

MakeRune = Callable[[str], Rune]


@pytest.fixture(scope="module")
def built(
    example_rune: MakeRune, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, FirmwareBuild]:
    folder = tmp_path_factory.mktemp("size") / "sine"
    project = create_project(
        DeviceRune.of(example_rune("sine")), load_board("netduinoplus2"), folder
    )
    return project, build_project(project)


def symbols(program: str, *paths: Path) -> dict[str, tuple[str, int]]:
    """Return kind and size of what binutils' nm lists as defined."""
    listing = subprocess.run(
        [program, "-S", "--defined-only", *paths], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in listing.stdout.splitlines()]
    return {line[3]: (line[2], int(line[1], 16)) for line in lines if len(line) == 4}


def test_every_byte_belongs_to_one_part(built: tuple[Project, FirmwareBuild]) -> None:
    project, firmware = built
    parts = measure_parts(project, firmware)
    assert tuple(part.part for part in parts) == PARTS
    assert sum(part.flash_bytes for part in parts) == firmware.flash_bytes
    assert sum(part.ram_bytes for part in parts) == firmware.ram_bytes
    for part in parts:
        assert min(part.flash_bytes, part.ram_bytes) >= 0
        assert part.flash_bytes == sum(flash for _, flash, _ in part.pieces)
        assert part.ram_bytes == sum(ram for _, _, ram in part.pieces)
    assert {part.part: part.flash_bytes for part in parts}["padding"] < 1000


def test_what_the_rune_reserves_is_its_own(
    example_rune: MakeRune, built: tuple[Project, FirmwareBuild]
) -> None:
    project, firmware = built
    by_name = {part.part: part for part in measure_parts(project, firmware)}
    rune = example_rune("sine")
    (model,) = rune.require_graph().models.values()
    weights = len(rune.resources[model.resource] or b"")
    assert (by_name["model"].flash_bytes, by_name["model"].ram_bytes) == (weights, model.arena)
    # Its file ends with the alignment of the section.
    assert 0 <= by_name["rune"].flash_bytes + weights - len(rune.data) < 4
    assert by_name["rune"].ram_bytes == project.plan.linear_memory_bytes
    assert by_name["stack"].ram_bytes == project.plan.stack_bytes
    assert by_name["engine"].ram_bytes >= project.plan.engine_heap_bytes


@pytest.mark.parametrize(
    ("part", "folder"),
    [("runevm", "runevm"), ("engine", "wasm3"), ("engine", "engine_wasm3"), ("HAL", "hal")],
)
def test_functions_are_where_their_objects_are(
    built: tuple[Project, FirmwareBuild], part: str, folder: str
) -> None:
    project, firmware = built
    objects = sorted((firmware.elf.parent / "lib" / folder).rglob("*.o"))
    defined = symbols("arm-none-eabi-nm", *objects)
    linked = symbols("arm-none-eabi-nm", firmware.elf)
    expected = {
        name: size for name, (kind, size) in linked.items() if name in defined and kind == "T"
    }
    found = {each.part: each for each in measure_parts(project, firmware)}[part]
    pieces = {name: flash for name, flash, _ in found.pieces}
    assert len(expected) > 3
    missing = {name for name, size in expected.items() if pieces.get(name, 0) < size}
    assert missing <= {"runec_start", "main"}, "in a section with another name"


def test_names_of_cpp_are_readable(built: tuple[Project, FirmwareBuild]) -> None:
    names = {name for part in measure_parts(*built) for name, _, _ in part.pieces}
    assert "tflite::ParseOpData" in names
    assert not [name for name in names if name.startswith("_Z")]


def test_a_map_that_is_gone_is_told(
    example_rune: MakeRune, built: tuple[Project, FirmwareBuild], tmp_path: Path
) -> None:
    _, firmware = built
    elsewhere = create_project(
        DeviceRune.of(example_rune("sine")), load_board("netduinoplus2"), tmp_path / "p"
    )
    with pytest.raises(UserFileError) as caught:
        measure_parts(elsewhere, firmware)
    assert caught.value.code == "R1003"
    assert "link map" in caught.value.message


def test_a_project_of_an_older_version_is_made_anew(example_rune: MakeRune, tmp_path: Path) -> None:
    rune, board = example_rune("noop"), load_board("netduinoplus2")
    create_project(DeviceRune.of(rune), board, tmp_path / "p")
    path = tmp_path / "p" / MANIFEST
    manifest = json.loads(path.read_text())
    del manifest["plan"]["stages"]
    manifest["files"]["src/no_longer_needed.c"] = hashlib.sha256(b"int old;").hexdigest()
    path.write_text(json.dumps(manifest))
    (tmp_path / "p" / "src" / "no_longer_needed.c").write_text("int old;")
    with pytest.raises(UserFileError) as caught:
        load_project(tmp_path / "p")
    assert caught.value.code == "R0813"
    create_project(DeviceRune.of(rune), board, tmp_path / "p")
    assert load_project(tmp_path / "p").rune_name == "noop"
    assert not (tmp_path / "p" / "src" / "no_longer_needed.c").exists()


@pytest.mark.parametrize(
    ("origin", "part"),
    [
        (".pio/build/firmware/lib3f2/runevm/src/link.c.o", "runevm"),
        (".pio/build/firmware/lib1ab/model_tflm_2/fully_connected.cc.o", "TFLM"),
        (".pio/build/firmware/lib0c4/engine_wasm3/engine_wasm3.c.o", "engine"),
        (".pio/build/firmware/src/rune.S.o", "rune"),
        (".pio/build/firmware/libFrameworkArduino.a(main.cpp.o)", "Arduino core"),
        (".pio/build/firmware/FrameworkArduinoVariant/variant.cpp.o", "Arduino core"),
        (".pio/build/firmware/lib9e1/SrcWrapper/new.cpp.o", "Arduino core"),
        (
            "/p/framework-arduinoespressif32/sdk/libheap.a(heap.c.o)",
            "Arduino core",
        ),
        ("/p/toolchain/lib/thumb/v7e-m/libc_nano.a(lib_a-memcpy.o)", "C library"),
    ],
)
def test_objects_of_a_vendors_build_are_told_apart(origin: str, part: str) -> None:
    assert size._part(Piece(".text", ".text.f", origin, 0, 4)) == part
