"""The README and the pages in docs/: their links lead somewhere, their commands are right."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from runec.cli import execute
from runec.cli.root import root

PROJECT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(PROJECT.glob("examples/*/README.md"))
PAGES = [
    PROJECT / "README.md",
    PROJECT / "THREAT_MODEL.md",
    PROJECT / "firmware_templates" / "runevm" / "README.md",
    *sorted((PROJECT / "docs").rglob("*.md")),
    *EXAMPLES,
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text).strip().lower().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_architecture_page_lists_every_page() -> None:
    listed = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for page in (PROJECT / "docs").rglob("*.md"):
        short = page.relative_to(PROJECT / "docs").as_posix()
        assert page.name == "architecture.md" or f"({short})" in listed or "adr/" in short, short


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the runec commands of a page: those in fences and in indented lines."""
    text = page.read_text(encoding="utf-8")
    fenced = [body for language, body in FENCE.findall(text) if language in ("", "sh")]
    indented = re.findall(r"^    (runec .*)$", text, re.MULTILINE)
    for line in "\n".join([*fenced, *indented]).replace("\\\n", " ").splitlines():
        for part in line.split(" && "):
            if part.startswith("runec "):
                yield shlex.split(part, comments=True)[1:]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_has_verbs_and_options_that_exist(page: Path) -> None:
    for words in commands(page):
        group: click.Command = root
        rest = list(words)
        while isinstance(group, click.Group) and rest and not rest[0].startswith("-"):
            found = group.get_command(click.Context(group), rest[0])
            assert found is not None, words
            group, rest = found, rest[1:]
        group.make_context(" ".join(words), rest, resilient_parsing=False)


# What compiles firmware, emulates a board, waits for one, or fixes this machine.
ELSEWHERE = re.compile(r"--on|^(?:firmware|size|flash|monitor|doctor|cache)\b|--format json")


@pytest.mark.parametrize("page", [PROJECT / "README.md", *EXAMPLES], ids=name)
def test_the_commands_for_the_host_succeed(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(PROJECT / "examples")
    run = [words for words in commands(page) if not ELSEWHERE.search(" ".join(words))]
    assert len(run) >= 2
    for words in run:
        assert execute(words) == 0, words
