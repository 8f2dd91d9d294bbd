"""Files that verbs replace: earlier output of the verb; any other file only with --force.

A document that runec writes has a stamp in a comment: the SHA-256 of itself, computed with zeros in
the place of the digest. So a file that was edited, or that another program wrote, is not taken for
one of these, and the document depends on its input alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import click

from runec.diagnostics import UserFileError
from runec.files import MAX_INPUT_BYTES, is_file, read_head

_NONE = "0" * 64
_STAMP = re.compile(rb"written by runec, sha256:([0-9a-f]{64})")

force_option = click.option("--force", is_flag=True, help="Overwrite any existing output file.")


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """How the text of a document carries a stamp: `ending`, if any, is replaced by `stamped`."""

    ending: str
    stamped: str

    def stamp(self, text: str) -> str:
        """Return a document with the stamp; `text` ends with `ending`."""
        mark = self.stamped.format(f"written by runec, sha256:{_NONE}")
        unsigned = text.removesuffix(self.ending) + mark
        head, _, tail = unsigned.rpartition(_NONE)
        return head + hashlib.sha256(unsigned.encode()).hexdigest() + tail


SVG = DocumentKind("", "\n<!-- {} -->")
DOT = DocumentKind("", "\n// {}")
MERMAID = DocumentKind("", "\n%% {}")
JSON = DocumentKind("}", ',"generator":"{}"}}')
SCHEMA = DocumentKind("\n}", ',\n  "$comment": "{}"\n}}')


def is_stamped(data: bytes) -> bool:
    """Return whether a document is one that runec wrote, unchanged but for its line ends."""
    text = data.replace(b"\r\n", b"\n").removesuffix(b"\n")
    found = [*_STAMP.finditer(text)]
    if not found:
        return False
    start, end = found[-1].span(1)
    unsigned = text[:start] + _NONE.encode() + text[end:]
    return hashlib.sha256(unsigned).hexdigest().encode() == found[-1][1]


def refuse_other_file(
    target: Path,
    is_own: Callable[[bytes], bool],
    what: str,
    *,
    source: Path | None = None,
    inputs: Collection[bytes] = (),
    force: bool = False,
) -> None:
    """Accept a target that is not there, is empty, or is of those that a verb wrote: `what`.

    So no Runefile, model, resource or block file is overwritten, whatever its name. `source`
    is a file that the verb reads, `inputs` are the bytes of others; with `force` only these are
    refused.

    Raises:
        UserFileError: R1107, it is another file, `source`, or one of `inputs`.
    """
    # Nothing of a device or a pipe.
    data = read_head(target, MAX_INPUT_BYTES + 1)
    if data == b"" or not is_file(target):
        return
    if data in inputs or (source is not None and is_file(source) and target.samefile(source)):
        fact = f"{target} is an input of this command"
        raise UserFileError("R1107", fact, hint="choose another name")
    if not force and not is_own(data):
        fact = f"{target} already exists and is not {what} written by runec"
        raise UserFileError("R1107", fact, hint="choose another name, or add --force")


def refuse_other_document(
    target: Path, text: str, what: str, *, source: Path | None = None, force: bool = False
) -> None:
    """Accept a target of a verb that writes a document, as `refuse_other_file`.

    A file without a stamp, of an earlier version, is accepted if it is `text`, the
    document without its stamp.
    """

    def is_own(data: bytes) -> bool:
        return is_stamped(data) or data.replace(b"\r\n", b"\n") == f"{text}\n".encode()

    refuse_other_file(target, is_own, what, source=source, force=force)
