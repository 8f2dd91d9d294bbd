"""runevm in other projects: build files, example, README."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import jinja2
import pytest

import runec
from runec.backends import tflm, wasm3
from runec.backends.tflm.operators import KERNELS
from runec.components import fetch
from runec.container import Rune, read_rune
from runec.data import data_dir
from runec.firmware.pio import pio_environment, pio_program
from runec.vm import Inputs, run_rune_bytes

PROJECT = Path(__file__).resolve().parents[3]
EXAMPLES = PROJECT / "examples"
STAND_IN = PROJECT / "tests" / "firmware" / "arduino_stand_in" / "platform"
SANITIZERS = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"

ExampleRune = Callable[[str], Rune]


def sources() -> dict[str, str]:
    """The folders of third-party sources, as the build files name them."""
    return {
        "RUNEVM_WASM3_DIR": str(fetch("wasm3") / "wasm3"),
        "RUNEVM_TFLM_DIR": str(fetch("tflm") / "submodules" / "tensorflow"),
    }


def wanted_sources(example: str) -> dict[str, str]:
    found = sources()
    if example == "noop":
        del found["RUNEVM_TFLM_DIR"]
    return found


def call(command: list[str | Path], **options: str | Path) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(command, capture_output=True, check=False, timeout=900, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done  # type: ignore[no-any-return]


@pytest.fixture
def stranger(runevm: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the library, and nothing else of runec."""
    shutil.copytree(runevm, tmp_path / "runevm")
    return tmp_path


def build_by_make(folder: Path, example: str, flags: str) -> Path:
    variables = [f"{name}={value}" for name, value in wanted_sources(example).items()]
    where = ("-C", folder / "runevm/examples/linux", f"BUILD={folder / 'build'}")
    call(["make", "-j2", *where, *variables, f"CFLAGS={flags}", f"CXXFLAGS={flags}"])
    return folder / "build" / "run_rune"


