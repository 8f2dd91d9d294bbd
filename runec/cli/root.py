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

# Verb: help. Its command is `command` in `runec.cli.<verb>`, a - written as _.
_VERBS = {
    "new": "Create a folder with a Runefile that builds.",
    "build": "Compile a Runefile to a .rune.",
    "check": "Report all errors of a Runefile without building it.",
    "fmt": "Format Runefiles.",
    "convert": "Convert a Runefile from the legacy dialect to YAML.",
    "schema": "Print the JSON schema of the YAML dialect, for editors.",
    "explain": "Explain a diagnostic code, with a wrong and a right example.",
    "run": "Run a .rune on the host, emulated boards or a board.",
    "inspect": "Show contents and requirements of a .rune.",
    "graph": "Draw the stages of a .rune or a Runefile.",
    "model-info": "Show inputs, outputs, operators and memory of a .tflite model.",
    "block": "List, show, create and test processing blocks.",
    "boards": "List the boards, or show one.",
    "firmware": "Create and build firmware for a rune.",
    "size": "Show flash and RAM of a firmware by part.",
    "flash": "Build firmware and upload it to a board.",
    "monitor": "Print results and log of a board as they arrive.",
    "doctor": "Check installed and missing parts.",
    "components": "List or fetch the third-party C sources.",
    "cache": "Show or clear the cache.",
    "completion": "Print the completion script of a shell.",
    "version": "Show the version.",
}


class LazyGroup(click.Group):
    """A group that imports a verb's module when the verb is used, and not for its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the verbs in the order of a user's work."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a verb's command, or None if it does not exist."""
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
                ctx.fail(f"no such command: {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return matching verbs and options, without importing a verb."""
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
    """Add the options of every verb: verbosity, colours, help."""
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
        note="Results go to stdout, everything else to stderr. Exit codes: 0 success, 1 an "
        "error in your files, 2 usage, 3 the rune failed, 4 missing programs or packages.",
    ),
)
@version_option
@color_option
@help_option
def root() -> None:
    """Compile machine-learning pipelines to one file for the host and microcontrollers."""
