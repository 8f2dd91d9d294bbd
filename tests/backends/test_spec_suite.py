"""The specification's own tests, compiled to C."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runec.backends.aot import AOT
from tests.backends.conftest import AOT_FLAGS
from tests.backends.spec_suite import Suite, suite_files, suites

# Growing memory and modules that import one another are nothing that a rune has.
LEFT_OUT = frozenset({"memory_grow", "memory_size", "linking", "imports", "start"})
# Float to integer that saturates, sign extension.
PROPOSALS = ("nontrapping-float-to-int-conversions", "sign-extension-ops")

# GCC takes a float to f64 and back for the float itself, of which a signaling NaN keeps its bits.
# They are nowhere visible: docs/spec/rune.md, section 2.5.
DIFFERENT = ["float_exprs.wast:2250: return f18(2141192192u) == 2143289344u; gives 0 0, not 0"]


def run_steps(suite: Suite, objects: Path, folder: Path) -> list[str]:
    """Return what is wrong of a module's steps."""
    name = f"{suite.file}-{suite.line}"
    source, program, wasm = (folder / f"{name}{end}" for end in (".c", ".program", ".wasm"))
    source.write_text(suite.c_source())
    wasm.write_bytes(suite.code)
    command = ["cc", *AOT_FLAGS, *AOT.code_flags, "-O1", str(source)]
    command += ["harness.o", "engine.o", "-lm", "-o", str(program)]
    done = subprocess.run(command, cwd=objects, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{suite.file}:{suite.line}: {done.stderr[:2000]}"
    memory = str(65536 * suite.module.pages)
    words = ["load", *(f"stage:{number}" for number in range(len(suite.steps)))]
    ran = subprocess.run(
        [program, wasm, memory, "0", str(256 * 1024), *words],
        capture_output=True,
        text=True,
        check=False,
        env={"ASAN_OPTIONS": "detect_leaks=0"},
    )
    assert ran.returncode == 0, f"{suite.file}:{suite.line}: {ran.stderr[-2000:]}"
    lines = [line.split(" ", 2) for line in ran.stdout.splitlines()][1:]
    return [
        f"{suite.file}:{suite.line}: {step} gives {error} {result}, not {expected}"
        for (step, expected), (error, result, _) in zip(suite.steps, lines, strict=True)
        if (int(error), result) != ((expected, "0") if expected else (0, "1"))
    ]


@pytest.mark.emulated
def test_compiled_modules_pass_the_core_tests(aot_objects: Path, tmp_path: Path) -> None:
    files = [path for path in suite_files() if path.stem not in LEFT_OUT]
    files += [path for each in PROPOSALS for path in suite_files(f"proposals/{each}")]
    found = [suite for path in files for suite in suites(path, tmp_path)]
    with ThreadPoolExecutor(2) as pool:
        wrong = [*pool.map(lambda suite: run_steps(suite, aot_objects, tmp_path), found)]
    assert [line for lines in wrong for line in lines] == DIFFERENT
    assert sum(len(suite.steps) for suite in found) > 10_000
