"""Checks of a module by the engine before wasm3 loads it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from runec.backends import wasm3
from runec.container import MAX_NESTING

OK, ENGINE = 0, 308
TOO_DEEP = "a function has blocks nested too deeply"
UNKNOWN = "the module has an unknown instruction"
MALFORMED = "the module is malformed"

RunEngine = Callable[..., list[Any]]
CheckModule = Callable[..., str]
HARNESS = """
#include <stdio.h>
#include <stdlib.h>
#include "module_check.h"
int main(int count, char **words)
{
    static unsigned char line[1 << 16];
    (void)count;
    for (;;) {
        unsigned char head[4];
        if (fread(head, 1, 4, stdin) != 4) return 0;
        const uint32_t bytes = head[0] | head[1] << 8 | (uint32_t)head[2] << 16;
        if (fread(line, 1, bytes, stdin) != bytes) return 2;
        uint8_t *exact = malloc(bytes ? bytes : 1); /* the sanitizer sees a read beyond it */
        for (uint32_t i = 0; i < bytes; i++) exact[i] = line[i];
        const char *wrong = runevm_check_module(exact, bytes, (uint32_t)atoi(words[1]));
        printf("%s\\n", wrong == NULL ? "" : wrong);
        free(exact);
    }
}
"""


def nested(blocks: int, kind: str = "block") -> str:
    """A module whose `_call` has so many blocks in one another, its own included."""
    inner = blocks - 1
    opening = {"block": "block ", "loop": "loop ", "if": "i32.const 1 if "}[kind]
    return f"""(module (memory (export "memory") 1 1)
        (func (export "_manifest") (result i32) i32.const 1)
        (func (export "_call") (param i32 i32 i32) (result i32)
            {opening * inner} {"end " * inner} i32.const 7))"""


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("module_check")
    (group,) = (item for item in wasm3.source_groups() if item.folder == "engine_wasm3")
    for name in ("module_check.c", "module_check.h"):
        shutil.copyfile(group.files[name], folder / name)
    (folder / "main.c").write_text(HARNESS)
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fno-sanitize-recover"]
    command = ["cc", *flags, "-fsanitize=address,undefined", "main.c", "module_check.c"]
    subprocess.run([*command, "-o", "check"], cwd=folder, check=True)
    return folder / "check"


@pytest.fixture
def check_modules(checker: Path) -> Callable[[list[bytes]], list[str]]:
    def run(modules: list[bytes]) -> list[str]:
        given = b"".join(len(item).to_bytes(4, "little") + item for item in modules)
        done = subprocess.run(
            [checker, str(MAX_NESTING)], input=given, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return done.stdout.decode().split("\n")[:-1]

    return run


CheckModules = Callable[[list[bytes]], list[str]]


def code_module(body: bytes, *, size: bytes | None = None) -> bytes:
    """A module of one code section with one function, whose body is given."""
    function = (bytes([len(body)]) if size is None else size) + body
    content = b"\x01" + function
    return b"\0asm\x01\0\0\0\x0a" + bytes([len(content)]) + content


@pytest.mark.parametrize("kind", ["block", "loop", "if"])
def test_as_many_nested_blocks_as_the_host_allows(run_wasm3: RunEngine, kind: str) -> None:
    loaded, called = run_wasm3(nested(MAX_NESTING, kind), "load", "call")
    assert [(said.error, said.result) for said in (loaded, called)] == [(OK, 0), (OK, 7)]
    for blocks in (MAX_NESTING + 1, 1000):
        loaded, called = run_wasm3(nested(blocks, kind), "load", "call")
        assert (loaded.error, loaded.detail) == (ENGINE, TOO_DEEP)
        assert called.error == ENGINE


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\x00\x0b", ""),
        (b"\x00\x02\x40\x0b\x0b", ""),
        (b"\x00\x41\x00\x0e\x00\x00\x0b", ""),
        (b"\x00\x0e\xfc\xff\xff\xff\x0f\x00\x00\x00\x0b", MALFORMED),  # wraps a count of 32 bits
        (b"\x00\x0e\xff\xff\xff\xff\x0f\x0b", MALFORMED),
        (b"\x00\x0e\x02\x00\x00\x0b", MALFORMED),
        (b"\x00", MALFORMED),
        (b"", MALFORMED),
        (b"\x00\x02\x40\x0b", MALFORMED),
        (b"\x00\x0b\x0b", MALFORMED),
        (b"\x00\x0b\x01", MALFORMED),
        (b"\xff\xff\xff\xff\x0f\x01\x7f\x0b", MALFORMED),  # groups of locals that are not there
        (b"\x00\x41\x80\x80\x80\x80\x80\x00\x0b", MALFORMED),
        (b"\x00\x42" + b"\x80" * 9 + b"\x01\x0b", ""),
        (b"\x00\x42" + b"\x80" * 10 + b"\x01\x0b", MALFORMED),
        (b"\x00\x44\x00\x00\x00", MALFORMED),
        (b"\x00\x43\x0b\x0b\x0b\x0b\x0b", ""),
        (b"\x00\xfc\x0a\x00\x00\xfc\x0b\x00\xfc\x07\x0b", ""),
        (b"\x00\xfc\x0c\x00\x00\x0b", UNKNOWN),
        (b"\x00\xfd\x00\x0b", UNKNOWN),
        (b"\x00\x06\x40\x0b\x0b", UNKNOWN),  # try
        (b"\x00\xd0\x70\x0b", UNKNOWN),
    ],
)
def test_bodies(check_modules: CheckModules, body: bytes, expected: str) -> None:
    assert check_modules([code_module(body)]) == [expected]


def test_lengths_that_leave_the_module(check_modules: CheckModules) -> None:
    head = b"\0asm\x01\0\0\0"
    huge = b"\xf0\xff\xff\xff\x0f"
    constant = b"\x41\x00\x0b"
    modules = [
        head[:7],
        head + b"\x01",
        head + b"\x01" + huge + b"\0" * 8,
        code_module(b"\x00\x0b", size=huge),
        head + b"\x0a\x01\x02",
        head + b"\x0b\x0a\x01\x00" + constant + huge,
        head + b"\x0b\x04\x01\x00\x02\x40",
        head + b"\x0b\x06\x01\x01" + constant + b"\x00",
    ]
    assert check_modules(modules) == [MALFORMED] * len(modules)
    assert check_modules([head, head + b"\x0b\x07\x01\x00" + constant + b"\x01a"]) == ["", ""]


def test_cut_and_changed_modules_are_read_within_their_bounds(check_modules: CheckModules) -> None:
    text = nested(9, "if").replace("(func", '(data (i32.const 8) "abc") (func', 1)
    whole = bytes(wasmtime.wat2wasm(text))
    assert check_modules([whole]) == [""]
    changed = [
        whole[:at] + bytes([value]) + whole[at + 1 :]
        for at in range(8, len(whole))
        for value in (0x00, 0x02, 0x0B, 0x0E, 0x7F, 0x80, 0xFF)
    ]
    answers = check_modules([*(whole[:at] for at in range(len(whole))), *changed])
    assert set(answers) == {"", MALFORMED, UNKNOWN}
