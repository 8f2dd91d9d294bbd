from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import sys
import tarfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from runec.cache import cache_dir
from runec.components import (
    Component,
    cached,
    component,
    components,
    fetch,
    fetching,
    is_broken,
    leftovers,
)
from runec.diagnostics import MachineError, UsageError, UserFileError
from runec.tools import Finished, find_tool

SDIST = Component(
    name="small",
    version="1.0",
    licence="MIT",
    copyright="Somebody",
    kind="pypi-sdist",
    package="small",
    sha256="",
    homepage="",
    keep=("LICENSE", "src/"),
)
FILES = {
    "small-1.0/LICENSE": b"do what you like",
    "small-1.0/src/a.c": b"int a;",
    "small-1.0/src/deep/b.h": b"extern int a;",
    "small-1.0/test/big.bin": b"not needed",
}


def archive(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


class Registry:
    """Stands in for pip and cargo: puts `data` where they would."""

    def __init__(self, data: bytes, *, returncode: int = 0, stderr: str = "") -> None:
        self.data, self.returncode, self.stderr = data, returncode, stderr
        self.calls: list[list[str]] = []

    def __call__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout_s: float = 600,
    ) -> Finished:
        words = [str(word) for word in command]
        self.calls.append(words)
        assert cwd is not None
        assert timeout_s > 0
        if self.returncode == 0:
            if "download" in words:
                (cwd / "small-1.0.tar.gz").write_bytes(self.data)
            else:
                folder = Path((environment or {})["CARGO_HOME"]) / "registry/cache/registry-1"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "small-1.0.crate").write_bytes(self.data)
        return Finished(self.returncode, "", self.stderr)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a cache"
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(folder))
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "cargo home"))
    return folder


def install(
    monkeypatch: pytest.MonkeyPatch, registry: Registry, wanted: Component = SDIST
) -> Component:
    digest = hashlib.sha256(archive(FILES)).hexdigest()
    wanted = msgspec.structs.replace(wanted, sha256=digest)
    monkeypatch.setattr(fetching, "component", lambda _: wanted)
    monkeypatch.setattr(fetching, "run_tool", registry)
    monkeypatch.setattr(fetching, "find_tool", lambda name, hint: Path("/usr/bin") / name or hint)
    return wanted


def left_over(cache: Path) -> list[str]:
    return [path.name for path in (cache / "components").glob(".*")]


@pytest.mark.parametrize("kind", ["pypi-sdist", "crate"])
def test_a_component_is_downloaded_verified_and_unpacked_once(
    monkeypatch: pytest.MonkeyPatch, cache: Path, kind: str
) -> None:
    registry = Registry(archive(FILES))
    install(monkeypatch, registry, msgspec.structs.replace(SDIST, kind=kind))
    folder = fetch("small")
    assert folder.parent == cache / "components"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} == {
        "src/a.c",
        "src/deep/b.h",
    }
    assert (folder / "LICENSE").read_bytes() == FILES["small-1.0/LICENSE"]
    assert fetch("small") == folder
    assert len(registry.calls) == 1
    assert left_over(cache) == []


def test_pip_gets_the_pinned_version_as_source_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = Registry(archive(FILES))
    install(monkeypatch, registry)
    fetch("small")
    (command,) = registry.calls
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "small==1.0" in command
    assert "--no-deps" in command
    assert command[command.index("--no-binary") + 1] == "small"


def test_a_crate_in_cargos_cache_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry = Registry(b"", returncode=1)
    install(monkeypatch, registry, msgspec.structs.replace(SDIST, kind="crate"))
    folder = tmp_path / "cargo home/registry/cache/registry-1"
    folder.mkdir(parents=True)
    (folder / "small-1.0.crate").write_bytes(archive(FILES))
    assert (fetch("small") / "src/a.c").is_file()
    assert registry.calls == []


def test_another_archive_than_the_pinned_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    install(monkeypatch, Registry(archive({**FILES, "small-1.0/src/a.c": b"evil"})))
    with pytest.raises(MachineError) as caught:
        fetch("small")
    assert caught.value.code == "R1013"
    assert caught.value.exit_code == 4
    assert left_over(cache) == []
    assert list((cache / "components").iterdir()) == []


