"""The generated files of a project, from the templates in `firmware_templates/project/`."""

from __future__ import annotations

import functools
import hashlib
import json
import operator
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import jinja2
import msgspec

import runec
from runec.backends import SourceGroup, tflm
from runec.boards import Board, Upload
from runec.components import component
from runec.data import data_dir
from runec.firmware import arduino
from runec.firmware.arduino import MAP_PATH
from runec.firmware.board_sensors import Accelerometer
from runec.firmware.device_rune import DeviceRune
from runec.firmware.licences import component_names, licence_files
from runec.firmware.memory_plan import MemoryPlan
from runec.firmware.pins import DrivenPin

BARE, ARDUINO = FRAMEWORKS = ("bare", "arduino")
RUNE_PATH = "rune/rune.rune"
_COMPILED_RUNE = "rune_code.c"
SELFTEST_ENGINE = "selftest"
"""What the firmware of the self test reports in the place of its engines."""
LINKER_SCRIPT = "linker.ld"
PLATFORM_FOLDER = "platform/runec-bare-metal"
DRIVERS_FOLDER = "drivers"

_FLAGS = (
    "-Os",
    # Without it GCC fuses multiply and add where the FPU can, and results differ from the host's.
    "-ffp-contract=off",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-common",
    "-DNDEBUG",
)
_C_FLAGS = ("-std=gnu11",)
_CXX_FLAGS = (
    "-std=c++11",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-fno-use-cxa-atexit",
)
_LINK_FLAGS = ("-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_dir("firmware_templates") / "project"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - C, not HTML; every value is checked before it gets here
        keep_trailing_newline=True,
    )


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _bits(numbers: Iterable[int]) -> int:
    return functools.reduce(operator.or_, (1 << number for number in numbers), 0)


def engine_name(plan: MemoryPlan, backend: str) -> str:
    """Return what a device says about its engines, such as `wasm3+tflm`."""
    return f"{backend}+{tflm.NAME}" if plan.model_count else backend


def generated_files(
    rune: DeviceRune,
    board: Board,
    plan: MemoryPlan,
    groups: Iterable[SourceGroup],
    *,
    backend: str,
    framework: str,
    accelerometer: Accelerometer | None,
    pins: Sequence[DrivenPin],
) -> dict[str, bytes | str]:
    """Return the files that are made for this rune and board, by their path in the project."""
    is_bare = framework == BARE
    graph = rune.graph
    all_groups = [*groups, _own_sources(plan, accelerometer), *_compiled_rune(plan)]
    files: dict[str, bytes | str] = {
        RUNE_PATH: rune.data,
        "src/firmware_config.h": _render(
            "firmware_config.h.j2",
            board=board.id,
            version=runec.__version__,
            engine=engine_name(plan, backend),
            backend=backend,
            memory_bytes=plan.linear_memory_bytes,
            pool_bytes=plan.pool_bytes,
            models=plan.model_count,
            arena_bytes=plan.arena_bytes,
            host_stack_bytes=plan.host_stack_bytes,
            capabilities=_bits(item.kind.value for item in graph.capabilities.values()),
            time_budget_ms=board.time_budget_ms,
            accelerometer=accelerometer,
            pins=pins,
            is_arduino=not is_bare,
        ),
        "src/rune.S": _render(
            "rune.S.j2",
            section=".rune" if is_bare else ".rodata.rune",
            rune_path=RUNE_PATH,
            rune_sha256=hashlib.sha256(rune.data).hexdigest(),
        ),
        **licence_files(board, component_names(plan), is_bare=is_bare),
        "sbom.json": _json(_sbom(component_names(plan))),
    }
    if plan.engine.compile is not None:
        code = plan.engine.compile(rune.rune.code, graph.memory_used)
        files[f"src/{_COMPILED_RUNE}"] = code
    if is_bare:
        files["README.md"] = _render("README.md.j2", board=board, upload=board.upload)
    if plan.model_count:
        files["src/model_ops.cc"] = _render("model_ops.cc.j2", operators=plan.operators)
    return files | (_bare_files if is_bare else _arduino_files)(board, plan, all_groups)


