"""The folder that a path such as `./my_block` means, and why it can be none."""

from __future__ import annotations

from pathlib import Path

import msgspec

from runec.frontend.ast import Path as BlockPath
from runec.proc_blocks import SOURCE, Block, Catalogue
from runec.suggestions import did_you_mean

_MANIFEST = "block.toml"
_NEW = "`runec block new NAME` creates a folder with a block"
_NAME_BYTES_MAX = 64
_NEIGHBOURS_MAX = 1000


class FolderMistake(Exception):  # noqa: N818 - it becomes a diagnostic, R0108
    """An invalid path of a folder with a block."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Folder(msgspec.Struct, frozen=True):
    """A folder with a block; `stand_in` is what runec uses for one that is written in Rust."""

    path: Path
    stand_in: Block | None = None


def find_folder(path: BlockPath, base_dir: Path, catalogue: Catalogue) -> Folder:
    """Return the folder of a path that begins with a point, relative to `base_dir`.

    Raises:
        FolderMistake: no usable block there.
    """
    _check_spelling(path)
    folder = base_dir / path.base
    name = folder.name
    try:
        is_folder, is_file = folder.is_dir(), folder.is_file()
        has = {part for part in (_MANIFEST, SOURCE, "Cargo.toml") if (folder / part).is_file()}
    except OSError as error:
        raise FolderMistake(
            f'cannot read the folder "{path.text}": {error.strerror}',
            "name a readable folder",
        ) from None
    if not is_folder:
        raise _no_folder(path, folder, catalogue, is_file=is_file)
    if _MANIFEST not in has and "Cargo.toml" in has:
        known = catalogue.find(name)
        if known is None:
            raise FolderMistake(
                f'the proc block "{path.text}" is written in Rust, which is not supported',
                f"write it in C: {_NEW}",
            )
        return Folder(folder, known)
    for part in (_MANIFEST, SOURCE):
        if part not in has:
            raise FolderMistake(f'the folder "{path.text}" has no {part}', _NEW)
    return Folder(folder)


def _check_spelling(path: BlockPath) -> None:
    if path.base.startswith("/"):
        raise FolderMistake(
            f'the proc block "{path.text}" has an absolute path',
            "write the path relative to the Runefile: ./my_block",
        )
    if path.version is not None or path.sub_path is not None:
        extra = "version" if path.version is not None else "#"
        raise FolderMistake(
            f'the proc block "{path.text}" is a folder, which has no {extra}',
            f"write {path.base}",
        )
    name = path.base.rstrip("/").rsplit("/", 1)[-1]
    if not name.strip("."):
        raise FolderMistake(
            f'the path "{path.text}" does not end with the name of a folder',
            "move the block to its own folder, and write ./my_block",
        )
    if len(name) > _NAME_BYTES_MAX:
        raise FolderMistake(
            f"the name of the block's folder is longer than {_NAME_BYTES_MAX} bytes",
            "rename the folder",
        )


def _no_folder(
    path: BlockPath, folder: Path, catalogue: Catalogue, *, is_file: bool
) -> FolderMistake:
    if is_file and folder.suffix == ".wasm":
        known = catalogue.find(folder.stem)
        return FolderMistake(
            f'the proc block "{path.text}" is already compiled, which is not supported',
            f'did you mean "{known.name}", a built-in block?'
            if known is not None
            else f"write it in C: {_NEW}",
        )
    if is_file:
        parent = path.base.rsplit("/", 1)[0]
        return FolderMistake(
            f'the proc block "{path.text}" is a file, not a folder',
            f"write {parent}" if parent.strip("./") else _NEW,
        )
    return FolderMistake(
        f'the folder of the proc block "{path.text}" does not exist',
        _near(path, folder, catalogue),
    )


def _near(path: BlockPath, folder: Path, catalogue: Catalogue) -> str:
    """What may have been meant: another folder with a block in it, or a block of runec."""
    known = catalogue.find(folder.name)
    if known is not None:
        return f'did you mean "{known.name}", a built-in block?'
    try:
        beside = [
            entry.parent.name
            for entry, _ in zip(
                folder.parent.glob(f"*/{_MANIFEST}"), range(_NEIGHBOURS_MAX), strict=False
            )
        ]
    except OSError:
        beside = []
    parent = path.base.rstrip("/").rsplit("/", 1)[0]
    close = did_you_mean(folder.name, sorted(beside))
    if close is None:
        return f"paths are relative to the folder of the Runefile; {_NEW}"
    return close.replace('"', f'"{parent}/', 1)
