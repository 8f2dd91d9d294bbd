"""`runec explain`: meaning of a diagnostic code, with a wrong and a right example."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from runec.cli.completion_values import codes, completer
from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console
from runec.explanations import Page, all_pages
from runec.explanations import explain as find_page

_WIDTH = 100


@click.command(
    "explain",
    epilog=example(
        "runec explain R0012",
        "runec explain",
        "runec explain R0012 --format json",
    ),
)
@click.argument("code", required=False, shell_complete=completer(codes))
@format_option
@pass_console
def command(console: Console, code: str | None) -> None:
    """Explain a diagnostic code: cause, wrong and right example, fix.

    Without CODE: list all codes.
    """
    pages = [find_page(code)] if code is not None else list(all_pages())
    if console.is_json:
        for page in pages:
            console.result_json(page.as_json())
    elif code is None:
        console.result(table(("code", "title"), ((p.code, p.title) for p in pages)))
    else:
        console.result("\n".join(_drawn(pages[0])))


def _drawn(page: Page) -> Iterator[str]:
    yield f"{page.code}: {page.title}"
    yield ""
    yield textwrap.fill(page.cause, _WIDTH, break_on_hyphens=False)
    for heading, text in (
        ("Wrong:", page.wrong),
        ("Right:", page.right),
        ("Wrong (legacy dialect):", page.legacy_wrong),
        ("Right (legacy dialect):", page.legacy_right),
    ):
        if text is not None:
            yield ""
            yield heading
            yield textwrap.indent(text.rstrip("\n"), "    ")
    yield ""
    yield textwrap.fill(f"Fix: {page.fix}", _WIDTH, break_on_hyphens=False)
