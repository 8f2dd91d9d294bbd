"""Files that a Runefile names outside of its folder, and names of what is not a file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from runec.diagnostics import RunefileError, UserFileError
from runec.frontend import analyse

RUNEFILE = """\
image: runicos/base
version: 1
pipeline:
  sensor:
    capability: RAW
    outputs: [{type: u8, dimensions: [4]}]
  label:
    proc-block: "hotg-ai/rune#proc_blocks/label"
    inputs: [sensor]
    outputs: [{type: utf8, dimensions: [4]}]
    args: {labels: $LABELS}
  serial: {out: SERIAL, inputs: [label]}
resources:
  LABELS: {path: "%s"}
"""
MODEL = """\
image: runicos/base
version: 1
pipeline:
  sensor:
    capability: RAW
    outputs: [{type: f32, dimensions: [1, 1]}]
  model:
    model: "%s"
    inputs: [sensor]
    outputs: [{type: f32, dimensions: [1, 1]}]
%s  serial: {out: SERIAL, inputs: [model]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("a\nb\nc\nd\n")
    (folder / "labels.txt").write_text("a\nb\nc\nd\n")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "inside.txt").symlink_to(folder / "labels.txt")
    (folder / "away").symlink_to(tmp_path)
    return folder


def check(folder: Path, text: str, *, allow_outside: bool = False) -> tuple[str, ...]:
    path = folder / "Runefile.yml"
    path.write_text(text)
    try:
        analyse(path, allow_outside=allow_outside)
    except RunefileError as error:
        return tuple(each.code for each in error.diagnostics)
    return ()


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "{outside}/secret.txt",
        "link.txt",
        "away/secret.txt",
        "./x/../../secret.txt",
    ],
)
def test_a_resource_outside_is_refused_unless_it_is_allowed(name: str, project: Path) -> None:
    (project / "x").mkdir()
    text = RUNEFILE % name.format(outside=project.parent)
    assert check(project, text) == ("R1015",)
    assert check(project, text, allow_outside=True) == ()


@pytest.mark.parametrize(
    "name",
    ["labels.txt", "./labels.txt", "inside.txt", "{inside}/labels.txt", "away/project/labels.txt"],
)
def test_a_resource_inside_is_read_whichever_way_it_is_named(name: str, project: Path) -> None:
    assert check(project, RUNEFILE % name.format(inside=project)) == ()


def test_a_folder_that_is_a_link_itself_is_the_folder(project: Path) -> None:
    link = project.parent / "same"
    link.symlink_to(project)
    assert check(link, RUNEFILE % "labels.txt") == ()


def test_the_error_names_file_line_and_option(project: Path) -> None:
    path = project / "Runefile.yml"
    path.write_text(RUNEFILE % "../secret.txt")
    with pytest.raises(RunefileError) as caught:
        analyse(path)
    (found,) = caught.value.diagnostics
    assert found.message == (
        f"\"LABELS\": the resource '../secret.txt' is outside the folder of the Runefile: it is "
        f"{os.path.realpath(project.parent / 'secret.txt')}"
    )
    assert found.span is not None
    assert found.span.line == 14
    assert "--allow-outside" in (found.hint or "")


def test_a_model_outside_is_refused(project: Path) -> None:
    (project.parent / "m.tflite").write_bytes(b"x")
    assert check(project, MODEL % ("../m.tflite", "")) == ("R1015",)
    assert check(project, MODEL % ("../m.tflite", ""), allow_outside=True) != ("R1015",)


def test_a_models_folder_outside_and_a_link_in_one_are_refused(project: Path) -> None:
    args = "    args: {format: tensorflow-js}\n"
    (project.parent / "js").mkdir()
    (project.parent / "js" / "model.json").write_text("{}")
    packed = "R0306"  # a warning
    assert check(project, MODEL % ("../js", args)) == ("R1015", packed)
    (project / "js").mkdir()
    (project / "js" / "model.json").symlink_to(project.parent / "secret.txt")
    assert check(project, MODEL % ("js", args)) == ("R1015", packed)
    assert check(project, MODEL % ("js", args), allow_outside=True) == ()


def test_a_folder_beside_with_the_same_beginning_is_outside(project: Path) -> None:
    other = project.parent / "project2"
    other.mkdir()
    (other / "labels.txt").write_text("a\n")
    assert check(project, RUNEFILE % "../project2/labels.txt") == ("R1015",)


@pytest.mark.parametrize(
    "name", ["fifo", "/dev/zero", "/dev/null", "/proc/kmsg", "/proc/self/environ", "socket"]
)
def test_what_is_no_regular_file_is_refused_and_never_waited_for(name: str, project: Path) -> None:
    os.mkfifo(project / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(project / "socket"))
        assert check(project, RUNEFILE % name, allow_outside=True) == ("R0114",)
        with pytest.raises(RunefileError) as refused:
            analyse(project / "Runefile.yml", allow_outside=True)
        assert "paths are relative" not in str(refused.value.diagnostics[0].hint)
    with pytest.raises(UserFileError, match=r"it is a|Permission denied") as caught:
        analyse(project / name)
    assert caught.value.code == "R1003"
