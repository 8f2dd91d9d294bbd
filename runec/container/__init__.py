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
from runec.container.instructions import deepest_nesting, walk_calls
from runec.container.limits import MAX_NESTING
from runec.container.loading import load_rune
from runec.container.module import CodeMap, WasmModule
from runec.container.reader import HostImport, Rune, has_digest, module_imports, read_rune
from runec.container.wasm import (
    FunctionType,
    WasmReader,
    env_signature,
    function_bodies,
    leb128,
    read_module,
    walk_sections,
)
from runec.container.writer import write_rune

__all__ = [
    "F32",
    "F64",
    "MAX_NESTING",
    "CodeMap",
    "FunctionType",
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
    "env_signature",
    "function_bodies",
    "graph_document",
    "has_digest",
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
