"""`runec completion`: verbs, options and files on the Tab key."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from runec.cli.console import Console
from runec.cli.examples import example
from runec.cli.options import format_option, pass_console

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    epilog=example(
        "runec completion bash > ~/.local/share/bash-completion/completions/runec",
        'eval "$(runec completion zsh)"',
        "runec completion fish > ~/.config/fish/completions/runec.fish",
    ),
)
@click.argument("shell", type=click.Choice(_SHELLS))
@format_option
@click.pass_context
@pass_console
def command(console: Console, ctx: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete the command lines of runec."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has these three
    completer = kind(ctx.find_root().command, {}, "runec", "_RUNEC_COMPLETE")
    # Bash's own source() first starts bash to ask its version; ours need not be installed.
    script = ShellComplete.source(completer).strip("\n")
    if console.is_json:
        console.result_json({"shell": shell, "script": script})
    else:
        console.result_document(script)
