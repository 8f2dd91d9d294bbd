"""Processing blocks: the catalogue, what a block accepts and gives, the SDK header they share."""

from runec.proc_blocks.arguments import WHITESPACE, BlockArgument, as_f32, split_words
from runec.proc_blocks.block import Block, Resolved, ResolvedOutput
from runec.proc_blocks.catalogue import Catalogue, sdk_dir
from runec.proc_blocks.manifest import FROM_MODEL
from runec.proc_blocks.mismatch import BlockMismatch

__all__ = [
    "FROM_MODEL",
    "WHITESPACE",
    "Block",
    "BlockArgument",
    "BlockMismatch",
    "Catalogue",
    "Resolved",
    "ResolvedOutput",
    "as_f32",
    "sdk_dir",
    "split_words",
]