@pytest.mark.parametrize("kind", ["pypi-sdist", "crate"])
def test_a_disk_that_is_full_for_the_client_is_not_blamed_on_the_network(
    monkeypatch: pytest.MonkeyPatch, cache: Path, kind: str
) -> None:
    said = "ERROR: Exception:\nOSError: [Errno 28] No space left on device: '/x'\n"
    registry = Registry(b"", returncode=1, stderr=said)
    install(monkeypatch, registry, msgspec.structs.replace(SDIST, kind=kind))
    with pytest.raises(MachineError, match="no space left to download small") as caught:
        fetch("small")
    assert caught.value.code == "R1001"
    assert left_over(cache) == []


@pytest.mark.parametrize("kind", ["pypi-sdist", "crate"])
def test_no_network_is_said_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, cache: Path, kind: str
) -> None:
    registry = Registry(b"", returncode=1, stderr="ERROR: could not resolve the host\n")
    install(monkeypatch, registry, msgspec.structs.replace(SDIST, kind=kind))
    with pytest.raises(MachineError) as caught:
        fetch("small")
    assert caught.value.code == "R1012"
    assert "RUNEC_COMPONENT_SMALL" in (caught.value.hint or "")
    assert "could not resolve the host" in " ".join(caught.value.notes)
    assert left_over(cache) == []


@pytest.mark.parametrize(
    ("kind", "stderr"),
    [
        ("pypi-sdist", "/usr/bin/python: No module named pip"),
        ("crate", "error: no such command: `info`"),
    ],
)
def test_a_client_that_is_missing_or_too_old_is_named(
    monkeypatch: pytest.MonkeyPatch, kind: str, stderr: str
) -> None:
    registry = Registry(b"", returncode=1, stderr=stderr)
    install(monkeypatch, registry, msgspec.structs.replace(SDIST, kind=kind))
    with pytest.raises(MachineError) as caught:
        fetch("small")
    assert caught.value.code == "R1004"
    assert caught.value.hint


def test_without_cargo_its_package_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, Registry(b""), msgspec.structs.replace(SDIST, kind="crate"))
    monkeypatch.setattr(fetching, "find_tool", find_tool)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError) as caught:
        fetch("small")
    assert caught.value.code == "R1004"
    assert "cargo-web" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "name", ["small-1.0/src/../../../outside", "/small-1.0/src/x", "other-1.0/src/x", "small-1.0"]
)
def test_members_outside_the_archives_folder_are_never_written(
    monkeypatch: pytest.MonkeyPatch, cache: Path, name: str
) -> None:
    data = archive({**FILES, name: b"outside"})
    wanted = install(monkeypatch, Registry(data))
    digest = hashlib.sha256(data).hexdigest()
    wanted = msgspec.structs.replace(wanted, sha256=digest)
    monkeypatch.setattr(fetching, "component", lambda _: wanted)
    folder = fetch("small")
    written = [path for path in cache.parent.rglob("*") if path.is_file()]
    assert {path for path in written if folder in path.parents} == set(written)
    assert b"outside" not in [path.read_bytes() for path in written]


def test_an_archive_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    data = b"<html>please log in</html>"
    wanted = install(monkeypatch, Registry(data))
    digest = hashlib.sha256(data).hexdigest()
    wanted = msgspec.structs.replace(wanted, sha256=digest)
    monkeypatch.setattr(fetching, "component", lambda _: wanted)
    with pytest.raises(MachineError) as caught:
        fetch("small")
    assert caught.value.code == "R1014"
    assert left_over(cache) == []


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "R1001"), (errno.EACCES, "R1002")])
def test_a_full_or_locked_disk_is_said_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, cache: Path, number: int, code: str
) -> None:
    install(monkeypatch, Registry(archive(FILES)))

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(shutil, "copyfileobj", fail)
    with pytest.raises(MachineError) as caught:
        fetch("small")
    assert caught.value.code == code
    assert left_over(cache) == []


