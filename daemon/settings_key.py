"""One key of a configuration: its type, its bounds, and what a file or a variable may say about it."""

import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

_KINDS: Final[Mapping[type, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    tuple: "a list of texts",
}


def about(
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    pattern: str | None = None,
    secret: bool = False,
) -> dict[str, Any]:
    """What is known of a key beside its type and default: the `metadata` of a dataclass's field.

    Args:
        meaning: For people, one line.
        low: The least that a number may be.
        high: The most.
        pattern: What a text matches in full.
        secret: Its value is never shown.
    """
    return {"meaning": meaning, "low": low, "high": high, "pattern": pattern, "secret": secret}


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
        if isinstance(value, str) and self.kind in {str, Path}:
            return self.kind(self._check_text(value))
        if type(value) is not self.kind:
            raise ValueError(f"must be {_KINDS[self.kind]}, not {self._shown(value)}")
        return self._check_number(value)

    def _check_text(self, value: str) -> str:
        if self.choices is not None and value not in self.choices:
            raise ValueError(f"must be one of {', '.join(self.choices)}, not {self._shown(value)}")
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            raise ValueError(f"must match {self.pattern}, unlike {self._shown(value)}")
        if not value or "\0" in value:
            raise ValueError("must not be empty")
        return value

    def _check_number(self, value: Any) -> Any:
        # Written so that NaN fails.
        if self.low is not None and not value >= self.low:
            raise ValueError(f"must be at least {self.low:g}, not {value}")
        if self.high is not None and not value <= self.high:
            raise ValueError(f"must be at most {self.high:g}, not {value}")
        return value

    def _shown(self, value: object) -> str:
        return "(what was given)" if self.secret else f"{value!r:.80}"

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


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def tables_of(cls: Any) -> dict[str, Any]:
    """The tables of a configuration, each a dataclass of its own, by name."""
    return {name: hint for name, hint in typing.get_type_hints(cls).items() if is_dataclass(hint)}


def keys_of(cls: Any, prefix: str = "") -> Iterator[Key]:
    """Every key of a dataclass, in the order of the file."""
    hints = typing.get_type_hints(cls)
    for one in fields(cls):
        hint = hints[one.name]
        if is_dataclass(hint):
            yield from keys_of(hint, f"{prefix}{one.name}.")
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


def _texts(text: str) -> object:
    """A JSON list, or words between commas."""
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            raise ValueError("must be a JSON list of texts, or texts between commas") from None
    return [word.strip() for word in text.split(",") if word.strip()]
