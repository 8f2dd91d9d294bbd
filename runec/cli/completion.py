"""`runec completion`: verbs, options, boards, targets, files and more on the Tab key."""

from __future__ import annotations

import click

from runec.cli.completion_scripts import SHELLS, script
from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import format_option, pass_console


@click.command(
    "completion",
    epilog=example(
        "runec completion bash > ~/.local/share/bash-completion/completions/runec",
        'eval "$(runec completion zsh)"',
        "runec completion fish > ~/.config/fish/completions/runec.fish",
    ),
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
@format_option
@click.pass_context
@pass_console
def command(console: Console, ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    text = script(shell, ctx.find_root().command)
    if console.is_json:
        console.result_json({"shell": shell, "script": text})
    else:
        console.result_document(text)
