"""The JSON schema of the YAML dialect, made from the tables and patterns that its reader uses.

A schema cannot express everything that `runec check` reports (types along edges, models, blocks);
the rest agrees with the reader: a key or a kind that the reader learns is in the schema at once.
"""

from __future__ import annotations

import re
from typing import Any

from runec.frontend.passes.kinds import CAPABILITY_NAMES, OUTPUT_NAMES
from runec.frontend.text import IDENTIFIER, MAX_DIMENSION, PATH
from runec.frontend.yaml_dialect import (
    DOCUMENT_KEYS,
    INPUT,
    RESOURCE,
    RESOURCE_KEYS,
    STAGE_KEYS,
    TYPE_KEYS,
)
from runec.pipeline import MODEL_FORMATS, ElementType

__all__ = ["runefile_schema"]

_DRAFT = "http://json-schema.org/draft-07/schema#"
_REQUIRED = ("version", "image", "pipeline")
_ABOUT = {
    "version": "The version of the Runefile format: 1.",
    "image": "The base image: runicos/base.",
    "pipeline": "The stages by name. Data flows along their inputs.",
    "resources": "Texts and files by name, which models and arguments use as $NAME.",
    "model": "A .tflite file, relative to the Runefile's folder, or $NAME of a binary resource.",
    "proc-block": "A processing block: a built-in block, base[@version][#sub_path], or "
    "the folder of your own block, ./my_block.",
    "capability": "A source of data: a sensor on a device, a file on the host.",
    "out": "A kind of output: where results leave the rune.",
    "inputs": "The stages that this stage reads: NAME, or NAME.1 for the second output of NAME.",
    "outputs": "The types of the outputs of this stage, in order; inferred where they are omitted.",
    "args": "The arguments of this stage by name; - and _ in a name are the same.",
    "type": "The element type, in upper or lower case; _ if it is inferred.",
    "dimensions": "The shape, one length per axis; [1] if omitted.",
    "inline": "The content itself.",
    "path": "The file with the content, relative to the Runefile's folder.",
}


def runefile_schema() -> dict[str, Any]:
    """Return the schema (draft 7, which editors understand best) as a JSON object."""
    values: dict[str, Any] = {
        "version": {"const": 1},
        "image": {"$ref": "#/definitions/path"},
        "pipeline": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": _ecma(IDENTIFIER)},
            "additionalProperties": {"$ref": "#/definitions/stage"},
        },
        "resources": {
            "type": ["object", "null"],
            "propertyNames": {"pattern": _ecma(RESOURCE).replace("\\$", "", 1)},
            "additionalProperties": {"$ref": "#/definitions/resource"},
        },
    }
    return {
        "$schema": _DRAFT,
        "title": "Runefile",
        "description": "A pipeline of capabilities, processing blocks, models and outputs.",
        **_object(DOCUMENT_KEYS, values, required=_REQUIRED),
        "definitions": {
            "path": _word(_ecma(PATH)),
            "input": _word(_ecma(INPUT)),
            "inputs": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/input"}},
            "type": _type(),
            "argument": {
                "description": "A text, a number, $NAME of a text resource, or a list of texts.",
                "anyOf": [
                    {"type": ["string", "number"], "pattern": _no_wrong_reference()},
                    {"type": "array", "items": {"type": ["string", "number"]}},
                ],
            },
            "resource": _resource(),
            "stage": {"oneOf": [{"$ref": f"#/definitions/{kind}"} for kind in STAGE_KEYS]},
            **{kind: _stage(kind, keys) for kind, keys in STAGE_KEYS.items()},
        },
    }


def _object(
    keys: tuple[str, ...], values: dict[str, Any], *, required: tuple[str, ...]
) -> dict[str, Any]:
    """An object with exactly these keys; a key without a value or a description is a KeyError."""
    # A description beside a $ref is ignored by draft 7, so it goes around it.
    properties = {
        key: {"description": _ABOUT[key], "allOf": [values[key]]}
        if "$ref" in values[key]
        else {"description": _ABOUT[key], **values[key]}
        for key in keys
    }
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


def _stage(kind: str, keys: tuple[str, ...]) -> dict[str, Any]:
    outputs: dict[str, Any] = {"type": "array", "items": {"$ref": "#/definitions/type"}}
    arguments: dict[str, Any] = {
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/definitions/argument"},
    }
    if kind == "capability":
        outputs["maxItems"] = 1
    if kind == "model":
        formats = {"description": "The format of the model.", "enum": list(MODEL_FORMATS)}
        arguments["properties"] = {"format": formats}
    if kind == "out":
        arguments["properties"] = {
            "pin": {
                "description": "PIN: a name in the board file, such as LED, or a pin of the chip, "
                "such as PA5.",
                "type": ["string", "number"],
            },
            "active-low": {
                "description": "PIN: true if the pin is low for any value other than 0; "
                "false if omitted.",
                "enum": [True, False, "true", "false", 0, 1, "0", "1"],
            },
        }
    values = {
        "model": {"type": "string", "minLength": 1, "pattern": _no_wrong_reference()},
        "proc-block": {"$ref": "#/definitions/path"},
        "capability": _kinds(CAPABILITY_NAMES),
        "out": _kinds(OUTPUT_NAMES),
        "inputs": {"$ref": "#/definitions/inputs"},
        "outputs": outputs,
        "args": arguments,
    }
    return _object(keys, values, required=tuple(key for key in (kind, "inputs") if key in keys))


def _type() -> dict[str, Any]:
    names = [element.value for element in ElementType]
    values = {
        "type": {
            "anyOf": [{"enum": [*names, "_"]}, {"type": "string", "pattern": _any_case(names)}]
        },
        "dimensions": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": MAX_DIMENSION},
        },
    }
    return _object(TYPE_KEYS, values, required=("type",))


def _resource() -> dict[str, Any]:
    text = {"type": ["string", "number"]}
    values = {"type": {"enum": ["string", "binary"]}, "inline": text, "path": {"type": "string"}}
    resource = _object(RESOURCE_KEYS, values, required=())
    resource["properties"]["type"]["description"] = (
        "string or binary; string if omitted. Models need binary."
    )
    return {
        **resource,
        "type": ["object", "null"],
        "not": {"type": "object", "required": ["inline", "path"]},
    }


def _kinds(names: tuple[str, ...]) -> dict[str, Any]:
    """The words of a table in upper and lower case, with - or _."""
    words = [word for name in names for word in (name, name.replace("_", "-"))]
    return {"enum": list(dict.fromkeys([*words, *(word.lower() for word in words)]))}


def _any_case(words: list[str]) -> str:
    letters = (
        "".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in word)
        for word in words
    )
    return f"^(?:{'|'.join(letters)})$"


def _no_wrong_reference() -> str:
    """A text that starts with a dollar sign is the name of a resource."""
    return rf"^(?!\s*\$)|^\s*{_ecma(RESOURCE)[1:-1]}\s*$"


def _word(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern}


def _ecma(pattern: re.Pattern[str]) -> str:
    """A pattern of the reader in the notation of JSON schemas: no names, anchored at both ends."""
    text = re.sub(r"\(\?P<\w+>", "(", pattern.pattern).removesuffix("\\Z").replace("\\#", "#")
    return f"^(?:{text})$"
