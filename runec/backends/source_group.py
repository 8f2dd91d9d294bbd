"""A set of C or C++ sources that are compiled with the same flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec


class SourceGroup(msgspec.Struct, frozen=True):
    """Files of one folder below `lib/` of a project.

    `files` maps paths inside the folder to the files they are copied from; `sources` are those of
    them that are compiled. `include` lists folders of the project whose headers are watched,
    `flags` what only this group is compiled with. `depends` are files of the project that the
    compiler reads without an #include. Sources of a `component` are third-party: their warnings
    are not ours.
    """

    folder: str
    files: Mapping[str, Path]
    sources: tuple[str, ...]
    include: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    component: str | None = None
