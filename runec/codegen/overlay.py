"""The files that a compiler sees: a virtual file system in place of this machine's.

clang looks up every file in it, for `#include` and for `__has_include`. So a block cannot read or
wait for anything outside its folder, and what is compiled does not depend on what else exists. Only
clang's own start looks at the real file system.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from runec.codegen.folders import Folders


def overlay_text(
    folders: Folders, generated: Iterable[str], block: str, files: Collection[str]
) -> bytes:
    """Return a description for `-ivfsoverlay`: JSON, which is YAML.

    It has the `generated` files of the place that the compiler runs in; of the folder with the name
    `block`, if there is one, `files`; all of the other folders. Paths that are not UTF-8 keep their
    bytes.
    """
    place = folders.place
    roots: list[dict[str, str]] = [_entry("file", place / name, place / name) for name in generated]
    for name, folder in folders.links.items():
        if name == block:
            roots += [_entry("file", place / name / file, folder / file) for file in files]
        else:
            roots.append(_entry("directory-remap", place / name, folder))
    document = {
        "version": 0,
        "case-sensitive": "true",
        # The output of the compiler has the names of the links.
        "use-external-names": "false",
        # No file of the real file system. Later versions call it redirect-only, and know both.
        "fallthrough": "false",
        "roots": roots,
    }
    return json.dumps(document, ensure_ascii=False).encode(errors="surrogateescape")


def _entry(kind: str, path: Path, contents: Path) -> dict[str, str]:
    return {"name": str(path), "type": kind, "external-contents": str(contents)}
