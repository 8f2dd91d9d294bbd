"""A model that is a folder (TensorFlow.js, SavedModel), as the one file that a rune can hold.

The original packed such a folder as a ZIP file. So does runec; the same folder always gives the
same bytes: files in order of their paths, stored and not compressed (compressors differ between
machines), with one date and one mode for all. Folders have no entries of their own.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from runec.files import MAX_INPUT_BYTES, UnreadableFileError, read_file
from runec.frontend.passes.resources import Beside

if TYPE_CHECKING:
    from zipfile import ZipInfo

MAX_FILES = 1000
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that the format can express
_UNIX = 3
_MODE = 0o100644


def zip_folder(folder: Path, beside: Beside) -> bytes:
    """Return a folder as a ZIP file.

    Raises:
        UserFileError: R1003, something in it cannot be read, or it is too large; R1015, a link in
            it leads out of the Runefile's folder.
    """
    import zipfile  # noqa: PLC0415 - 10 ms that other Runefiles do not pay

    paths = sorted(_files(folder), key=lambda path: os.fsencode(path.relative_to(folder)))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            beside.require_inside(path, str(path.relative_to(folder)), "the model's file")
            room = max(0, MAX_INPUT_BYTES - stream.tell())
            data = read_file(path, "the model's file", max_bytes=room)
            entry = zipfile.ZipInfo(_name(path.relative_to(folder)), _DATE)
            archive.writestr(_same_for_all(entry), data)
    return stream.getvalue()


def _name(path: Path) -> str:
    return path.as_posix().encode(errors="replace").decode()


def _same_for_all(entry: ZipInfo) -> ZipInfo:
    entry.create_system = _UNIX
    entry.external_attr = _MODE << 16
    return entry


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    # Links to folders are not followed: they may lead in a circle.
    for parent, _, names in os.walk(folder, onerror=_refuse):
        for name in names:
            count += 1
            if count > MAX_FILES:
                size = f"larger than {MAX_FILES} files"
                raise UnreadableFileError(f"the model's folder {folder}: {size}", f"it is {size}")
            path = Path(parent, name)
            if not path.is_file():
                reason = f"{name} is not a file"
                raise UnreadableFileError(f"the model's folder: {reason}", reason)
            yield path


def _refuse(error: OSError) -> None:
    reason = str(error.strerror)
    raise UnreadableFileError(f"cannot read the model's folder: {reason}", reason) from None
