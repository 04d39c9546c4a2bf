"""One key: its type, its bounds, its text."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daemon.settings_key import Key, about, keys_of, plain


@dataclass(frozen=True, slots=True)
class Everything:
    """One key of each kind."""

    text: str = field(default="a", metadata=about("a text", pattern="[a-z]+"))
    whole: int = field(default=1, metadata=about("a number", low=0, high=9))
    real: float = field(default=0.5, metadata=about("a number", low=0, high=1))
    truth: bool = field(default=False, metadata=about("a truth"))
    place: Path | None = field(default=None, metadata=about("a path"))
    words: tuple[str, ...] = field(default=(), metadata=about("texts", pattern="[a-z]+", secret=True))


KEYS: dict[str, Key] = {key.path: key for key in keys_of(Everything)}


@pytest.mark.parametrize(
    ("path", "given", "value"),
    [
        ("text", "abc", "abc"),
        ("whole", 9, 9),
        ("real", 1, 1.0),
        ("truth", True, True),
        ("place", "/x", Path("/x")),
        ("words", ["a", "b"], ("a", "b")),
    ],
)
def test_a_good_value_comes_out_in_its_type(path: str, given: object, value: object) -> None:
    checked = KEYS[path].check(given)
    assert checked == value
    assert isinstance(checked, KEYS[path].kind)


@pytest.mark.parametrize(
    ("path", "given", "message"),
    [
        ("text", 1, "must be a text, not 1"),
        ("text", "A", "must match"),
        ("whole", True, "must be a whole number"),
        ("whole", 10, "at most 9"),
        ("real", float("nan"), "at least 0"),
        ("truth", 1, "true or false"),
        ("place", "", "must not be empty"),
        ("place", 3, "must be a path"),
        ("words", "a", "must be a list of texts"),
        ("words", [1], "must be a list of texts"),
    ],
)
def test_a_bad_value_says_what_was_expected(path: str, given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KEYS[path].check(given)


def test_a_secret_is_not_repeated() -> None:
    """Not in a list either."""
    with pytest.raises(ValueError, match="what was given") as refusal:
        KEYS["words"].check(["HUNTER"])
    assert "HUNTER" not in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("whole", "3", 3),
        ("real", "0.5", 0.5),
        ("truth", "true", True),
        ("words", "a, b,", ["a", "b"]),
        ("words", '["a", "b"]', ["a", "b"]),
        ("text", "a", "a"),
    ],
)
def test_a_variable_says_the_same(path: str, text: str, value: object) -> None:
    assert KEYS[path].from_text(text) == value


@pytest.mark.parametrize(("path", "text"), [("whole", "x"), ("truth", "yes"), ("words", "[")])
def test_a_variable_that_cannot_be_read_is_refused(path: str, text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        KEYS[path].from_text(text)


def test_values_as_json_has_them() -> None:
    shown: list[Any] = [plain(value) for value in (Path("/x"), ("a",), 3, None)]
    assert shown == ["/x", ["a"], 3, None]
