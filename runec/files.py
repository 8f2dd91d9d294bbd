"""Reading what the user names and writing what the user wants, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from runec.diagnostics import MachineError, UserFileError

MAX_INPUT_BYTES = 64 * 1024 * 1024
TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp")
"""The name that `write_file` gives a file until it is whole; group 1 is the name it will have."""

_ELSEWHERE = "choose another folder"
_SHORTEN = "shorten the name: each part of a path has at most 255 bytes, a whole one 4095"
AT_OUTPUT = "choose another folder with -o"
"""Where else, for the verbs that have `-o`."""
IN_TMPDIR = "set TMPDIR to another folder"
"""Where else, for what is written into a temporary folder."""


class UnreadableFileError(UserFileError):
    """A file that the user named and that cannot be read; `reason` says why, without its name."""

    def __init__(self, message: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__("R1003", message, hint=hint)
        self.reason = reason


class LongNameError(UnreadableFileError):
    """A path that is longer than the system takes."""


class IrregularFileError(UnreadableFileError):
    """A pipe, a device or another file that may never end."""


class _IrregularError(OSError):
    """What stands for one of these among the errors of the system."""


def disk_error(error: OSError, what: str, *, elsewhere: str = _ELSEWHERE) -> MachineError:
    """Return R1001, the disk is full, or R1002; `what` was not possible, such as `write x.rune`.

    `elsewhere` says how the user chooses another place.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MachineError(
            "R1001", f"no space left to {what}", hint=f"free some space, or {elsewhere}"
        )
    if error.errno == errno.ENAMETOOLONG:
        return MachineError("R1002", f"the name is too long to {_cut(what)}", hint=_SHORTEN)
    return MachineError(
        "R1002",
        f"cannot {what}: {error.strerror or error}",
        hint=f"check the path and its permissions, or {elsewhere}",
    )


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]}...{text[-17:]}"


def is_there(path: Path) -> bool:
    """Return whether something is at a path; False as well if the system cannot report it.

    Unlike `Path.exists`, which raises where a folder may not be looked into and for names that are
    too long. Whoever reads or writes there then says what is wrong.
    """
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Return whether a path is a file; as `is_there`."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder; as `is_there`."""
    return os.path.isdir(path)  # noqa: PTH112


def is_free(folder: Path) -> bool:
    """Return whether a folder can be made there: nothing is, or an empty folder."""
    try:
        return not os.path.lexists(folder) or not any(folder.iterdir())
    except OSError:  # a file, or a folder that may not be looked into
        return False


def file_name(name: str, otherwise: str) -> str:
    """Return a name that is safe as one part of a path and in commands, made from any text.

    `otherwise` is taken where nothing is left.
    """
    return re.sub(r"[^\w.-]", "_", name).lstrip(".-") or otherwise


def read_regular(path: Path, max_bytes: int = -1) -> bytes:
    """Return the first `max_bytes` of a regular file, or all of it; never wait for anything.

    A pipe, a device and a file of /proc or /sys may deliver nothing for ever, or never end. The
    streams that this process was started with (/dev/stdin, /dev/fd/3 as `<(...)` writes it) are
    accepted: whoever started it fills them.

    Raises:
        OSError: the file cannot be read, or is not a regular file; `strerror` says why.
    """
    is_own = _OWN_STREAM.fullmatch(str(path)) is not None
    if not is_own:
        _require_regular(path.stat())  # opening alone may have an effect on a device
    flags = os.O_RDONLY | (0 if is_own else os.O_NONBLOCK | os.O_NOCTTY)
    with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as stream:
        if not is_own:
            _require_regular(os.fstat(stream.fileno()))  # it may be another file by now
        return stream.read(max_bytes)


