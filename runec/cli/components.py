"""`runec components`: the third-party C sources."""

from __future__ import annotations

import click

from runec.cli.completion_values import completer
from runec.cli.completion_values import components as known_components
from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console
from runec.components import components, fetch


@click.group(
    "components",
    epilog=example(
        "runec components list",
        "runec components fetch",
    ),
)
def command() -> None:
    """List or fetch the third-party C sources of firmware."""


@command.command(
    "list",
    epilog=example(
        "runec components list --format json",
    ),
)
@format_option
@pass_console
def list_components(console: Console) -> None:
    """List the components with version and licence."""
    found = components()
    if console.is_json:
        for item in found:
            console.result_json(
                {
                    "name": item.name,
                    "version": item.version,
                    "licence": item.licence,
                    "kind": item.kind,
                    "package": item.package,
                    "sha256": item.sha256,
                    "homepage": item.homepage,
                    "contains": list(item.contains),
                }
            )
        return
    rows = [(item.name, item.version, item.licence, item.kind, item.homepage) for item in found]
    console.result(table(("name", "version", "licence", "kind", "homepage"), rows))


@command.command(
    "fetch",
    epilog=example(
        "runec components fetch wasm3",
    ),
)
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=completer(known_components))
@format_option
@pass_console
def fetch_components(console: Console, names: tuple[str, ...]) -> None:
    """Fetch components into the cache and verify their SHA-256.

    Without NAME: all components.
    """
    for name in names or tuple(item.name for item in components()):
        with console.progress(f"fetching {name}"):
            path = fetch(name)
        if console.is_json:
            console.result_json({"name": name, "path": str(path)})
        else:
            console.result(f"{name}  {path}")
