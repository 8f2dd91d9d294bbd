"""Whatever a Runefile holds, the frontend answers with a coded error or a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runec.diagnostics import Diagnostic, RunecError, UserFileError, render
from runec.frontend import analyse, analyse_text, yaml_nodes

NOWHERE = Path("nowhere")
VALID_YAML = """version: 1
image: runicos/base
pipeline:
  input: {capability: RAW, args: {length: 4}, outputs: [{type: f32, dimensions: [1, 1]}]}
  half: {proc-block: "hotg-ai/proc-blocks@v0.11.3#modulo", inputs: [input], args: {modulus: 2.5}}
  name: {proc-block: label, inputs: [half.0], args: {wordlist: $WORDS}}
  net: {model: ./no.tflite, inputs: [half], outputs: [{type: u8}]}
  serial: {out: serial, inputs: [name]}
resources:
  WORDS: {inline: "a\\nb", type: string}
"""
VALID_LEGACY = """FROM runicos/base
CAPABILITY<F32[1, 4]> input RAW --length 16 # bytes
PROC_BLOCK<F32[4],_> half hotg-ai/rune#proc_blocks/modulo \\
    --modulus 2.5
PROC_BLOCK<_,UTF8> name hotg-ai/rune@v1#proc-blocks/label --labels=a,b,c
MODEL<F32, U8> net ./no.tflite --format "tensorflow-lite"
OUT SERIAL
RUN input half name serial
"""


def survives(text: str, path: str) -> None:
    try:
        said: tuple[Diagnostic, ...] = analyse_text(text, path, NOWHERE, "x").warnings
    except RunecError as error:
        said = error.diagnostics
    for diagnostic in said:
        assert render(diagnostic)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["Runefile", "Runefile.yml"]))
def test_any_text_gets_an_answer(text: str, path: str) -> None:
    survives(text, path)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=60), st.sampled_from(["Runefile", "Runefile.yml"]))
def test_any_text_with_halves_of_surrogate_pairs_gets_an_answer(text: str, path: str) -> None:
    survives(f"FROM {text}", path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=200), name=st.sampled_from(["Runefile", "Runefile.yml"]))
def test_any_bytes_get_an_answer(data: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    try:
        said = analyse(path).warnings
    except RunecError as error:
        said = error.diagnostics
    assert all(render(item) for item in said)


YAML_BITS = [
    "{",
    "}",
    "[",
    "]",
    ":",
    "- ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "!!x ",
    "|\n",
    "? ",
    "#",
    '"',
    "'",
]
YAML_BITS += ["%YAML 1.1\n", "---\n", "...\n", "<<: ", "\t", "$", "$X", "null", "1", "\\UFFFFFFFF"]
YAML_BITS += [
    "version: ",
    "image: ",
    "pipeline:\n",
    "resources:\n",
    "inputs: ",
    "outputs: ",
    "args: ",
]
YAML_BITS += [
    "model: ",
    "proc-block: ",
    "capability: ",
    "out: ",
    "type: ",
    "dimensions: ",
    "RAW",
    "f32",
]
LEGACY_BITS = [
    "FROM ",
    "CAPABILITY",
    "PROC_BLOCK",
    "MODEL",
    "RUN ",
    "OUT ",
    "<",
    ">",
    ",",
    "[",
    "]",
]
LEGACY_BITS += [
    "_",
    "f32",
    "a",
    "b ",
    "./m",
    "--n",
    "=",
    " ",
    '"',
    "\\",
    "\\\n",
    "#",
    "\n",
    "1",
    "@1",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(YAML_BITS), max_size=25).map("".join))
def test_any_words_of_yaml_get_an_answer(text: str) -> None:
    survives(text, "Runefile.yml")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LEGACY_BITS), max_size=25).map("".join))
def test_any_words_of_the_legacy_dialect_get_an_answer(text: str) -> None:
    survives("FROM runicos/base\n" + text, "Runefile")


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([(VALID_YAML, "Runefile.yml"), (VALID_LEGACY, "Runefile")]),
    st.integers(0, 10_000),
    st.integers(0, 12),
    st.sampled_from(["", "\n", "x", "0", "[", '"', "{}", "\\", ": ", "#", "@", "\u0085", "\0"]),
)
def test_any_edit_of_a_valid_file_gets_an_answer(
    valid: tuple[str, str], at: int, removed: int, put: str
) -> None:
    text, path = valid
    at %= len(text)
    survives(text[:at] + put + text[at + removed :], path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserFileError) as caught:
        analyse(tmp_path / "Runefile.yml")
    assert caught.value.code == "R1003"
    assert caught.value.exit_code == 1


def test_a_folder_is_no_runefile(tmp_path: Path) -> None:
    with pytest.raises(UserFileError) as caught:
        analyse(tmp_path)
    assert caught.value.code == "R1003"


def test_bytes_that_are_no_utf8_are_pointed_at(tmp_path: Path) -> None:
    path = tmp_path / "Runefile"
    path.write_bytes("FROM runicos/base\n# \u00e9t\u00e9\n# caf".encode() + b"\xe9\n")
    with pytest.raises(RunecError) as caught:
        analyse(path)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span and str(diagnostic.span)) == ("R0002", f"{path}:3:6")
    assert "0xe9" in diagnostic.message


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(RunecError) as caught:
        analyse_text("FROM \ud800", "Runefile", NOWHERE, "x")
    assert caught.value.code == "R0002"


def test_a_runefile_of_more_than_4_mib_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "Runefile.yml"
    path.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(UserFileError) as unread:
        analyse(path)
    with pytest.raises(UserFileError) as text:
        analyse_text("#" * (4 * 1024 * 1024 + 1), "Runefile.yml", NOWHERE, "x")
    for error in (unread.value, text.value):
        assert error.code == "R0019"
        assert "is larger than 4 MiB" in error.message
        assert "resources: {WORDS: {path: words.txt}}" in str(error.hint)


LABELS = [f"label_{number:05}_of" for number in range(99_424)]
BLOCK = """version: 1
image: runicos/base
pipeline:
  x: {{capability: RAW, outputs: [{{type: u32, dimensions: [1]}}]}}
  label:
    proc-block: label
    inputs: [x]
    args:
      wordlist: {}
  serial: {{out: SERIAL, inputs: [label]}}
