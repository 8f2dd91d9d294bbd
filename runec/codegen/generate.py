"""A Pipeline as C: the glue that joins the stages, and a header for each use of a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from runec.codegen.config import config_header
from runec.codegen.csyntax import c_comment, c_float, c_identifier, c_int, c_string
from runec.codegen.plan import ALIGNMENT, MemoryPlan, plan_memory, stage_outputs
from runec.diagnostics import UserFileError
from runec.pipeline import (
    Capability,
    ElementType,
    Model,
    Output,
    ParameterValue,
    Pipeline,
    ProcBlock,
    Stage,
    Tensor,
)
from runec.proc_blocks import Block
from runec.values import as_f32

GLUE = "glue.c"
TENSORS = "rune_tensors"
"""The symbol of the area of all tensors."""

# No tensor area of a rune comes near it; below it all sizes fit the compiler's and wasm's 32 bits.
MAX_AREA_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class BlockUnit:
    """One use of a block: its source is compiled after `header` (a key of `files`)."""

    stage: ProcBlock
    symbol: str
    header: str

    @property
    def block(self) -> Block:
        """The block that the stage uses."""
        return self.stage.block

    @property
    def link(self) -> str:
        """The name that the compiler knows the block's folder by."""
        return f"{self.symbol}.block"


@dataclass(frozen=True, slots=True)
class GeneratedCode:
    """`files` by name: `glue.c` and a header for each of `units`, in execution order."""

    files: Mapping[str, str]
    plan: MemoryPlan
    units: tuple[BlockUnit, ...]


@cache
def _template() -> Template:
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - it writes C, where csyntax escapes
        keep_trailing_newline=True,
    )
    text = (files("runec.codegen") / "templates" / "glue.c.j2").read_text(encoding="utf-8")
    return environment.from_string(text)


def _symbol(number: int, stage: Stage) -> str:
    return f"stage_{number}_{c_identifier(stage.name)}"


def _literal(text: str) -> str:
    """The arguments `text, length` for a name."""
    data = text.encode()
    return f"{c_string(data)}, {len(data)}"


def _size(tensor: Tensor) -> str:
    """The length of a tensor's bytes as a C expression."""
    if tensor.type.element is ElementType.UTF8:
        return f"rune_utf8_size(TENSOR_{tensor.id}, {tensor.type.element_count})"
    return str(tensor.type.size_bytes)


def _pointers(name: str, tensors: tuple[Tensor, ...], const: str) -> str:
    items = ", ".join(f"TENSOR_{tensor.id}" for tensor in tensors)
    return f"static {const}void *const {name}[] = {{{items}}};"


def _parameter(stage: Capability, variable: str, key: str, value: ParameterValue) -> list[str]:
    is_float = isinstance(value, float)
    fits = abs(as_f32(value)) < float("inf") if is_float else -(2**31) <= value < 2**31
    if not fits or isinstance(value, bool):
        raise UserFileError(
            "R0506",
            f"the argument {key!r} of {stage.name!r} is {value}, which exceeds 32 bits",
            hint="use a smaller value",
            span=stage.span,
        )
    kind, tag = ("float", "PARAMETER_F32") if is_float else ("int32_t", "PARAMETER_I32")
    constant = c_float(value) if isinstance(value, float) else c_int(value)
    return [
        "{",
        f"    static const {kind} value = {constant};",
        f"    request_capability_set_param({variable}, {_literal(key)}, &value, 4, {tag});",
        "}",
    ]


def _fixed_size(stage: Capability | Model, tensor: Tensor) -> None:
    if tensor.type.element is ElementType.UTF8:
        raise UserFileError(
            "R0506",
            f"the stage {stage.name!r} has the output {tensor.type}, but only a processing "
            "block can output text",
            hint="declare the output as u8 and convert it to text with a block",
            span=stage.span,
        )


def _open(number: int, stage: Stage) -> list[str]:
    """What `_manifest` does for a stage."""
    variable = f"id_{number}"
    if isinstance(stage, Capability):
        lines = [f"{variable} = request_capability({stage.kind.value}); /* {stage.kind.name} */"]
        for key, value in stage.parameters.items():
            lines += _parameter(stage, variable, key, value)
        return lines
    if isinstance(stage, Model):
        return [f"{variable} = rune_model_open({_literal(stage.name)});"]
    if isinstance(stage, Output):
        return [f"{variable} = request_output({stage.kind.value}); /* {stage.kind.name} */"]
    return []


def _manifest(pipeline: Pipeline, with_id: Sequence[tuple[int, Stage]]) -> list[dict[str, object]]:
    """The steps of `_manifest`, in the order of the ids (rune.md, section 2.2)."""

    def of_kind(kind: type[Capability | Model | Output]) -> list[dict[str, object]]:
        return [
            {"title": _title(number, stage), "code": _open(number, stage)}
            for number, stage in with_id
            if isinstance(stage, kind)
        ]

    resources: list[dict[str, object]] = [
        {
            "title": f"The resource {name}, for its id",
            "code": [f"rune_resource_close(rune_resource_open({_literal(name)}));"],
        }
        for name in pipeline.opened
    ]
    return of_kind(Capability) + resources + of_kind(Model) + of_kind(Output)


