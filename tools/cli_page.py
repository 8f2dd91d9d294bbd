"""Writes docs/cli.md: every verb with its options, and what it prints with `--format json`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from runec.cli.root import root

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
COMMON = ("--quiet", "--verbose", "--color", "--format", "--help")
HEAD = """\
# The command line

Written by `tools/cli_page.py` from the commands themselves: change those, then run `make docs`.

Results go to stdout, everything else to stderr. Exit codes: 0 fine, 1 a file of yours is wrong, 2 usage, 3 the rune failed,
4 this machine lacks something, 70 a bug in runec, 130 interrupted (Ctrl-C), 141 whoever read the output is gone, 143 told to end (SIGTERM).

Every verb has these options:

| option | |
| --- | --- |
| `-q`, `--quiet` | nothing on stderr but errors |
| `-v`, `--verbose` | commands with their times, the time of each step, what compilers, runes and devices log |
| `--color auto\\|always\\|never` | also `--colour`, and before the verb. `auto`: NO_COLOR switches colours off, else FORCE_COLOR switches them on, else a terminal that is not `dumb` has them |
| `-f`, `--format text\\|json` | for people or for programs, see below |

On a terminal a line shows what is going on once it takes longer than half a second; it is gone at the end. Text that comes from files,
models or devices is shown without the characters that a terminal would obey.

## For programs

With `--format json` every line of stdout is one JSON object, and so is every line of stderr: errors, warnings, and the steps of `--trace`.
Fields stay as they are; new ones may come. A diagnostic has

| field | |
| --- | --- |
| `code`, `severity`, `message` | `R0201`; `error` or `warning`; what is wrong |
| `file`, `line`, `column` | where, if it is in a Runefile; from 1 |
| `hint`, `notes` | what to try, or null; more about it, a list |

A step of `runec run --trace` has

