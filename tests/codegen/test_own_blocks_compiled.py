"""Blocks of the user's own: mistakes point into their files, and no path gets into the rune."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest

from runec.codegen import build, compile_pipeline, refusals
from runec.codegen.generate import generate
from runec.diagnostics import RunecError, RunefileError, UserFileError, render
from runec.pipeline import (
    Capability,
    CapabilityKind,
    Output,
    OutputKind,
    Pipeline,
    ProcBlock,
    Tensor,
    TensorType,
)
from runec.proc_blocks import load_block, sdk_dir
from tests.common import IDENTITY_MANIFEST

RECURSIVE = """
static __attribute__((noinline)) float f(float x);
static __attribute__((noinline)) float g(float x) { return f(x - 1.0f) * 3.0f; }
static float f(float x) { return x > 1.0f ? g(x) : x; }
"""
DATES_ALLOWED = (
    '#pragma clang diagnostic ignored "-Wdate-time"\n'
    '#pragma clang diagnostic ignored "-Weverything"'
)
COPY = "out0[0] = in0[0]; return RUNE_OK;"
RUN = '#include "rune_block.h"\n%s\nRUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))\n{\n    %s\n}\n'


def block(folder: Path, before: str = "", body: str = "", **files: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "block.toml").write_text(IDENTITY_MANIFEST)
    (folder / "block.c").write_text(RUN % (before, body or COPY))
    for name, text in files.items():
        (folder / f"{name}.h").write_text(text)
    return folder


def pipeline(*folders: Path) -> Pipeline:
    """RAW -> one stage for each folder -> SERIAL, one f32 all the way."""
    kind = TensorType.parse("f32[1]")
    tensors = [Tensor(i, kind, 4) for i in range(len(folders) + 1)]
    stages = [
        ProcBlock(f"s{i}", load_block(folder), f"./{folder.name}", {}, (given,), (made,))
        for i, (folder, given, made) in enumerate(zip(folders, tensors, tensors[1:], strict=False))
    ]
    first = Capability("in", CapabilityKind.RAW, {}, (tensors[0],))
    last = Output("out", OutputKind.SERIAL, (tensors[-1],))
    return Pipeline("mine", (first, *stages, last), {})


def refusal(*folders: Path) -> RunecError:
    with pytest.raises(UserFileError) as caught:
        compile_pipeline(pipeline(*folders))
    assert caught.value.exit_code == 1
    return caught.value


@pytest.mark.parametrize(
    ("code", "place", "part", "hint"),
    [
        (
            ("", "/* é */ y = 1; " + COPY),
            (5, 13),
            "undeclared identifier 'y'",
            "docs/guides/blocks.md",
        ),
        (
            ("", "int n = in0[0]; out0[0] = (float)n; return RUNE_OK;"),
            (5, 13),
            "implicit conversion",
            "cast",
        ),
        (("", "memcpy(out0, in0, 4); " + COPY), (5, 5), "memcpy", "no libc"),
        (("", "out0[0] = RUNE_ARG_GAIN; " + COPY), (5, 15), "RUNE_ARG_GAIN", "argument 'gain'"),
        (("", "out1[0] = 1.0f; " + COPY), (5, 5), "'out1'", "RUNE_BLOCK_RUN("),
        (("", "out0[0] = (float)__TIME__[0]; " + COPY), (5, 22), "reproducible", "build time"),
        (
            (DATES_ALLOWED, 'out0[0] = (float)("x" __DATE__)[0]; ' + COPY),
            (6, 27),
            "reproducible",
            "build time",
        ),
        (("", "out0[0] = (float)__TIMESTAMP__[0]; " + COPY), (5, 22), "reproducible", "build time"),
        (("", '__asm__("nop"); ' + COPY), (5, 12), "inline assembly", "write it in C"),
        (('#include "none.h"', ""), (2, 10), "'none.h' file not found", "in its own folder"),
        (("#include </etc/hosts>", ""), (2, 10), "its folder: /etc/hosts", "copy the file"),
        (
            ("float gain(float x);", "out0[0] = gain(in0[0]); return RUNE_OK;"),
            (5, 15),
            "calls gain",
            "",
        ),
        (("", ""), None, "", ""),
    ],
)
def test_a_mistake_in_its_c_is_shown_where_the_user_has_it(
    tmp_path: Path, code: tuple[str, str], place: tuple[int, int] | None, part: str, hint: str
) -> None:
    folder = block(tmp_path / "x", *code)
    if place is None:
        (folder / "block.c").write_text('#include "rune_block.h"\n')
        place, part, hint = (1, 1), "has no RUNE_BLOCK_RUN", "RUNE_BLOCK_RUN("
    error = refusal(folder)
    first = error.diagnostics[0]
    assert error.code == first.code == "R0508"
    assert first.span is not None
    assert (first.span.line, first.span.column) == place
    assert first.span.source.path == str(folder / "block.c")
    assert part in first.message
    assert hint in str(first.hint)
    drawn = "\n".join(map(render, error.diagnostics))
    assert "stage_" not in drawn
    assert "runec-" not in drawn


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ("RUNE_IN(0)", ["in0"]),
        ("RUNE_IN(0), RUNE_OUT(0), int more", ["in0", "out0", "more"]),
        ("double in0, RUNE_OUT(0)", ["in0", "out0"]),
    ],
)
def test_a_function_with_other_parameters_than_tensors_is_refused(
    tmp_path: Path, parameters: str, names: list[str]
) -> None:
    folder = block(tmp_path / "x")
    used = "".join(f"(void){name}; " for name in names)
    run = f"RUNE_BLOCK_RUN({parameters}) {{ {used}return RUNE_OK; }}"
    (folder / "block.c").write_text(f'#include "rune_block.h"\n{run}\n')
    error = refusal(folder)
    (first,) = error.diagnostics
    assert error.code == "R0508"
    assert first.message == (
        "the function of the block 'x' does not have a parameter for each tensor of the stage 's0'"
    )
    assert first.hint == "write RUNE_BLOCK_RUN(RUNE_IN(0), RUNE_OUT(0))"
    assert first.span is not None
    assert (first.span.line, first.span.column) == (2, 1)


@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "device"])
def test_what_the_compiler_would_wait_for_is_refused(tmp_path: Path, kind: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = block(tmp_path / "x")
    match kind:
        case "pipe":
            os.mkfifo(folder / "t.h")
        case "link to a pipe":
            os.mkfifo(elsewhere / "t.h")
            (folder / "t.h").symlink_to(elsewhere / "t.h")
        case _:
            (folder / "t.h").symlink_to("/dev/zero")
    error = refusal(folder)
    assert error.code == "R1003"
    what = "a device" if kind == "device" else "a named pipe"
    assert f"of the block 'x': it is {what}, not a regular file" in error.message


def test_a_linked_folder_from_elsewhere_is_not_looked_into(tmp_path: Path) -> None:
    """It may be a home, or all of a disk; nothing of it may be included."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.mkfifo(elsewhere / "pipe")
    (elsewhere / "t.h").touch()
    folder = block(tmp_path / "x", t="")
    (folder / "sub").symlink_to(elsewhere)
    assert compile_pipeline(pipeline(folder))
    (block_unit,) = generate(pipeline(folder)).units
    assert refusals.block_files(block_unit) == ["block.c", "block.toml", "t.h"]
    including = block(tmp_path / "y", '#include "sub/t.h"')
    (including / "sub").symlink_to(elsewhere)
    assert refusal(including).code == "R0508"


