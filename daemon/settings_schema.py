"""A configuration as JSON Schema, for editors, and as the documentation's table, for people."""

from pathlib import Path
from typing import Any

from daemon.settings import Settings
from daemon.settings_key import Key, plain


def json_schema(settings: Settings[Any]) -> dict[str, Any]:
    """The configuration file as JSON Schema 2020-12."""
    properties: dict[str, Any] = {}
    for key in settings.keys.values():
        table, _, name = key.path.rpartition(".")
        if table and table not in properties:
            properties[table] = _object(settings.tables[table].__doc__ or "")
        (properties[table]["properties"] if table else properties)[name] = _key_schema(key)
    for short, path in settings.shorthands.items():
        properties[short] = {"anyOf": [_key_schema(settings.keys[path]), properties[short]]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": settings.title,
        **_object(settings.cls.__doc__ or ""),
        "properties": properties,
        "required": [key.path for key in settings.keys.values() if key.required],
    }


def markdown_table(settings: Settings[Any]) -> str:
    """Every key as the documentation lists it."""
    lines = ["| key | default | bounds | what |", "|---|---|---|---|"]
    for key in settings.keys.values():
        bounds = ", ".join(key.choices or ())
        if key.low is not None and key.high is not None:
            bounds = f"{_number(key.low)} to {_number(key.high)}"
        meaning = key.meaning.replace("|", "\\|")
        lines.append(f"| `{key.path}` | {_default(key)} | {bounds} | {meaning} |")
    return "\n".join(lines) + "\n"


def _default(key: Key) -> str:
    if key.required or key.default is None:
        return ""
    value = plain(key.default)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _number(value: float) -> str:
    return f"{value:,}" if value < 1e15 else f"{value:g}"


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
