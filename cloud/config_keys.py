"""From plain values to the frozen configuration: what a file or the environment says, checked key by key."""

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from cloud.config import CloudConfig
from cloud.errors import ConfigError

ENVIRONMENT_PREFIX = "TOPSCOOP_CLOUD_"
_KINDS: Mapping[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration."""

    path: str
    """Such as `collector.in_flight`."""
    kind: type
    """str, int, float, bool or Path."""
    default: Any
    """`dataclasses.MISSING` where the key must be given."""
    meaning: str
    low: float | None
    high: float | None
    pattern: str | None
    choices: tuple[str, ...] | None
    secret: bool

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.path.replace(".", "_").upper()

    def check(self, value: object) -> Any:
        """The value in the key's own type.

        Raises:
            ValueError: Another type, or out of bounds; says what is expected.
        """
        if self.kind is float and type(value) is int:
            value = float(value)
        if isinstance(value, str) and self.kind in {str, Path}:
            self._check_text(value)
            return self.kind(value)
        if type(value) is not self.kind:
            raise ValueError(f"must be {_KINDS[self.kind]}, not {self._shown(value)}")
        return self._check_number(value)

    def _check_number(self, value: Any) -> Any:
        # Written so that NaN fails.
        if self.low is not None and not value >= self.low:
            raise ValueError(f"must be at least {self.low:g}, not {value}")
        if self.high is not None and not value <= self.high:
            raise ValueError(f"must be at most {self.high:g}, not {value}")
        return value

    def _check_text(self, value: str) -> None:
        if not value or "\0" in value:
            raise ValueError("must not be empty")
        if self.choices is not None and value not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}, not {self._shown(value)}")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise ValueError(f"must match {self.pattern}, unlike {self._shown(value)}")

    def _shown(self, value: object) -> str:
        return "(what was given)" if self.secret else f"{value!r:.80}"

    def from_text(self, text: str) -> object:
        """What an environment variable says, as a value to `check`.

        Raises:
            ValueError: The text cannot be read as this kind.
        """
        if self.kind is bool:
            if text not in {"true", "false"}:
                raise ValueError(f"must be true or false, not {text!r:.80}")
            return text == "true"
        if self.kind in {int, float}:
            try:
                return self.kind(text)
            except ValueError:
                raise ValueError(f"must be {_KINDS[self.kind]}, not {text!r:.80}") from None
        return text


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave, and where."""

    value: object
    origin: str
    """For people: a file, or a variable."""


def parse(given: Mapping[str, Given]) -> CloudConfig:
    """The configuration that these values give, by path.

    Raises:
        ConfigError: Names every problem at once, each with the place where the value was given.
    """
    problems = []
    values: dict[str, Any] = {}
    for path, one in given.items():
        key = KEYS.get(path)
        if key is None:
            problems.append(f"{one.origin}: unknown key {path!r}{_nearest(path, KEYS)}")
            continue
        try:
            values[path] = key.check(one.value)
        except ValueError as error:
            problems.append(f"{one.origin}: {path} {error}")
    problems += [
        f"{key.path} is missing: {key.meaning}"
        for key in KEYS.values()
        if key.default is MISSING and key.path not in given
    ]
    if not problems:
        try:
            return cast("CloudConfig", _build(CloudConfig, values, ""))
        except ValueError as error:
            problems.append(str(error))
    raise wrong(problems)


def flatten(table: Mapping[str, object], origin: str) -> dict[str, Given]:
    """A TOML document by path; tables that do not exist come out as their keys, and `parse` refuses them."""
    flat: dict[str, Given] = {}
    for name, value in table.items():
        if isinstance(value, Mapping) and (value or name in TABLES):
            flat |= {f"{name}.{inner}": Given(one, origin) for inner, one in value.items()}
        else:
            flat[name] = Given(value, origin)
    return flat


def from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """The keys that variables with our prefix set.

    Raises:
        ConfigError: A variable names no key, or its text cannot be read.
    """
    by_variable = {key.variable: key for key in KEYS.values()}
    given, problems = {}, []
    for variable, text in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        key = by_variable.get(variable)
        if key is None:
            problems.append(f"unknown environment variable {variable}{_nearest(variable, by_variable)}")
            continue
        try:
            given[key.path] = Given(key.from_text(text), variable)
        except ValueError as error:
            problems.append(f"{variable}: {key.path} {error}")
    if problems:
        raise wrong(problems)
    return given


def value_at(config: CloudConfig, path: str) -> Any:
    """The value of a key."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


def wrong(problems: Iterable[str]) -> ConfigError:
    """The error that lists these problems."""
    listed = tuple(problems)
    message = listed[0] if len(listed) == 1 else "\n  - ".join([f"{len(listed)} problems", *listed])
    return ConfigError(
        message,
        remedy="`topscoop cloud config schema` lists every key; deploy/cloud.toml is a commented sample.",
        problems=listed,
    )


def json_schema() -> dict[str, Any]:
    """The configuration file as JSON Schema 2020-12, for editors and for people."""
    properties: dict[str, Any] = {}
    for key in KEYS.values():
        table, _, name = key.path.rpartition(".")
        if table and table not in properties:
            properties[table] = _object(TABLES[table].__doc__ or "")
        (properties[table]["properties"] if table else properties)[name] = _key_schema(key)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Topscoop cloud",
        **_object(CloudConfig.__doc__ or ""),
        "properties": properties,
        "required": [key.path for key in KEYS.values() if key.default is MISSING],
    }


def _object(meaning: str) -> dict[str, Any]:
    return {"type": "object", "description": meaning, "additionalProperties": False, "properties": {}}


def _key_schema(key: Key) -> dict[str, Any]:
    names = {str: "string", Path: "string", int: "integer", float: "number", bool: "boolean"}
    bounds = {
        "minimum": key.low,
        "maximum": key.high,
        "pattern": None if key.pattern is None else f"^(?:{key.pattern})$",
        "enum": None if key.choices is None else list(key.choices),
        "default": None if key.default is MISSING else plain(key.default),
    }
    return {
        "type": names[key.kind],
        "description": key.meaning,
        **{name: bound for name, bound in bounds.items() if bound is not None},
    }


def markdown_table() -> str:
    """Every key as the documentation lists it."""
    lines = ["| key | default | bounds | what |", "|---|---|---|---|"]
    for key in KEYS.values():
        default = (
            "" if key.default in {None, MISSING} else f"`{plain(key.default)}`".replace("`True`", "`true`")
        )
        bounds = ", ".join(key.choices or ())
        if key.low is not None and key.high is not None:
            bounds = f"{_number(key.low)} to {_number(key.high)}"
        meaning = key.meaning.replace("|", "\\|")
        lines.append(f"| `{key.path}` | {default.replace('`False`', '`false`')} | {bounds} | {meaning} |")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:,}" if value < 1e15 else f"{value:g}"


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return str(value) if isinstance(value, Path) else value


def _build(cls: Any, values: Mapping[str, Any], prefix: str) -> Any:
    arguments: dict[str, Any] = {}
    for one in fields(cls):
        path = prefix + one.name
        if path in TABLES:
            arguments[one.name] = _build(TABLES[path], values, path + ".")
        elif path in values:
            arguments[one.name] = values[path]
    return cls(**arguments)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _keys(cls: Any, prefix: str = "") -> Iterator[Key]:
    hints = typing.get_type_hints(cls)
    for one in fields(cls):
        hint = hints[one.name]
        if is_dataclass(hint):
            yield from _keys(hint, f"{prefix}{one.name}.")
        else:
            yield _key(prefix + one.name, hint, one)


def _key(path: str, hint: Any, one: "Field[Any]") -> Key:
    alternatives = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kind = next(kind for kind in alternatives if kind is not types.NoneType)
    words = typing.get_origin(kind) is typing.Literal
    return Key(
        path=path,
        kind=str if words else kind,
        choices=typing.get_args(kind) if words else None,
        default=one.default,
        **one.metadata,
    )


TABLES = {name: hint for name, hint in typing.get_type_hints(CloudConfig).items() if is_dataclass(hint)}
"""Tables of the file, each a dataclass of its own."""
KEYS = {key.path: key for key in _keys(CloudConfig)}
"""Every key there is, in the order of the file."""