def test_links_in_circles_and_to_nothing_are_accepted_in_a_blocks_folder(tmp_path: Path) -> None:
    folder = block(tmp_path / "x")
    (folder / "again").symlink_to(".")
    (folder / "nothing").symlink_to("nowhere")
    assert compile_pipeline(pipeline(folder))


def test_a_mistake_in_a_header_is_shown_there(tmp_path: Path) -> None:
    folder = block(tmp_path / "x", '#include "table.h"', table="static int t = y;\n")
    (first, *_) = refusal(folder).diagnostics
    assert str(first.span) == f"{folder / 'table.h'}:1:16"


def test_a_mistake_that_shows_in_a_header_of_the_sdk_is_still_the_blocks(tmp_path: Path) -> None:
    folder = block(tmp_path / "x")
    (folder / "block.c").write_text(f"#define uint32_t struct\n{(folder / 'block.c').read_text()}")
    assert refusal(folder).code == "R0508"


OUTSIDE = "the block 'x' includes a file from outside its folder: "


@pytest.mark.parametrize(
    ("before", "shown", "column"),
    [
        ('#include "../far.h"', "../far.h", 10),
        ('%:include "../far.h"', "../far.h", 11),
        ('#inc\\\nlude "../far.h"', "../far.h", None),
        ('#define FAR "../far.h"\n#include FAR', "../far.h", None),
        ('# /* */ include "../far.h"', "../far.h", 17),
        ('#import "../far.h"', "../far.h", 9),
        ('#include "a.h"', "../far.h", None),
        ('#include "system.h"', "../far.h", None),
        ('#include "./sub/../../far.h"', "./sub/../../far.h", 10),
        ('#include "../x/empty.h"', "../x/empty.h", 10),
        ('#include "link.h"', "link.h (a symbolic link)", 10),
        ('#include "up/far.h"', "up/far.h (a symbolic link)", 10),
        ('#include "{far}"', "{far}", 10),
        ('#include "{sdk}/rune_math.h"', "{sdk}/rune_math.h", 10),
        ('#include "../secret.h"', "../secret.h", 10),
        ('#include "nested.h"', "../secret.h", None),
    ],
)
def test_a_file_from_outside_its_folder_is_refused_however_it_is_spelled(
    tmp_path: Path, before: str, shown: str, column: int | None
) -> None:
    places = {"far": str(tmp_path / "far.h"), "sdk": str(sdk_dir())}
    for name, place in places.items():
        before, shown = before.replace(f"{{{name}}}", place), shown.replace(f"{{{name}}}", place)
    headers = {
        "a": '#include "../far.h"\n',
        "system": '#pragma GCC system_header\n#include "../far.h"\n',
        "nested": '#include "../secret.h"\n',
        "empty": "",
    }
    folder = block(tmp_path / "x", before, **headers)
    (folder / "sub").mkdir()
    (folder / "link.h").symlink_to("../far.h")
    (folder / "up").symlink_to("..")
    (tmp_path / "far.h").write_text("static int far(void);\n")
    (tmp_path / "secret.h").write_text("root:password\n")
    error = refusal(folder)
    (first,) = error.diagnostics
    assert first.code == "R0508"
    assert first.message == OUTSIDE + shown
    assert "password" not in render(first)
    if column is not None:
        assert first.span is not None
        assert (first.span.line, first.span.column) == (2, column)