"""


LEGACY_BLOCK = """FROM runicos/base
CAPABILITY<U32[1]> x RAW
PROC_BLOCK<U32[1], UTF8[1]> label hotg-ai/rune@v1#proc_blocks/label --labels={}
OUT serial
RUN x label serial
"""


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("Runefile.yml", BLOCK.format("|\n        " + "\n        ".join(LABELS)), 99_424),
        ("Runefile.yml", BLOCK.format("[" + ", ".join(LABELS[:12_000]) + "]"), 12_000),
        ("Runefile", LEGACY_BLOCK.format(",".join(LABELS)), 99_424),
    ],
)
def test_a_hundred_thousand_labels_become_a_resource(path: str, text: str, count: int) -> None:
    pipeline = analyse_text(text, path, NOWHERE, "x").pipeline
    (resource,) = pipeline.resources.values()
    assert resource.data is not None
    assert resource.data.split() == [label.encode() for label in LABELS[:count]]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\n",
        "version: " + "[" * 5000,
        "version: " + "{a: " * 5000,
        "- " * 5000,
    ],
)
def test_yaml_bombs_are_refused_before_they_grow(
    text: str, diagnose: Callable[..., tuple[Diagnostic, ...]]
) -> None:
    (diagnostic,) = diagnose(text)
    assert diagnostic.code in ("R0004", "R0019")


@pytest.mark.parametrize("path", ["a\\0b", "/dev/null/x", "x" * 5000])
def test_impossible_paths_of_models_are_told(
    path: str, diagnose: Callable[..., tuple[Diagnostic, ...]]
) -> None:
    text = "version: 1\nimage: runicos/base\npipeline:\n"
    text += "  input: {capability: RAW, outputs: [{type: f32}]}\n"
    text += (
        f'  net: {{model: "{path}", inputs: [input]}}\n  serial: {{out: serial, inputs: [net]}}\n'
    )
    assert [item.code for item in diagnose(text)] == ["R0114"]


def test_a_file_with_every_line_wrong_is_answered_line_by_line(
    diagnose: Callable[..., tuple[Diagnostic, ...]],
) -> None:
    said = diagnose("FROM runicos/base\n" + "CAPABILITY x RAW\n" * 300, "Runefile")
    assert [item.code for item in said] == ["R0001"] * 300


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("FROM runicos/base\n" + "OUT serial\n" * 2000, "Runefile"),
        ("version: [" + "1, " * 30_000 + "]\n", "Runefile.yml"),
    ],
)
def test_more_words_than_any_rune_has_are_refused(
    text: str,
    path: str,
    diagnose: Callable[..., tuple[Diagnostic, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_YAML_EVENTS", 20_000)  # 250,000 take ten seconds
    assert "R0019" in {item.code for item in diagnose(text, path)}
