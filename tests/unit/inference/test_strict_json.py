"""Strict JSON: every surprise is one clear error."""

import pytest

from inference.errors import ManifestError
from inference.strict_json import parse_object


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[]", "must be an object, not a list"),
        (b"null", "must be an object, not null"),
        (b'{"a": 1, "a": 1}', "same key twice"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"}", "not valid JSON"),
    ],
)
def test_bytes_that_are_no_json_object(data: bytes, problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        parse_object(data, "file").done()


def test_a_missing_key_is_named_with_its_place() -> None:
    with pytest.raises(ManifestError, match="file: outer: inner is missing"):
        parse_object(b'{"outer": {}}', "file").child("outer").text("inner")


def test_leftover_keys_are_refused() -> None:
    """A key that nobody knows is a typo or a newer contract."""
    with pytest.raises(ManifestError, match="file has unknown keys: a, b"):
        parse_object(b'{"b": 1, "a": 2}', "file").done()


def test_a_place_in_a_list_is_named() -> None:
    children = parse_object(b'{"list": [{"a": "x"}, {"a": 1}]}', "file").children("list")
    assert children[0].text("a") == "x"
    with pytest.raises(ManifestError, match=r"file: list\[1\]: a must be a text .* not a number"):
        children[1].text("a")


@pytest.mark.parametrize("value", ["true", '"1"', "null", "1.5", "-1", "11"])
def test_what_is_no_whole_number_within_bounds(value: str) -> None:
    """In Python, True would pass as 1."""
    with pytest.raises(ManifestError, match="whole number from 0 to 10"):
        parse_object(f'{{"a": {value}}}'.encode(), "file").integer("a", low=0, high=10)


@pytest.mark.parametrize("value", ["true", '"1"', "1e999", "11"])
def test_what_is_no_number_within_bounds(value: str) -> None:
    with pytest.raises(ManifestError, match="file: a must be"):
        parse_object(f'{{"a": {value}}}'.encode(), "file").number("a", low=0, high=10)


@pytest.mark.parametrize("value", ['""', '"' + "x" * 201 + '"', "1", "null", "[]"])
def test_what_is_no_text(value: str) -> None:
    with pytest.raises(ManifestError, match="must be a text of 1 to 200 characters"):
        parse_object(f'{{"a": {value}}}'.encode(), "file").text("a")


@pytest.mark.parametrize("value", ['"x"', '["x", 1]', '["x", "x"]', '[""]'])
def test_what_is_no_list_of_different_texts(value: str) -> None:
    with pytest.raises(ManifestError, match="file: a"):
        parse_object(f'{{"a": {value}}}'.encode(), "file").texts("a")