@pytest.mark.parametrize(
    "before",
    [
        '??=include "../far.h"',
        '#include_next "../far.h"',
        '__asm__(".incbin \\"/etc/hosts\\"");',
        '#embed "../far.h"',
        "#pragma clang module load far",
    ],
)
def test_what_could_read_a_file_otherwise_is_refused(tmp_path: Path, before: str) -> None:
    (tmp_path / "far.h").write_text("")
    assert refusal(block(tmp_path / "x", before)).code == "R0508"


@pytest.mark.parametrize(
    "before",
    [
        '#include "sub/../t.h"',
        '#include "sub/u.h"',
        "#include <limits.h>",
        '#include "rune_math.h"',
    ],
)
def test_files_of_its_folder_and_headers_of_the_language_are_included(
    tmp_path: Path, before: str
) -> None:
    folder = block(tmp_path / "x", before, t="static const int t = 1;\n")
    (folder / "sub").mkdir()
    (folder / "sub" / "u.h").write_text('#include "../t.h"\n')
    assert compile_pipeline(pipeline(folder)).code.startswith(b"\0asm")


MACROS = "\n".join(["#define A0 1+", *(f"#define A{n + 1} {f'A{n} ' * 4}" for n in range(32))])


def test_a_block_that_takes_too_much_memory_to_compile_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The compiler and its libraries alone need half of that.
    limits = msgspec.structs.replace(build._LIMITS, memory_bytes=384 << 20)
    monkeypatch.setattr(build, "_LIMITS", limits)
    folder = block(tmp_path / "x", MACROS, "out0[0] = (float)(A30 1); return RUNE_OK;")
    error = refusal(folder)
    assert error.code == "R0509"
    assert error.message == "compiling the block 'x' exceeds 384 MiB of memory"
    assert str(error.span) == f"{folder / 'block.c'}:1:1"


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        (f"{'(' * 90_000}1.0f{')' * 90_000}", "R0508"),  # it counts brackets
        (f"{'- ' * 90_000}1.0f", "R0510"),  # and does not count signs
    ],
)
def test_what_the_compiler_cannot_take_is_blamed_on_the_block(
    tmp_path: Path, expression: str, code: str
) -> None:
    error = refusal(block(tmp_path / "x", "", f"out0[0] = {expression}; return RUNE_OK;"))
    assert error.code == code
    assert "'x'" in error.message


