"""The list of third-party sources, as data in `components.toml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from runec.diagnostics import UsageError
from runec.suggestions import suggestion


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One archive of third-party sources.

    `kind` says which registry holds it: `pypi-sdist` (fetched by pip) or `crate` (by cargo);
    `package` is its name there. `sha256` is that of the archive as the registry serves it. `keep`
    lists the files and folders (ending in `/`) that are unpacked; `contains` names the projects
    inside when they are more than one; `copyright` is what their files state.
    """

    name: str
    version: str
    licence: str
    copyright: str
    kind: Literal["pypi-sdist", "crate"]
    package: str
    sha256: str
    homepage: str
    keep: tuple[str, ...]
    contains: tuple[str, ...] = ()


@cache
def components() -> tuple[Component, ...]:
    """Return every component, in order of name."""
    text = Path(__file__).with_name("components.toml").read_bytes()
    table = msgspec.toml.decode(text, type=dict[str, dict[str, object]])
    return tuple(
        msgspec.convert({"name": name, **fields}, type=Component)
        for name, fields in sorted(table.items())
    )


def component(name: str) -> Component:
    """Return the component `name`.

    Raises:
        UsageError: R1010, there is none of that name.
    """
    for candidate in components():
        if candidate.name == name:
            return candidate
    hint = suggestion(name, [candidate.name for candidate in components()])
    raise UsageError("R1010", f"no such component: {name!r}", hint=hint)
