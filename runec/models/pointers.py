"""Small texts that stand for a file which is elsewhere: those of Git LFS, git-annex and DVC."""

from __future__ import annotations

import re

import msgspec

_HEAD_BYTES = 4096
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/[^\n]*\n(?:[^\n]*\n){0,8}")
_LFS_SIZE = re.compile(rb"^size ([0-9]{1,15})\s*$", re.MULTILINE)
_ANNEX = re.compile(rb"(?:\.\./)*(?:\.git)?/?annex/objects/[^\n]*\n?\Z")
_DVC = re.compile(rb"(?:md5: [^\n]*\n)?outs:\r?\n-? *(?:- )?(?:md5|hash|etag|size|path):")


class OtherFile(msgspec.Struct, frozen=True):
    """What a file is: `what` follows "but", `hint` is what to do.

    `format` is that of a Runefile's models, for those that runec packs. `holds_nothing`: no model
    of any format, such as a Git LFS pointer or a web page.
    """

    what: str
    hint: str
    format: str | None = None
    holds_nothing: bool = False


def pointer(data: bytes) -> OtherFile | None:
    """Return what a small text is that stands for a file which is elsewhere, or None."""
    head = data[:_HEAD_BYTES]
    if _LFS.match(head):
        size = _LFS_SIZE.search(head)
        of = f" (of a file of {int(size[1])} bytes)" if size is not None else ""
        hint = "run `git lfs pull` in its repository, with git-lfs installed, or download the file"
        return OtherFile(f"a Git LFS pointer{of}", hint, holds_nothing=True)
    if _ANNEX.match(head):
        hint = "run `git annex get` in its repository"
        return OtherFile("a git-annex pointer", hint, holds_nothing=True)
    if _DVC.match(head):
        return OtherFile("a DVC pointer", "run `dvc pull` in its repository", holds_nothing=True)
    return None
