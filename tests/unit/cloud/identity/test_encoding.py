"""Base64url and JSON have one way to be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.identity.encoding import base64url, from_base64url, strict_json


@given(st.binary(max_size=64))
def test_what_was_written_is_read(data: bytes) -> None:
    assert from_base64url(base64url(data)) == data


@pytest.mark.parametrize("text", ["=", "YQ==", "YR", "a", "a+b/", "YQ\n", " YQ", "ä"])
def test_another_way_to_write_it_is_refused(text: str) -> None:
    """T22: a token has one spelling, so that no two of them are the same."""
    with pytest.raises(ValueError):
        from_base64url(text)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"1", b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b'{"a":NaN}', b"\xff{}", b'{"a":' * 5000],
    ids=["empty", "list", "number", "twice", "twice-inside", "nan", "no-utf-8", "deep"],
)
def test_what_is_no_plain_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        strict_json(data)
