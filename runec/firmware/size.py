"""Flash and RAM of a firmware by part."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from runec.backends import tflm
from runec.backends.engines import ENGINES
from runec.container import Graph, read_rune
from runec.diagnostics import MachineError
from runec.files import read_file
from runec.firmware.arduino import MAP_PATH
from runec.firmware.build import FirmwareBuild
from runec.firmware.elf import ElfSizes, read_elf
from runec.firmware.map_file import Piece, read_map
from runec.firmware.project import Project
from runec.firmware.render import BARE, RUNE_PATH
from runec.tools import run_tool

# In the order of the report: parts that the user can change first.
PARTS = ("model", "rune", "engine", "TFLM", "runevm", "HAL", "C library", "stack", "padding")
# Between the HAL and the C library, where a firmware has one.
_CORE = "Arduino core"

_FOLDERS = {
    "lib/runevm/": "runevm",
    "lib/hal/": "HAL",
    "src/model_ops": "TFLM",
    "src/rune": "rune",
    "src/firmware": "runevm",
    **{f"lib/{each.component}/": "engine" for each in ENGINES.values() if each.component},
    **{f"lib/{each.folder}/": "engine" for each in ENGINES.values()},
    f"lib/{tflm.COMPONENT}/": "TFLM",
    "lib/model_tflm/": "TFLM",
}
# PlatformIO puts the objects of a library into libXXX/NAME; archives of a core are in its package.
_LIBRARY = re.compile(r"^lib\w*/(\w+?)(?:_\d+)?/")
_OF_CORE = re.compile(r"/framework-\w+/")
_STACK_SECTION = ".stack"
_STRINGS = re.compile(r"(?:^|\.)str\d+\.\d+$")
_OBJECT = re.compile(r"([^/(]+?)(?:\.\w+)*\)?$")
_MANGLED = "_Z"


@dataclass(frozen=True, slots=True)
class PartSize:
    """Bytes of one part of a firmware, and the largest pieces in it: name, flash, RAM."""

    part: str
    flash_bytes: int
    ram_bytes: int
    pieces: tuple[tuple[str, int, int], ...]


def measure_parts(project: Project, built: FirmwareBuild) -> tuple[PartSize, ...]:
    """Attribute every byte of a built firmware to a part; the sums are those of the build.

    The arenas count as the models' RAM, linear memory as the rune's, the engine's heap as the
    engine's. `padding` is what alignment costs.

    Raises:
        UserFileError: R1003, a file of the build is gone; R06xx, its rune was changed.
        MachineError: R1004, the compiler's tools are not installed.
    """
    ram = project.board.memory.ram
    elf = read_elf(read_file(built.elf, "firmware"), ram.origin, ram.size_bytes)
    map_text = read_file(project.directory / MAP_PATH, "the link map").decode("utf-8", "replace")
    rune_path = project.directory / RUNE_PATH
    graph = read_rune(read_file(rune_path, "the .rune"), source=str(rune_path)).require_graph()
    flash: Counter[tuple[str, str]] = Counter()
    ram_bytes: Counter[tuple[str, str]] = Counter()
    for piece in read_map(map_text):
        section = elf.sections.get(piece.section)
        if section is None:
            continue
        key = (_part(piece), _piece_name(piece))
        flash[key] += piece.size_bytes if section.flash_bytes else 0
        ram_bytes[key] += piece.size_bytes if section.ram_bytes else 0
    _split_rune(flash, graph)
    _split_reserved(ram_bytes, project)
    _balance(flash, ram_bytes, elf)
    if stack_bytes := built.ram_bytes - elf.ram_bytes:  # reserved by no section
        ram_bytes["stack", "stack"] += stack_bytes
    names = _readable({name for _part, name in (*flash, *ram_bytes)}, project)
    parts = PARTS if project.framework == BARE else (*PARTS[:6], _CORE, *PARTS[6:])
    return tuple(_part_size(part, flash, ram_bytes, names) for part in parts)


def _part(piece: Piece) -> str:
    if piece.section == _STACK_SECTION:
        return "stack"
    if not piece.origin:
        return "padding"
    place = piece.origin.partition(".pio/build/firmware/")[2]
    if not place and _OF_CORE.search(piece.origin):
        return _CORE
    place = _LIBRARY.sub(r"lib/\1/", place)
    for folder, part in _FOLDERS.items():
        if place.startswith(folder):
            return part
    return _CORE if place else "C library"  # built with the project, and not ours


def _piece_name(piece: Piece) -> str:
    """Return the function or object of a piece, or the object file where it has no name."""
    if not piece.origin:
        return "stack" if piece.section == _STACK_SECTION else "alignment"
    name = piece.name.removeprefix(piece.section).lstrip(".")
    if name and not _STRINGS.search(name):
        return name
    found = _OBJECT.search(piece.origin)
    place = found[1] if found else piece.origin
    return f"strings of {place}" if name else place


def _readable(names: Iterable[str], project: Project) -> dict[str, str]:
    """Return C++ names as people write them, by the names of the linker."""
    mangled = sorted(name for name in names if name.startswith(_MANGLED))
    if not mangled:
        return {}
    program = f"{project.board.toolchain.prefix}c++filt"
    try:
        done = run_tool([program, "--no-params", *mangled])
    except MachineError:
        if project.framework == BARE:
            raise
        return {}  # the vendor's compiler has its own, somewhere in PlatformIO's packages
    return dict(zip(mangled, done.stdout.splitlines(), strict=False))


def _split_rune(flash: Counter[tuple[str, str]], graph: Graph) -> None:
    """Count the models in the .rune as models, its other contents by kind."""
    whole = sum(size for (part, _), size in flash.items() if part == "rune")
    for key in [key for key in flash if key[0] == "rune"]:
        del flash[key]
    models = {model.resource for model in graph.models.values()}
    for name, resource in graph.resources.items():
        part = "model" if name in models else "rune"
        flash[part, name] += resource.bytes or 0
        whole -= resource.bytes or 0
    flash["rune", "code"] += graph.code_bytes
    flash["rune", "graph and digest"] += whole - graph.code_bytes


def _split_reserved(ram_bytes: Counter[tuple[str, str]], project: Project) -> None:
    """Assign pool and arena, which are in firmware.c, to their users."""
    plan = project.plan
    for name, pieces in {
        "pool": (
            ("rune", "linear memory", plan.linear_memory_bytes),
            ("engine", "heap", plan.engine_heap_bytes),
        ),
        "arena": (("model", "arena", plan.arena_bytes),),
    }.items():
        if ("runevm", name) in ram_bytes:
            for part, piece, size in pieces:
                ram_bytes[part, piece] += size
                ram_bytes["runevm", name] -= size


def _balance(
    flash: Counter[tuple[str, str]], ram_bytes: Counter[tuple[str, str]], elf: ElfSizes
) -> None:
    """Count bytes that are not in the map as padding: the linker rounds sections up."""
    flash["padding", "alignment"] += elf.flash_bytes - sum(flash.values())
    ram_bytes["padding", "alignment"] += elf.ram_bytes - sum(ram_bytes.values())


def _part_size(
    part: str,
    flash: Counter[tuple[str, str]],
    ram_bytes: Counter[tuple[str, str]],
    readable: dict[str, str],
) -> PartSize:
    names = sorted({name for owner, name in (*flash, *ram_bytes) if owner == part})
    pieces = [
        (readable.get(name, name), flash[part, name], ram_bytes[part, name]) for name in names
    ]
    pieces = [piece for piece in pieces if piece[1] or piece[2]]
    pieces.sort(key=lambda piece: (-piece[1] - piece[2], piece[0]))
    return PartSize(
        part=part,
        flash_bytes=sum(piece[1] for piece in pieces),
        ram_bytes=sum(piece[2] for piece in pieces),
        pieces=tuple(pieces),
    )
