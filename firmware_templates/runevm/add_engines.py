# SPDX-License-Identifier: Apache-2.0
"""Adds the engines to runevm as a PlatformIO library, by options of platformio.ini.

custom_runevm_wasm3_dir = /path/to/wasm3/source   the folder with wasm3.h
custom_runevm_tflm_dir = /path/to/tflite-micro    the folder with tensorflow/; for runes with models
custom_runevm_operators = src/operators.cc        instead of models/tflm/all_operators.cc

`runec components fetch` brings both in the versions that runevm is tested with, and prints their
folders.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from SCons.Script import Import

Import("env")
env: Any = globals()["env"]

HERE = Path.cwd()  # PlatformIO runs the script in the library's folder
ENGINE, MODELS = HERE / "engines" / "wasm3", HERE / "models" / "tflm"
INTERPRETER = ("bind", "code", "core", "emit", "env", "exec", "function", "module", "parse")
THEIRS = ("-w", "-fno-fast-math", "-ffp-contract=off", "-DNDEBUG")
TFLM_FLAGS = ("-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_MCU_DEBUG_LOG", "-DARDUINOSTL_M_H")
TFLM_CXX = ("-std=c++11", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")
DOWNLOADS = "tensorflow/lite/micro/tools/make/downloads"


def only(names: Iterable[str]) -> list[str]:
    """Return the source filter of these files."""
    return [f"+<{name}>" for name in names]


def path_option(name: str) -> str:
    """Return a path of platformio.ini, relative to the project; empty where it is not set."""
    value = env.GetProjectOption(f"custom_runevm_{name}", "")
    return str(Path(env.subst("$PROJECT_DIR"), value)) if value else ""


def add_wasm3(folder: str) -> None:
    """Add engines/wasm3 and the interpreter's files in `folder`."""
    env.Append(CPPPATH=[str(ENGINE)])
    own = env.Clone()
    own.Append(CPPPATH=[str(HERE / "include")], CCFLAGS=["-isystem", folder])
    own.BuildSources("$BUILD_DIR/runevm_engine", str(ENGINE), ["+<*.c>"])
    parts = {"wasm3_config.h": [f"m3_{name}.c" for name in INTERPRETER]}
    parts["wasm3_loops.h"] = ["m3_compile.c"]
    for header, names in parts.items():
        part = env.Clone()
        part.Append(
            CPPPATH=[str(ENGINE), folder],
            CCFLAGS=[*THEIRS, "-fno-strict-aliasing"],
            CFLAGS=["-include", str(ENGINE / header)],
        )
        part.BuildSources(f"$BUILD_DIR/runevm_{header}", folder, only(names))


def add_tflm(folder: str, operators: str) -> None:
    """Add models/tflm and the library's files in `folder`; `operators` is a registry, if any."""
    system = [
        folder,
        *(f"{folder}/{DOWNLOADS}/{name}" for name in ("flatbuffers/include", "gemmlowp", "ruy")),
    ]
    library = env.Clone()
    library.Append(
        CCFLAGS=[*THEIRS, *TFLM_FLAGS, *(part for each in system for part in ("-isystem", each))],
        CXXFLAGS=[*TFLM_CXX],
        CPPPATH=[str(HERE / "include"), str(MODELS)],
    )
    lines = (MODELS / "sources.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if not line.startswith("#")]
    library.BuildSources("$BUILD_DIR/runevm_tflm", folder, only(names))
    own = ["+<*.cc>", *(["-<all_operators.cc>"] if operators else [])]
    library.BuildSources("$BUILD_DIR/runevm_models", str(MODELS), own)
    if operators:
        registry = Path(operators)
        library.BuildSources(
            "$BUILD_DIR/runevm_operators", str(registry.parent), only([registry.name])
        )
    # Or the compiler would see expf() and assume the C library's.
    floats = library.Clone()
    floats.Append(CFLAGS=["-fno-builtin"])
    floats.BuildSources("$BUILD_DIR/runevm_floats", str(MODELS), only(["float_math.c"]))
    env.Append(CPPPATH=[str(MODELS)])


if path_option("wasm3_dir"):
    add_wasm3(path_option("wasm3_dir"))
if path_option("tflm_dir"):
    add_tflm(path_option("tflm_dir"), path_option("operators"))
