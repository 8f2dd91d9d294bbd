"""Blocks for pipelines that tests construct."""

from __future__ import annotations

from pathlib import Path

from runec.proc_blocks import Block, Catalogue
from runec.proc_blocks.manifest import InputRule, Manifest, OutputRule


def known_block(name: str) -> Block:
    """Return a block of the catalogue."""
    block = Catalogue.builtin().find(name)
    assert block is not None
    return block


def block_without_source(name: str, *, in_place: bool = False) -> Block:
    """Return a block that takes and gives anything, and that nothing compiles."""
    inputs, outputs = (InputRule(("number",)),), (OutputRule("input", "input"),)
    return Block.from_manifest(name, Path(), Manifest(name, 0, in_place, inputs, outputs))
