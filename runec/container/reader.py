"""Reading a .rune: untrusted bytes either verify or raise.

docs/spec/rune.md. A `Rune` only exists after every check of the page passed, so whoever holds one
may rely on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from runec.container import limits
from runec.container.errors import (
    RuneFileError,
    bad_digest,
    bad_layout,
    bad_module,
    inconsistent,
    legacy_rune,
    nested_too_deep,
    not_a_rune,
    truncated,
)
from runec.container.graph import Graph
from runec.container.graph_json import decode_graph, parse_json
from runec.container.instructions import deepest_nesting
from runec.container.module import CodeMap
from runec.container.wasm import (
    ABI_IMPORTS,
    CALL_TYPE,
    CUSTOM,
    I32,
    LEGACY_IMPORTS,
    MANIFEST_TYPE,
    Module,
    Section,
    env_signature,
    function_bodies,
    read_module,
    walk_sections,
)
from runec.models import ModelFile
from runec.pipeline import EXECUTED_FORMAT

VERSION_SECTION = ".rune_version"
GRAPH_SECTION = ".rune_graph"
PAD_SECTION = ".rune_pad"
RESOURCE_SECTION = ".rune_resource"
DIGEST_SECTION = ".rune_digest"
# v0.3.0 spelled two of them without the dot.
_LEGACY_SPELLINGS = {"rune_version": VERSION_SECTION, "rune_graph": GRAPH_SECTION}


@dataclass(frozen=True)
class Rune:
    """A .rune that passed every check.

    For a rune of ABI 1, `code` is the module without the rune's sections, `graph` is set, and
    `resources` holds every resource of the graph, None for one that is given at run time. A legacy
    rune (2020 to 2022, `is_legacy`) has its whole file as `code`, no `graph` and no `digest`;
    `document` is its graph as plain JSON, where it has one. `models` are the files of the graph's
    models, by the name of the resource; not yet parsed.
    """

    data: bytes
    code: bytes
    graph: Graph | None
    version: str | None
    resources: Mapping[str, bytes | None]
    digest: bytes | None
    document: Mapping[str, Any] | None
    sections: tuple[Section, ...]
    models: Mapping[str, ModelFile] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_legacy(self) -> bool:
        """True for a rune of 2020 to 2022."""
        return self.graph is None

    def require_graph(self) -> Graph:
        """Return the graph, which every rune has that a device can run.

        Raises:
            UserFileError: R0616, a legacy rune.
        """
        if self.graph is None:
            raise legacy_rune()
        return self.graph

    def with_resources(self, given: Mapping[str, bytes]) -> Rune:
        """Return the rune with resources that are given at run time, models among them."""
        resources = {**self.resources, **given}
        models = self.models if self.graph is None else _models(self.graph, resources, self.models)
        return replace(self, resources=resources, models=models)

    @property
    def name(self) -> str | None:
        """The rune's name, where it has one."""
        if self.graph is not None:
            return self.graph.name
        rune = (self.document or {}).get("rune")
        name = rune.get("name") if isinstance(rune, dict) else None
        return name if isinstance(name, str) else None


def _version(content: bytes) -> str | None:
    document = parse_json(content)
    version = document.get("version") if isinstance(document, dict) else None
    return version if isinstance(version, str) else None


def _resource_entry(data: bytes, at: int, end: int) -> tuple[str, int, int]:
    """Return name, start and end of the data of an entry of a `.rune_resource` section."""
    spans = []
    for what in ("name", "data"):
        if end - at < 4:
            raise truncated(f"the resource at byte {at} has no {what}")
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if size > end - at:
            raise bad_layout(f"the {what} of the resource at byte {at} ends outside its section")
        spans.append((at, at + size))
        at += size
    try:
        name = data[slice(*spans[0])].decode("utf-8")
    except UnicodeDecodeError:
        raise bad_layout(f"the name of the resource at byte {spans[0][0]} is not UTF-8") from None
    return name, *spans[1]


# --- with a digest ---------------------------------------------------------------------------