def test_a_block_that_takes_too_long_to_compile_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_TIMEOUT_S", 3)
    # Of an expression that the preprocessor computes nothing is stored.
    error = refusal(block(tmp_path / "x", f"{MACROS}\n#if A30 1\n#endif"))
    assert error.code == "R0509"
    assert error.message == "compiling the block 'x' exceeds 3 s"


@pytest.mark.parametrize(
    "include",
    [
        '#include "../pipe.h"',
        "#include <{}>",
        '#include "{}"',
        '#if __has_include("{}")\n#error it is seen\n#endif\n#include "../pipe.h"',
        '#pragma GCC dependency "{}"',
    ],
)
def test_a_pipe_outside_of_a_blocks_folder_is_not_waited_for(tmp_path: Path, include: str) -> None:
    folder = block(tmp_path / "x", include.format(tmp_path / "pipe.h"))
    os.mkfifo(tmp_path / "pipe.h")
    began_s = time.monotonic()
    error = refusal(folder)
    assert time.monotonic() - began_s < 60  # the compiler's own limit is 120 s
    assert error.code == "R0508"
    assert error.message.startswith(OUTSIDE)


HAS_INCLUDE = """\
#if __has_include(%s)
#error it is seen
#endif
"""


def test_whether_a_file_exists_outside_of_its_folder_cannot_be_asked(tmp_path: Path) -> None:
    """The build depends on the block alone, not on what else this machine has."""
    (tmp_path / "far.h").write_text("")
    places = ['"../far.h"', f'"{tmp_path}/far.h"', "</etc/hosts>", '"/proc/self/maps"']
    places += ['"up/far.h"', '"far_link.h"', '"../y/block.c"', f'"{sdk_dir()}/rune_math.h"']
    folder = block(tmp_path / "x", "".join(HAS_INCLUDE % place for place in places))
    other = block(tmp_path / "y")
    (folder / "up").symlink_to("..")
    (folder / "far_link.h").symlink_to("../far.h")
    assert compile_pipeline(pipeline(folder, other))


def test_a_hidden_folder_is_not_seen(tmp_path: Path) -> None:
    """It is a tool's, such as .git."""
    folder = block(tmp_path / "x", HAS_INCLUDE % '".hidden/t.h"')
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "t.h").touch()
    os.mkfifo(folder / ".hidden" / "pipe")
    assert compile_pipeline(pipeline(folder))


