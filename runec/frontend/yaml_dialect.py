"""The YAML dialect: nodes -> the AST, which is the same for the legacy dialect.

Messages have the words of the original platform's parser (serde), such as "missing field `image`".
In addition, each has a location, and an unknown key is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from runec.diagnostics import Diagnostics, Label, SourceFile, Span
from runec.frontend.ast import (
    Argument,
    ArgumentNode,
    CapabilityNode,
    Dimension,
    Document,
    InputRef,
    ModelNode,
    OutNode,
    Path,
    ProcBlockNode,
    ResourceNode,
    ResourceRef,
    StageNode,
    Text,
    Type,
)
from runec.frontend.text import IDENTIFIER, beside, look_alike, parse_dimension, parse_path
from runec.frontend.yaml_nodes import Mapping, Node, Scalar, Sequence, parse_yaml
from runec.suggestions import did_you_mean

T = TypeVar("T")

INPUT = re.compile(r"(?P<name>[A-Za-z_][\w-]*)(?:\.(?P<index>[0-9]+))?\Z", re.ASCII)
RESOURCE = re.compile(r"\$[_a-zA-Z][_a-zA-Z0-9]*\Z")
_NOT_TEXT = frozenset({"", "~", "null", "Null", "NULL", "true", "True", "TRUE"}) | frozenset(
    {"false", "False", "FALSE"}
)
_BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_RADIX = re.compile(r"0(?:x[0-9a-fA-F]{1,16}|o[0-7]{1,21})\Z")
_FLOAT = re.compile(r"(?P<sign>[-+]?)(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")

DOCUMENT_KEYS = ("version", "image", "pipeline", "resources")
STAGE_KINDS = ("model", "proc-block", "capability", "out")
STAGE_KEYS = {
    "model": ("model", "inputs", "outputs", "args"),
    "proc-block": ("proc-block", "inputs", "outputs", "args"),
    "capability": ("capability", "outputs", "args"),
    "out": ("out", "inputs", "args"),
}
RESOURCE_KEYS = ("type", "inline", "path")
TYPE_KEYS = ("type", "dimensions")
# Common wrong keys that are not similar to the right one.
_MEANT = {
    **dict.fromkeys(("arguments", "params", "parameters", "options", "properties"), "args"),
    **dict.fromkeys(("shape", "dims", "dim", "size"), "dimensions"),
    **dict.fromkeys(("dtype", "element-type", "kind"), "type"),
    **dict.fromkeys(("stages", "steps", "graph"), "pipeline"),
    **dict.fromkeys(("block", "procblock", "processing-block"), "proc-block"),
    **dict.fromkeys(("file", "source", "src"), "path"),
    **dict.fromkeys(("text", "value", "content"), "inline"),
    **dict.fromkeys(("from", "input"), "inputs"),
    "base": "image",
}


def _described(node: Node) -> str:
    """A value in the words of the original platform's parser."""
    if isinstance(node, Sequence):
        return "sequence"
    if isinstance(node, Mapping):
        return "map"
    if node.plain and node.text in _NOT_TEXT:
        return "unit value" if node.text.lower() in ("", "~", "null") else f"boolean `{node.text}`"
    if node.plain and _INTEGER.match(node.text):
        return f"integer `{node.text[:24]}`"
    if node.plain and _FLOAT.match(node.text):
        return f"floating point `{node.text[:24]}`"
    return f'string "{node.text[:40]}"'


def _number_text(text: str) -> str:
    """A number as in the original platform: 360.0 is 360, 0x10 is 16; other text unchanged."""
    if _RADIX.match(text):
        return str(int(text, 0))
    if "." in text and _FLOAT.match(text) and "e" not in text.lower():
        whole, _, fraction = text.lstrip("+").partition(".")
        if not fraction.strip("0") and whole not in ("", "-"):
            return whole
    return text


