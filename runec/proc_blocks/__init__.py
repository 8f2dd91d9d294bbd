"""Processing blocks: the catalogue, resolution of types, the SDK headers."""

from runec.proc_blocks.arguments import WHITESPACE, BlockArgument, split_words
from runec.proc_blocks.block import SOURCE, Block, Resolved, ResolvedOutput
from runec.proc_blocks.catalogue import Catalogue, load_block, sdk_dir, template_dir
from runec.proc_blocks.manifest import FROM_MODEL
from runec.proc_blocks.mismatch import BlockMismatch, MissingArgument

__all__ = [
    "FROM_MODEL",
    "SOURCE",
    "WHITESPACE",
    "Block",
    "BlockArgument",
    "BlockMismatch",
    "Catalogue",
    "MissingArgument",
    "Resolved",
    "ResolvedOutput",
    "load_block",
    "sdk_dir",
    "split_words",
    "template_dir",
]
