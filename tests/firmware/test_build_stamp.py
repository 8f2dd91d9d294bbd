"""An up-to-date project is not built again; any change causes a build."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runec.boards import Toolchain, load_board
from runec.container import Rune
from runec.firmware import DeviceRune, build, build_project, create_project
from runec.firmware.build_stamp import build_folder, build_inputs, note_build, was_built
from runec.tools import Finished

ENVIRONMENT = {"PLATFORMIO_CORE_DIR": "/core"}


@pytest.fixture
def toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toolchain:
    """The compilers of a board, as files of the test's own."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("gcc", "g++", "ld", "objcopy"):
        program = programs / f"arm-none-eabi-{name}"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return load_board("netduinoplus2").toolchain


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a source, and what a builder made of it."""
    folder = tmp_path / "a project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "firmware.c").write_text("int main(void) { return 0; }\n")
    (folder / "build_plan.json").write_text("{}")
    made = build_folder(folder)
    (made / "src").mkdir(parents=True)
    (made / "src" / "firmware.c.o").write_bytes(b"object")
    (made / "firmware.elf").write_bytes(b"program")
    (made / "image.bin").write_bytes(b"image")
    return folder


def note(project: Path, toolchain: Toolchain) -> None:
    note_build(project, build_inputs(project, toolchain, ENVIRONMENT))


def is_known(project: Path, toolchain: Toolchain) -> bool:
    return was_built(project, build_inputs(project, toolchain, ENVIRONMENT))


def test_a_build_that_was_noted_is_known_again(project: Path, toolchain: Toolchain) -> None:
    assert not is_known(project, toolchain)
    note(project, toolchain)
    assert is_known(project, toolchain)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source": lambda folder: (folder / "src" / "firmware.c").write_text("int main(void) {}\n"),
    "a header that another one would be found before": lambda folder: (
        folder / "src" / "m3_env.h"
    ).write_text(""),
    "a source that is gone": lambda folder: (folder / "src" / "firmware.c").unlink(),
    "a flag": lambda folder: (folder / "build_plan.json").write_text('{"flags": []}'),
    "a program that is gone": lambda folder: (build_folder(folder) / "firmware.elf").unlink(),
    "a program that was changed": lambda folder: (
        build_folder(folder) / "firmware.elf"
    ).write_bytes(b"pROGRAM"),
    "an image that is gone": lambda folder: (build_folder(folder) / "image.bin").unlink(),
    "everything that was made": lambda folder: build_folder(folder).rename(folder / "elsewhere"),
    "another compiler": lambda folder: (
        folder.parent / "programs" / "arm-none-eabi-gcc"
    ).write_text("#!/bin/sh\n# 13.2\n"),
    "a compiler that is gone": lambda folder: (
        folder.parent / "programs" / "arm-none-eabi-g++"
    ).unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_project_is_built_again(
    project: Path, toolchain: Toolchain, change: str
) -> None:
    note(project, toolchain)
    CHANGES[change](project)
    assert not is_known(project, toolchain)


def test_what_the_builder_is_told_by_the_environment_counts(
    project: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(project, toolchain)
    assert not was_built(
        project, build_inputs(project, toolchain, {"PLATFORMIO_CORE_DIR": "/another"})
    )
    monkeypatch.setenv("PLATFORMIO_BUILD_FLAGS", "-DDEBUG")
    assert not is_known(project, toolchain)


def test_objects_and_hidden_folders_do_not_count(project: Path, toolchain: Toolchain) -> None:
    note(project, toolchain)
    (build_folder(project) / "src" / "firmware.c.o").unlink()
    (project / ".git").mkdir()
    (project / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert is_known(project, toolchain)


def test_a_source_that_is_changed_while_the_builder_works_is_built_the_next_time(
    project: Path, toolchain: Toolchain
) -> None:
    inputs = build_inputs(project, toolchain, ENVIRONMENT)
    (project / "src" / "firmware.c").write_text("int main(void) { return 1; }\n")
    note_build(project, inputs)
    assert not is_known(project, toolchain)


def test_a_source_that_cannot_be_read_leaves_nothing_known(
    project: Path, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(project, toolchain)

    def refuse(path: Path) -> bytes:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert build_inputs(project, toolchain, ENVIRONMENT) is None
    note(project, toolchain)
    assert not is_known(project, toolchain)


def test_a_note_that_cannot_be_read_is_none(project: Path, toolchain: Toolchain) -> None:
    note(project, toolchain)
    (build_folder(project) / ".runec-built").write_bytes(b"\xff\xfe")
    assert not is_known(project, toolchain)


def test_the_second_build_starts_no_builder(
    example_rune: Callable[[str], Rune], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rune, board = example_rune("noop"), load_board("netduinoplus2")
    first = build_project(create_project(DeviceRune.of(rune), board, tmp_path / "noop"))
    started: list[Sequence[str | Path]] = []

    def run_tool(command: Sequence[str | Path], **_: object) -> Finished:
        started.append(command)
        return Finished(0, "", "")

    monkeypatch.setattr(build, "run_tool", run_tool)
    log: list[str] = []
    assert build_project(tmp_path / "noop", log=log.append) == first
    assert not started
    assert "has not changed" in log[0]
    (tmp_path / "noop" / "src" / "firmware.c").open("a").close()  # its time is of no interest
    build_project(tmp_path / "noop")
    assert not started
    (tmp_path / "noop" / "src" / "firmware.c").write_text("another program")
    build_project(tmp_path / "noop")
    assert len(started) == 1