class _Reader(msgspec.Struct):
    source: SourceFile
    diagnostics: Diagnostics
    unreadable: set[str] = msgspec.field(default_factory=set)

    # Expected kind of a node.

    def wrong(self, node: Node, expected: str, hint: str) -> None:
        self.diagnostics.error(
            "R0007", f"invalid type: {_described(node)}, expected {expected}", node.span, hint=hint
        )

    def fields(
        self, node: Node, known: tuple[str, ...], what: str, hint: str
    ) -> dict[str, tuple[Scalar, Node]] | None:
        """The entries of a map with known keys; unknown and repeated ones are reported."""
        if not isinstance(node, Mapping):
            self.wrong(node, what, hint)
            return None
        found: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.entries:
            if key.text in found:
                self._repeated(key, found[key.text][0])
            elif key.text in known:
                found[key.text] = (key, value)
            else:
                self.diagnostics.error(
                    "R0006",
                    f"unknown field `{key.text[:40]}`, expected {_listed(known)}",
                    key.span,
                    hint=_known_key(key, value, known),
                )
        return found

    def _repeated(self, key: Scalar, first: Scalar) -> None:
        self.diagnostics.error(
            "R0009",
            f"duplicate field `{key.text[:40]}`",
            key.span,
            hint="keep one of the two",
            labels=[Label(first.span, "The first definition is here")],
        )

    def text(self, node: Node, what: str) -> Text | None:
        if isinstance(node, Scalar) and not (node.plain and node.text in _NOT_TEXT):
            # Elsewhere in it, such a character may belong to the name of a file.
            odd = look_alike(node.text.strip()[:1]) if node.plain else None
            if odd is not None:
                self.diagnostics.error(
                    "R0003",
                    f"Unable to parse the input: {odd.what} is in {what}",
                    node.span,
                    hint=odd.hint,
                )
                return None
            return Text(node.text.strip(), node.span)
        self.wrong(node, what, "write a text, in quotes if it needs them")
        return None

    def list_of(
        self, node: Node, what: str, hint: str, read: Callable[[Node], T | None]
    ) -> tuple[T, ...]:
        if not isinstance(node, Sequence):
            self.wrong(node, f"a sequence of {what}", hint)
            return ()
        return tuple(item for item in map(read, node.items) if item is not None)

    # The parts of a stage.

    def path(self, node: Node, example: str) -> Path | None:
        text = self.text(node, "a path")
        if text is None:
            return None
        path = parse_path(text.text, text.span)
        if path is None:
            self.diagnostics.error(
                "R0012",
                f'Unable to parse the path "{text.text[:60]}"',
                text.span,
                hint=beside(text.text)
                or f"a path is base[@version][#sub_path], for example {example}",
            )
        return path

    def input(self, node: Node) -> InputRef | None:
        text = self.text(node, "the name of a stage")
        if text is None:
            return None
        match = INPUT.match(text.text)
        if match is None or len(match["index"] or "") > 4:
            self.diagnostics.error(
                "R0013",
                f'Expected something like "fft" or "fft.2", but found "{text.text[:40]}"',
                text.span,
                hint="name a stage, and after a dot which of its outputs, counted from 0",
            )
            return None
        return InputRef(match["name"], int(match["index"] or 0), text.span)

    def type(self, node: Node) -> Type | None:
        hint = "write {type: f32, dimensions: [1, 128]}"
        found = self.fields(node, TYPE_KEYS, "a type", hint)
        if found is None:
            return None
        if "type" not in found:
            if not _is_misspelt("type", node, TYPE_KEYS):
                self.missing("type", node.span, hint)
            return None
        element = self.text(found["type"][1], "an element type")
        if element is None:
            return None
        dimensions: tuple[Dimension, ...] = ()
        if "dimensions" in found:
            dimensions = self.list_of(
                found["dimensions"][1], "dimensions", "write dimensions: [1, 128]", self.dimension
            )
        return Type(None if element.text == "_" else element, dimensions, element.span)

    def dimension(self, node: Node) -> Dimension | None:
        value = None
        if isinstance(node, Scalar) and node.plain:
            value = parse_dimension(node.text.strip())
        if value is None:
            self.diagnostics.error(
                "R0020",
                f"a dimension can't be {_described(node)}",
                node.span,
                hint="a dimension is a number from 1 to 2147483647",
            )
            value = 1
        return Dimension(value, node.span)

    def arguments(self, node: Node, *, booleans: bool = False) -> tuple[Argument, ...]:
        if isinstance(node, Scalar) and node.plain and node.text == "":
            return ()
        if not isinstance(node, Mapping):
            self.wrong(node, "a map of arguments", "write args: {name: value}")
            return ()
        arguments: list[Argument] = []
        seen: dict[str, Scalar] = {}
        for key, value in node.entries:
            if key.text in seen:
                self._repeated(key, seen[key.text])
                continue
            seen[key.text] = key
            if (
                booleans
                and isinstance(value, Scalar)
                and value.plain
                and _BOOLEAN.match(value.text)
            ):
                read: ArgumentNode | None = Text(value.text.lower(), value.span)
            else:
                read = self.argument_value(value)
            if read is not None:
                span = Span(self.source, key.span.start, max(key.span.end, value.span.end))
                arguments.append(Argument(Text(key.text, key.span), read, span))
        return tuple(arguments)

    def argument_value(self, node: Node) -> ArgumentNode | None:
        if isinstance(node, Sequence):
            return self.list_of(
                node, "words", "write [a, b]", lambda item: self.text(item, "a word")
            )
        if isinstance(node, Mapping) or (node.plain and node.text in _NOT_TEXT):
            hint = "arguments are texts, numbers, $NAME of a resource, or lists of texts"
            if isinstance(node, Scalar) and node.text:
                hint = f'for a text, write quotes: "{node.text}"'
            self.wrong(node, "a string or a number", hint)
            return None
        text = node.text.strip()
        if text.startswith("$"):
            return self.resource_ref(text, node.span)
        return Text(_number_text(text) if node.plain else text, node.span)

    def resource_ref(self, text: str, span: Span) -> ResourceRef | None:
        if RESOURCE.match(text):
            return ResourceRef(text[1:], span)
        problem = "the resource name is empty" if text == "$" else "should be a valid identifier"
        self.diagnostics.error(
            "R0014",
            f'"{text[:40]}": {problem}',
            span,
            hint='after "$" come letters, digits and "_", and does not start with a digit',
        )
        return None

    def missing(self, name: str, span: Span, hint: str) -> None:
        self.diagnostics.error("R0005", f"missing field `{name}`", span, hint=hint)

    def stage(self, key: Scalar, node: Node) -> StageNode | None:
        if not self._is_name(key):
            return None
        if not isinstance(node, Mapping):
            self.wrong(node, "a stage", f"add one of the keys {', '.join(STAGE_KINDS)}")
            return None
        present = {name.text: name for name, _ in node.entries}
        kinds = [kind for kind in STAGE_KINDS if kind in present]
        if len(kinds) != 1:
            self._wrong_kind(key, kinds, present)
            return None
        kind = kinds[0]
        found = self._stage_fields(key, node, kind)
        name = Text(key.text, key.span)
        span = key.span
        inputs: tuple[InputRef, ...] = ()
        if "inputs" in found:
            inputs = self.list_of(
                found["inputs"][1], "stage names", "write inputs: [name]", self.input
            )
        outputs = None
        if "outputs" in found:
            outputs = self.list_of(
                found["outputs"][1],
                "types",
                "write outputs: [{type: f32, dimensions: [1]}]",
                self.type,
            )
        arguments: tuple[Argument, ...] = ()
        if "args" in found:
            # Only an out has any that are true or false.
            arguments = self.arguments(found["args"][1], booleans=kind == "out")
        value = found[kind][1]
        if kind == "proc-block":
            path = self.path(value, "hotg-ai/proc-blocks@v0.11.3#normalize")
            if path is None:
                return None
            return ProcBlockNode(name, path, inputs, None, outputs, arguments, span)
        word = self.text(value, "a string")
        if word is None:
            return None
        if kind == "capability":
            return CapabilityNode(name, word, outputs, arguments, span)
        if kind == "out":
            return OutNode(name, word, inputs, arguments, span)
        model: Text | ResourceRef | None = word
        if word.text.startswith("$"):
            model = self.resource_ref(word.text, word.span)
        if model is None:
            return None
        return ModelNode(name, model, inputs, None, outputs, arguments, span)

    def _stage_fields(
        self, key: Scalar, node: Mapping, kind: str
    ) -> dict[str, tuple[Scalar, Node]]:
        """The known fields; a capability's `inputs` and an out's `outputs` get their own words."""
        entries = []
        for part, value in node.entries:
            if kind == "capability" and part.text == "inputs":
                self.diagnostics.error(
                    "R0104",
                    f'The "{key.text}" stage doesn\'t accept any inputs',
                    part.span,
                    hint="a capability is a source of data: remove its inputs",
                )
            elif kind == "out" and part.text == "outputs":
                self.diagnostics.error(
                    "R0103",
                    f'The "{key.text}" stage doesn\'t have any outputs',
                    part.span,
                    hint="an out is a sink of data: remove its outputs",
                )
            else:
                entries.append((part, value))
        kept = Mapping(tuple(entries), node.span)
        return self.fields(kept, STAGE_KEYS[kind], "a stage", "") or {}

    def _is_name(self, key: Scalar) -> bool:
        if IDENTIFIER.match(key.text):
            return True
        self.diagnostics.error(
            "R0014",
            f'"{key.text[:40]}" should be a valid identifier',
            key.span,
            hint=odd.hint
            if (odd := look_alike(key.text)) is not None
            else 'a name has letters, digits, "_" and "-", and starts with a letter or "_"',
        )
        return False

    def _wrong_kind(self, key: Scalar, kinds: list[str], present: dict[str, Scalar]) -> None:
        if kinds:
            self.diagnostics.error(
                "R0015",
                f'"{key.text}" is both a {kinds[0]} and a {kinds[1]}',
                present[kinds[1]].span,
                hint="split it into two stages",
                labels=[Label(present[kinds[0]].span, "the first kind is here")],
            )
            return
        common = ("inputs", "outputs", "args")
        strange = [name for name in present if name not in common]
        close = did_you_mean(strange[0], STAGE_KINDS) if strange else None
        place = present[strange[0]].span if close else key.span
        self.diagnostics.error(
            "R0015",
            f'"{key.text}" has no kind',
            place,
            hint=close or f"add one of the keys {', '.join(STAGE_KINDS)}",
        )

    # The document.

    def resource(self, key: Scalar, node: Node) -> ResourceNode | None:
        if not RESOURCE.match(f"${key.text}"):
            bare = key.text.lstrip("$")
            self.diagnostics.error(
                "R0014",
                f'"{key.text[:40]}" should be a valid identifier',
                key.span,
                hint=f"declare it as {bare[:40]} and use it as ${bare[:40]}"
                if key.text.startswith("$")
                else 'a resource name has letters, digits and "_", and does not start with a digit',
            )
            return None
        if isinstance(node, Scalar) and node.plain and node.text == "":
            node = Mapping((), node.span)
        found = self.fields(
            node, RESOURCE_KEYS, "a resource", "add a type, and an inline text or a path"
        )
        if found is None:
            return None
        inline = path = kind = None
        if "type" in found:
            kind = self.text(found["type"][1], "string or binary")
            if kind is None:
                return None
        if "inline" in found:
            value = found["inline"][1]
            if isinstance(value, Scalar) and (not value.plain or value.text not in _NOT_TEXT):
                inline = Text(value.text, value.span)
            else:
                self.wrong(value, "a string", "put the text in quotes")
                return None
        if "path" in found:
            path = self.text(found["path"][1], "the path of a file")
            if path is None:
                return None
        return ResourceNode(Text(key.text, key.span), kind, inline, path, key.span)

    def document(self, node: Node) -> Document:
        hint = "begin with `version: 1`, `image: runicos/base` and `pipeline:`"
        found = self.fields(node, DOCUMENT_KEYS, "a Runefile", hint) or {}
        start = node.entries[0][0].span if isinstance(node, Mapping) and node.entries else node.span
        examples = {
            "version": "version: 1",
            "image": "image: runicos/base",
            "pipeline": "pipeline:",
        }
        if isinstance(node, Mapping):
            for name, example in examples.items():
                if name not in found and not _is_misspelt(name, node, DOCUMENT_KEYS):
                    self.missing(name, start, f"add a line `{example}`")
        if "version" in found:
            self._check_version(found["version"][1])
        image = self.path(found["image"][1], "runicos/base") if "image" in found else None
        stages: tuple[StageNode, ...] = self._named(
            found, "pipeline", self.stage, "a map of stages"
        )
        resources = self._named(found, "resources", self.resource, "a map of resources")
        unreadable = frozenset(self.unreadable)
        return Document(self.source, "yaml", image, stages, resources, unreadable)

    def _check_version(self, node: Node) -> None:
        if isinstance(node, Scalar) and node.plain and node.text == "1":
            return
        described = _described(node)
        problem = "invalid value" if described.startswith("integer") else "invalid type"
        self.diagnostics.error(
            "R0008",
            f"{problem}: {described}, expected version to be 1",
            node.span,
            hint="write `version: 1`",
        )

    def _named(
        self,
        found: dict[str, tuple[Scalar, Node]],
        section: str,
        read: Callable[[Scalar, Node], T | None],
        what: str,
    ) -> tuple[T, ...]:
        if section not in found:
            return ()
        node = found[section][1]
        if isinstance(node, Scalar) and node.plain and node.text == "":
            return ()
        if not isinstance(node, Mapping):
            hint = "write `NAME:` and its keys below it, indented"
            if isinstance(node, Sequence) and node.items:
                hint = _as_map(node.items[0], hint)
            self.wrong(node, what, hint)
            return ()
        items = []
        for key, value in node.entries:
            known = len(self.diagnostics)
            item = read(key, value)
            if item is not None:
                items.append(item)
            if len(self.diagnostics) > known:
                self.unreadable.add(key.text)
        return tuple(items)