def selftest_files(
    board: Board, plan: MemoryPlan, groups: Sequence[SourceGroup]
) -> dict[str, bytes | str]:
    """Return the files that are made for the self test of a board, by their path in the project."""
    own = SourceGroup(
        folder="",
        files={},
        sources=("selftest_firmware.c",),
        include=("src", *(f"lib/{name}" for name in ("runevm/include", "hal", "selftest"))),
        flags=("-Wall", "-Wextra"),
    )
    return {
        "src/selftest_config.h": _render(
            "selftest_config.h.j2",
            board=board.id,
            version=runec.__version__,
            engine=SELFTEST_ENGINE,
        ),
        **licence_files(board, (), is_bare=True),
        "sbom.json": _json(_sbom(())),
        **_bare_files(board, plan, [*groups, own]),
    }


def _bare_files(
    board: Board, plan: MemoryPlan, groups: Sequence[SourceGroup]
) -> dict[str, bytes | str]:
    return {
        "platformio.ini": _render(
            "platformio.ini.j2",
            board=board.id,
            board_name=board.name,
            pio_package=board.toolchain.pio_package,
        ),
        LINKER_SCRIPT: linker_script(board, plan),
        "build_plan.json": _json(_build_plan(board, groups)),
        f"{PLATFORM_FOLDER}/boards/{board.id}.json": _json(_board_manifest(board)),
        f"{PLATFORM_FOLDER}/platform.json": _json(_platform_manifest(board)),
    }


def _arduino_files(
    board: Board, plan: MemoryPlan, groups: Sequence[SourceGroup]
) -> dict[str, bytes | str]:
    return {
        "platformio.ini": _render(
            "platformio_arduino.ini.j2",
            board=board,
            vendor=board.vendor,
            core_flags=arduino.core_flags(board, plan),
            source_flags=arduino.compiler_flags(group for group in groups if not group.folder),
        ),
        "README.md": _render("README_arduino.md.j2", board=board),
    }


def _own_sources(plan: MemoryPlan, accelerometer: Accelerometer | None) -> SourceGroup:
    libraries = ["runevm/include", "hal", plan.engine.folder]
    sources = ["firmware.c", "rune.S"]
    flags: tuple[str, ...] = ("-Wall", "-Wextra")
    if plan.model_count:
        libraries.append("model_tflm")
        sources.append("model_ops.cc")
        flags += tflm.interface_flags()
    if accelerometer is not None:
        libraries.append(DRIVERS_FOLDER)
    return SourceGroup(
        folder="",
        files={},
        sources=tuple(sources),
        include=("src", *(f"lib/{name}" for name in libraries)),
        flags=flags,
        depends=(RUNE_PATH,),
    )


def _compiled_rune(plan: MemoryPlan) -> list[SourceGroup]:
    """Return the rune's code as C, where the engine runs no other."""
    if plan.engine.compile is None:
        return []
    include = ("lib/runevm/include", f"lib/{plan.engine.folder}")
    return [SourceGroup("", {}, (_COMPILED_RUNE,), include=include, flags=plan.engine.code_flags)]


def linker_script(board: Board, plan: MemoryPlan) -> str:
    """Return the linker script of a board: its memory map around the same sections."""
    memory = board.memory
    regions = [{"name": "CODE", **msgspec.structs.asdict(memory.code)}]
    if memory.constants is not None:
        regions.append({"name": "CONSTANTS", **msgspec.structs.asdict(memory.constants)})
    if memory.ram_code is not None:
        regions.append({"name": "RAM_CODE", **msgspec.structs.asdict(memory.ram_code)})
    regions.append({"name": "RAM", **msgspec.structs.asdict(memory.ram)})
    return _render(
        "linker.ld.j2",
        board=board.id,
        regions=regions,
        header=memory.header,
        constants_region="CONSTANTS" if memory.constants is not None else "CODE",
        has_ram_code=memory.ram_code is not None,
        storage=memory.storage,
        stack_bytes=plan.stack_bytes,
    )


