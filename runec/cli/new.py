"""`runec new`: a folder with a Runefile that builds and runs at once."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from runec.cli.console import Console
from runec.cli.help_epilog import example
from runec.cli.options import INPUT_FOLDER, format_option, pass_console
from runec.data import data_dir
from runec.diagnostics import UserFileError
from runec.files import is_free, read_file, write_folder

# Template: the example that it comes from.
_TEMPLATES = {
    "sine": "sine",
    "gesture": "gesture",
    "keyword": "microspeech",
    "vision": "person_detection",
    "empty": "noop",
}
_FLAGS = {".bin": "--raw", ".csv": "--accelerometer", ".wav": "--sound", ".png": "--image"}
_PATTERNS = ("*.tflite", "input.*", "Runefile.yml")


def _example(template: str) -> Path:
    return data_dir("examples") / _TEMPLATES[template]


def _argument(path: Path) -> str:
    """A path as an argument; ./ before a name that looks like an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)


def templates() -> list[str]:
    """The templates whose example is there."""
    return [name for name in _TEMPLATES if (_example(name) / "Runefile.yml").is_file()]


@click.command(
    "new",
    epilog=example(
        "runec new my_sine",
        "runec new my_gesture --template gesture",
    ),
)
@click.argument("folder", metavar="NAME", type=INPUT_FOLDER)
@click.option(
    "-t",
    "--template",
    type=click.Choice(templates()),
    default="sine",
    show_default=True,
    help="Template; `empty` copies its input to its output.",
)
@format_option
@pass_console
def command(console: Console, folder: Path, template: str) -> None:
    """Create a folder NAME with a Runefile, a model and an input, ready to build and run."""
    if not is_free(folder):
        raise UserFileError(
            "R1107", f"{folder} already exists", hint="choose another name, or an empty folder"
        )
    source = _example(template)
    # The Runefile comes last: a folder that has one is whole.
    names = [path.name for pattern in _PATTERNS for path in sorted(source.glob(pattern))]
    write_folder(folder, {name: read_file(source / name, "the template") for name in names})
    inputs = [name for name in names if name.startswith("input.")]
    rune = _argument(Path(f"{folder.resolve().name}.rune"))
    runefile = _argument(folder / "Runefile.yml")
    flags = [
        part for name in inputs for part in (_FLAGS[Path(name).suffix], _argument(folder / name))
    ]
    commands = [
        shlex.join(("runec", "check", runefile)),
        shlex.join(("runec", "build", runefile, "-o", rune)),
        shlex.join(("runec", "run", rune, *flags)),
    ]
    if console.is_json:
        console.result_json({"folder": str(folder), "files": sorted(names), "next": commands})
        return
    for name in sorted(names):
        console.result(str(folder / name))
    console.say("\n".join(["now:", *(f"  {line}" for line in commands)]))
