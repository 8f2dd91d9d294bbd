"""Reading what `resources:` declares."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from runec.diagnostics import Diagnostics, Label, UserFileError
from runec.files import (
    IrregularFileError,
    LongNameError,
    UnreadableFileError,
    is_inside,
    is_there,
    read_file,
)
from runec.frontend.ast import ResourceNode, ResourceRef, Text
from runec.frontend.passes.names import NameTable
from runec.frontend.text import beside
from runec.models.pointers import pointer
from runec.suggestions import did_you_mean, suggestion


class LoadedResource(msgspec.Struct, frozen=True):
    """A resource as declared; `data` None: it is only known at run time."""

    node: ResourceNode
    is_binary: bool
    data: bytes | None


class OutsideError(UserFileError):
    """A file outside of the Runefile's folder, which only --allow-outside reads."""


class Beside(msgspec.Struct, frozen=True):
    """The folder of a Runefile, which holds the files that it names.

    A file elsewhere, by an absolute path, `..` or a link, is read only with `allow_outside`: a
    untrusted Runefile could otherwise copy any file of the host into the .rune.
    """

    folder: Path
    allow_outside: bool = False

    def locate(self, path: Text, what: str) -> Path:
        """Return the place of a file or folder that a Runefile names.

        Raises:
            UserFileError: R1003, no file has such a name; R1015, it is outside the folder.
        """
        if "\0" in path.text:
            message = f"{what} has a zero byte in its path"
            raise UnreadableFileError(message, message)
        found = self.folder / path.text
        self.require_inside(found, path.text, what)
        return found

    def require_inside(self, found: Path, name: str, what: str) -> None:
        """Raise UserFileError R1015 if a path is outside the folder."""
        # A missing file is reported when it is read.
        if self.allow_outside or not is_there(found) or is_inside(found, self.folder):
            return
        raise OutsideError(
            "R1015",
            f"{what} {name!r} is outside the folder of the Runefile: it is "
            f"{os.path.realpath(found)}",
            hint="copy it into the folder, or add --allow-outside if you trust the Runefile",
        )

    def read(self, path: Text, what: str) -> bytes:
        """Read a file that a Runefile names, relative to its folder.

        Raises:
            UserFileError: R1003, it cannot be read; R1015, it is outside the folder.
        """
        return read_file(self.locate(path, what), what)


def report_unreadable(
    name: str, path: Text, error: UserFileError, diagnostics: Diagnostics
) -> None:
    """Report a file beside the Runefile that cannot be read, in the original platform's words."""
    if isinstance(error, OutsideError):
        diagnostics.error(error.code, f'"{name}": {error.message}', path.span, hint=error.hint)
        return
    relative = "paths are relative to the folder of the Runefile, or to --current-dir"
    if isinstance(error, IrregularFileError):
        relative = "copy its content into a file in the folder of the Runefile, and name that file"
    elif isinstance(error, LongNameError) and error.hint is not None:
        relative = error.hint
    reason = error.reason if isinstance(error, UnreadableFileError) else error.message
    diagnostics.error(
        "R0114",
        f'Unable to read "{path.text}" for "{name}": {reason}',
        path.span,
        hint=beside(path.text) or relative,
    )


class Resources(msgspec.Struct, frozen=True):
    """The resources that could be read, by name; those with a mistake are reported and absent."""

    loaded: dict[str, LoadedResource]
    names: NameTable
    unreadable: frozenset[str]

    def find(self, ref: ResourceRef, diagnostics: Diagnostics) -> LoadedResource | None:
        """The resource that `$NAME` means; an unknown one is reported."""
        name = ref.name
        if name in self.names.stages:
            diagnostics.error(
                "R0112",
                f'"${name}" is not a resource',
                ref.span,
                hint="declare it under resources:, with a name that no stage has",
                labels=[Label(self.names.stages[name].name.span, "this is a stage")],
            )
        elif name not in self.names.resources and name not in self.unreadable:
            diagnostics.error(
                "R0112",
                f'No definition for "${name}"',
                ref.span,
                hint=did_you_mean(name, self.names.resources) or "declare it under resources:",
            )
        return self.loaded.get(name)


def load_resources(
    names: NameTable, unreadable: frozenset[str], beside: Beside, diagnostics: Diagnostics
) -> Resources:
    """Read every resource of a Runefile."""
    loaded = {}
    for name, node in names.resources.items():
        resource = _load(node, beside, diagnostics)
        if resource is not None:
            loaded[name] = resource
    return Resources(loaded, names, unreadable)


def report_runtime_only(
    ref: ResourceRef, resource: LoadedResource, diagnostics: Diagnostics
) -> None:
    """Report a resource without a default where the build needs its text."""
    diagnostics.error(
        "R0116",
        f'"${ref.name}" is only known at run time, but the build needs the text of this argument',
        ref.span,
        hint=f'add a "path" or an "inline" text to {ref.name}',
        labels=[Label(resource.node.name.span, "declared without either here")],
    )


def _load(node: ResourceNode, beside: Beside, diagnostics: Diagnostics) -> LoadedResource | None:
    name = node.name.text
    kind = node.kind.text if node.kind is not None else "string"
    if kind not in ("string", "binary") and node.kind is not None:
        diagnostics.error(
            "R0123",
            f"unknown variant `{kind[:40]}`, expected `string` or `binary`",
            node.kind.span,
            hint=suggestion(kind, ("string", "binary")),
        )
        return None
    if node.inline is not None and node.path is not None:
        diagnostics.error(
            "R0113",
            f'The resource "{name}" can\'t specify both a "path" and "inline" default value',
            node.name.span,
            hint="keep one of the two",
        )
        return None
    data = None
    if node.inline is not None:
        data = node.inline.text.encode()
    elif node.path is not None:
        try:
            data = beside.read(node.path, "the resource")
        except UserFileError as error:
            report_unreadable(name, node.path, error, diagnostics)
            return None
        if (other := pointer(data)) is not None:
            diagnostics.error(
                "R0125",
                f'the file of the resource "{name}" is {other.what}',
                node.path.span,
                hint=other.hint,
            )
            return None
    return LoadedResource(node, kind == "binary", data)