def _read_resources(
    data: bytes, sections: list[Section], graph: Graph
) -> Mapping[str, bytes | None]:
    resources: dict[str, bytes | None] = dict.fromkeys(graph.resources)
    names = [name for name, resource in graph.resources.items() if resource.bytes is not None]
    if len(sections) != 2 * len(names):
        raise bad_layout(f"{len(names)} resources are listed, {len(sections)} sections hold them")
    for name, pad, section in zip(names, sections[::2], sections[1::2], strict=True):
        if pad.name != PAD_SECTION or section.name != RESOURCE_SECTION:
            raise bad_layout(f"{pad.name!r} and {section.name!r} are in the place of a resource")
        if any(data[pad.content : pad.end]):
            raise bad_layout("padding that is not zero")
        found, start, end = _resource_entry(data, section.content, section.end)
        if end != section.end:
            raise bad_layout(f"more than one entry in the section at byte {section.start}")
        if start % limits.RESOURCE_ALIGNMENT or pad.end - pad.content >= limits.RESOURCE_ALIGNMENT:
            raise bad_layout(f"the data of the resource {found!r} is not aligned")
        if found != name:
            raise inconsistent(f"the resource {found!r} is in the place of {name!r}")
        content = data[start:end]
        listed = graph.resources[name]
        if len(content) != listed.bytes or hashlib.sha256(content).hexdigest() != listed.sha256:
            raise inconsistent(f"the resource {name!r} is not the one listed")
        resources[name] = content
    return resources


def _check_functions(module: Module) -> None:
    """Check the imports and exports of the module."""
    for item in module.imports:
        if item.module != "env" or item.name not in ABI_IMPORTS:
            raise bad_module(f"it imports {item.module}.{item.name}")
        if item.type != ABI_IMPORTS[item.name]:
            raise bad_module(f"it imports {item.name} with another signature")
    for name, expected in (("_manifest", MANIFEST_TYPE), ("_call", CALL_TYPE)):
        if module.exported_function(name) != expected:
            raise bad_module(f"it does not export the function {name}")


def _check_code_map(module: Module, graph: Graph, code_map: CodeMap) -> None:
    """Check that the functions listed take and return what blocks do."""
    imported = len(module.imports)
    for name, index in code_map.functions.items():
        count = sum(len(tensors) for tensors in graph.stage_tensors(name))
        if not 0 <= index - imported < len(module.functions):
            raise inconsistent(f"the function {index} of the block {name!r} is not in the module")
        if module.functions[index - imported] != env_signature(count, has_result=True):
            raise inconsistent(f"the function {index} is not one of the block {name!r}")


def _check_nesting(data: bytes, sections: list[Section]) -> None:
    """Check that an engine on a device can compile the functions with the stack that it has."""
    for body in function_bodies(data, sections):
        depth = deepest_nesting(body)
        if depth > limits.MAX_NESTING:
            raise nested_too_deep(depth, limits.MAX_NESTING)


