"""The .rune file: writing it, and reading it without trusting it."""

from runec.container.canonical_json import F32, F64, quote_output, spell_float
from runec.container.graph import (
    Graph,
    GraphCapability,
    GraphModel,
    GraphOperator,
    GraphOutput,
    GraphProcBlock,
    GraphResource,
    graph_document,
)
from runec.container.instructions import Call, deepest_nesting, walk_calls
from runec.container.limits import MAX_NESTING
from runec.container.loading import load_rune
from runec.container.module import WasmModule
from runec.container.reader import HostImport, Rune, module_imports, read_rune
from runec.container.wasm import WasmReader, leb128, read_module, walk_sections
from runec.container.writer import write_rune

__all__ = [
    "F32",
    "F64",
    "MAX_NESTING",
    "Call",
    "Graph",
    "GraphCapability",
    "GraphModel",
    "GraphOperator",
    "GraphOutput",
    "GraphProcBlock",
    "GraphResource",
    "HostImport",
    "Rune",
    "WasmModule",
    "WasmReader",
    "deepest_nesting",
    "graph_document",
    "leb128",
    "load_rune",
    "module_imports",
    "quote_output",
    "read_module",
    "read_rune",
    "spell_float",
    "walk_calls",
    "walk_sections",
    "write_rune",
]
