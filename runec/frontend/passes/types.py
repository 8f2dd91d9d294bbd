"""Element types and shapes at both ends of every edge, in order of execution.

A tensor has one type, its producer's. Where the consumer declares one as well (the legacy dialect,
a model's file, a block), both must have the same element type, and the same shape up to dimensions
of 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from runec.diagnostics import Diagnostics, Label, RunecError, Span, printable
from runec.frontend.ast import (
    CapabilityNode,
    Dialect,
    ModelNode,
    OutNode,
    ProcBlockNode,
    ResourceRef,
    StageNode,
    Type,
    declared_input,
    declared_outputs,
)
from runec.frontend.passes.arguments import Arguments, block_argument_names, word_list
from runec.frontend.passes.edges import Edge, Edges, upstream
from runec.frontend.passes.model_files import LoadedModel
from runec.frontend.passes.names import NameTable
from runec.frontend.passes.parameters import expected_elements
from runec.frontend.text import ELEMENT_TYPES, WITHOUT_EQUAL
from runec.models import ModelFile, ModelInfo, ModelTensor, resolve_model
from runec.pipeline import (
    ArgumentValue,
    CapabilityKind,
    ElementType,
    OutputKind,
    ParameterValue,
    Pin,
    Resource,
    ResourceWords,
    TensorType,
)
from runec.proc_blocks import (
    FROM_MODEL,
    Block,
    BlockMismatch,
    MissingArgument,
    ResolvedOutput,
)
from runec.suggestions import suggestion

MAX_TENSOR_BYTES = 64 * 1024 * 1024

_ELEMENTS = {element.value: element for element in ElementType}
CAPABILITY_ELEMENTS = {
    CapabilityKind.SOUND: ElementType.I16,
    CapabilityKind.ACCEL: ElementType.F32,
    CapabilityKind.IMAGE: ElementType.U8,
    CapabilityKind.FLOAT_IMAGE: ElementType.F32,
}


class Facts(msgspec.Struct, frozen=True):
    """Results of the earlier passes."""

    names: NameTable
    edges: Edges
    dialect: Dialect
    kinds: Mapping[str, CapabilityKind]
    output_kinds: Mapping[str, OutputKind]
    pins: Mapping[str, Pin]
    parameters: Mapping[str, Mapping[str, ParameterValue]]
    blocks: Mapping[str, Block]
    models: Mapping[str, LoadedModel]
    arguments: Arguments
    unreadable: frozenset[str] = frozenset()


class Typed(msgspec.Struct, frozen=True):
    """The outputs of each stage, and the typed arguments of each block; wrong stages are absent.

    `models` are those of the files as the rune carries them: with shapes, folded.
    """

    outputs: Mapping[str, tuple[ResolvedOutput, ...]]
    arguments: Mapping[str, dict[str, ArgumentValue]]
    models: Mapping[str, LoadedModel]


def check_types(order: tuple[str, ...], facts: Facts, diagnostics: Diagnostics) -> Typed:
    """Give every output a type and compare the two ends of every edge."""
    checker = _Checker(facts, diagnostics, _needed(facts))
    checker.read_declarations()
    for name in order:
        checker.check(name, facts.names.stages[name])
    return Typed(checker.outputs, checker.arguments, checker.models)


def _element_hint(word: str) -> str:
    """Suggest an element type for an unknown one, such as a name of another language."""
    known = ELEMENT_TYPES.get(word.lower())
    if known is None:
        return suggestion(word, _ELEMENTS)
    if known == "utf8":
        return 'use "utf8" for texts'
    if word.lower() in WITHOUT_EQUAL:
        return f'use "{known}": a rune has no {word.lower()}'
    return f'did you mean "{known}"?'


def _needed(facts: Facts) -> frozenset[str]:
    """The stages whose results reach an out; all of them where an input leads nowhere."""
    if any(edge is None for edges in facts.edges.values() for edge in edges):
        return frozenset(facts.edges)
    outs = [name for name, stage in facts.names.stages.items() if isinstance(stage, OutNode)]
    return upstream(outs, facts.edges)


def _same_shape(left: TensorType, right: TensorType) -> bool:
    return [size for size in left.dimensions if size != 1] == [
        size for size in right.dimensions if size != 1
    ]


def _fits(type_: TensorType, tensor: ModelTensor) -> bool:
    """Whether a type is that of a model's tensor; every shape is where the file has none."""
    has_same_shape = tensor.type is None or _same_shape(type_, tensor.type)
    return type_.element is tensor.element and has_same_shape