def _known_key(key: Scalar, value: Node, known: tuple[str, ...]) -> str:
    """What to do with a key that is none of those known."""
    meant = _MEANT.get(key.text.lower().replace("_", "-"))
    if meant in known:
        return f'did you mean "{meant}"?'
    close = did_you_mean(key.text, known)
    if close is None and "args" in known:
        given = value.text if isinstance(value, Scalar) and len(value.text) <= 40 else "VALUE"
        return f"arguments belong under args: `args: {{{key.text[:40]}: {given}}}`; else remove it"
    return close or "remove it"


def _as_map(item: Node, otherwise: str) -> str:
    """How a stage that is an item of a list is written in a map."""
    if not isinstance(item, Mapping):
        return otherwise
    keys = {key.text: value for key, value in item.entries}
    kinds = [kind for kind in STAGE_KINDS if kind in keys]
    named = keys.get("name", keys.get("id"))
    if kinds:
        name = named.text if isinstance(named, Scalar) else "NAME"
        return (
            f"stages are a map of names, not a list: write `{name[:40]}:` instead of `-`, "
            f"and `{kinds[0]}:` below it, indented"
        )
    if len(item.entries) == 1 and isinstance(item.entries[0][1], Mapping):
        return f"stages are a map of names, not a list: remove the `-` before `{next(iter(keys))}:`"
    return otherwise


def _listed(names: tuple[str, ...]) -> str:
    return f"one of {', '.join(f'`{name}`' for name in names)}"


def _is_misspelt(name: str, node: Node, known: tuple[str, ...]) -> bool:
    """Return whether another key was already reported as a misspelling of this one."""
    return isinstance(node, Mapping) and any(
        key.text not in known and did_you_mean(key.text, known) == did_you_mean(name, known)
        for key, _ in node.entries
    )


def parse_yaml_dialect(source: SourceFile, diagnostics: Diagnostics) -> Document:
    """Read a Runefile of the YAML dialect; errors go to `diagnostics`."""
    node = parse_yaml(source, diagnostics)
    if node is None:
        return Document(source, "yaml", None, (), ())
    return _Reader(source, diagnostics).document(node)
