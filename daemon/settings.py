"""From plain values to one frozen configuration: what a file or the environment says, checked key by key.

A configuration is a frozen dataclass whose fields are keys (`settings_key.about`) or tables, dataclasses of
the same sort. Names of variables, JSON Schema and the documentation's table come from the same fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Generic, TypeVar

from daemon.errors import ConfigError
from daemon.settings_key import Key, keys_of, tables_of

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Given:
    """A value that somebody gave, and where."""

    value: object
    origin: str
    """For people: a file, or a variable."""


@dataclass(frozen=True)
class Settings(Generic[C]):
    """How one configuration is read.

    Args:
        cls: The frozen dataclass.
        title: Of its JSON Schema.
        prefix: Of the environment variables, such as `TOPSCOOP_EDGE_`.
        remedy: What to do about a mistake in it.
        shorthands: Tables that may be one value instead, `camera = "synthetic:"`: name -> path.
    """

    cls: type[C]
    title: str
    prefix: str
    remedy: str
    shorthands: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def tables(self) -> Mapping[str, Any]:
        """The tables of the file, each a dataclass of its own."""
        return tables_of(self.cls)

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        """Every key there is, in the order of the file."""
        return {key.path: key for key in keys_of(self.cls)}

    def variable(self, path: str) -> str:
        """The environment variable that sets a key."""
        return self.prefix + path.replace(".", "_").upper()

    def parse(self, given: Mapping[str, Given]) -> C:
        """The configuration that these values give, by path.

        Raises:
            ConfigError: Names every problem at once, each with the place where the value was given.
        """
        problems = []
        values: dict[str, Any] = {}
        for path, one in given.items():
            key = self.keys.get(path)
            if key is None:
                problems.append(f"{one.origin}: unknown key {path!r}{_nearest(path, self.keys)}")
                continue
            try:
                values[path] = key.check(one.value)
            except ValueError as error:
                problems.append(f"{one.origin}: {path} {error}")
        problems += [
            f"{key.path} is missing: {key.meaning}"
            for key in self.keys.values()
            if key.required and key.path not in given
        ]
        if not problems:
            try:
                built: C = self._build(self.cls, values, "")
            except ValueError as error:
                problems.append(str(error))
            else:
                return built
        raise self.wrong(problems)

    def flatten(self, table: Mapping[str, object], origin: str) -> dict[str, Given]:
        """A TOML document by path; tables that do not exist come out as keys, and `parse` refuses them."""
        flat: dict[str, Given] = {}
        for name, value in table.items():
            if isinstance(value, Mapping) and (value or name in self.tables):
                flat |= {f"{name}.{inner}": Given(one, origin) for inner, one in value.items()}
            else:
                flat[self.shorthands.get(name, name)] = Given(value, origin)
        return flat

    def from_environment(self, environment: Mapping[str, str]) -> dict[str, Given]:
        """The keys that variables with our prefix set.

        Raises:
            ConfigError: A variable names no key, or its text cannot be read.
        """
        by_variable = {self.variable(path): key for path, key in self.keys.items()}
        by_variable |= {self.variable(short): self.keys[path] for short, path in self.shorthands.items()}
        given, problems = {}, []
        for variable, text in sorted(environment.items()):
            if not variable.startswith(self.prefix):
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
            raise self.wrong(problems)
        return given

    def wrong(self, problems: Iterable[str]) -> ConfigError:
        """The error that lists these problems."""
        listed = tuple(problems)
        message = listed[0] if len(listed) == 1 else "\n  - ".join([f"{len(listed)} problems", *listed])
        return ConfigError(message, remedy=self.remedy, problems=listed)

    def _build(self, cls: Any, values: Mapping[str, Any], prefix: str) -> Any:
        arguments: dict[str, Any] = {}
        for one in fields(cls):
            path = prefix + one.name
            if path in self.tables:
                arguments[one.name] = self._build(self.tables[path], values, path + ".")
            elif path in values:
                arguments[one.name] = values[path]
        try:
            return cls(**arguments)
        except ValueError as error:
            raise ValueError(f"{prefix.rstrip('.')}: {error}" if prefix else str(error)) from error


def value_at(config: object, path: str) -> Any:
    """The value of a key."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
