"""The schema agrees with the reader: on the examples, and on the files with mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from runec.explanations import all_pages
from runec.frontend import dialect_of
from runec.frontend.schema import runefile_schema
from runec.frontend.yaml_dialect import DOCUMENT_KEYS, RESOURCE_KEYS, STAGE_KEYS, TYPE_KEYS
from runec.pipeline import CapabilityKind, ElementType

PROJECT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = sorted(PROJECT.glob("examples/*/Runefile.yml"))
RIGHT = [
    page.right
    for page in all_pages()
    if page.right is not None
    and page.code < "R0500"
    and dialect_of(page.right, "Runefile") == "yaml"
]
INVALID = sorted((Path(__file__).parent / "invalid").glob("R*.yml"))
# What a schema can see. The rest needs names, files, blocks, or YAML's own rules.
SEEN = {
    *("R0005", "R0006", "R0007", "R0008", "R0012", "R0013", "R0014", "R0015", "R0019", "R0020"),
    *("R0103-outputs", "R0104", "R0105", "R0106", "R0113", "R0118", "R0119", "R0123", "R0203"),
    *("R0206", "R0305", "R0422"),
}
# Keys that stand twice, aliases and tags are not for a schema to see.
NO_YAML = ("R0003", "R0004", "R0009", "R0101-duplicate")


def validator() -> Draft7Validator:
    schema = runefile_schema()
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def load(text: str) -> Any:
    # Through JSON: what is left are the types that a schema knows.
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))


def mistakes(text: str) -> list[str]:
    return [error.message for error in validator().iter_errors(load(text))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_are_valid(path: Path) -> None:
    assert mistakes(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", RIGHT)
def test_the_explained_runefiles_are_valid(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    "path",
    [path for path in INVALID if not path.name.startswith(NO_YAML)],
    ids=lambda path: path.name,
)
def test_a_wrong_file_is_seen_where_a_schema_can_see_it(path: Path) -> None:
    seen = any(path.name.startswith(prefix) for prefix in SEEN)
    assert bool(mistakes(path.read_text(encoding="utf-8"))) == seen


def test_the_schema_has_the_keys_of_the_reader() -> None:
    schema = runefile_schema()
    definitions = schema["definitions"]
    assert tuple(schema["properties"]) == DOCUMENT_KEYS
    assert tuple(definitions["type"]["properties"]) == TYPE_KEYS
    assert tuple(definitions["resource"]["properties"]) == RESOURCE_KEYS
    for kind, keys in STAGE_KEYS.items():
        assert tuple(definitions[kind]["properties"]) == keys
        assert definitions[kind]["additionalProperties"] is False


@pytest.mark.parametrize("element", ElementType)
def test_an_element_type_may_be_upper_case(element: ElementType) -> None:
    for word in (element.value, element.value.upper()):
        assert Draft7Validator(runefile_schema()["definitions"]["type"]).is_valid({"type": word})


@pytest.mark.parametrize("kind", CapabilityKind)
def test_every_capability_is_offered(kind: CapabilityKind) -> None:
    offered = runefile_schema()["definitions"]["capability"]["properties"]["capability"]["enum"]
    assert {kind.name, kind.name.lower()} <= set(offered)


def test_every_key_is_described_for_editors() -> None:
    def properties(node: Any) -> Any:
        if isinstance(node, dict):
            for key, value in node.items():
                if key == "properties":
                    yield from value.items()
                yield from properties(value)

    found = list(properties(runefile_schema()))
    assert len(found) > 20
    assert all(value.get("description", "").endswith(".") for _, value in found)


def test_the_patterns_have_no_python_in_them() -> None:
    assert not re.search(r"\(\?P|\\\\Z|\\\\A", json.dumps(runefile_schema()))
