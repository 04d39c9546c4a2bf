"""The configuration file as JSON Schema, for editors and for whoever asks which keys there are."""

from pathlib import Path
from typing import Any

from edge_agent.config import EdgeConfig
from edge_agent.config_parse import KEYS, SHORTHANDS, TABLES, Key, plain


def json_schema() -> dict[str, Any]:
    """The configuration file as JSON Schema 2020-12."""
    properties: dict[str, Any] = {}
    for key in KEYS.values():
        table, _, name = key.path.rpartition(".")
        if not table:
            properties[name] = _key_schema(key)
            continue
        inner = properties.setdefault(table, _object(TABLES[table].__doc__ or ""))
        inner["properties"][name] = _key_schema(key)
    for short, path in SHORTHANDS.items():
        properties[short] = {"anyOf": [_key_schema(KEYS[path]), properties[short]]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Topscoop edge agent",
        **_object(EdgeConfig.__doc__ or ""),
        "properties": properties,
        "required": [key.path for key in KEYS.values() if key.required],
    }


def _object(meaning: str) -> dict[str, Any]:
    return {"type": "object", "description": meaning, "additionalProperties": False, "properties": {}}


def _key_schema(key: Key) -> dict[str, Any]:
    if key.kind is tuple:
        schema: dict[str, Any] = {"type": "array", "items": _text_schema(key)}
    elif key.kind in {str, Path}:
        schema = _text_schema(key)
    else:
        schema = {"type": {int: "integer", float: "number", bool: "boolean"}[key.kind]}
        schema |= {name: at for name, at in (("minimum", key.low), ("maximum", key.high)) if at is not None}
    schema["description"] = key.meaning
    if not key.required and key.default is not None:
        schema["default"] = plain(key.default)
    return schema


def _text_schema(key: Key) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if key.pattern is not None:
        schema["pattern"] = f"^(?:{key.pattern})$"
    if key.choices is not None:
        schema["enum"] = list(key.choices)
    return schema
