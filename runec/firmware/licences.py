"""Licences of a firmware: `NOTICE` and `LICENSES/` of a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runec.backends import tflm, wasm3
from runec.boards import Board
from runec.components import component, fetch
from runec.data import data_dir
from runec.firmware.memory_plan import MemoryPlan

FOLDER = "LICENSES"
# Licence files of the components, by their path in the component.
_TEXTS = {wasm3.COMPONENT: ("LICENSE",), tflm.COMPONENT: ("LICENSE-APACHE",)}
# C libraries as board files name them. Of another one the compiler brings the texts.
_C_LIBRARIES = frozenset({"newlib", "picolibc"})
_FLOAT_FUNCTIONS = """\
    The float functions for models use algorithms and constants of Arm's optimized routines
    (Copyright (c) Arm Limited, MIT) and of fdlibm (Copyright (c) 1993 by Sun Microsystems, Inc.
    Permission to use, copy, modify, and distribute this software is freely granted, provided
    that this notice is preserved).""".splitlines()
_LIBGCC = "gcc-runtime-library-exception.txt"


def component_names(plan: MemoryPlan) -> list[str]:
    """Return the third-party sources that a firmware is compiled from."""
    engine = plan.engine.component
    models = [tflm.COMPONENT] if plan.model_count else []
    return [*([engine] if engine is not None else []), *models]


def licence_files(
    board: Board, components: Sequence[str], *, is_bare: bool
) -> dict[str, bytes | str]:
    """Return `NOTICE`, and the texts of all licences that it names.

    `components` are the third-party sources, as `component_names` lists those of a rune's firmware.

    Raises:
        MachineError: as `runec.components.fetch`.
        OSError: a text cannot be read.
    """
    templates = data_dir("firmware_templates")
    files: dict[str, bytes | str] = {
        "NOTICE": "\n".join(_notice(board, components, is_bare=is_bare)),
        f"{FOLDER}/runec.txt": (templates / "runevm" / "LICENSE").read_bytes(),
    }
    for name in components:
        texts = [(fetch(name) / path).read_bytes() for path in _TEXTS[name]]
        files[f"{FOLDER}/{name}.txt"] = b"\n".join(texts)
    if is_bare:
        known = {board.toolchain.libc} & _C_LIBRARIES
        for name in (*(f"{library}.txt" for library in known), _LIBGCC):
            files[f"{FOLDER}/{name}"] = (templates / "licences" / name).read_bytes()
    return files


def _notice(board: Board, components: Sequence[str], *, is_bare: bool) -> Iterator[str]:
    yield f"This firmware contains the following; the licence texts are in {FOLDER}/."
    yield ""
    yield "runec's sources: runevm, the HAL of the board, the firmware"
    yield "    Apache-2.0, runec.txt"
    if tflm.COMPONENT in components:
        yield from _FLOAT_FUNCTIONS
    for name in components:
        used = component(name)
        yield ""
        yield ", ".join(used.contains) or used.name
        yield f"    from {used.package} {used.version}, {used.homepage}"
        yield f"    Copyright (c) {used.copyright}"
        yield f"    {used.licence}, {name}.txt"
        yield f"    SHA-256 of the archive {used.sha256}"
    yield ""
    if is_bare:
        library = board.toolchain.libc
        yield f"{library}, the C library of the compiler {board.toolchain.prefix}gcc"
        if library in _C_LIBRARIES:
            yield f"    BSD and similar licences that require their notices, {library}.txt"
        else:
            yield "    under the licences that come with it"
        yield ""
        yield "libgcc, the compiler's own library"
        yield f"    GPL-3.0-or-later WITH GCC-exception-3.1, {_LIBGCC}"
    else:
        yield "The Arduino core, the C library and libgcc of the vendor's platform in PlatformIO"
        yield "    under the licences in their packages; Arduino cores are LGPL-2.1-or-later."
    yield ""
