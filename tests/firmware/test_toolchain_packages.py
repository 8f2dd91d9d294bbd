"""A compiler from PlatformIO's registry in place of the one in PATH: a stand-in for its package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import load_board, load_boards
from runec.cache import cache_dir
from runec.container import Rune
from runec.diagnostics import MachineError
from runec.firmware import DeviceRune, Project, build, build_project, create_project
from runec.firmware.pio import pio_program
from runec.tools import Finished

MakeRune = Callable[[str], Rune]
PROGRAMS = ("gcc", "g++", "objcopy", "ar")


@pytest.fixture
def project(example_rune: MakeRune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose PlatformIO has a core folder of its own, and no network."""
    made = create_project(
        DeviceRune.of(example_rune("noop")), load_board("nucleo_f401re"), tmp_path / "a project"
    )
    objects = cache_dir() / "objects"
    objects.mkdir(exist_ok=True)
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "objects").symlink_to(objects)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    return made


def install_package(version: str) -> Path:
    """Put a package into PlatformIO's core folder as PlatformIO does; its programs tell their use.

    Returns the file in which they do.
    """
    name = "toolchain-gccarmnoneeabi"
    folder = cache_dir() / "platformio" / "packages" / name
    told = folder / "told"
    (folder / "bin").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": name, "version": version}))
    spec = {"owner": "platformio", "id": None, "name": name, "requirements": None}
    about = {"type": "tool", "name": name, "version": version, "spec": spec}
    (folder / ".piopm").write_text(json.dumps(about))
    for program in PROGRAMS:
        real = shutil.which(f"arm-none-eabi-{program}")
        assert real is not None
        path = folder / "bin" / f"arm-none-eabi-{program}"
        # The same bytes everywhere: objects that were made with them are taken from the cache.
        path.write_text(f'#!/bin/sh\necho {program} >> "${{0%/*}}/../told"\nexec {real} "$@"\n')
        path.chmod(0o755)
    return told


def switch_on(project: Project) -> None:
    settings = project.directory / "platformio.ini"
    line = ";platform_packages = platformio/toolchain-gccarmnoneeabi@"
    text = settings.read_text()
    assert text.count(line) == 1
    settings.write_text(text.replace(line, line[1:]))


@pytest.mark.parametrize("asked", [True, False])
def test_a_compiler_that_platformio_has_is_the_one_that_builds(
    project: Project, monkeypatch: pytest.MonkeyPatch, *, asked: bool
) -> None:
    expected = build_project(project).elf.read_bytes()
    told = install_package("1.120301.0")
    if asked:
        switch_on(project)
    # Debian's is not asked for any more.
    monkeypatch.setattr(build, "_find_compilers", lambda _: pytest.fail("looked in PATH"))
    built = build_project(project)
    used = told.read_text().split()
    # At least what is never taken from the cache: two sources, the program, its image.
    assert used.count("gcc") >= 3
    assert "objcopy" in used
    # The stand-in is the same compiler, so the program is the same one.
    assert built.elf.read_bytes() == expected


def test_without_a_package_or_with_another_version_it_is_the_compiler_in_path(
    project: Project,
) -> None:
    told = install_package("1.70201.0")
    assert build_project(project).image.stat().st_size > 50_000
    assert not told.exists()


def test_a_package_that_cannot_be_fetched_is_told_with_the_way_back(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What PlatformIO says after a minute of trying.
    said = "Tool Manager: Installing platformio/toolchain-gccarmnoneeabi\nHTTPClientError: \n"
    monkeypatch.setattr(build, "run_tool", lambda *_, **__: Finished(1, said, ""))
    with pytest.raises(MachineError) as caught:
        build_project(project)
    assert caught.value.code == "R0821", "nobody asked for it"
    switch_on(project)
    with pytest.raises(MachineError) as caught:
        build_project(project)
    assert caught.value.code == "R0823"
    assert "`;` before `platform_packages`" in str(caught.value.hint)


def test_platformio_reads_the_line_as_it_is_shown(project: Project) -> None:
    def packages() -> object:
        words = [str(pio_program()), "project", "config", "--json-output"]
        words += ["--project-dir", str(project.directory)]
        environment = {**os.environ, "PLATFORMIO_CORE_DIR": str(cache_dir() / "platformio")}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        (_, settings), _ = sorted(json.loads(done.stdout))
        return dict(settings).get("platform_packages")

    assert packages() is None
    switch_on(project)
    assert packages() == ["platformio/toolchain-gccarmnoneeabi@~1.120301.0"]


def test_only_families_whose_flags_are_right_as_they_are_name_a_package(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    for board in load_boards():
        assert bool(board.toolchain.pio_package) == (board.toolchain.libc == "newlib"), board.id
    folder = create_project(
        DeviceRune.of(example_rune("noop")), load_board("esp32c3"), tmp_path / "p"
    ).directory
    assert "platform_packages" not in (folder / "platformio.ini").read_text()
    about = json.loads((folder / "platform" / "runec-bare-metal" / "platform.json").read_text())
    assert about["packages"] == {}
