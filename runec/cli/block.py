"""`runec block`: the blocks of runec, and blocks of one's own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from runec.cli.console import Console, table
from runec.cli.help_epilog import example
from runec.cli.options import INPUT_FOLDER, MAX_SECONDS, Seconds, format_option, pass_console
from runec.cli.output_files import force_option, refuse_other_file
from runec.codegen import DATABASE, editor_files, find_toolchain, is_editor_database
from runec.diagnostics import RuneError, UserFileError, printable
from runec.files import is_file, is_free, is_inside, read_file, write_file, write_folder
from runec.pipeline import ElementType
from runec.proc_blocks import Block, Catalogue, load_block, template_dir
from runec.proc_blocks.manifest import InputRule, OutputRule
from runec.proc_blocks.vectors import load_vectors
from runec.suggestions import did_you_mean
from runec.vm.block_tests import run_block_tests, use_in_test

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
# The description comes last: a folder that has one is whole.
_FILES = ("README.md", "tests.toml", "block.c", "block.toml")
_DIFFERENCES_MAX = 8


@click.group(
    "block",
    epilog=example(
        "runec block list",
        "runec block show label",
        "runec block new my_block",
        "runec block test ./my_block",
    ),
)
def command() -> None:
    """List, show, create and test processing blocks."""


@command.command("list", epilog=example("runec block list", "runec block list --format json"))
@format_option
@pass_console
def list_blocks(console: Console) -> None:
    """List the built-in blocks."""
    blocks = [_known(name) for name in Catalogue.builtin().names()]
    if console.is_json:
        for block in blocks:
            console.result_json(_as_json(block))
        return
    rows = [
        (
            block.name,
            ", ".join(input_text(rule) for rule in block.manifest.inputs),
            ", ".join(output_text(rule) for rule in block.manifest.outputs),
            block.description,
        )
        for block in blocks
    ]
    console.result(table(("block", "inputs", "outputs", "description"), rows))


def _known(name: str) -> Block:
    block = Catalogue.builtin().find(name)
    if block is None:
        hint = did_you_mean(name, Catalogue.builtin().names()) or "`runec block list` prints all."
        raise click.BadParameter(
            f"no such block: {name!r}; {hint} The path of a folder starts with ./"
        )
    return block


def _complete(_ctx: click.Context, _parameter: click.Parameter, word: str) -> list[CompletionItem]:
    """Complete names of blocks, or paths."""
    if word.startswith((".", "/")):
        return [CompletionItem(word, type="file")]
    return [CompletionItem(name) for name in Catalogue.builtin().names() if name.startswith(word)]


@command.command("show", epilog=example("runec block show label", "runec block show ./my_block"))
@click.argument("block", metavar="NAME|FOLDER", shell_complete=_complete)
@format_option
@pass_console
def show(console: Console, block: str) -> None:
    """Show inputs, outputs, arguments and README of a block.

    NAME is a built-in block; FOLDER is the path of a block, which starts with a dot or has a slash.
    """
    found = load_block(Path(block)) if _is_folder(block) else _known(block)
    readme = found.directory / "README.md"
    text = read_file(readme, "the README").decode(errors="replace") if is_file(readme) else None
    if console.is_json:
        console.result_json({**_as_json(found), "readme": text})
        return
    console.result(f"{printable(found.name)}: {printable(found.description)}")
    for rule in found.manifest.inputs:
        console.result(f"  input {input_text(rule)}")
    for output in found.manifest.outputs:
        console.result(f"  output {output_text(output)}")
    console.result(f"  stack {found.stack_bytes} bytes")
    if found.arguments:
        rows = [
            (
                argument.name,
                argument.type,
                "needed" if argument.required else _default(argument.default),
                ", ".join(argument.aliases),
                argument.description,
            )
            for argument in found.arguments
        ]
        headers = ("argument", "type", "default", "also", "description")
        console.result("\n" + table(headers, rows))
    if text is not None:
        console.result("\n" + "\n".join(map(printable, text.strip().splitlines())))


def _is_folder(text: str) -> bool:
    # `hotg-ai/proc-blocks#label` is a legacy name of a built-in block.
    return text.startswith((".", "/")) or is_file(Path(text, "block.toml"))


def _default(value: object) -> str:
    return "-" if value is None else repr(value) if isinstance(value, str) else str(value)


def _elements(names: tuple[str, ...]) -> str:
    return "|".join(names)


def input_text(rule: InputRule) -> str:
    """Return the type of an input as `runec block list` prints it, such as `f32[1, _, 6+]`."""
    shape = f"[{', '.join(map(str, rule.dimensions))}]" if rule.dimensions else ""
    if rule.shape == "vector":
        shape = "[n]"
    return f"{_elements(rule.elements)}{shape}{' ...' if rule.repeat else ''}"


def output_text(rule: OutputRule) -> str:
    """Return the type of an output as `runec block list` prints it, such as `u32[count]`."""
    element = _elements(rule.elements) if rule.element == "declared" else rule.element
    if isinstance(rule.shape, str):
        shape = "" if element == rule.shape else f"[{rule.shape}]"
    else:
        shape = f"[{', '.join(map(str, rule.shape))}]"
    return f"{element}{shape}{' ...' if rule.repeat else ''}"


def _types(types: frozenset[ElementType]) -> list[str]:
    return [element.value for element in ElementType if element in types]


def _as_json(block: Block) -> dict[str, object]:
    return {
        "name": block.name,
        "description": block.description,
        "stack_bytes": block.stack_bytes,
        "in_place": block.in_place,
        "arguments": [
            {
                "name": argument.name,
                "type": argument.type,
                "required": argument.required,
                "default": argument.default,
                "aliases": list(argument.aliases),
                "description": argument.description,
            }
            for argument in block.arguments
        ],
        "inputs": [
            {
                "elements": _types(rule.element_types),
                "shape": rule.shape,
                "dimensions": list(rule.dimensions),
                "repeat": rule.repeat,
            }
            for rule in block.manifest.inputs
        ],
        "outputs": [
            {
                "element": rule.element,
                "elements": _types(rule.element_types),
                "shape": rule.shape,
                "repeat": rule.repeat,
            }
            for rule in block.manifest.outputs
        ],
    }


def _check_name(_ctx: click.Context, _parameter: click.Parameter, name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise click.BadParameter(
            f"invalid block name {name!r}: use a letter, then letters, digits, _ and - (64 at "
            "most). Choose the parent folder with --dir."
        )
    return name


@command.command(
    "new", epilog=example("runec block new my_block", "runec block new my_block --dir blocks")
)
@click.argument("name", metavar="NAME", callback=_check_name)
@click.option(
    "-d",
    "--dir",
    "parent",
    type=INPUT_FOLDER,
    default=Path(),
    help="Parent folder of NAME. [default: the current folder]",
)
@format_option
@pass_console
def new(console: Console, name: str, parent: Path) -> None:
    """Create a folder NAME with a working block and its tests, to start from."""
    folder = parent / name
    if not is_free(folder):
        raise UserFileError(
            "R1107", f"{folder} already exists", hint="choose another name, or an empty folder"
        )
    files = {file: read_file(template_dir() / file, "the template").decode() for file in _FILES}
    write_folder(folder, files | {"README.md": files["README.md"].replace("NAME", name)})
    path = str(folder) if folder.is_absolute() or str(folder)[0] == "." else f"./{folder}"
    test = shlex.join(("runec", "block", "test", path))
    if console.is_json:
        console.result_json({"folder": str(folder), "files": sorted(_FILES), "next": [test]})
        return
    for file in sorted(_FILES):
        console.result(str(folder / file))
    console.say(
        f"next:\n  {test}\nfor an editor with clangd:\n  {_compile_commands(path)}\n"
        f"and in a Runefile.yml in the same folder:\n  proc-block: ./{name}"
    )


def _compile_commands(path: str) -> str:
    return shlex.join(("runec", "block", "compile-commands", path))


@command.command(
    "compile-commands",
    epilog=example("runec block compile-commands ./my_block", "clangd --check=my_block/block.c"),
)
@click.argument("folders", metavar="[FOLDER]...", nargs=-1, type=INPUT_FOLDER)
@force_option
@format_option
@pass_console
def compile_commands(console: Console, folders: tuple[Path, ...], force: bool) -> None:
    """Write compile_commands.json into the folders of blocks, for editors with clangd.

    Without FOLDER: the current folder. Types, shapes and arguments are those of the first test in
    tests.toml. The file contains absolute paths: do not commit it.
    """
    toolchain = find_toolchain()
    for folder in folders or (Path(),):
        block = load_block(folder)
        pipeline = use_in_test(block, load_vectors(block)[0])
        files = editor_files(block, pipeline, toolchain)
        for name in files:
            if not is_inside((folder / name).parent, folder):
                fact = f"{folder / name} is outside the block's folder"
                raise UserFileError("R1107", fact, hint="remove the symbolic link in its path")
        refuse_other_file(
            folder / DATABASE, is_editor_database, "a compilation database", force=force
        )
        for name, text in files.items():
            write_file(folder / name, text)
        path = folder / DATABASE
        if console.is_json:
            console.result_json({"block": block.name, "path": str(path)})
        else:
            console.result(printable(str(path)))


@command.command("test", epilog=example("runec block test ./my_block", "runec block test blocks/*"))
@click.argument("folders", metavar="[FOLDER]...", nargs=-1, type=INPUT_FOLDER)
@click.option(
    "-t",
    "--timeout",
    type=Seconds(0, MAX_SECONDS, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Time limit of one run.",
)
@format_option
@pass_console
def test(console: Console, folders: tuple[Path, ...], timeout: float) -> None:
    """Run the tests in tests.toml of blocks, compiled to WebAssembly, on the host.

    Without FOLDER: the current folder. Exit codes: 0 all tests pass; 1 a block or its tests have
    errors; 3 a test fails.
    """
    failed = count = 0
    for folder in folders or (Path(),):
        block = load_block(folder)
        tests = load_vectors(block)
        for outcome in run_block_tests(block, tests, timeout_s=timeout):
            count += 1
            failed += not outcome.is_ok
            if console.is_json:
                console.result_json({"block": block.name, **outcome.as_json()})
                continue
            for line in outcome.lines(_DIFFERENCES_MAX):
                console.result(printable(f"{block.name}: {line}"))
    if failed:
        raise RuneError(
            "R0730",
            f"{failed} of {count} tests failed",
            hint="fix block.c, or the expectation in tests.toml",
        )
