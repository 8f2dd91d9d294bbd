"""Files that verbs write over: what such a verb wrote before, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from runec.diagnostics import UserFileError
from runec.files import is_file, read_file, read_head

RUNE = (b"\0asm",)
# Drawings, and the JSON schema.
DOCUMENT = (b"<svg ", b"digraph ", b"%% runec graph", b'{"name":', b'{\n  "$schema"')


def refuse_other_file(
    target: Path, starts: tuple[bytes, ...], what: str, inputs: Collection[bytes] = ()
) -> None:
    """Accept a target that is not there, is empty, or begins as what a verb writes: `what`.

    So no Runefile, model, resource or file of a block is written over, whatever its name. `inputs`
    are the bytes of files that may begin in the same way.

    Raises:
        UserFileError: R1107, it is another file, or one of `inputs`.
    """
    head = read_head(target, max(map(len, starts)))  # nothing, for a device or a pipe
    if head == b"" or not is_file(target):
        return
    if not head.startswith(starts):
        fact = f"{target} is there already, and is not {what}"
    elif inputs and read_file(target, "the output") in inputs:
        fact = f"{target} is one of the files that the rune is built from"
    else:
        return
    raise UserFileError("R1107", fact, hint="choose another name, or remove it")
