"""Figures of a bench: of the rune and of its peer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunCost:
    """Instructions of one run, without those of waiting for the host.

    `blocks` are those of processing blocks and of what joins the stages, `model` those of the
    model engine, `host` the rest: checks, the result as JSON, frames of the link.
    """

    blocks: int
    model: int
    host: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.blocks + self.model + self.host


@dataclass(frozen=True, slots=True)
class Figures:
    """A firmware's instructions and bytes.

    `ready` counts from reset until the firmware could run: the link's hello is out. `first` and
    `steady` are its first and its second run. The results are the lines of both.
    """

    ready: int
    first: RunCost
    steady: RunCost
    flash_bytes: int
    ram_bytes: int
    results: tuple[str, ...]

    @property
    def first_result(self) -> int:
        """Instructions from reset to the first result."""
        return self.ready + self.first.total


@dataclass(frozen=True, slots=True)
class Comparison:
    """An example's rune in one engine, and the same pipeline without a sandbox."""

    example: str
    engine: str
    board: str
    rune: Figures
    peer: Figures
    linear_memory_bytes: int
    arena_bytes: int