def build_by_cmake(folder: Path, example: str, flags: str) -> Path:
    defines = [f"-D{name}={value}" for name, value in wanted_sources(example).items()]
    defines += [f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"]
    source, build = folder / "runevm/examples/linux", folder / "build"
    call(["cmake", "-S", source, "-B", build, *defines])
    call(["cmake", "--build", build, "-j", "2"])
    return build / "run_rune"


BUILDERS = {"make": build_by_make, "cmake": build_by_cmake}


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("example", ["noop", pytest.param("sine", marks=pytest.mark.emulated)])
def test_the_example_prints_what_the_host_prints(
    stranger: Path, example_rune: ExampleRune, builder: str, example: str
) -> None:
    # The same sources: one of the two needs the sanitizers, which take most of the time.
    program = BUILDERS[builder](stranger, example, SANITIZERS if builder == "make" else "-O0")
    rune, given = stranger / "x.rune", EXAMPLES / example / "input.bin"
    rune.write_bytes(example_rune(example).data)
    (expected,) = run_rune_bytes(example_rune(example), Inputs(raw=(given,)))
    assert call([program, rune, given]).stdout == expected
    # A missing input, a damaged file and no file are errors, not crashes.
    damaged = stranger / "damaged.rune"
    damaged.write_bytes(rune.read_bytes()[:-1] + b"\xff")
    for arguments, name in (((rune,), b"NO_DATA"), ((damaged, given), b"DIGEST"), ((), b"usage")):
        failed = subprocess.run([program, *arguments], capture_output=True, check=False)
        assert failed.returncode in (1, 2)
        assert name in failed.stderr
        assert b"Sanitizer" not in failed.stderr


@pytest.mark.parametrize("example", ["noop", pytest.param("sine", marks=pytest.mark.emulated)])
def test_a_platformio_project_takes_it_as_a_library(
    stranger: Path, example_rune: ExampleRune, example: str
) -> None:
    shutil.copytree(STAND_IN, stranger / "platforms" / "stand-in")
    about = stranger / "platforms/stand-in/platform.json"
    about.write_text(about.read_text().replace("PLATFORM", "stand-in"))
    (stranger / "platforms/stand-in/boards").mkdir()
    (stranger / "platforms/stand-in/boards/here.json").write_text(
        json.dumps(
            {
                "name": "This computer",
                "vendor": "somebody",
                "url": "https://example.org",
                "frameworks": ["arduino"],
                "build": {"mcu": "host", "f_cpu": "1000000000L"},
                "upload": {"maximum_size": 1 << 24, "maximum_ram_size": 1 << 24},
            }
        )
    )
    project = stranger / "project"
    (project / "src").mkdir(parents=True)
    shutil.move(stranger / "runevm", project / "lib" / "runevm")
    shutil.copy(project / "lib/runevm/examples/linux/main.c", project / "src/main.c")
    settings = ["[env:here]", "platform = stand-in", "board = here"]
    settings += [
        f"custom_{name.lower()} = {path}" for name, path in wanted_sources(example).items()
    ]
    settings += ["build_src_flags = -DRUN_RUNE_MODELS"] if example == "sine" else []
    (project / "platformio.ini").write_text("\n".join(settings) + "\n")
    environment = {**os.environ, **pio_environment()}
    environment["PLATFORMIO_PLATFORMS_DIR"] = str(stranger / "platforms")
    call([pio_program(), "run", "--project-dir", project], env=environment)  # type: ignore[arg-type]
    rune, given = stranger / "x.rune", EXAMPLES / example / "input.bin"
    rune.write_bytes(example_rune(example).data)
    (expected,) = run_rune_bytes(example_rune(example), Inputs(raw=(given,)))
    program = project / ".pio/build/here/firmware.elf"
    assert call([program, rune, given]).stdout == expected


def test_the_commands_of_the_page_print_what_it_shows(runevm: Path, tmp_path: Path) -> None:
    page = (runevm / "README.md").read_text()
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (shown,) = re.findall(r"```\n(\{.*?\n)```", page, re.DOTALL)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, arguments in (("runec", "-m runec"), ("python3", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        (programs / name).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(PROJECT)
    done = call(["sh", "-e", "-c", commands], cwd=work, env=environment)  # type: ignore[arg-type]
    assert done.stdout.decode().endswith(shown)
    (expected,) = run_rune_bytes(
        read_rune((work / "hello.rune").read_bytes()), Inputs(raw=(work / "hello/input.bin",))
    )
    assert shown.encode() == expected


# --- what is written in two places -----------------------------------------------------------


def test_one_version_everywhere(runevm: Path) -> None:
    header = (runevm / "include" / "runevm.h").read_text()
    numbers = [
        re.search(rf"#define RUNEVM_VERSION_{part} (\d+)", header)
        for part in ("MAJOR", "MINOR", "PATCH")
    ]
    version = ".".join(found[1] for found in numbers if found)
    assert version == runec.__version__
    assert f'#define RUNEVM_VERSION "{version}"' in header
    assert f"project(runevm VERSION {version} " in (runevm / "CMakeLists.txt").read_text()
    assert json.loads((runevm / "library.json").read_text())["version"] == version


def test_the_lists_for_other_build_systems_are_those_of_runec(runevm: Path) -> None:
    groups = [group for group in tflm.source_groups(KERNELS) if group.folder == "tflm"]
    lines = (runevm / "models/tflm/sources.txt").read_text().splitlines()
    listed = [line for line in lines if not line.startswith("#")]
    assert sorted(listed) == sorted(name for group in groups for name in group.sources)
    template = data_dir("firmware_templates") / "project/model_ops.cc.j2"
    made = jinja2.Template(template.read_text()).render(operators=sorted(KERNELS))
    registry = (runevm / "models/tflm/all_operators.cc").read_text()
    added = r"AddBuiltin\(([^,]+),\s*([^,]+),"
    assert re.findall(added, registry) == re.findall(added, made)
    interpreter = {
        name for group in wasm3.source_groups() for name in group.sources if name.startswith("m3_")
    }
    for name in ("CMakeLists.txt", "runevm.mk"):
        (words,) = re.findall(r"bind code compile [a-z ]+", (runevm / name).read_text())
        assert {f"m3_{word}.c" for word in words.split()} == interpreter
    script = (runevm / "add_engines.py").read_text()
    names = re.findall(r'"(\w+)"', re.findall(r"INTERPRETER = (.*)", script)[0])
    assert {f"m3_{name}.c" for name in names} | {"m3_compile.c"} == interpreter


def test_the_budget_counts_with_the_engines_configuration(runevm: Path) -> None:
    text = (runevm / "engines/wasm3/wasm3_config.h").read_text()
    (page_bytes,) = re.findall(r"#define d_m3CodePageAlignSize (\d+)", text)
    assert wasm3.engine_heap_bytes(0, 0) == 4096 + 3072 + 2 * int(page_bytes)


# --- headers ---------------------------------------------------------------------------------


def public_headers(runevm: Path) -> list[Path]:
    return sorted(
        [
            *runevm.glob("include/*.h"),
            *runevm.glob("*/*/*_wasm3.h"),
            *runevm.glob("models/*/model_*.h"),
        ]
    )


def sizes(runevm: Path, folder: Path, defines: Mapping[str, str]) -> str:
    """The size of every public struct, with macros defined on the command line."""
    headers = public_headers(runevm)
    structs = sorted(
        {
            name
            for header in headers
            for name in re.findall(r"^\} (runevm\w*);", header.read_text(), re.MULTILINE)
        }
    )
    assert len(structs) > 15
    lines = [
        *(f'#include "{header.name}"' for header in headers),
        "#include <stdio.h>",
        "int main(void) {",
        *(f'printf("{name} %zu\\n", sizeof({name}));' for name in structs),
        "return 0; }",
    ]
    (folder / "sizes.c").write_text("\n".join(lines))
    command = ["cc", *(f"-I{parent}" for parent in sorted({header.parent for header in headers}))]
    command += [f"-D{name}={value}" for name, value in defines.items()]
    call([*command, "sizes.c", "-o", "sizes"], cwd=folder)
    return call([folder / "sizes"]).stdout.decode()


def test_no_public_struct_depends_on_a_macro_of_the_command_line(
    runevm: Path, tmp_path: Path
) -> None:
    text = "".join(header.read_text() for header in public_headers(runevm))
    settable = {name for name in re.findall(r"#ifndef (\w+)", text) if not name.endswith("_H")}
    assert {"RUNEVM_TIME_BUDGET_MS", "RUNEVM_LINK_TRIES"} <= settable
    assert not [name for name in settable if re.search(rf"\[[^\]]*{name}", text)]
    plain = sizes(runevm, tmp_path, {})
    assert sizes(runevm, tmp_path, dict.fromkeys(settable, "64")) == plain


def test_each_layer_includes_the_ones_before_it_only(runevm: Path) -> None:
    page = (runevm / "README.md").read_text().partition("## Layers")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [\w ]+ \| (.*) \|$", page, re.MULTILINE)[1:]
    order = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    found = {path.stem for path in (runevm / "src").iterdir()}
    assert set(order) == found
    for path in sorted((runevm / "src").iterdir()):
        for included in re.findall(r'#include "(\w+)\.h"', path.read_text()):
            if included in found and included != path.stem:
                assert order.index(included) < order.index(path.stem), (path.name, included)
    for path in [*runevm.glob("engines/**/*.[ch]*"), *runevm.glob("models/**/*.[ch]*")]:
        assert not set(re.findall(r'#include "(\w+)\.h"', path.read_text())) & found, path


def test_every_file_names_its_licence() -> None:
    root = data_dir("firmware_templates")
    texts = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert len(texts) > 100
    for path in texts:
        if path.suffix in (".md", ".json") or path.name.endswith(".md.j2"):
            continue  # prose, and a manifest that has a member for it
        if path.name == "LICENSE" or path.parent.name == "licences":
            continue
        first = path.read_text().splitlines()[:2]
        assert any("SPDX-License-Identifier: Apache-2.0" in line for line in first), path
    assert json.loads((root / "runevm/library.json").read_text())["license"] == "Apache-2.0"
    assert (root / "runevm/LICENSE").read_bytes() == (PROJECT / "LICENSE").read_bytes()
