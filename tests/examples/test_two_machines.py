"""The same .rune from two machines that have nothing in common but runec and its tools.

Each has its own copy of runec and of the examples, in another folder; another user, clock, time
zone, locale, hash seed, umask, number of processors; files that were written in another order and
at other times, and folders that are listed backwards. The second user needs root; where the tests
run as somebody else, only what names the user differs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("runec", "examples", "boards", "firmware_templates")
NOBODY = 65534
# Builds everything with a cold cache and says what it built, when, and who it was.
BUILD = """
import hashlib, json, os, sys, time
from pathlib import Path
if sys.argv[1] == "backwards":
    listdir, scandir, walk = os.listdir, os.scandir, os.walk
    class Backwards:
        def __init__(self, *arguments):
            with scandir(*arguments) as entries:
                self.entries = iter(sorted(entries, key=lambda entry: entry.name)[::-1])
        def __iter__(self): return self.entries
        def __next__(self): return next(self.entries)
        def __enter__(self): return self
        def __exit__(self, *_): pass
        def close(self): pass
    os.listdir = lambda *arguments: sorted(listdir(*arguments), reverse=True)
    os.scandir = Backwards
from runec.cli import execute
built = {}
for runefile in sorted(Path("examples").glob("*/Runefile*")):
    if execute(["build", str(runefile), "-o", "built.rune"]) != 0:
        sys.exit(f"{runefile} was not built")
    built[str(runefile)] = hashlib.sha256(Path("built.rune").read_bytes()).hexdigest()
    with open("built.rune", "rb"): pass
    os.unlink("built.rune")
umask = os.umask(0)
print(json.dumps({
    "built": built, "cpus": len(os.sched_getaffinity(0)), "here": os.getcwd(), "umask": umask,
    "runec": sys.modules["runec"].__file__, "seed": hash("seed"), "time": time.time(),
    "uid": os.getuid(), "home": os.environ["HOME"], "zone": time.tzname[0],
    "examples": os.listdir("examples"), "mtime": os.stat("examples/sine/Runefile.yml").st_mtime,
}))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user can enter; pytest's own can not be."""
    with tempfile.TemporaryDirectory(prefix="two machines ") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def copy_project(target: Path, *, backwards: bool, when: int) -> None:
    """Copy what git or a wheel would bring, file by file, in an order of its own."""
    files = sorted(
        path.relative_to(PROJECT)
        for part in PARTS
        for path in (PROJECT / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    for name in reversed(files) if backwards else files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / name, target / name)
        os.utime(target / name, (when, when))


def shifted_clock() -> dict[str, str]:
    """What makes a program's clock run in 2031 (Debian's libfaketime)."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    assert found, "libfaketime is not installed: make setup"
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": "@2031-02-03 04:05:06",
        "NO_FAKE_STAT": "1",
    }


def user_is_possible(folder: Path) -> bool:
    """True when this process may become somebody else, who can then start this Python."""
    if os.getuid() != 0:
        return False
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import click"],
            cwd=folder,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            check=False,
            capture_output=True,
        )
    except OSError:
        return False
    return done.returncode == 0


def machine(
    home: Path, order: str, environment: dict[str, str], *, umask: int, user: int | None, cpus: int
) -> subprocess.Popen[str]:
    for name in ("home", "tmp", "work"):
        (home / name).mkdir()
    for name in PARTS[1:]:
        (home / "work" / name).symlink_to(home / "install" / name)
    if user is not None:
        for folder in (home, *(home / name for name in ("home", "tmp", "work"))):
            os.chown(folder, user, user)
    program = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if cpus == 1 else []
    return subprocess.Popen(
        [*program, sys.executable, "-c", BUILD, order],
        cwd=home / "work",
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(home / "install"),
            "HOME": str(home / "home"),
            "TMPDIR": str(home / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        umask=umask,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )


def test_two_machines_build_the_same_bytes(open_folder: Path) -> None:
    one = open_folder / "a"
    two = open_folder / "another place, much longer - größer" / "b"
    copy_project(one / "install", backwards=False, when=1_500_000_000)
    copy_project(two / "install", backwards=True, when=1_900_000_000)
    other_user = NOBODY if user_is_possible(open_folder) else None
    running = [
        machine(
            one,
            "forwards",
            {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8", "USER": "ada"},
            umask=0o022,
            user=None,
            cpus=0,
        ),
        machine(
            two,
            "backwards",
            {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR", "USER": "bob"}
            | {"SOURCE_DATE_EPOCH": "1", "CPATH": str(two), "RUNEC_CACHE_DIR": str(two / "tmp")}
            | shifted_clock(),
            umask=0o077,
            user=other_user,
            cpus=1,
        ),
    ]
    said = []
    for process in running:
        stdout, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
        said.append(json.loads(stdout))
    first, second = said
    # They are two machines indeed, and each ran the copy of its own.
    for each, home in ((first, one), (second, two)):
        assert each["runec"].startswith(str(home / "install"))
    differ = {"here", "umask", "seed", "home", "zone", "mtime", "time"}
    assert {name for name in differ if first[name] == second[name]} == set()
    assert second["time"] - first["time"] > 365 * 86400
    assert first["examples"] != second["examples"]
    assert (first["uid"] != second["uid"]) == (other_user is not None)
    assert second["cpus"] == 1
    runefiles = sorted(
        str(path.relative_to(PROJECT)) for path in PROJECT.glob("examples/*/Runefile*")
    )
    assert sorted(first["built"]) == runefiles
    assert first["built"] == second["built"]
