"""Reading JSON whose every key is known: anything missing, unknown or of another type is one clear error."""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from inference.errors import ManifestError

_REMEDY = "Take the model directory again from where it was published; never edit a manifest by hand."


def parse_object(data: bytes, where: str) -> "Fields":
    """The JSON object that `data` holds.

    Raises:
        ManifestError: Not UTF-8, not JSON, a key twice, NaN or Infinity, or no object.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{where} is not valid JSON: {error}", remedy=_REMEDY) from error
    return Fields(value, where)


class Fields:
    """One JSON object: every getter takes a key away, `done` refuses what is left over."""

    def __init__(self, value: Any, where: str) -> None:
        self.where = where
        if not isinstance(value, dict):
            self.refuse(None, f"must be an object, not {_kind(value)}")
        self._values: dict[str, Any] = dict(value)

    def refuse(self, key: str | None, problem: str) -> NoReturn:
        """Raise the error for one key, or for the object itself."""
        place = self.where if key is None else f"{self.where}: {key}"
        raise ManifestError(f"{place} {problem}", remedy=_REMEDY)

    def done(self) -> None:
        """Refuse keys that nobody asked for: a typo or a newer contract, both wrong to ignore."""
        if self._values:
            self.refuse(None, f"has unknown keys: {', '.join(sorted(self._values))}")

    def text(self, key: str, *, longest: int = 200) -> str:
        """A string of 1 to `longest` characters."""
        value = self._take(key)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            self.refuse(key, f"must be a text of 1 to {longest} characters, not {_kind(value)}")
        return value

    def line(self, key: str, *, longest: int = 200) -> str:
        """The same, printable: it is shown in terminals and sent in messages."""
        value = self.text(key, longest=longest)
        if not value.isprintable():
            self.refuse(key, "must be printable")
        return value

    def one_of(self, key: str, allowed: Iterable[str]) -> str:
        """A string out of a closed set."""
        value, choices = self._take(key), tuple(allowed)
        if value not in choices:
            self.refuse(key, f"must be {' or '.join(map(repr, choices))}, not {value!r:.60}")
        return str(value)

    def integer(self, key: str, *, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self._take(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.refuse(key, f"must be a whole number from {low} to {high}, not {value!r:.60}")
        return value

    def number(self, key: str, *, low: float, high: float) -> float:
        """A finite number within bounds."""
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.refuse(key, f"must be a number, not {_kind(value)}")
        if not low <= value <= high:
            self.refuse(key, f"must be from {low:g} to {high:g}, not {value:g}")
        return float(value)

    def texts(self, key: str, *, longest: int = 200) -> tuple[str, ...]:
        """A list of different, non-empty strings."""
        values = self._list(key)
        if not all(isinstance(value, str) and 1 <= len(value) <= longest for value in values):
            self.refuse(key, f"must be a list of texts of 1 to {longest} characters")
        if len(set(values)) != len(values):
            self.refuse(key, "names something twice")
        return tuple(values)

    def child(self, key: str) -> "Fields":
        """An object inside this one."""
        return Fields(self._take(key), f"{self.where}: {key}")

    def children(self, key: str) -> tuple["Fields", ...]:
        """A list of objects."""
        return tuple(
            Fields(value, f"{self.where}: {key}[{index}]") for index, value in enumerate(self._list(key))
        )

    def names(self, key: str) -> dict[str, str]:
        """An object from language to text."""
        value = self._take(key)
        if not isinstance(value, dict) or not all(isinstance(text, str) and text for text in value.values()):
            self.refuse(key, "must be an object from language to text")
        return dict(value)

    def _list(self, key: str) -> list[Any]:
        value = self._take(key)
        if not isinstance(value, list):
            self.refuse(key, f"must be a list, not {_kind(value)}")
        return value

    def _take(self, key: str) -> Any:
        if key not in self._values:
            self.refuse(key, "is missing")
        return self._values.pop(key)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("an object has the same key twice")
    return values


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