_OWN_STREAM = re.compile(r"/dev/stdin|/dev/fd/\d+|/proc/(?:self|thread-self)/fd/\d+")
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _require_regular(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    for is_kind, name in _KINDS:
        if is_kind(found.st_mode):
            raise _IrregularError(errno.EINVAL, f"it is {name}, not a regular file")
    for root in ("/proc", "/sys"):
        if found.st_dev == _device(root) != _device("/"):
            raise _IrregularError(errno.EINVAL, f"it is a file of {root}, not a regular file")


def require_regular(path: Path) -> None:
    """Accept a regular file alone, for programs that would wait for a pipe or a device.

    Raises:
        OSError: it is another kind of file, or cannot be looked at; `strerror` says why.
    """
    _require_regular(path.stat())


def _device(path: str) -> int | None:
    try:
        return os.stat(path).st_dev  # noqa: PTH116
    except OSError:
        return None


def read_head(path: Path, count: int) -> bytes:
    """Return the first bytes of a regular file, to see what it is; b"" of anything else.

    The streams of this process count as something else: what is read from a pipe is gone.
    """
    try:
        return b"" if _OWN_STREAM.fullmatch(str(path)) else read_regular(path, count)
    except (OSError, ValueError):  # whoever reads it whole says why
        return b""


def is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path is a folder or leads into it, once links and `..` are followed."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False


def read_file(path: Path, what: str, *, max_bytes: int = MAX_INPUT_BYTES) -> bytes:
    """Return the bytes of a file that the user named; `what` says what it should be.

    Raises:
        UnreadableFileError: R1003, the file is missing, a folder, a pipe or a device, unreadable
            or larger than `max_bytes`.
    """
    try:
        data = read_regular(path, max_bytes + 1)
    except FileNotFoundError:
        message, reason = f"{what} {path} does not exist", "the file does not exist"
        hint = "check the path"
        raise UnreadableFileError(message, reason, hint=hint) from None
    except OSError as error:
        reason = str(error.strerror)
        if error.errno == errno.ENAMETOOLONG:
            message = f"{what} {_cut(str(path))}: the name is too long"
            raise LongNameError(message, "the name is too long", hint=_SHORTEN) from None
        kind = IrregularFileError if isinstance(error, _IrregularError) else UnreadableFileError
        message = f"cannot read {what} {path}: {reason}"
        raise kind(message, reason, hint="name a readable file") from None
    if len(data) > max_bytes:
        size = f"larger than {max_bytes} bytes"
        message = f"{what} {path} is {size}"
        raise UnreadableFileError(message, f"it is {size}", hint="name another file")
    return data


def write_file(
    path: Path,
    data: bytes | str,
    *,
    only_if_changed: bool = False,
    durable: bool = True,
    elsewhere: str = _ELSEWHERE,
) -> bool:
    """Write a file under a temporary name beside it, then rename: readers see all or nothing.

    What is not a file but a device or a pipe, as /dev/stdout, is written to and never replaced.

    With `only_if_changed`, a file that holds the same bytes keeps its time. Without `durable`, a
    power failure may leave it truncated. `elsewhere` is `disk_error`'s. Returns True when the file
    was written; where it could not be, the folders made for it are gone again.

    Raises:
        MachineError: R1001, the disk is full; R1002, any other reason of the system.
    """
    import secrets  # noqa: PLC0415 - brings hashlib along, which a reader does not need

    content = data.encode() if isinstance(data, str) else data
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    missing = missing_folders(path.parent)
    try:
        if _is_stream(path):
            with path.open("ab") as stream:
                stream.write(content)
            return True
        if only_if_changed and path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(content)
                if durable:
                    stream.flush()
                    os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        remove_empty(missing)
        raise disk_error(error, f"write {path}", elsewhere=elsewhere) from None
    return True


def write_folder(folder: Path, files: Mapping[str, bytes | str]) -> None:
    """Write new files into a new or empty folder: all of them, or nothing and no folder.

    They are written in the order given; where that is broken off, what is there is taken away.

    Raises:
        MachineError: R1001, the disk is full; R1002, any other reason of the system.
    """
    missing = missing_folders(folder)
    written: list[Path] = []
    try:
        for name, data in files.items():
            write_file(folder / name, data)
            written.append(folder / name)
    except BaseException:  # Ctrl-C as well
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink()
        remove_empty(missing)
        raise


def _is_stream(path: Path) -> bool:
    """Return whether a path is a device, a pipe or a standard stream."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):  # /dev/stdout may be sent to a file
            return path.is_symlink() and os.readlink(path).startswith("/proc/")  # noqa: PTH115
    except OSError:
        return False
    return not stat.S_ISDIR(mode)


def missing_folders(folder: Path) -> list[Path]:
    """Return the folders to be made for `folder` to be there, the innermost first."""
    # Not Path.exists(), which raises where a folder above may not be looked into.
    above = (folder, *folder.parents)
    return list(itertools.takewhile(lambda path: not os.path.lexists(path), above))


def remove_empty(folders: list[Path]) -> None:
    """Remove those of the folders that hold nothing, in this order."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
