"""Write docs/cli.md: every verb with its options and the fields of `--format json`."""

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

Written by `tools/cli_page.py` from the commands: edit those, then run `make docs`.

Results go to stdout, everything else to stderr. Exit codes: 0 success, 1 an error in your files, 2 usage, 3 the rune failed,
4 missing programs or packages, 70 a bug in runec, 130 Ctrl-C, 141 the reader of the output closed the pipe, 143 SIGTERM.

Every verb has these options:

| option | |
| --- | --- |
| `-q`, `--quiet` | results and errors only |
| `-v`, `--verbose` | details on stderr: commands, times, cache hits, logs of compilers, runes and devices |
| `--color auto\\|always\\|never` | also `--colour`, and before the verb. `auto`: off with NO_COLOR, else on with FORCE_COLOR, else on for a terminal that is not `dumb` |
| `-f`, `--format text\\|json` | output format, see below |

On a terminal a progress line shows steps that take longer than half a second. Control characters in text of files, models and devices
are replaced before it is printed.

## For programs

With `--format json` every line of stdout is one JSON object, and so is every line of stderr: errors, warnings, and the steps of `--trace`.
Existing fields do not change; new fields may be added. A diagnostic has

| field | |
| --- | --- |
| `code`, `severity`, `message` | `R0201`; `error` or `warning`; the fact |
| `file`, `line`, `column` | location, if it is in a Runefile; counted from 1 |
| `hint`, `notes` | the fix, or null; a list of details |

A step of `runec run --trace` has

