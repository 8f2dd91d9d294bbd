"""Code generation: a Pipeline becomes C, and the C a WebAssembly module.

R0501  no C compiler for WebAssembly            R0505  a block is recursive
R0502  the compiler refused the code            R0506  a stage cannot be expressed in a rune
R0503  the compiler did not end with a module   R0507  the tensors are too large
R0504  a function uses more stack than allowed
"""

from runec.codegen.build import compile_pipeline
from runec.codegen.editor import DATABASE, editor_files, is_editor_database
from runec.codegen.generate import GeneratedCode, generate
from runec.codegen.plan import MemoryPlan
from runec.codegen.toolchain import Toolchain, find_toolchain

__all__ = [
    "DATABASE",
    "GeneratedCode",
    "MemoryPlan",
    "Toolchain",
    "compile_pipeline",
    "editor_files",
    "find_toolchain",
    "generate",
    "is_editor_database",
]