| field | |
| --- | --- |
| `stages`, `what`, `milliseconds` | names (one, but where blocks of a stranger's rune cannot be told apart); kind; time |
| `inputs`, `outputs` | tensors: `type`, the first `elements` as texts, `count`, and for long ones of numbers `range`: `least`, `most`, `mean`, `nan_count` |
"""  # noqa: E501 - rows of tables cannot be broken

_BLOCK = {
    "description": "one sentence",
    "stack_bytes": "what its functions take at most",
    "in_place": "whether an output may lie in an input's memory",
    "arguments": "`name`, `type`, `required`, `default`, `aliases`, `description`",
    "inputs": "`elements`, `shape`, `dimensions`, `repeat`",
    "outputs": "what it gives",
}
# What each verb prints: fields and their meaning. `None`: nothing of its own.
FIELDS: dict[str, dict[str, str]] = {
    "new": {
        "folder": "the folder made",
        "files": "what is in it",
        "next": "commands to go on with",
    },
    "build": {
        "name": "the rune's name",
        "path": "the .rune written",
        "code_bytes": "WebAssembly",
        "linear_memory_bytes": "memory that the code uses",
        "models_and_resources_bytes": "models and resources",
        "arena_bytes": "RAM for all models",
        "file_bytes": "the whole file",
    },
    "check": {
        "code": "a diagnostic, as above, one a line: here they are the result, on stdout",
        "severity": "",
        "message": "",
        "file": "",
        "line": "",
        "column": "",
        "hint": "",
        "notes": "",
    },
    "fmt": {"path": "a file", "changed": "true when it was, or would be, changed"},
    "convert": {
        "runefile": "what was read",
        "path": "what was written, or null",
        "text": "the Runefile in YAML",
    },
    "schema": {
        "$schema": "the JSON schema itself; with --output `path` instead",
        "title": "",
        "type": "",
    },
    "explain": {
        "code": "one page a line",
        "title": "what is wrong",
        "cause": "why",
        "wrong": "an example, or null",
        "right": "an example, or null",
        "legacy_wrong": "the same in the legacy dialect, or null",
        "legacy_right": "the same in the legacy dialect, or null",
        "fix": "what to do",
    },
    "block list": {"name": "one block a line", **_BLOCK},
    "block show": {"name": "its name", **_BLOCK, "readme": "its README.md"},
    "block new": {
        "folder": "the folder made",
        "files": "what is in it",
        "next": "commands to go on with",
    },
    "block compile-commands": {
        "block": "one block a line: its name",
        "path": "the file written",
    },
    "block test": {
        "block": "one test a line: the block's name",
        "test": "the test's name",
        "status": "`ok` or `failed`",
        "problem": "why it did not come to an end, or null",
        "differences": "`run`, `output`, `type`, `element`, `expected`, `got`",
    },
    "run": {
        "3": "one object a run: the id of each output, a list of its tensors (`element-type`, "
        "or `element_type` for utf8; `dimensions`; `elements`)",
        "tensors": "instead, where outputs are TENSOR: the same list",
        "target": "with several --on, one object a target instead of all this: its name",
        "verdict": "`same`, `DIFFERENT`, `failed`; with `all` also `too little memory`, "
        "`does not fit`",
        "seconds": "how long it took, building included",
        "results": "what it printed: one of the objects above for each run",
        "code": "why it gave nothing, or null",
        "reason": "the same in words, or null",
    },
    "inspect": {
        "file_bytes": "the whole file",
        "version": "of the runec that wrote it",
        "digest": "SHA-256, or null for an original",
        "graph": "the graph: docs/spec/rune.md, section 3",
    },
    "graph": {
        "name": "the rune's name; with --output `path` instead of all this",
        "nodes": "stages in execution order: `name`, `kind` (capability, proc-block, model, "
        "output), `what`",
        "edges": "tensors: `from`, `to`, `type`",
    },
    "model-info": {
        "inputs": "`name`, `element_kind`, `dims`, `scale`, `zero_point`, `clamped_to`: least "
        "and most, of floats that the model makes integers of",
        "outputs": "the same but `clamped_to`",
        "ops": "number of operators",
        "folded": "operators that are computed when a rune is built",
        "shapes_learned": "whether LiteRT was asked for shapes",
        "operators": "each kind once: `name`, `version`",
        "file_bytes": "the file",
        "arena_bytes": "RAM that it needs",
        "engines": "each engine, with null where it runs the model, else why not",
        "boards": "ids of the boards with the memory for it in a small pipeline",
        "description": "its own",
    },
    "boards": {"id": "one board a line, with all fields of its file in boards/"},
    "boards show": {"id": "as `boards`"},
    "firmware new": {"board": "its id", "path": "the project's folder"},
    "firmware build": {
        "board": "with several --board, one object a board: its id",
        "verdict": "then `built`, `does not fit` or `failed`",
        "seconds": "then how long it took",
        "code": "then why nothing was built, or null",
        "reason": "then the same in words, or null",
        "line": "then the line of the Runefile that costs most or is to blame, or null",
        "elf": "the program",
        "image": "what is written to flash",
        "flash_bytes": "flash used",
        "ram_bytes": "RAM used, all of the following included",
        "arena_bytes": "for the models",
        "linear_memory_bytes": "for the rune's memory",
        "engine_heap_bytes": "for wasm3",
        "stack_bytes": "for the firmware",
    },
    "size": {
        "rune": "its name",
        "board": "its id",
        "flash_bytes": "flash used",
        "ram_bytes": "RAM used",
        "flash_limit_bytes": "what the board has",
        "ram_limit_bytes": "what the board has",
        "parts": "`part`, `flash_bytes`, `ram_bytes`: every byte once",
        "stages": "`stage`, `line`, `flash_bytes`, `ram_bytes`: what would not be there without "
        "it; `line` is null without the Runefile",
        "largest": "functions and objects: `part`, `name`, `flash_bytes`, `ram_bytes`",
    },
    "flash": {
        "rune": "its name",
        "board": "its id",
        "port": "the port written over, or null where a probe did it",
        "link": "`uart`, or `rtt`: in RAM",
        "command": "with --dry-run: PlatformIO's",
        "tool": "with --dry-run: the upload tool's command, or null where a vendor's platform has "
        "its own; `script` are the lines of the file that it is given",
        "missing": "with --dry-run: the errors that would stop it",
    },
    "monitor": {
        "event": "one event a line: `connected`, `result`, `log`, `failed` (one run), `lost` "
        "(`monitor` reconnects)",
        "board": "of `connected`, as `firmware`, `engine` and the rune's `digest`",
        "time": "when this computer received it, as ISO 8601 with milliseconds",
        "outputs": "of `result`: what runec run prints",
        "names": "of `result`, where the rune is named: the stage of each output, by its id",
        "text": "of `log`: a line",
        "code": "of `failed` and `lost`, which are diagnostics as above",
    },
    "cache": {
        "part": "one part a line",
        "path": "its folder",
        "files": "how many are in it",
        "bytes": "how large they are",
        "max_bytes": "how large they may become, or null",
    },
    "doctor": {
        "part": "one part a line",
        "purpose": "what needs it",
        "found": "what is there, or null",
        "install": "the command that installs it",
        "packages": "the Debian packages that the command installs",
        "optional": "true when it need not be there",
        "status": "`ok`, `missing`, `-`",
    },
    "components list": {
        "name": "one component a line",
        "version": "",
        "licence": "",
        "kind": "where it comes from",
        "package": "its name there",
        "sha256": "of the archive",
        "homepage": "",
        "contains": "projects inside",
    },
    "components fetch": {"name": "one component a line", "path": "its folder"},
    "completion": {"shell": "the shell", "script": "what it reads"},
    "version": {"runec": "the version", "python": "of the Python it runs in"},
}


def verbs(group: click.Group = root, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every verb that does something by itself, in the order of `runec --help`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield " ".join((*path, name)), command
            yield from verbs(command, *path, name)
        elif command is not None:
            yield " ".join((*path, name)), command


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _options(command: click.Command) -> Iterator[tuple[str, str]]:
    context = click.Context(command)
    for parameter in command.get_params(context):
        if not isinstance(parameter, click.Option):
            continue
        if set(parameter.opts) & set(COMMON) and not parameter.expose_value:
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            yield record


def section(name: str, command: click.Command) -> Iterator[str]:
    """Yield the lines of a verb's section."""
    context = click.Context(command, info_name=f"runec {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"## runec {name}"
    yield ""
    yield f"`runec {name} {usage}`"
    yield ""
    yield " ".join((command.help or "").split())
    options = list(_options(command))
    if options:
        yield ""
        yield "| option | |"
        yield "| --- | --- |"
        yield from (f"| `{_cell(names)}` | {_cell(text)} |" for names, text in options)
    fields = FIELDS.get(name, {})
    if fields:
        yield ""
        yield "| JSON field | |"
        yield "| --- | --- |"
        yield from (f"| `{field}` | {_cell(text)} |" for field, text in fields.items())
    yield ""


def page() -> str:
    """Return the whole page."""
    lines = [HEAD]
    for name, command in verbs():
        lines += section(name, command)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}", file=sys.stderr)