| field | |
| --- | --- |
| `stages`, `what`, `milliseconds` | names (several only if a rune by another compiler does not separate its blocks); kind; time |
| `inputs`, `outputs` | tensors: `type`, the first `elements` as text, `count`, and for long numeric tensors `range`: `least`, `most`, `mean`, `nan_count` |
"""  # noqa: E501 - rows of tables cannot be broken

_BLOCK = {
    "description": "one sentence",
    "stack_bytes": "most stack that its functions use",
    "in_place": "whether an output may share the memory of an input",
    "arguments": "`name`, `type`, `required`, `default`, `aliases`, `description`",
    "inputs": "`elements`, `shape`, `dimensions`, `repeat`",
    "outputs": "`element`, `elements`, `shape`, `repeat`",
}
# Fields that each verb prints, and their meaning.
FIELDS: dict[str, dict[str, str]] = {
    "new": {
        "folder": "the new folder",
        "files": "its files",
        "next": "commands to run next",
    },
    "build": {
        "name": "the rune's name",
        "path": "the .rune written",
        "code_bytes": "WebAssembly",
        "linear_memory_bytes": "linear memory of the code",
        "models_and_resources_bytes": "models and resources",
        "arena_bytes": "RAM for all models",
        "file_bytes": "the whole file",
    },
    "check": {
        "code": "one diagnostic a line, as above, on stdout",
        "severity": "",
        "message": "",
        "file": "",
        "line": "",
        "column": "",
        "hint": "",
        "notes": "",
    },
    "fmt": {"path": "a file", "changed": "true if it changed or, with --check, would change"},
    "convert": {
        "runefile": "the input",
        "path": "the output file, or null",
        "text": "the Runefile in YAML",
    },
    "schema": {
        "$schema": "the JSON schema itself; with --output `path` instead",
        "title": "",
        "type": "",
    },
    "explain": {
        "code": "one page a line: the code",
        "title": "one phrase",
        "cause": "explanation",
        "wrong": "an example, or null",
        "right": "an example, or null",
        "legacy_wrong": "the same in the legacy dialect, or null",
        "legacy_right": "the same in the legacy dialect, or null",
        "fix": "the fix",
    },
    "block list": {"name": "one block a line", **_BLOCK},
    "block show": {"name": "its name", **_BLOCK, "readme": "its README.md"},
    "block new": {
        "folder": "the new folder",
        "files": "its files",
        "next": "commands to run next",
    },
    "block compile-commands": {
        "block": "one block a line: its name",
        "path": "the file written",
    },
    "block test": {
        "block": "one test a line: the block's name",
        "test": "the test's name",
        "status": "`ok` or `failed`",
        "problem": "the error that ended it, or null",
        "differences": "`run`, `output`, `type`, `element`, `expected`, `got`",
    },
    "run": {
        "3": "one object a run: the id of each output, a list of its tensors (`element-type`, "
        "or `element_type` for utf8; `dimensions`; `elements`)",
        "tensors": "with TENSOR outputs, instead of ids: the same list",
        "target": "with several --on, one object a target instead: its name",
        "verdict": "`same`, `DIFFERENT`, `failed`; with `all` also `too little memory`, "
        "`does not fit`",
        "seconds": "duration, builds included",
        "results": "one of the objects above for each run",
        "code": "diagnostic code, or null",
        "reason": "its message, or null",
    },
    "inspect": {
        "file_bytes": "the whole file",
        "version": "version of runec that wrote it",
        "digest": "SHA-256, or null for a legacy rune",
        "graph": "the graph: docs/spec/rune.md, section 3",
    },
    "graph": {
        "name": "the rune's name; with --output only `path`",
        "nodes": "stages in execution order: `name`, `kind` (capability, proc-block, model, "
        "output), `what`",
        "edges": "tensors: `from`, `to`, `type`",
    },
    "model-info": {
        "inputs": "`name`, `element_kind`, `dims`, `scale`, `zero_point`, `clamped_to` "
        "(`least`, `most`) if the model converts the floats to integers",
        "outputs": "the same without `clamped_to`",
        "ops": "number of operators",
        "folded": "operators computed when a rune is built",
        "shapes_learned": "whether LiteRT determined shapes",
        "operators": "each operator once: `name`, `version`",
        "file_bytes": "the file",
        "arena_bytes": "RAM for its tensors",
        "engines": "null for each engine that runs the model, else the reason",
        "boards": "ids of the boards whose memory fits it in a small pipeline",
        "description": "description in the model",
    },
    "boards": {"id": "one board a line, with the fields of its board file"},
    "boards show": {"id": "as `boards`"},
    "firmware new": {"board": "its id", "path": "the project's folder"},
    "firmware build": {
        "board": "id; with several --board, one object a board",
        "verdict": "with several --board: `built`, `does not fit` or `failed`",
        "seconds": "with several --board: duration",
        "code": "with several --board: diagnostic code, or null",
        "reason": "with several --board: its message, or null",
        "line": "with several --board: line of the stage with the error, or null",
        "elf": "the ELF file",
        "image": "the image for flash",
        "flash_bytes": "flash used",
        "ram_bytes": "RAM used, the following included",
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
        "flash_limit_bytes": "limit of the board",
        "ram_limit_bytes": "limit of the board",
        "parts": "`part`, `flash_bytes`, `ram_bytes`: every byte once",
        "stages": "`stage`, `line` (null without a Runefile), `flash_bytes`, `ram_bytes`: bytes "
        "that its removal would save",
        "largest": "functions and objects: `part`, `name`, `flash_bytes`, `ram_bytes`",
    },
    "flash": {
        "rune": "its name",
        "board": "its id",
        "port": "the serial port, or null with a debug probe",
        "link": "`uart` or `rtt`",
        "command": "with --dry-run: command of PlatformIO",
        "tool": "with --dry-run: command of the upload tool, or null for a vendor's platform; "
        "`script`: lines of its script file",
        "missing": "with --dry-run: errors that would stop the upload",
    },
    "monitor": {
        "event": "one event a line: `connected`, `result`, `log`, `failed` (one run), `lost` "
        "(`monitor` reconnects)",
        "board": "of `connected`, with `firmware`, `engine` and `digest` of the rune",
        "time": "time of arrival at the host, ISO 8601 with milliseconds",
        "outputs": "of `result`: as `runec run` prints them",
        "names": "of `result`, if the rune is named: stage of each output by its id",
        "text": "of `log`: a line",
        "code": "of `failed` and `lost`, which are diagnostics as above",
    },
    "cache": {
        "part": "one part a line",
        "path": "its folder",
        "files": "number of files",
        "bytes": "size",
        "max_bytes": "limit of the size, or null",
    },
    "doctor": {
        "part": "one part a line",
        "purpose": "its use",
        "found": "version or path, or null",
        "install": "the command that installs it",
        "packages": "the Debian packages that the command installs",
        "optional": "true if runec works without it",
        "status": "`ok`, `missing`, `-`",
    },
    "components list": {
        "name": "one component a line",
        "version": "",
        "licence": "",
        "kind": "kind of its source",
        "package": "its name at the source",
        "sha256": "of the archive",
        "homepage": "",
        "contains": "projects inside",
    },
    "components fetch": {"name": "one component a line", "path": "its folder"},
    "completion": {"shell": "the shell", "script": "the completion script"},
    "version": {"runec": "the version", "python": "version of Python"},
}


def verbs(group: click.Group = root, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every verb that is a command, in the order of `runec --help`."""
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
