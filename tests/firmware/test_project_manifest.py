"""Whatever ends the writing of a project, the next call completes it; nobody's work is lost."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runec.boards import load_board
from runec.container import Rune
from runec.diagnostics import MachineError, UserFileError
from runec.files import write_file
from runec.firmware import (
    DeviceRune,
    Project,
    create_project,
    is_project,
    load_project,
    project_manifest,
)
from tests.common import contents

MakeRune = Callable[[str], Rune]
BOARD = "netduinoplus2"
MANIFEST = "runec-project.json"
# Writes until the end: the manifest, a file, many of them, the manifest once more.
MOMENTS = (0, 1, 40, -1)


def version_2(rune: Rune) -> Rune:
    """The same name, other bytes, another graph."""
    graph = rune.require_graph()
    return dataclasses.replace(
        rune,
        data=rune.data + b"\0",
        graph=dataclasses.replace(graph, memory_used=graph.memory_used + 64),
    )


@pytest.fixture
def fresh(example_rune: MakeRune, tmp_path: Path) -> Path:
    create_project(DeviceRune.of(example_rune("noop")), load_board(BOARD), tmp_path / "fresh")
    return tmp_path / "fresh"


def break_off(
    monkeypatch: pytest.MonkeyPatch, writes: int, error: type[BaseException] | MachineError
) -> None:
    """Let the write after so many end with an error; -1: the last one."""
    done: list[Path] = []

    def counted(path: Path, data: bytes, **options: object) -> bool:
        is_last = path.name == MANIFEST and len(done) > 1
        if len(done) == writes or (writes < 0 and is_last):
            raise error
        done.append(path)
        return write_file(path, data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(project_manifest, "write_file", counted)


FULL = MachineError("R1001", "no space left", hint="free some")


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, SystemExit, FULL], ids=["INT", "TERM", "full"]
)
@pytest.mark.parametrize("writes", MOMENTS)
def test_a_project_whose_writing_was_broken_off_is_completed(
    example_rune: MakeRune,
    fresh: Path,
    tmp_path: Path,
    writes: int,
    error: type[BaseException] | MachineError,
) -> None:
    rune, board, place = example_rune("noop"), load_board(BOARD), tmp_path / "p"
    kind = error if isinstance(error, type) else MachineError
    with pytest.MonkeyPatch.context() as patch:
        break_off(patch, writes, error)
        with pytest.raises(kind):
            create_project(DeviceRune.of(rune), board, place)
    assert is_project(place) == (writes != 0)
    if writes:
        with pytest.raises(UserFileError) as caught:
            load_project(place)
        assert caught.value.code == "R0813"
        assert f"--board {BOARD} -d {place}" in str(caught.value.hint)
    create_project(DeviceRune.of(rune), board, place)
    assert contents(place) == contents(fresh)


KILLED = """
import os, signal, sys
from pathlib import Path
from runec.boards import load_board
from runec.container import read_rune
from runec.firmware import DeviceRune, create_project

