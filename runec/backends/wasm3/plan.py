"""Sources, flags and sizes of the wasm3 engine."""

from __future__ import annotations

from runec.backends.source_group import SourceGroup
from runec.components import component, fetch
from runec.data import data_dir

NAME = "wasm3"
COMPONENT = "wasm3"

# d_m3CodePageAlignSize of wasm3_config.h: metacode lies in pages of this size.
_CODE_PAGE_BYTES = 1024
FOLDER = "engine_wasm3"
_SOURCE_FOLDER = "runevm/engines/wasm3"
_CONFIG = "wasm3_config.h"
_LOOPS = "wasm3_loops.h"
_CLOCK = "wasm3_clock.h"
_OWN_SOURCES = ("engine_wasm3.c", "module_check.c")
_OWN_HEADERS = ("engine_wasm3.h", "module_check.h", _CLOCK, _CONFIG, _LOOPS)
_SOURCES = (
    "m3_bind.c",
    "m3_code.c",
    "m3_core.c",
    "m3_emit.c",
    "m3_env.c",
    "m3_exec.c",
    "m3_function.c",
    "m3_module.c",
    "m3_parse.c",
)

# Cortex-M code (measured: 57,700 to 58,300).
FLASH_LEAST, FLASH_MOST = 56 * 1024, 60 * 1024
# C stack that host functions may take when they are called from the deepest wasm function that the
# engine allows: the model engine, the link, the output (tests/firmware measures it).
HOST_STACK_BYTES = 6144


def engine_heap_bytes(code_bytes: int, function_count: int) -> int:
    """Return the bytes of the engine's pool without the linear memory, for a module of that size.

    An upper bound: the value stack and wasm3's runtime and environment, which hold the compiler's
    tables; pages of metacode that are partly used; and `code_heap_bytes`. With nothing of either it
    is what the engine takes for any module.
    """
    fixed = 4096 + 3072 + 2 * _CODE_PAGE_BYTES
    return _round_up(fixed + code_heap_bytes(code_bytes, function_count), 512)


def code_heap_bytes(code_bytes: int, function_count: int) -> int:
    """Return the bytes of the engine's heap that code causes.

    Metacode of four times the code (measured: 2.8 to 3.1); for each function, imported ones too,
    its record and names, twice, because the table of records grows by moving.
    """
    return 4 * code_bytes + 192 * function_count


def source_groups() -> tuple[SourceGroup, ...]:
    """Return what to compile; fetches wasm3.

    Raises:
        MachineError: as `runec.components.fetch`.
    """
    root = fetch(COMPONENT)
    sources = root / "wasm3"
    pinned = f"-DRUNEC_COMPONENT=0x{component(COMPONENT).sha256[:8]}"
    headers = {path.name: path for path in sorted(sources.glob("*.h"))}
    folder = data_dir("firmware_templates") / _SOURCE_FOLDER
    own = f"lib/{FOLDER}"
    third_party = ("-w", "-fno-strict-aliasing", "-isystem", "lib/wasm3", "-I", own, pinned)
    return (
        SourceGroup(
            folder="wasm3",
            files={
                **headers,
                **{name: sources / name for name in _SOURCES},
                "LICENSE": root / "LICENSE",
            },
            sources=_SOURCES,
            flags=(*third_party, "-include", f"{own}/{_CONFIG}"),
            depends=(f"{own}/{_CONFIG}",),
            component=COMPONENT,
        ),
        SourceGroup(
            folder="wasm3",
            files={"m3_compile.c": sources / "m3_compile.c"},
            sources=("m3_compile.c",),
            flags=(*third_party, "-include", f"{own}/{_LOOPS}"),
            depends=tuple(f"{own}/{name}" for name in (_CLOCK, _CONFIG, _LOOPS)),
            component=COMPONENT,
        ),
        SourceGroup(
            folder=FOLDER,
            files={name: folder / name for name in (*_OWN_SOURCES, *_OWN_HEADERS)},
            sources=_OWN_SOURCES,
            include=(own, "lib/runevm/include"),
            flags=("-Wall", "-Wextra", "-isystem", "lib/wasm3", pinned),
        ),
    )


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