def _build_plan(board: Board, groups: Iterable[SourceGroup]) -> dict[str, Any]:
    toolchain, upload = board.toolchain, board.upload
    ram_code = [".ram_code"] if board.memory.ram_code is not None else []
    code, constants = [".start", ".text"], [".rodata", ".rune", *ram_code, ".data"]
    images = {"image": code, "constants": constants}
    if board.memory.constants is None:
        images = {"image": code + constants}
    return {
        "prefix": toolchain.prefix,
        "cxx_headers_from": toolchain.cxx_headers_from,
        "flags": [*toolchain.flags, *_FLAGS],
        "c_flags": [*_C_FLAGS],
        "cxx_flags": [*_CXX_FLAGS],
        "link_flags": [
            *toolchain.flags,
            *toolchain.link_flags,
            *_LINK_FLAGS,
            "-T",
            LINKER_SCRIPT,
            f"-Wl,-Map={MAP_PATH}",
        ],
        "linker_script": LINKER_SCRIPT,
        "images": images,
        "esp_app": _esp_app(board),
        "upload_protocol": upload.protocol if upload else "",
        "uploads": {
            each.protocol: {
                "command": [*each.command],
                "script": [*each.script],
                "package": each.package,
                "needs_port": each.needs_port,
            }
            for each in _uploads(board)
        },
        "upload_values": upload_values(board),
        "groups": [
            {
                "sources": [_source_path(group, name) for name in group.sources],
                "include": [*group.include],
                "flags": [*group.flags],
                "depends": [*group.depends],
                # What is the same for every rune: such objects are shared between projects.
                "shared": group.folder != "",
            }
            for group in groups
        ],
    }


def upload_values(board: Board) -> dict[str, str]:
    """Return what stands in braces in upload commands, but for files and port."""
    return {**board.upload_values, "code_origin": f"{board.memory.code.origin:#010x}"}


def _uploads(board: Board) -> tuple[Upload, ...]:
    return (*((board.upload,) if board.upload else ()), *board.other_uploads)


def _esp_app(board: Board) -> dict[str, Any] | None:
    """Return what the builder needs for an application image: `segments` are raw images."""
    memory, upload = board.memory, board.upload
    if upload is None or upload.esp_chip is None or memory.constants is None:
        return None
    return {
        "chip": upload.esp_chip,
        "segments": {"constants": memory.constants.origin, "image": memory.code.origin},
    }


def _source_path(group: SourceGroup, name: str) -> str:
    return f"lib/{group.folder}/{name}" if group.folder else f"src/{name}"


def _platform_manifest(board: Board) -> dict[str, Any]:
    """Return PlatformIO's description of the platform, with the compiler's package, if any.

    It is optional: taken where it is installed, and fetched where platformio.ini requests it.
    """
    packages = {}
    if board.toolchain.pio_package:
        owner, _, rest = board.toolchain.pio_package.partition("/")
        name, _, version = rest.partition("@")
        packages[name] = {
            "type": "toolchain",
            "owner": owner,
            "version": version,
            "optional": True,
        }
    return {
        "name": "runec-bare-metal",
        "title": "runec bare metal",
        "description": "Builds a runec firmware with a cross compiler and nothing else.",
        "version": "1.0.0",
        "license": "Apache-2.0",
        "packages": packages,
    }


def _board_manifest(board: Board) -> dict[str, Any]:
    return {
        "name": board.name,
        "vendor": board.cpu.name,
        "url": board.url,
        "frameworks": [],
        "build": {"mcu": board.cpu.name, "f_cpu": f"{board.cpu.clock_hz}L"},
        "upload": {
            "maximum_size": board.memory.flash_bytes,
            "maximum_ram_size": board.memory.ram.size_bytes,
            "protocol": board.upload.protocol if board.upload else "none",
            "protocols": [each.protocol for each in _uploads(board)] or ["none"],
        },
    }


def _sbom(components: Sequence[str]) -> dict[str, Any]:
    own = {
        "type": "library",
        "name": "runevm",
        "version": runec.__version__,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": [
            own,
            *(
                {
                    "type": "library",
                    "name": used.package,
                    "version": used.version,
                    "licenses": [{"license": {"id": used.licence}}],
                    "hashes": [{"alg": "SHA-256", "content": used.sha256}],
                    "purl": f"pkg:{'pypi' if used.kind == 'pypi-sdist' else 'cargo'}/"
                    f"{used.package}@{used.version}",
                }
                for used in map(component, components)
            ),
        ],
    }
