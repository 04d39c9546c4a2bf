"""From plain values to the frozen configuration: what a file or the environment says, checked key by key."""

import json
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from edge_agent.config import EdgeConfig
from edge_agent.errors import ConfigError

ENVIRONMENT_PREFIX = "TOPSCOOP_EDGE_"
SHORTHANDS = {"camera": "camera.source"}
"""A table that may be one value instead: `camera = "synthetic:"`."""

_KINDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list of texts",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration."""

    path: str
    """Such as `camera.max_age_ms`."""
    kind: type
    """str, int, float, bool, Path or tuple (of texts)."""
    default: Any
    """`dataclasses.MISSING` where the key must be given."""
    meaning: str
    low: float | None
    high: float | None
    pattern: str | None
    choices: tuple[str, ...] | None
    secret: bool

    @property
    def required(self) -> bool:
        """Whether there is no default."""
        return self.default is MISSING

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
        if self.kind is tuple and isinstance(value, list | tuple):
            if not all(isinstance(item, str) for item in value):
                raise ValueError(f"must be a list of texts, not {self._shown(value)}")
            return tuple(self._check_text(item) for item in value)
        if self.kind is Path and isinstance(value, str):
            if not value or "\0" in value:
                raise ValueError("must be a path, not empty")
            return Path(value)
        if type(value) is not self.kind:
            raise ValueError(f"must be {_KINDS.get(self.kind, 'a path')}, not {self._shown(value)}")
        return self._check_text(value) if isinstance(value, str) else self._check_number(value)

    def _check_text(self, value: str) -> str:
        shown = self._shown(value)
        if self.choices is not None and value not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}, not {shown}")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise ValueError(f"must match {self.pattern}, unlike {shown}")
        if not value or "\0" in value:
            raise ValueError("must not be empty")
        return value

    def _shown(self, value: object) -> str:
        return "(what was given)" if self.secret else f"{value!r:.80}"

    def _check_number(self, value: Any) -> Any:
        # Written so that NaN fails.
        if self.low is not None and not value >= self.low:
            raise ValueError(f"must be at least {self.low:g}, not {value}")
        if self.high is not None and not value <= self.high:
            raise ValueError(f"must be at most {self.high:g}, not {value}")
        return value

    def from_text(self, text: str) -> object:
        """What an environment variable says, as a value to `check`.

        Raises:
            ValueError: The text cannot be read as this kind.
        """
        if self.kind is tuple:
            return _texts(text)
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


def _texts(text: str) -> object:
    """A JSON list, or words between commas."""
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            raise ValueError("must be a JSON list of texts, or texts between commas") from None
    return [word.strip() for word in text.split(",") if word.strip()]


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave, and where."""

    value: object
    origin: str
    """For people: a file, or a variable."""


def parse(given: Mapping[str, Given]) -> EdgeConfig:
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
        if key.required and key.path not in given
    ]
    if not problems:
        try:
            return cast("EdgeConfig", _build(EdgeConfig, values, ""))
        except ValueError as error:
            problems.append(str(error))
    raise wrong(problems)


def flatten(table: Mapping[str, object], origin: str) -> dict[str, Given]:
    """A TOML document by path; tables that do not exist come out as their keys, and `parse` refuses them."""
    flat: dict[str, Given] = {}
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            flat |= {f"{name}.{inner}": Given(one, origin) for inner, one in value.items()}
        elif name in TABLES and isinstance(value, Mapping):
            continue  # an empty table says nothing
        else:
            flat[SHORTHANDS.get(name, name)] = Given(value, origin)
    return flat


def from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """The keys that variables with our prefix set.

    Raises:
        ConfigError: A variable names no key, or its text cannot be read.
    """
    by_variable = {key.variable: key for key in KEYS.values()}
    by_variable |= {ENVIRONMENT_PREFIX + short.upper(): KEYS[path] for short, path in SHORTHANDS.items()}
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


def value_at(config: EdgeConfig, path: str) -> Any:
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
        remedy="`topscoop edge config schema` lists every key; deploy/edge.toml is a commented sample.",
        problems=listed,
    )


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _build(cls: Any, values: Mapping[str, Any], prefix: str) -> Any:
    arguments: dict[str, Any] = {}
    for one in fields(cls):
        path = prefix + one.name
        if path in TABLES:
            arguments[one.name] = _build(TABLES[path], values, path + ".")
        elif path in values:
            arguments[one.name] = values[path]
    try:
        return cls(**arguments)
    except ValueError as error:
        raise ValueError(f"{prefix.rstrip('.')}: {error}") from error


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
        kind=str if words else typing.get_origin(kind) or kind,
        choices=typing.get_args(kind) if words else None,
        default=one.default,
        **one.metadata,
    )


TABLES = {name: hint for name, hint in typing.get_type_hints(EdgeConfig).items() if is_dataclass(hint)}
"""Tables of the file, each a dataclass of its own."""
KEYS = {key.path: key for key in _keys(EdgeConfig)}
"""Every key there is, in the order of the file."""