def test_two_fetches_at_once_both_succeed(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    both = threading.Barrier(2)
    registry = Registry(archive(FILES))
    install(monkeypatch, registry)
    unpack = fetching._unpack

    def together(wanted: Component, path: Path, target: Path) -> None:
        unpack(wanted, path, target)
        both.wait(30)

    monkeypatch.setattr(fetching, "_unpack", together)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(fetch("small"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(registry.calls) == 2
    assert len(found) == 2
    assert found[0] == found[1]
    assert left_over(cache) == []


def test_a_folder_of_the_users_own_is_taken_instead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    (mine / "wasm3").mkdir(parents=True)
    (mine / "LICENSE").write_text("MIT")
    monkeypatch.setenv("RUNEC_COMPONENT_WASM3", str(mine))
    assert fetch("wasm3") == mine
    for wrong in (tmp_path / "missing", tmp_path):
        monkeypatch.setenv("RUNEC_COMPONENT_WASM3", str(wrong))
        with pytest.raises(UserFileError) as caught:
            fetch("wasm3")
        assert caught.value.code == "R1011"


def test_an_unknown_component_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as caught:
        component("wasm4")
    assert caught.value.code == "R1010"
    assert caught.value.hint == 'did you mean "wasm3"?'


def test_every_component_is_pinned_and_licensed() -> None:
    assert [each.name for each in components()] == ["tflm", "wasm3"]
    for each in components():
        assert re.fullmatch(r"[0-9a-f]{64}", each.sha256)
        assert each.licence in ("MIT", "Apache-2.0")


def test_the_cache_is_the_users_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNEC_CACHE_DIR")
    assert cache_dir().name == "runec"


def test_what_is_cached_is_found_without_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNEC_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("RUNEC_COMPONENT_WASM3", raising=False)
    wanted = component("wasm3")
    folder = tmp_path / "components" / f"wasm3-{wanted.version}-{wanted.sha256[:8]}"
    folder.with_name(f"wasm3-{wanted.version}-00000000").mkdir(parents=True)
    assert cached("wasm3") is None
    (folder / "wasm3").mkdir(parents=True)
    for name in ("LICENSE", "wasm3/a.c"):
        (folder / name).write_text("")
    assert cached("wasm3") == folder == fetch("wasm3")
    other = shutil.copytree(folder, tmp_path / "other")
    monkeypatch.setenv("RUNEC_COMPONENT_WASM3", str(other))
    assert cached("wasm3") == other
    with pytest.raises(UsageError):
        cached("nothing")


def test_a_cache_named_by_a_relative_path_is_the_same_in_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNEC_CACHE_DIR", "a cache")
    assert cache_dir() == tmp_path / "a cache"


def test_a_user_without_a_home_is_asked_for_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNEC_CACHE_DIR", raising=False)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # a user whom the system does not know
    with pytest.raises(MachineError) as caught:
        cache_dir()
    assert caught.value.code == "R1002"
    assert "RUNEC_CACHE_DIR" in str(caught.value.hint)


def test_a_component_with_something_missing_is_fetched_anew(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    registry = Registry(archive(FILES))
    install(monkeypatch, registry)
    folder = fetch("small")
    assert not is_broken("small")
    for lost in ("LICENSE", "src"):
        path = folder / lost
        if path.is_dir():
            shutil.rmtree(path)
            path.mkdir()
        else:
            path.unlink()
        assert is_broken("small")
        assert cached("small") is None
        assert fetch("small") == folder
        assert not is_broken("small")
        assert cached("small") == folder
    assert len(registry.calls) == 3
    assert left_over(cache) == []


def test_what_a_killed_fetch_left_is_found_once_it_is_old(cache: Path) -> None:
    assert leftovers() == []
    for name in (".fetch-old", ".fetch-new"):
        (cache / "components" / name).mkdir(parents=True)
    os.utime(cache / "components" / ".fetch-old", (0, 0))
    assert [path.name for path in leftovers()] == [".fetch-old"]