def _guards(pipeline: Pipeline, plan: MemoryPlan, guard_bytes: int) -> list[str]:
    """Rows of the table of guards: address and tensor."""
    rows = []
    for stage in pipeline.stages if guard_bytes else ():
        for index, tensor in enumerate(stage_outputs(stage)):
            if tensor.id in plan.in_place:
                continue  # the input whose place it took has the guards
            name = (
                stage.name if isinstance(stage, Capability) else f"output {index} of {stage.name}"
            )
            start = plan.offsets[tensor.id]
            end = start + tensor.capacity_bytes
            limit = -(-end // ALIGNMENT) * ALIGNMENT + guard_bytes
            text = f"{name}, {tensor.type}"
            rows.append(
                f"{{{start - guard_bytes}, {start}, 0, {_literal(f'the start of {text}')}}},"
            )
            rows.append(f"{{{end}, {limit}, 1, {_literal(f'the end of {text}')}}},")
    return rows


def _run(number: int, stage: Stage, guard_bytes: int) -> list[str]:
    """What `_call` does for a stage."""
    variable = f"id_{number}"
    if isinstance(stage, Capability):
        (output,) = stage.outputs
        _fixed_size(stage, output)
        buffer = f"TENSOR_{output.id}, {_size(output)}"
        return [f"request_provider_response({buffer}, {variable});"]
    if isinstance(stage, ProcBlock):
        tensors = ", ".join(f"TENSOR_{t.id}" for t in (*stage.inputs, *stage.outputs))
        if guard_bytes:
            return [
                "{",
                "    set_guards();",
                f"    int32_t status = {_symbol(number, stage)}({tensors});",
                f"    if (guard_is_broken({_literal(stage.block.name)}) || status != RUNE_OK) {{",
                f"        return {number};",
                "    }",
                "}",
            ]
        return [
            f"if ({_symbol(number, stage)}({tensors}) != RUNE_OK) {{",
            f"    return {number};",
            "}",
        ]
    if isinstance(stage, Model):
        for output in stage.outputs:
            _fixed_size(stage, output)
        return [
            "{",
            f"    {_pointers('inputs', stage.inputs, 'const ')}",
            f"    {_pointers('outputs', stage.outputs, '')}",
            f"    rune_model_infer({variable}, inputs, outputs);",
            "}",
        ]
    return [
        f"consume_output({variable}, TENSOR_{tensor.id}, {_size(tensor)});"
        for tensor in stage.inputs
    ]


def _title(number: int, stage: Stage) -> str:
    where = "" if stage.span is None else f": Runefile line {stage.span.line}"
    return f"{number}. {c_comment(stage.name)[0] if stage.name.strip() else '?'}{where}"


def _parameters(stage: ProcBlock) -> str:
    inputs = [f"const {t.type.element.c_type} *in{i}" for i, t in enumerate(stage.inputs)]
    outputs = [f"{t.type.element.c_type} *out{i}" for i, t in enumerate(stage.outputs)]
    return ", ".join(inputs + outputs)


def generate(pipeline: Pipeline, *, guard_bytes: int = 0) -> GeneratedCode:
    """Turn a checked pipeline into C.

    With `guard_bytes`, a multiple of 8, that much lies before and behind each tensor; a block that
    writes there fails its stage, with a message.

    Raises:
        UserFileError: R0506, a stage cannot be expressed; R0507, the tensors are too large.
    """
    in_place = frozenset(stage.name for stage in pipeline.proc_blocks if stage.block.in_place)
    plan = plan_memory(pipeline, in_place, guard_bytes)
    if plan.size_bytes > MAX_AREA_BYTES:
        raise UserFileError(
            "R0507",
            f"the tensors need {plan.size_bytes} bytes of memory",
            hint=f"use smaller dimensions: a rune has at most {MAX_AREA_BYTES} bytes",
        )
    numbered = list(enumerate(pipeline.stages, start=1))
    with_id = [item for item in numbered if not isinstance(item[1], ProcBlock)]
    glue = _template().render(
        name=(c_comment(pipeline.name) or ["?"])[0],
        alignment=ALIGNMENT,
        area=TENSORS,
        area_bytes=plan.size_bytes,
        tensors=[
            {"id": tensor.id, "offset": plan.offsets[tensor.id], "type": tensor.type}
            for tensor in pipeline.tensors
        ],
        blocks=[
            {"symbol": _symbol(number, stage), "parameters": _parameters(stage)}
            for number, stage in numbered
            if isinstance(stage, ProcBlock)
        ],
        ids=[f"id_{number}" for number, _ in with_id],
        guards=_guards(pipeline, plan, guard_bytes),
        manifest=_manifest(pipeline, with_id),
        stages=[
            {
                "title": _title(number, stage),
                "text": c_comment(stage.span.text) if stage.span is not None else [],
                "code": _run(number, stage, guard_bytes),
            }
            for number, stage in numbered
        ],
    )
    sources = {GLUE: glue}
    units = []
    for number, stage in numbered:
        if isinstance(stage, ProcBlock):
            symbol = _symbol(number, stage)
            unit = BlockUnit(stage, symbol, f"{symbol}.h")
            sources[unit.header] = config_header(stage, symbol, plan)
            units.append(unit)
    return GeneratedCode(sources, plan, tuple(units))