def test_of_a_large_folder_the_nearest_files_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "_LOOKED_AT_MAX", 11)
    folder = block(tmp_path / "x", '#include "t.h"', t="")
    for number in range(8):
        (folder / "a" / str(number)).mkdir(parents=True)
        (folder / "a" / str(number) / "far.h").touch()
    assert compile_pipeline(pipeline(folder))
    (block_unit,) = generate(pipeline(folder)).units
    assert refusals.block_files(block_unit) == ["block.c", "block.toml", "t.h"]


def test_whether_a_file_of_its_folder_exists_can_be_asked(tmp_path: Path) -> None:
    before = "".join(
        f"#if !__has_include({name})\n#error it is not seen\n#endif\n"
        for name in ('"t.h"', '"sub/u.h"', '"sub/../t.h"', '"again/u.h"', "<stdint.h>", '"é.h"')
    )
    folder = block(tmp_path / "x", before, t="", é="")
    (folder / "sub").mkdir()
    (folder / "sub" / "u.h").touch()
    (folder / "again").symlink_to("sub")
    (folder / "sub" / "twin").symlink_to("../t.h")
    (folder / os.fsdecode(b"\xe9.h")).touch()
    assert compile_pipeline(pipeline(folder))


def test_a_copy_that_the_compiler_makes_a_call_of_is_explained(tmp_path: Path) -> None:
    before = "typedef struct { float x[400]; } big;\nstatic big a, b;\nstatic int n;"
    body = "a.x[n++] = in0[0]; b = a; out0[0] = b.x[n++ % 400]; return RUNE_OK;"
    error = refusal(block(tmp_path / "x", before, body))
    assert "memcpy" in error.message
    assert "element by element" in str(error.hint)


def test_the_mistakes_of_all_blocks_come_at_once_and_each_once(tmp_path: Path) -> None:
    one, two = (block(tmp_path / name, "", f"{name};") for name in ("one", "two"))
    error = refusal(one, two, one)
    assert isinstance(error, RunefileError)
    messages = [diagnostic.message for diagnostic in error.diagnostics]
    assert [m for m in messages if "'one'" in m] != []
    assert [m for m in messages if "'two'" in m] != []
    assert len(set(messages)) == len(messages)


def test_a_name_that_two_uses_would_share_has_to_be_static(tmp_path: Path) -> None:
    before = "float twice(float x);\nfloat twice(float x) { return x + x; }"
    folder = block(tmp_path / "x", before, "out0[0] = twice(in0[0]); return RUNE_OK;")
    error = refusal(folder, folder)
    assert (error.code, "static" in str(error.hint)) == ("R0508", True)
    assert error.span is not None
    assert error.span.text == "twice"


@pytest.mark.parametrize(
    ("before", "body", "code", "part"),
    [
        (
            "static float f(float x) { return x; }\nstatic float (*volatile p)(float) = f;",
            "p = in0[0] > 1.0f ? f : p; out0[0] = p(in0[0]); return RUNE_OK;",
            "R0508",
            "function pointers",
        ),
        (
            '__attribute__((export_name("mine"))) int mine(void);\nint mine(void) { return 1; }',
            "out0[0] = in0[0]; return RUNE_OK;",
            "R0508",
            "exports mine",
        ),
        (
            RECURSIVE,
            "out0[0] = f(in0[0]); return RUNE_OK;",
            "R0505",
            "recursion",
        ),
        (
            "",
            "volatile float r[64]; r[(int)in0[0] & 63] = 1.0f; out0[0] = r[0]; return RUNE_OK;",
            "R0504",
            "256 bytes of stack, but 0",
        ),
    ],
)
def test_what_no_device_can_run_is_blamed_on_the_block(
    tmp_path: Path, before: str, body: str, code: str, part: str
) -> None:
    error = refusal(block(tmp_path / "mine", before, body))
    assert error.code == code
    assert part in error.message
    assert "'mine'" in error.message
    if code == "R0504":
        assert str(error.span) == f"{tmp_path / 'mine' / 'block.toml'}:2:1"


