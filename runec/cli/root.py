"""The `runec` command and its verbs, each imported only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from runec.cli.help_epilog import example
from runec.cli.options import (
    color_option,
    help_option,
    quiet_option,
    verbose_option,
    version_option,
)
from runec.suggestions import did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Verb: what it does. Its command is `command` in `runec.cli.<verb>`, a - written as _.
_VERBS = {
    "new": "Make a folder with a Runefile that builds at once.",
    "build": "Compile a Runefile to a .rune.",
    "check": "Say everything that is wrong with a Runefile, without building.",
    "fmt": "Spell Runefiles canonically.",
    "convert": "Write a Runefile of the Dockerfile-like dialect in YAML.",
    "schema": "Print the JSON schema of the YAML dialect, for editors.",
    "explain": "Explain a diagnostic's code, with a wrong and a right example.",
    "run": "Run a .rune here, on emulated boards, on a board.",
    "inspect": "Show what a .rune holds.",
    "graph": "Draw the stages of a .rune or a Runefile.",
    "model-info": "Show what a .tflite model takes, gives and needs.",
    "block": "List processing blocks; make and test one of your own.",
    "boards": "List the boards, or show one.",
    "firmware": "Make and build the firmware that carries a .rune.",
    "size": "Show what takes a board's flash and RAM.",
    "flash": "Build the firmware and put it on a board.",
    "monitor": "Show what a board says, result by result.",
    "doctor": "Check what this machine has and lacks.",
    "components": "List or fetch the third-party C sources.",
    "cache": "Show what the cache holds, or clear it.",
    "completion": "Print the completion script of a shell.",
    "version": "Show the version.",
}


class LazyGroup(click.Group):
    """A group that imports a verb's module when the verb is used, and not for its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order of a user's work."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a verb's command, or None when there is no such verb."""
        if cmd_name not in _VERBS:
            return None
        command = import_module(f"runec.cli.{cmd_name.replace('-', '_')}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"runec.cli.{cmd_name}.command is not a command")
        return with_talk_options(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; a misspelt one is guessed in the error."""
        if args[0] not in _VERBS:
            hint = did_you_mean(args[0], _VERBS)
            if hint is not None:
                ctx.fail(f"There is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the verbs and options that begin so, without importing a verb."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell needs it

        verbs = [
            CompletionItem(name, help=text)
            for name, text in _VERBS.items()
            if name.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of verbs from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


def with_talk_options(command: click.Command) -> click.Command:
    """Add the options that every verb has: how much is said, in which colours, and help."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_talk_options(below)
    taken = {name for parameter in command.params for name in parameter.opts}
    for name, add in (
        ("--quiet", quiet_option),
        ("--verbose", verbose_option),
        ("--color", color_option),
        ("--help", help_option),
    ):
        if name not in taken:
            add(command)
    return command


@click.group(
    cls=LazyGroup,
    context_settings={"max_content_width": 100},
    epilog=example(
        "runec build examples/sine/Runefile.yml",
        "runec run sine.rune --raw examples/sine/input.bin",
        "runec run sine.rune --raw examples/sine/input.bin --on emulator:BOARD",
        note="Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 a file of "
        "yours is wrong, 2 usage, 3 the rune failed, 4 this machine lacks something.",
    ),
)
@version_option
@color_option
@help_option
def root() -> None:
    """Compile machine-learning pipelines for microcontrollers, and run them anywhere."""
