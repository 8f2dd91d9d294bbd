"""Models out of C source; what a compiler makes of the same text is the reference."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runec.diagnostics import UserFileError
from runec.models.c_source import extract_model, model_names

MODEL = b"\x1c\0\0\0TFL3" + bytes(range(256)) * 3 + b'"\\??/' + b"end"
HEX = [f"0x{byte:02x}" for byte in MODEL]
ROWS = ",\n  ".join(", ".join(HEX[at : at + 12]) for at in range(0, len(HEX), 12))
SIGNED = ", ".join(str(byte - 256 if byte > 127 else byte) for byte in MODEL)
WORDS = ", ".join(
    f"0x{int.from_bytes(MODEL[at : at + 4], 'little'):08X}u" for at in range(0, len(MODEL), 4)
)
OCTAL = ",".join(f"0{byte:o}" for byte in MODEL)
ESCAPES = '"\n  "'.join(
    "".join(f"\\{byte:03o}" for byte in MODEL[at : at + 20]) for at in range(0, len(MODEL), 20)
)
N = len(MODEL)
assert N % 4 == 0

# As C; each defines one array.
SOURCES = {
    "xxd": f"unsigned char a_model[] = {{\n  {ROWS}\n}};\nunsigned int a_model_len = {N};\n",
    "crlf": f"unsigned char a_model[] = {{\n  {ROWS}\n}};\n".replace("\n", "\r\n"),
    "sized": f"const unsigned char a_model[{N}] = {{{ROWS},}};",
    "aligned": f"_Alignas(16) static const unsigned char a_model[] = {{{ROWS}}};",
    "attribute": f"const unsigned char a_model[] __attribute__((aligned(4))) = {{{ROWS}}};",
    "section": f'const unsigned char a_model[] __attribute__((section(".m"))) = {{{ROWS}}};',
    "macros": "#ifdef __has_attribute\n#define HAVE(x) __has_attribute(x)\n#else\n"
    f"#define HAVE(x) 0\n#endif\n#define ALIGN\nunsigned char a_model[] ALIGN = {{\n{ROWS}}};\n",
    "comments": f"/* not = {{0x1c, 1}} */ unsigned char a_model[] = {{ // {{ 9,\n{ROWS} /* 7 */}};",
    "signed": f"signed char a_model[] = {{ {SIGNED} }};",
    "words": f"#include <stdint.h>\nconst uint32_t a_model[] = {{ {WORDS} }};",
    "octal": f"#include <stdint.h>\nconst uint8_t a_model[] = {{{OCTAL}}};",
    "characters": "char a_model[] = {0x1c,0,0,0,'T','F','L','3', " + ", ".join(HEX[8:]) + "};",
    "string": f'const char a_model[{N}] =\n  "{ESCAPES}";',
    "others": 'const char *names[] = {"a = {1}", "b"};\nint sizes[2] = {1, 2};\n'
    "const unsigned char input[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};\n"
    f"unsigned char a_model[]={{{ROWS}}};\nint end[] = {{0}};\n",
}
# As C++, and as Arduino's compilers take it; not compiled here.
MORE = {
    "progmem": f"const unsigned char a_model[] PROGMEM = {{{ROWS}}};",
    "array": f"constexpr std::array<uint8_t, {N}> a_model = {{{{ {ROWS} }}}};",
    "braces": f"alignas(8) const std::uint8_t a_model[{N}] {{{ROWS}}};",
    "binary": "const uint8_t a_model[] = {" + ",".join(f"0b{byte:b}" for byte in MODEL) + "};",
    "casts": "const int8_t a_model[] = {" + ", ".join(f"(int8_t){item}" for item in HEX) + "};",
    "calls": "const char a_model[] = {" + ", ".join(f"char({item})" for item in HEX) + "};",
    "two branches": f"#ifdef A\nchar a_model[] = {{{ROWS}}};\n#else\n"
    f"char a_model[]={{{ROWS}}};\n#endif",
    "byte order mark": f"\ufeffconst unsigned char a_model[] = {{{ROWS}}};",
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_compiler_sees_the_same_bytes(name: str, tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    text = SOURCES[name]
    print_it = (
        "#include <stdio.h>\nint main(void) {{ fwrite(a_model, 1, {0}, stdout); return 0; }}\n"
    )
    (tmp_path / "a.c").write_text(text + "\n" + print_it.format(N))
    subprocess.run([compiler, "-w", "a.c", "-o", "a"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "a"], capture_output=True, check=True)
    assert done.stdout == MODEL
    assert extract_model(text.encode()).data == done.stdout


@pytest.mark.parametrize("name", [*SOURCES, *MORE])
def test_the_array_is_found(name: str) -> None:
    text = (SOURCES | MORE)[name].encode()
    assert model_names(text) == ("a_model",)
    assert extract_model(text).data == MODEL
    assert extract_model(text, "a_model").name == "a_model"


HEAD = "0x1c, 0, 0, 0, 84, 70, 76, 51"


WRONG = {
    "nothing": ("int a[] = {1, 2, 3, 4, 5, 6, 7, 8};", None, "R0315", "no array in it"),
    "no text": ("\0\0\0\0TFL3", None, "R0315", "no array in it"),
    "two": (f"char a[] = {{{HEAD}}}; char b[] = {{{HEAD}}};", None, "R0316", "2 arrays"),
    "no such": (f"char a[] = {{{HEAD}}};", "b", "R0316", "no array 'b'"),
    "differ": (
        f"char a[]={{{HEAD}}};\nchar a[]={{{HEAD},1}};",
        None,
        "R0316",
        "lines 1 and 2",
    ),
    "no end": (f"\nchar a[] = {{{HEAD}, 1,", None, "R0317", "line 2: the array 'a' has no end"),
    "cut short": (f"char a[] = {{{HEAD}}}; int a_len = 9;", None, "R0317", "8 bytes of 9"),
    "declared": (
        f"char a[9] = {{{HEAD}}};",
        None,
        "R0317",
        "8 elements, but is declared with 9",
    ),
    "a word": (
        f"char a[] = {{{HEAD},\nX, 1}};",
        None,
        "R0317",
        "line 2: the array 'a' has the",
    ),
    "too large": (f"char a[] = {{{HEAD}, 256}};", None, "R0317", "the element '256'"),
    "float": (f"char a[] = {{{HEAD}, 1.5}};", None, "R0317", "the element '1.5'"),
    "directive": (f"char a[] = {{{HEAD},\n#if X\n1}};", None, "R0317", "the element '#if'"),
    "open string": ('char a[] = "\\x1c\\0\\0\\0TFL3" "abc', None, "R0317", "has no end"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_extracted_is_reported(name: str) -> None:
    text, array, code, words = WRONG[name]
    with pytest.raises(UserFileError) as caught:
        extract_model(text.encode(), array)
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.hint


def test_one_of_several_is_chosen() -> None:
    text = f"char a[] = {{{HEAD},1}}; char b[] = {{{HEAD},2}};".encode()
    assert model_names(text) == ("a", "b")
    assert extract_model(text, "b").data[-1] == 2


@pytest.mark.parametrize(
    "piece",
    [b"={", b'="', b"a[]={", b"/*", b'" ', b"= ", b"a", b"a[", b"[", b"]{", b"'", b"\\", b"a_len="],
)
def test_the_work_is_bounded_by_the_size(piece: bytes) -> None:
    data = b"a[]={0x1c,0,0,0,0x54,0x46,0x4c,0x33," + piece * (200_000 // len(piece))
    started = time.process_time()
    model_names(data)
    for name in (None, "a"):
        with pytest.raises(UserFileError):
            extract_model(data, name)
    assert time.process_time() - started < 8


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([*SOURCES, *MORE]),
    st.lists(st.tuples(st.integers(0, 900), st.sampled_from('{}[]="\\/*,;x0 \n#')), max_size=5),
)
def test_mutated_source_is_read_or_refused(name: str, changes: list[tuple[int, str]]) -> None:
    text = list((SOURCES | MORE)[name])
    for at, char in changes:
        if at < len(text):
            text[at] = char
    data = "".join(text).encode()
    model_names(data)
    with contextlib.suppress(UserFileError):
        assert extract_model(data).data[4:8] == b"TFL3"


def test_xxd_and_back(sine_path: Path, sine: bytes, tmp_path: Path) -> None:
    xxd = shutil.which("xxd")
    if xxd is None:
        pytest.skip("no xxd")
    done = subprocess.run([xxd, "-i", sine_path], capture_output=True, check=True, cwd=tmp_path)
    assert extract_model(done.stdout).data == sine