def _is_accepted(type_: TensorType, tensor: ModelTensor) -> bool:
    """Whether a type is that of a model's input, or one that its file leaves open."""
    is_open = type_.element is tensor.element and tensor.accepts(type_.dimensions)
    return is_open or _fits(type_, tensor)


def _resolved(type_: TensorType) -> ResolvedOutput:
    return ResolvedOutput(type_, type_.size_bytes)


class _Checker(msgspec.Struct):
    facts: Facts
    diagnostics: Diagnostics
    # The stages whose results reach an out.
    needed: frozenset[str]
    # Declared types that were understood. None among the outputs: to be inferred.
    declared: dict[str, tuple[TensorType | None, ...]] = msgspec.field(default_factory=dict)
    taken: dict[str, TensorType] = msgspec.field(default_factory=dict)
    broken: set[str] = msgspec.field(default_factory=set)
    outputs: dict[str, tuple[ResolvedOutput, ...]] = msgspec.field(default_factory=dict)
    arguments: dict[str, dict[str, ArgumentValue]] = msgspec.field(default_factory=dict)
    models: dict[str, LoadedModel] = msgspec.field(default_factory=dict)
    # Models with shapes, by the file and what it is given.
    resolved: dict[tuple[ModelFile, tuple[TensorType, ...]], ModelFile] = msgspec.field(
        default_factory=dict
    )

    # Declarations.

    def read_declarations(self) -> None:
        for name, stage in self.facts.names.stages.items():
            taken = declared_input(stage)
            if taken is not None:
                type_ = self._read(taken)
                if type_ is None:
                    self.broken.add(name)
                else:
                    self.taken[name] = type_
            types: list[TensorType | None] = []
            for node in declared_outputs(stage) or ():
                type_ = None
                if node.element is not None:
                    type_ = self._read(node)
                    if type_ is None:
                        self.broken.add(name)
                types.append(type_)
            self.declared[name] = tuple(types)

    def _read(self, node: Type) -> TensorType | None:
        assert node.element is not None  # noqa: S101 - callers check
        word = node.element.text
        element = _ELEMENTS.get(word.lower())
        if element is None:
            what = "element type, " if self.facts.dialect == "yaml" else "type "
            self.diagnostics.error(
                "R0203",
                f'Unknown {what}"{word[:40]}"',
                node.element.span,
                hint=_element_hint(word),
                # Word for word, for scripts that look for it.
                notes=[f'in the original platform: error: Unknown {what}"{word[:40]}"'],
            )
            return None
        dimensions = tuple(dimension.value for dimension in node.dimensions) or (1,)
        type_ = TensorType(element, dimensions)
        if max(type_.size_bytes, type_.element_count) > MAX_TENSOR_BYTES:
            self.diagnostics.error(
                "R0207",
                f"{type_} is larger than {MAX_TENSOR_BYTES} bytes",
                node.span,
                hint="no microcontroller has enough memory: check the dimensions",
            )
            return None
        return type_

    # Stages.

    def check(self, name: str, stage: StageNode) -> None:
        if name in self.broken or name in self.facts.unreadable:
            return
        inputs = self._inputs(name)
        if inputs is None:
            return
        if isinstance(stage, CapabilityNode):
            self._check_capability(name, stage)
        elif isinstance(stage, ProcBlockNode):
            self._check_block(name, stage, self._legacy_view(name, stage, inputs))
        elif isinstance(stage, ModelNode):
            self._check_model(name, stage, self._legacy_view(name, stage, inputs))
        self._keep_shapes(name, stage)

    def _keep_shapes(self, name: str, stage: StageNode) -> None:
        """Compare dimensions that stand beside a `_` with those inferred, and go on with them."""
        outputs = list(self.outputs.get(name, ()))
        for index, node in enumerate((declared_outputs(stage) or ())[: len(outputs)]):
            if node.element is not None or not node.dimensions:
                continue
            found = outputs[index].type
            shape = tuple(dimension.value for dimension in node.dimensions)
            written = TensorType(found.element, shape)
            if _same_shape(written, found):
                outputs[index] = ResolvedOutput(written, outputs[index].capacity_bytes)
                continue
            self.diagnostics.error(
                "R0202",
                f'"{name}" provides {found}, but declares {written}: the shapes differ',
                Span(node.span.source, node.dimensions[0].span.start, node.dimensions[-1].span.end),
                hint=f"declare {found}, or no outputs",
            )
        if outputs:
            self.outputs[name] = tuple(outputs)

    def _inputs(self, name: str) -> list[tuple[Edge, TensorType]] | None:
        """The type of each input; None when one of them is not known."""
        inputs = []
        for edge in self.facts.edges[name]:
            outputs = self.outputs.get(edge.producer) if edge is not None else None
            if edge is None or outputs is None:
                return None
            if edge.index >= len(outputs):
                count = f"{len(outputs)} output{'s' if len(outputs) != 1 else ''}"
                self.diagnostics.error(
                    "R0103",
                    f'The "{edge.producer}" node has no {_ordinal(edge.index)} output',
                    edge.ref.span,
                    hint=f"{edge.producer} has {count}, counted from 0",
                    labels=[Label(self._name_span(edge.producer), "declared here")],
                )
                return None
            inputs.append((edge, outputs[edge.index].type))
        return inputs

    def _legacy_view(
        self, name: str, stage: StageNode, inputs: list[tuple[Edge, TensorType]]
    ) -> list[tuple[Edge, TensorType]]:
        """Return the declared inputs after the comparison with their producers."""
        taken = self.taken.get(name)
        node = declared_input(stage)
        if taken is None or node is None:
            return inputs
        if all(self._is_bound(edge, taken) for edge, _ in inputs):
            return inputs
        for edge, given in inputs:
            labels = [
                Label(self._output_span(edge), f"this is {given}"),
                Label(node.span, f"this expects {taken}"),
            ]
            if given.element is not taken.element:
                self.diagnostics.error(
                    "R0201",
                    f'"{edge.producer}" provides {given}, but "{name}" expects {taken}: '
                    "the element types differ",
                    edge.ref.span,
                    hint="use the same element type for both, or insert a proc block",
                    labels=labels,
                )
            elif not _same_shape(given, taken):
                self.diagnostics.error(
                    "R0202",
                    f'"{edge.producer}" provides {given}, but "{name}" expects {taken}: '
                    "the shapes differ",
                    edge.ref.span,
                    hint="shapes must be equal up to dimensions of 1",
                    labels=labels,
                )
        return [(edge, taken) for edge, _ in inputs]

    def _is_bound(self, edge: Edge, taken: TensorType) -> bool:
        """True when a stage expects what its producer declares, of which the producer gives less.

        A block that decides about an output's length takes the declared one as a bound.
        """
        block = self.facts.blocks.get(edge.producer)
        if block is None:
            return False
        rules, declared = block.manifest.outputs, self.declared[edge.producer]
        rule = rules[min(edge.index, len(rules) - 1)]
        return rule.length != "exact" and taken in declared[edge.index : edge.index + 1]

    def _check_capability(self, name: str, stage: CapabilityNode) -> None:
        declared = self.declared[name]
        if len(declared) > 1:
            self.diagnostics.error(
                "R0206",
                f'The "{name}" capability has {len(declared)} outputs, but must have exactly one',
                (stage.outputs or ())[1].span,
                hint="declare a capability for each",
            )
            return
        type_ = declared[0] if declared else None
        if type_ is None:
            type_ = self._expected_by_consumers(name)
        if type_ is None:
            place = stage.outputs[0].span if stage.outputs else stage.name.span
            self.diagnostics.error(
                "R0204",
                f'Unable to determine the type of "{name}"',
                place,
                hint="Consider specifying this output type",
            )
            return
        kind = self.facts.kinds.get(name)
        if kind is not None:
            self._compare_with_kind(name, stage, kind, type_)
        self.outputs[name] = (_resolved(type_),)

    def _expected_by_consumers(self, name: str, index: int = 0) -> TensorType | None:
        """What a stage that reads the output accepts; None where it is not stated."""
        for consumer, edges in self.facts.edges.items():
            for position, edge in enumerate(edges):
                if edge is None or edge.producer != name or edge.index != index:
                    continue
                if consumer in self.taken:
                    return self.taken[consumer]
                info = self._info(consumer)
                if info is not None and position < len(info.inputs):
                    wanted = info.inputs[position].type
                    if wanted is not None:
                        return wanted
        return None

    def _compare_with_kind(
        self, name: str, stage: CapabilityNode, kind: CapabilityKind, type_: TensorType
    ) -> None:
        place = stage.outputs[0].span if stage.outputs else stage.name.span
        wanted = CAPABILITY_ELEMENTS.get(kind)
        if type_.element is ElementType.UTF8 or wanted not in (None, type_.element):
            self.diagnostics.error(
                "R0205",
                f"{kind.name} cannot provide {type_.element.value}: "
                + (f"it provides {wanted.value}" if wanted else "texts have no fixed size"),
                place,
                hint=f"declare {wanted.value if wanted else 'u8'}"
                ", and convert with a proc block where another type is needed",
            )
            return
        expected = expected_elements(kind, self.facts.parameters.get(name, {}))
        count = type_.size_bytes if kind is CapabilityKind.RAW else type_.element_count
        if expected is not None and count not in expected[0]:
            unit = "bytes" if kind is CapabilityKind.RAW else "elements"
            self.diagnostics.warning(
                "R0405",
                f'"{name}" is {type_}, which is {count} {unit}, but {expected[1]}',
                place,
                hint=f"make both {' or '.join(map(str, expected[0]))} {unit}",
                labels=[Label(argument.span, "this") for argument in stage.arguments],
            )

    def _check_block(
        self, name: str, stage: ProcBlockNode, inputs: list[tuple[Edge, TensorType]]
    ) -> None:
        block = self.facts.blocks.get(name)
        if block is None or name in self.facts.arguments.broken:
            self._trust(name)
            return
        known = block_argument_names(block)
        raw = {
            value.argument.name: value.text
            for value in self.facts.arguments.values[name].values()
            if value.argument.name in known
        }
        declared = [
            type_ if type_ is not None else self._expected_by_consumers(name, index)
            for index, type_ in enumerate(self.declared[name])
        ] or self._open_outputs(name, block, inputs)
        from_models = self._from_models(name, block, frozenset(raw))
        try:
            resolved = block.resolve([type_ for _, type_ in inputs], declared, raw | from_models)
        except BlockMismatch as mismatch:
            self._report_mismatch(name, stage, inputs, mismatch)
            self._trust(name)
            return
        for index, output in enumerate(resolved.outputs):
            if output.capacity_bytes > MAX_TENSOR_BYTES:
                self.diagnostics.error(
                    "R0207",
                    f'output {index} of "{name}" is larger than {MAX_TENSOR_BYTES} bytes',
                    stage.name.span,
                    hint="no microcontroller has enough memory",
                )
                return
        self.outputs[name] = resolved.outputs
        self.arguments[name] = resolved.arguments | {
            words: ResourceWords(argument.value.name)
            for argument in stage.arguments
            if isinstance(argument.value, ResourceRef)
            and (words := word_list(block, argument)) is not None
        }

    def _open_outputs(
        self, name: str, block: Block, inputs: list[tuple[Edge, TensorType]]
    ) -> list[TensorType | None]:
        """Types that consumers declare for outputs without a declared type."""
        rules = block.manifest.outputs
        if rules[-1].repeat or all(rule.element != "declared" for rule in rules):
            return []
        outputs: list[TensorType | None] = []
        for index, rule in enumerate(rules):
            wanted = None
            if rule.element == "declared":
                wanted = self._expected_by_consumers(name, index)
            if wanted is not None and rule.shape == "input" and index < len(inputs):
                # A shape that differs is the consumer's to report.
                wanted = TensorType(wanted.element, inputs[index][1].dimensions)
            outputs.append(wanted)
        return outputs

    def _from_models(
        self, name: str, block: Block, given: frozenset[str]
    ) -> dict[str, ArgumentValue]:
        """Omitted arguments that the connected models define."""
        found: dict[str, ArgumentValue] = {}
        for rule in block.manifest.arguments:
            match = FROM_MODEL.fullmatch(rule.from_model or "")
            spellings = {word.replace("-", "_") for word in (rule.name, *rule.aliases)}
            if match is None or spellings & given:
                continue
            tensors = self._model_tensors(name, match["side"], int(match["index"]))
            values = {
                tensor.scale if match["value"] == "scale" else tensor.zero_point
                for tensor in tensors
                if tensor.scale is not None
            }
            if len(values) == 1 and (value := values.pop()) is not None:
                found[rule.name] = value
        return found

    def _model_tensors(self, name: str, side: str, index: int) -> Iterator[ModelTensor]:
        """The tensors of models that input `index` of a stage was, or that its output becomes."""
        if side == "in":
            edges = self.facts.edges[name]
            edge = edges[index] if index < len(edges) else None
            info = self._info(edge.producer) if edge is not None else None
            if edge is not None and info is not None and edge.index < len(info.outputs):
                yield info.outputs[edge.index]
            return
        for consumer, edges in self.facts.edges.items():
            info = self._info(consumer)
            if info is None:
                continue
            for edge, tensor in zip(edges, info.inputs, strict=False):
                if edge is not None and edge.producer == name and edge.index == index:
                    yield tensor

    def _info(self, name: str) -> ModelInfo | None:
        """Facts of a model's file; None for other stages, or if it is not read."""
        model = self.facts.models.get(name)
        return None if model is None or model.file is None else model.file.info

    def _trust(self, name: str) -> None:
        """Go on with the declared outputs of a stage that was reported, if it declares them all."""
        declared = [type_ for type_ in self.declared[name] if type_ is not None]
        if declared and len(declared) == len(self.declared[name]):
            self.outputs[name] = tuple(_resolved(type_) for type_ in declared)

    def _report_mismatch(
        self,
        name: str,
        stage: ProcBlockNode,
        inputs: list[tuple[Edge, TensorType]],
        mismatch: BlockMismatch,
    ) -> None:
        place, labels = stage.path.span, []
        index = mismatch.index
        hint = mismatch.hint
        if isinstance(mismatch, MissingArgument) and self._is_of_model(name, mismatch.argument):
            hint = (
                f'{hint} Or put "{name}" directly beside a model that is quantised with one scale'
            )
        if mismatch.about == "inputs" and index is not None and index < len(inputs):
            edge, type_ = inputs[index]
            place = edge.ref.span
            labels.append(Label(self._output_span(edge), f"this is {type_}"))
        elif mismatch.about == "outputs" and stage.outputs:
            place = stage.outputs[min(index or 0, len(stage.outputs) - 1)].span
        elif mismatch.about == "arguments" and mismatch.argument is not None:
            place = self._argument_span(name, stage, mismatch.argument)
        self.diagnostics.error(
            mismatch.code,
            f'"{name}": {mismatch.message}',
            place,
            hint=hint,
            labels=labels,
        )

    def _is_of_model(self, name: str, argument: str | None) -> bool:
        rules = self.facts.blocks[name].manifest.arguments
        return any(rule.name == argument and rule.from_model is not None for rule in rules)

    def _argument_span(self, name: str, stage: ProcBlockNode, argument: str) -> Span:
        block = self.facts.blocks[name]
        spellings = {argument.replace("-", "_")}
        for known in block.arguments:
            if argument in (known.name, *known.aliases):
                spellings |= {word.replace("-", "_") for word in (known.name, *known.aliases)}
        for given in stage.arguments:
            if given.name in spellings:
                return given.value_span
        return stage.path.span

    def _check_model(
        self, name: str, stage: ModelNode, inputs: list[tuple[Edge, TensorType]]
    ) -> None:
        model = self.facts.models.get(name)
        if model is None:
            self._trust(name)
            return
        if model.file is None:
            self._believe_model(name, stage)
            return
        info = model.file.info
        if len(inputs) != len(info.inputs):
            self._complain(
                name,
                "R0302",
                f'The model of "{name}" takes {_count(info.inputs, "input")}, '
                f"but has {len(inputs)}",
                inputs[-1][0].ref.span,
                hint=f"inputs of the model: {_listed(info.inputs)}",
            )
        else:
            self._compare_inputs(name, stage, inputs, info.inputs)
        resolved = self._resolved_model(name, stage, model.file, [type_ for _, type_ in inputs])
        if resolved is None:
            self._trust(name)
            return
        if resolved is not model.file:
            resource = Resource(model.resource.name, resolved.data)
            model = LoadedModel(resolved, resource, model.format)
        self.models[name] = model
        info = resolved.info
        declared = self.declared[name]
        if declared and len(declared) != len(info.outputs):
            self._complain(
                name,
                "R0303",
                f'The model of "{name}" has {_count(info.outputs, "output")}, '
                f"but {len(declared)} are declared",
                (stage.outputs or ())[-1].span,
                hint=f"outputs of the model: {_listed(info.outputs)}",
            )
        self.outputs[name] = self._model_outputs(name, stage, info.outputs)

    def _resolved_model(
        self, name: str, stage: ModelNode, model: ModelFile, inputs: Sequence[TensorType]
    ) -> ModelFile | None:
        """The model with the shapes that it has for these inputs; None: they were not found."""
        key = (model, tuple(inputs))
        try:
            if key not in self.resolved:
                self.resolved[key] = resolve_model(model, inputs).model
                _ = self.resolved[key].info  # its mistakes
        except RunecError as error:
            self.diagnostics.error(
                error.code,
                f'"{name}": {error.message}',
                stage.model.span,
                hint=error.hint,
                notes=error.notes,
            )
            return None
        return self.resolved[key]

    def _believe_model(self, name: str, stage: ModelNode) -> None:
        """Accept the declared outputs of a model whose file is not read."""
        declared = self.declared[name]
        if not declared or None in declared:
            place = stage.outputs[declared.index(None)].span if stage.outputs else stage.name.span
            self.diagnostics.error(
                "R0204",
                f'Unable to determine the type of "{name}": its model is not read at build time',
                place,
                hint="Consider specifying this output type",
            )
            return
        self._trust(name)

    def _compare_inputs(
        self,
        name: str,
        stage: ModelNode,
        inputs: list[tuple[Edge, TensorType]],
        wanted: tuple[ModelTensor, ...],
    ) -> None:
        node = declared_input(stage)
        for (edge, given), tensor in zip(inputs, wanted, strict=True):
            if _is_accepted(given, tensor):
                continue
            if node is not None:
                self._report_declared(name, given, tensor, node.span)
                continue
            self._complain(
                name,
                "R0304",
                f'"{edge.producer}" provides {given}, but the model of "{name}" takes '
                f"{tensor.accepted}",
                edge.ref.span,
                hint=f"declare {tensor} for {edge.producer}, or convert with a proc block",
                labels=[
                    Label(self._output_span(edge), f"this is {given}"),
                    Label(stage.model.span, f"this takes {tensor.accepted}"),
                ],
            )

    def _model_outputs(
        self, name: str, stage: ModelNode, given: tuple[ModelTensor, ...]
    ) -> tuple[ResolvedOutput, ...]:
        outputs = []
        declared = self.declared[name]
        for index, tensor in enumerate(given):
            type_ = declared[index] if index < len(declared) else None
            place = stage.outputs[index].span if type_ and stage.outputs else stage.name.span
            if type_ is not None and not _fits(type_, tensor):
                self._report_declared(name, type_, tensor, place)
            elif tensor.type is None:
                self._report_unknown(name, tensor, type_, place)
            outputs.append(_resolved(type_ or tensor.type or TensorType(tensor.element, (1,))))
        return tuple(outputs)

    def _report_unknown(
        self, name: str, tensor: ModelTensor, declared: TensorType | None, place: Span
    ) -> None:
        """Type of an output whose shape depends on data: the declared one."""
        if declared is None:
            self.diagnostics.error(
                "R0204",
                f'Unable to determine the type of "{name}": '
                f'the shape of its output "{printable(tensor.name)}" depends on the data',
                place,
                hint="Consider specifying this output type",
            )
            return
        self.diagnostics.warning(
            "R0322",
            f'"{name}": the shape of the output "{printable(tensor.name)}" depends on the data; '
            f"{declared} is declared",
            place,
            hint="a run in which the model returns another number of elements fails with R0731",
        )

    def _report_declared(
        self, name: str, declared: TensorType, actual: ModelTensor, place: Span
    ) -> None:
        self._complain(
            name,
            "R0301",
            f'"{name}": The Rune said tensors would be {declared}, '
            f"but the model said they would be {actual}",
            place,
            hint=f"declare {actual}",
        )

    def _complain(  # noqa: PLR0917 - as Diagnostics.error, with a stage
        self,
        name: str,
        code: str,
        message: str,
        place: Span,
        hint: str,
        labels: Sequence[Label] = (),
    ) -> None:
        """Report what does not fit a model's file: an error where something reads its results.

        A model that reaches no out gets a warning: the original platform's compiler accepted it.
        """
        report = self.diagnostics.error if name in self.needed else self.diagnostics.warning
        report(code, message, place, hint=hint, labels=labels)

    # Places.

    def _name_span(self, name: str) -> Span:
        return self.facts.names.stages[name].name.span

    def _output_span(self, edge: Edge) -> Span:
        """Where the type of an edge's producer is declared, else its name."""
        declared = declared_outputs(self.facts.names.stages[edge.producer]) or ()
        if edge.index < len(declared):
            return declared[edge.index].span
        return self._name_span(edge.producer)


def _ordinal(index: int) -> str:
    return f"{index}{('th', 'st', 'nd', 'rd')[index] if index < 4 else 'th'}"


def _count(items: tuple[ModelTensor, ...], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _listed(tensors: tuple[ModelTensor, ...]) -> str:
    return ", ".join(map(str, tensors))