rune = DeviceRune.of(read_rune(Path(sys.argv[1]).read_bytes()))
names, left = [], int(sys.argv[3])
real = Path.replace
def replace(path, target):
    names.append(target)
    if len(names) > left >= 0 or (left < 0 and names.count(target) > 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(path, target)
Path.replace = replace
create_project(rune, load_board("netduinoplus2"), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("writes", MOMENTS)
def test_a_killed_process_leaves_nothing_that_the_next_does_not_mend(
    example_rune: MakeRune, fresh: Path, tmp_path: Path, writes: int
) -> None:
    rune, place = example_rune("noop"), tmp_path / "p"
    (tmp_path / "noop.rune").write_bytes(rune.data)
    words = (tmp_path / "noop.rune", place, writes)
    command = [sys.executable, "-c", KILLED, *map(str, words)]
    done = subprocess.run(command, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert list(place.rglob(".*.tmp")), "it was killed before it could rename"
    create_project(DeviceRune.of(rune), load_board(BOARD), place)
    assert contents(place) == contents(fresh)
    assert not list(place.rglob(".*.tmp"))


@pytest.mark.parametrize("writes", MOMENTS)
def test_an_update_that_was_broken_off_is_completed_and_still_knows_changes_of_the_users(
    example_rune: MakeRune, tmp_path: Path, writes: int
) -> None:
    rune, board, place = example_rune("noop"), load_board(BOARD), tmp_path / "p"
    create_project(DeviceRune.of(rune), board, place)
    create_project(DeviceRune.of(version_2(rune)), board, tmp_path / "second")
    with pytest.MonkeyPatch.context() as patch:
        # Only what differs is written.
        break_off(patch, min(writes, 2), KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            create_project(DeviceRune.of(version_2(rune)), board, place)
    before = contents(place)
    (place / "src" / "firmware.c").write_text("mine")
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(version_2(rune)), board, place)
    assert caught.value.code == "R0817"
    (place / "src" / "firmware.c").write_bytes(before["src/firmware.c"])
    create_project(DeviceRune.of(version_2(rune)), board, place)
    assert contents(place) == contents(tmp_path / "second")


def test_a_project_in_the_cache_takes_the_place_of_whatever_is_there(
    example_rune: MakeRune, fresh: Path, tmp_path: Path
) -> None:
    rune, board = example_rune("noop"), load_board(BOARD)

    def made(place: Path) -> None:
        create_project(DeviceRune.of(rune), board, place, in_cache=True)
        assert contents(place) == contents(fresh)

    (tmp_path / "file").write_text("a file")
    made(tmp_path / "file")
    (tmp_path / "remains" / "lib").mkdir(parents=True)
    (tmp_path / "remains" / "lib" / "old.c").write_text("half of an old project")
    made(tmp_path / "remains")
    for damage in (b"", b"\xff", b'{"files":["a"]}'):
        (tmp_path / "remains" / MANIFEST).write_bytes(damage)
        made(tmp_path / "remains")
    (tmp_path / "remains" / "src" / "firmware.c").write_text("changed by nobody that counts")
    made(tmp_path / "remains")
    create_project(
        DeviceRune.of(example_rune("sine")),
        load_board("esp32c3"),
        tmp_path / "other",
        in_cache=True,
    )
    made(tmp_path / "other")


def test_a_full_cache_is_told_where_it_could_be_instead(
    example_rune: MakeRune, tmp_path: Path
) -> None:
    rune, board = example_rune("noop"), load_board(BOARD)
    (tmp_path / "file").write_text("no folder")
    for in_cache, option in ((True, "RUNEC_CACHE_DIR"), (False, "-d")):
        with pytest.raises(MachineError) as caught:
            create_project(DeviceRune.of(rune), board, tmp_path / "file" / "p", in_cache=in_cache)
        assert caught.value.code == "R1002"
        assert option in str(caught.value.hint)


def test_a_damaged_manifest_is_never_written_over_elsewhere(
    example_rune: MakeRune, fresh: Path
) -> None:
    (fresh / MANIFEST).write_text("{")
    before = contents(fresh)

    def again(place: Path) -> Project:
        return create_project(DeviceRune.of(example_rune("noop")), load_board(BOARD), place)

    for attempt in (again, load_project):
        with pytest.raises(UserFileError) as caught:
            attempt(fresh)
        assert caught.value.code == "R0813"
        assert f"remove {fresh}" in str(caught.value.hint), "making it anew is refused"
    assert contents(fresh) == before


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        (("noop", "esp32c3", "bare"), "'noop' on esp32c3"),
        (("sine", BOARD, "bare"), f"'sine' on {BOARD}"),
        (("noop", "nucleo_f401re", "arduino"), "'noop' on nucleo_f401re with arduino"),
    ],
)
def test_another_projects_folder_is_not_taken(
    example_rune: MakeRune, fresh: Path, wanted: tuple[str, str, str], what: str
) -> None:
    name, board, framework = wanted
    before = contents(fresh)
    with pytest.raises(UserFileError) as caught:
        create_project(
            DeviceRune.of(example_rune(name)), load_board(board), fresh, framework=framework
        )
    assert caught.value.code == "R0816"
    assert f"of the rune 'noop' on {BOARD}, not of {what}" in caught.value.message
    assert contents(fresh) == before


def test_changes_of_the_users_are_not_written_over(example_rune: MakeRune, fresh: Path) -> None:
    rune, board = example_rune("noop"), load_board(BOARD)
    mine = fresh / "src" / "firmware.c"
    mine.write_text("int mine;\n")
    before = contents(fresh)
    for version in (rune, version_2(rune)):
        with pytest.raises(UserFileError) as caught:
            create_project(DeviceRune.of(version), board, fresh)
        assert caught.value.code == "R0817"
        assert caught.value.message.endswith(
            "has local changes that would be overwritten: src/firmware.c"
        )
        assert contents(fresh) == before
    # What the hint says fixes it.
    mine.rename(fresh / "mine.c")
    create_project(DeviceRune.of(version_2(rune)), board, fresh)
    assert mine.read_bytes() != b"int mine;\n"
    assert (fresh / "mine.c").read_text() == "int mine;\n"


def test_a_changed_file_that_is_no_longer_needed_is_kept(
    example_rune: MakeRune, fresh: Path
) -> None:
    manifest = json.loads((fresh / MANIFEST).read_text())
    manifest["files"]["src/old.c"] = "0" * 64
    (fresh / MANIFEST).write_text(json.dumps(manifest))
    (fresh / "src" / "old.c").write_text("mine")
    with pytest.raises(UserFileError) as caught:
        create_project(DeviceRune.of(example_rune("noop")), load_board(BOARD), fresh)
    assert (caught.value.code, (fresh / "src" / "old.c").read_text()) == ("R0817", "mine")


def test_an_update_writes_only_what_differs(example_rune: MakeRune, fresh: Path) -> None:
    paths = [path for path in fresh.rglob("*") if path.is_file()]
    for path in paths:
        os.utime(path, (1, 1))
    create_project(DeviceRune.of(version_2(example_rune("noop"))), load_board(BOARD), fresh)
    written = {path.relative_to(fresh).as_posix() for path in paths if path.stat().st_mtime != 1}
    assert {MANIFEST, "rune/rune.rune"} <= written
    assert len(written) < 8
    assert not [name for name in written if name.startswith("lib/")]
