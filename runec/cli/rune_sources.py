"""Runes for verbs: read from a .rune, or built from a Runefile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from runec.boards import Board
from runec.cli.console import Console
from runec.cli.runefiles import which_runefile
from runec.codegen import compile_pipeline
from runec.container import Rune, load_rune, write_rune
from runec.diagnostics import Span
from runec.files import read_head
from runec.firmware import DeviceRune, StageError, pin_warnings
from runec.frontend import analyse
from runec.pipeline import Pipeline

_WASM = b"\0asm"


@dataclass(frozen=True, slots=True)
class Source:
    """A rune, and the spans of its stages if a Runefile was given."""

    rune: Rune
    spans: dict[str, Span]

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Add the line of its stage to an error."""
        try:
            yield
        except StageError as error:
            error.span = self.spans.get(error.stage or "")
            raise

    def warn_of_pins(self, console: Console, board: Board) -> None:
        """Warn of pins that the rune drives and the board uses otherwise.

        Raises:
            RunecError: as `DeviceRune.of`; R0841, the board has no such pin.
        """
        for stage, warning in pin_warnings(DeviceRune.of(self.rune), board):
            console.warn(msgspec.structs.replace(warning, span=self.spans.get(stage)))


def load_source(console: Console, path: Path) -> Source:
    """Read a .rune, or build the Runefile at `path`, or the one in that folder; print its warnings.

    Raises:
        UserFileError: R1003, it cannot be read; R06xx, it is not a valid .rune; R1103, there is no
            Runefile in the folder.
        RunefileError: the Runefile is wrong.
        MachineError: R05xx, the compiler is missing.
    """
    if _is_rune(path):
        return Source(load_rune(path), {})
    pipeline, rune = build_rune(console, which_runefile(path))
    spans = {stage.name: stage.span for stage in pipeline.stages if stage.span}
    return Source(rune, spans)


def build_rune(
    console: Console, runefile: Path, *, name: str | None = None, base_dir: Path | None = None
) -> tuple[Pipeline, Rune]:
    """Compile a Runefile to a .rune; print its warnings.

    Raises:
        UserFileError: R1003, it cannot be read.
        RunefileError: the Runefile is wrong.
        MachineError: R05xx, the compiler is missing.
    """
    with console.progress("checking"):
        analysis = analyse(
            runefile, name=name, base_dir=base_dir, allow_outside=console.allow_outside
        )
    console.warn(*analysis.warnings)
    with console.progress("compiling"):
        module = compile_pipeline(analysis.pipeline)
        rune = write_rune(analysis.pipeline, module)
    return analysis.pipeline, rune


def _is_rune(path: Path) -> bool:
    return path.suffix == ".rune" or read_head(path, len(_WASM)) == _WASM
