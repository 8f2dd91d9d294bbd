"""Runes made of WebAssembly text and matching graphs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import tflite_micro

from runec.container import (
    CodeMap,
    Graph,
    GraphCapability,
    GraphModel,
    GraphOutput,
    GraphProcBlock,
    GraphResource,
    Rune,
    read_rune,
)
from runec.container.writer import assemble
from runec.pipeline import CapabilityKind, OutputKind, TensorType

# Name, parameters, result of the functions of ABI 1; a module names them with a dollar sign.
FUNCTIONS = {
    "_debug": (2, True),
    "request_capability": (1, True),
    "request_capability_set_param": (6, True),
    "request_provider_response": (3, True),
    "rune_model_open": (2, True),
    "rune_model_infer": (3, True),
    "request_output": (1, True),
    "consume_output": (3, True),
    "rune_resource_open": (2, True),
    "rune_resource_read": (3, True),
    "rune_resource_close": (1, False),
}
USED = 4096

NOOP_MANIFEST = """
    (drop (call $request_capability (i32.const 5)))
    (drop (call $request_output (i32.const 1)))"""
NOOP_CALL = """
    (drop (call $request_provider_response (i32.const 1024) (i32.const 16) (i32.const 1)))
    (drop (call $consume_output (i32.const 2) (i32.const 1024) (i32.const 16)))
    (i32.const 0)"""


@dataclass
class Sketch:
    """A pipeline in a few words: input types, output types, and what lies between."""

    capabilities: Sequence[tuple[str, CapabilityKind, str]] = (
        ("input", CapabilityKind.RAW, "i32[4]"),
    )
    parameters: Mapping[str, int | float] = field(default_factory=dict)
    blocks: Sequence[tuple[str, str]] = ()
    model: tuple[str, str] | None = None
    outputs: Sequence[tuple[str, tuple[int, ...]]] = (("serial", (0,)),)
    output_kind: OutputKind = OutputKind.SERIAL
    resources: Mapping[str, bytes | None] = field(default_factory=dict)
    opened: int = 0  # ids that blocks take by opening resources
    used: int = USED  # bytes of linear memory
    code_map: CodeMap | None = None

    def graph(self, code: bytes) -> Graph:
        """Each block and the model take the tensor before them and give the next."""
        tensors = [kind for _, _, kind in self.capabilities]
        capabilities = {
            name: GraphCapability(number + 1, kind, dict(self.parameters), number)
            for number, (name, kind, _) in enumerate(self.capabilities)
        }
        blocks = {}
        for name, kind in self.blocks:
            inputs = (len(tensors) - 1,) if tensors else ()
            blocks[name] = GraphProcBlock(name, f"./{name}", {}, inputs, (len(tensors),))
            tensors.append(kind)
        next_id = len(capabilities) + 1 + self.opened
        models = {}
        if self.model is not None:
            name, kind = self.model
            models[name] = GraphModel(
                next_id, "tensorflow-lite", name, (len(tensors) - 1,), (len(tensors),), 4096, ()
            )
            tensors.append(kind)
            next_id += 1
        outputs = {
            name: GraphOutput(next_id + number, self.output_kind, inputs)
            for number, (name, inputs) in enumerate(self.outputs)
        }
        return Graph(
            abi=1,
            name="probe",
            code_bytes=len(code),
            code_sha256=hashlib.sha256(code).hexdigest(),
            memory_used=self.used,
            memory_stack=1024,
            stages=(*capabilities, *blocks, *models, *outputs),
            capabilities=capabilities,
            proc_blocks=blocks,
            models=models,
            outputs=outputs,
            resources={
                name: GraphResource(None, None)
                if data is None
                else GraphResource(len(data), hashlib.sha256(data).hexdigest())
                for name, data in sorted(self.resources.items())
            },
            tensors=tuple(map(TensorType.parse, tensors)),
            code_map=self.code_map,
        )


def imports(body: str) -> str:
    """Import what a body calls."""
    lines = []
    for name, (count, has_result) in FUNCTIONS.items():
        if f"${name} " in body or f"${name})" in body:
            result = " (result i32)" if has_result else ""
            lines.append(f'(import "env" "{name}" (func ${name} (param {"i32 " * count}){result}))')
    return "\n".join(lines)


MakeRune = Callable[..., Rune]


@pytest.fixture
def sketch() -> type[Sketch]:
    """The class, for tests to describe pipelines with."""
    return Sketch


@pytest.fixture
def noop_text() -> tuple[str, str]:
    """What `_call` and `_manifest` of noop do."""
    return NOOP_CALL, NOOP_MANIFEST


@pytest.fixture(scope="session")
def make_rune(wat: Callable[[str], bytes]) -> MakeRune:
    """Make a rune of what `_manifest` and `_call` do, for a sketch of a pipeline.

    `call` ends with `_call`'s result on the stack, `manifest` leaves nothing on it.
    """

    def make(
        call: str = "(i32.const 0)",
        manifest: str = "",
        sketch: Sketch | None = None,
        more: str = "",
    ) -> Rune:
        chosen = sketch or Sketch()
        text = f"""(module
            {imports(manifest + call + more)}
            (memory (export "memory") 1 1)
            (global (export "__heap_base") i32 (i32.const {chosen.used}))
            (global (export "__data_end") i32 (i32.const {chosen.used}))
            {more}
            (func (export "_manifest") (result i32) {manifest} (i32.const 1))
            (func (export "_call") (param i32 i32 i32) (result i32) {call}))"""
        code = wat(text)
        return read_rune(assemble(chosen.graph(code), code, chosen.resources))

    return make


@pytest.fixture
def noop(make_rune: MakeRune) -> Rune:
    """RAW i32[4] to SERIAL."""
    return make_rune(NOOP_CALL, NOOP_MANIFEST)


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """Sixteen bytes: 0, 1, 2, 3 as i32."""
    path = tmp_path / "numbers.bin"
    path.write_bytes(b"".join(n.to_bytes(4, "little") for n in range(4)))
    return path


@pytest.fixture(scope="session")
def sine() -> bytes:
    """A small float model that the tflite-micro wheel carries."""
    return (
        Path(next(iter(tflite_micro.__path__))) / "python/tflite_micro/sine_float.tflite"
    ).read_bytes()


@pytest.fixture
def endless_rune(make_rune: MakeRune, tmp_path: Path) -> Path:
    """The file of a rune that writes the log line "start" and runs for ever."""
    rune = make_rune(
        "(drop (call $_debug (i32.const 1024) (i32.const 5)))"
        " (loop $again (br $again)) (i32.const 0)",
        more='(data (i32.const 1024) "start")',
    )
    path = tmp_path / "endless.rune"
    path.write_bytes(rune.data)
    return path