def test_code_nested_deeper_than_a_device_compiles_is_refused(tmp_path: Path) -> None:
    # Cases of their own: the compiler makes a jump table of them, a block for each.
    cases = "".join(f"case {i}: state[{i * 7 % 64}] += {i}; break; " for i in range(60))
    before = "static volatile int state[64];"
    body = f"switch ((int)in0[0]) {{ {cases} default: break; }} out0[0] = 1.0f; return RUNE_OK;"
    error = refusal(block(tmp_path / "mine", before, body))
    assert error.code == "R0511"
    assert "'mine'" in error.message


def test_two_folders_give_the_same_bytes_even_with_their_names_in_the_code(tmp_path: Path) -> None:
    body = "out0[0] = (float)__FILE__[in0[0] > 1.0f ? 1 : 2]; return RUNE_OK;"
    modules = [
        compile_pipeline(pipeline(block(tmp_path / place / "x", "", body)))
        for place in ("a", "a longer name")
    ]
    assert modules[0] == modules[1]


def test_two_blocks_of_one_name_are_two(tmp_path: Path) -> None:
    one = block(tmp_path / "a" / "x", "", "out0[0] = in0[0] + 1.0f; return RUNE_OK;")
    other = block(tmp_path / "b" / "x", "", "out0[0] = in0[0] * 3.0f; return RUNE_OK;")
    assert compile_pipeline(pipeline(one, other)) != compile_pipeline(pipeline(one, one))


DEEP = """
static __attribute__((noinline)) float g(float x)%s;
static float g(float x) { volatile float y[2000]; y[0] = x; return y[0]; }
"""


@pytest.mark.parametrize("label", ["a\\t-999999\\tstatic\\nb", "a\\tb", "a\\nb", "a\\x01"])
def test_a_label_does_not_change_the_stack_report(tmp_path: Path, label: str) -> None:
    """Its text stands in the compiler's report, where a size of its own would lower the sum."""
    code = DEEP % f' __asm__("{label}")'
    error = refusal(block(tmp_path / "b", code, "out0[0] = g(in0[0]); return RUNE_OK;"))
    assert error.code == "R0508"
    assert "a function of the block 'b' has a label with control characters" in str(error)


def test_a_deep_frame_is_counted_whatever_its_label(tmp_path: Path) -> None:
    for number, label in enumerate(("", ' __asm__("b")', ' __asm__("a\\t0\\tdynamic\\n/")')):
        folder = tmp_path / str(number) / "b"
        error = refusal(block(folder, DEEP % label, "out0[0] = g(in0[0]); return RUNE_OK;"))
        assert error.code == "R0504"


@pytest.mark.parametrize(
    ("report", "used"),
    [
        ("", 0),
        ("a.c:1:f\t16\tstatic\nb.c:2:g\t8\tstatic\n", 24),
        ("a.c:1:f\t16\tdynamic\n", None),
        ("a.c:1:f\t16\tdynamic,bounded\n", None),
        ("a.c:1:f g\u2028h\t16\tstatic\n", 16),
    ],
)
def test_the_stack_report_is_summed(report: str, used: int | None) -> None:
    assert build.frames(report) == used


@pytest.mark.parametrize(
    "report",
    ["a.c:1:f\t-1\tstatic\n", "a\n", "a\tb\t1\tstatic\n", "a\t1\tstatic\r\n", "a\t\u0661\tstatic"],
)
def test_a_row_that_is_none_of_the_compiler_s_is_refused(report: str) -> None:
    with pytest.raises(ValueError, match=r"[a]"):
        build.frames(report)


def test_a_function_of_the_glue_s_with_other_parameters_is_named(tmp_path: Path) -> None:
    declared = "void consume_output(unsigned, const void *, unsigned);"
    folder = block(tmp_path / "b", declared, "consume_output(1, out0, 4); " + COPY)
    error = refusal(block(tmp_path / "a"), folder)
    assert error.code == "R0508"
    assert str(error) == ("the block 'b' declares consume_output with other parameters than it has")
    assert isinstance(error, UserFileError)
    assert error.span is not None
    assert (error.span.source.path, error.span.line) == (str(folder / "block.c"), 5)