def _check_module(module: Module, graph: Graph) -> None:
    """Check the module against section 2 of the page."""
    _check_functions(module)
    if module.exports.get("memory") != ("memory", 0) or len(module.memories) != 1:
        raise bad_module("it does not export one memory")
    if module.has_start:
        raise bad_module("it has a start function")
    pages = -(-graph.memory_used // limits.PAGE_BYTES)
    if module.memories[0] != (pages, pages):
        raise inconsistent(f"{graph.memory_used} bytes of memory are in use, not these pages")
    for name in ("__heap_base", "__data_end"):
        constant = module.exported_global(name)
        if constant is None or constant.type != I32 or constant.is_mutable:
            raise bad_module(f"it does not export the constant {name}")
        if constant.value is None or constant.value > graph.memory_used:
            raise inconsistent(f"{name} lies above the memory in use")
    heap_base = module.exported_global("__heap_base")
    if heap_base is None or heap_base.value != graph.memory_used:
        raise inconsistent("the memory in use is not __heap_base")
    if graph.code_map is not None:
        _check_code_map(module, graph, graph.code_map)


def _digest(data: bytes, section: Section) -> bytes:
    """Return the digest of a rune, which is its last section."""
    digest = data[section.content : section.end]
    if section.name != DIGEST_SECTION or len(digest) != 32:
        raise bad_layout("the digest is not last")
    if hashlib.sha256(data[: section.start]).digest() != digest:
        raise bad_digest()
    return digest


def has_digest(data: bytes) -> bool:
    """Return whether bytes are an undamaged .rune that runec wrote, in this version or another."""
    try:
        sections = walk_sections(data)
        return bool(sections) and len(_digest(data, sections[-1])) > 0
    except RuneFileError:
        return False


def _read_abi_1(data: bytes, sections: list[Section], known: Mapping[str, ModelFile]) -> Rune:
    """Read what ends with a digest."""
    digest = _digest(data, sections[-1])
    split = next(i for i, section in enumerate(sections) if section.id == CUSTOM)
    own = sections[split:]
    names = [section.name for section in own]
    if any(section.id != CUSTOM for section in own):
        raise bad_layout("a standard section follows a custom one")
    if names[:2] != [VERSION_SECTION, GRAPH_SECTION]:
        raise bad_layout("version and graph do not follow the module")
    version_content = data[own[0].content : own[0].end]
    version = _version(version_content)
    if version is None or version_content != f'{{"version":"{version}"}}'.encode():
        raise bad_layout("the version is malformed")
    graph_content = data[own[1].content : own[1].end]
    graph = decode_graph(graph_content)
    code = data[: own[0].start]
    if len(code) != graph.code_bytes or hashlib.sha256(code).hexdigest() != graph.code_sha256:
        raise inconsistent("the code is not the one listed")
    resources = _read_resources(data, own[2:-1], graph)
    module = read_module(data, sections[:split])
    _check_module(module, graph)
    _check_nesting(data, sections[:split])
    return Rune(
        data=data,
        code=code,
        graph=graph,
        version=version,
        resources=resources,
        digest=digest,
        document=parse_json(graph_content),
        sections=tuple(sections),
        models=_models(graph, resources, known),
    )


def _models(
    graph: Graph, resources: Mapping[str, bytes | None], known: Mapping[str, ModelFile]
) -> dict[str, ModelFile]:
    """Return the files of the models; those of `known` where they have the same bytes."""
    files: dict[bytes, ModelFile] = {file.data: file for file in known.values()}
    found = {}
    for model in graph.models.values():
        data = resources[model.resource]
        if data is not None and model.format == EXECUTED_FORMAT:
            found[model.resource] = files.setdefault(data, ModelFile(data))
    return found


# --- legacy runes ----------------------------------------------------------------------------


def _plain(content: bytes) -> Any:
    try:
        return parse_json(content)
    except RuneFileError:
        return None


def _read_legacy(data: bytes, sections: list[Section]) -> Rune:
    module = read_module(data, sections)
    if module.exported_function("_call") is None or not module.memories:
        raise not_a_rune("this WebAssembly module is not a rune: it exports no _call")
    if module.exported_function("_manifest") != MANIFEST_TYPE:
        raise not_a_rune("this WebAssembly module is not a rune: it exports no _manifest")
    # What runec writes ends with a digest and cannot grow; what rustc wrote can.
    if module.memories[0][1] is not None:
        raise truncated("it ends before its digest")
    document: Any = None
    version: str | None = None
    resources: dict[str, bytes | None] = {}
    for section in sections:
        name = _LEGACY_SPELLINGS.get(section.name, section.name)
        content = data[section.content : section.end]
        if section.id != CUSTOM:
            continue
        if name == GRAPH_SECTION:
            document = _plain(content)
        elif name == VERSION_SECTION:
            found = _plain(content)
            text = found.get("version") if isinstance(found, dict) else None
            version = text if isinstance(text, str) else None
        elif name == RESOURCE_SECTION:
            at = section.content
            while at < section.end:
                resource, start, at = _resource_entry(data, at, section.end)
                resources[resource] = data[start:at]
        elif name in (PAD_SECTION, DIGEST_SECTION):
            raise bad_layout(f"{name} in the wrong place")
    if isinstance(document, dict) and "abi" in document:
        raise truncated("it ends before its digest")
    return Rune(
        data=data,
        code=data,
        graph=None,
        version=version,
        resources=resources,
        digest=None,
        document=document if isinstance(document, dict) else None,
        sections=tuple(sections),
    )


def read_rune(
    data: bytes, *, source: str = "", models: Mapping[str, ModelFile] = MappingProxyType({})
) -> Rune:
    """Read a .rune; `source` names it in messages, `models` are files that are parsed already.

    Raises:
        UserFileError: R0601, not a rune; R0602, truncated; R0603, other sections; R0604, damaged;
            R0605, a malformed graph; R0606, another ABI; R0607, more than ABI 1 allows; R0608,
            parts that contradict each other; R0609, a module that does not match ABI 1.
    """
    try:
        sections = walk_sections(data)
        if not sections:
            raise truncated("it is empty but for the magic number")
        if any(section.name == DIGEST_SECTION for section in sections):
            return _read_abi_1(data, sections, models)
        return _read_legacy(data, sections)
    except RuneFileError as error:
        if not source:
            raise
        raise RuneFileError(error.code, f"{source}: {error.message}", hint=error.hint) from None


@dataclass(frozen=True, slots=True)
class HostImport:
    """A function of `env` that a module imports; `signature` as wasm3 writes it."""

    name: str
    signature: str
    is_known: bool


def module_imports(rune: Rune) -> list[HostImport]:
    """Return what a rune's module imports; `is_known`: its generation may, with these types."""
    module = read_module(rune.code, walk_sections(rune.code))
    allowed = LEGACY_IMPORTS if rune.is_legacy else ABI_IMPORTS
    return [
        HostImport(
            item.name,
            f"{'i' if item.type is not None and item.type.results else 'v'}"
            f"({'i' * len(item.type.parameters) if item.type is not None else ''})",
            item.module == "env" and allowed.get(item.name) == item.type,
        )
        for item in module.imports
    ]
