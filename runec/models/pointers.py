"""Small texts that stand for a file which is elsewhere: those of Git LFS, git-annex and DVC."""

from __future__ import annotations

import re

import msgspec

_HEAD_BYTES = 4096
# Compiled where they are used, for most files are what they seem.
_LFS = rb"version https://git-lfs\.github\.com/spec/[^\n]*\n(?:[^\n]*\n){0,8}"
_LFS_SIZE = rb"(?m)^size ([0-9]{1,15})\s*$"
_ANNEX = rb"(?:\.\./)*(?:\.git)?/?annex/objects/[^\n]*\n?\Z"
_DVC = rb"(?:md5: [^\n]*\n)?outs:\r?\n-? *(?:- )?(?:md5|hash|etag|size|path):"


class OtherFile(msgspec.Struct, frozen=True):
    """Kind of a file: `what` follows "but", `hint` is the fix.

    `format` is that of a Runefile's models, for those that runec packs. `holds_nothing`: no model
    of any format, such as a Git LFS pointer or a web page.
    """

    what: str
    hint: str
    format: str | None = None
    holds_nothing: bool = False


def pointer(data: bytes) -> OtherFile | None:
    """Identify a small text that is a pointer to another file, or None."""
    head = data[:_HEAD_BYTES]
    if re.match(_LFS, head):
        size = re.search(_LFS_SIZE, head)
        of = f" (of a file of {int(size[1])} bytes)" if size is not None else ""
        hint = "run `git lfs pull` in its repository, with git-lfs installed, or download the file"
        return OtherFile(f"a Git LFS pointer{of}", hint, holds_nothing=True)
    if re.match(_ANNEX, head):
        hint = "run `git annex get` in its repository"
        return OtherFile("a git-annex pointer", hint, holds_nothing=True)
    if re.match(_DVC, head):
        return OtherFile("a DVC pointer", "run `dvc pull` in its repository", holds_nothing=True)
    return None
