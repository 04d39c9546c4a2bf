"""Any payload that its bounds allow crosses the wire unchanged; any that they forbid does not."""

from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import wire_messages as wire
from wire_protocol import cbor, fields
from wire_protocol.consent import Blank, Consent
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import Number, Octets, Text, Uint
from wire_protocol.handover_messages import NoticeUp
from wire_protocol.messages import PAYLOADS
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up

_KINDS: list[type[Any]] = [*PAYLOADS.values(), Blank, Consent]
_PRINTABLE = st.characters(exclude_categories=["C", "Zl", "Zp", "Zs"]) | st.just(" ")


def _one(shape: fields._Shape) -> st.SearchStrategy[Any]:
    if shape.bound is not None:
        return _bounded(shape.bound)
    if shape.of is bool:
        return st.booleans()
    if issubclass(shape.of, StrEnum):
        return st.sampled_from(list(shape.of))
    assert is_dataclass(shape.of)
    return _value(shape.of)


def _bounded(bound: fields.Bound) -> st.SearchStrategy[Any]:
    match bound:
        case Uint(high=high, low=low):
            return st.integers(low, high)
        case Number(low=low, high=high):
            return st.floats(low, high) | st.integers(int(low), int(high))
        case Octets(longest=longest, shortest=shortest):
            return st.binary(min_size=shortest, max_size=min(longest, shortest + 40))
        case Text(longest=longest, pattern=None):
            return st.text(_PRINTABLE, max_size=longest).filter(str.isprintable)
        case Text(pattern=pattern):
            assert pattern is not None
            return st.from_regex(pattern, fullmatch=True)


def _field(shape: fields._Shape, default: Any) -> st.SearchStrategy[Any]:
    one = _one(shape)
    if shape.many is not None:
        one = st.lists(
            one, min_size=shape.many.shortest, max_size=min(shape.many.longest, 4),
            unique=issubclass(shape.of, StrEnum),
        ).map(tuple)  # fmt: skip
    return one | st.none() if default is None else one


def _value(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Values that satisfy each bound; those that break a rule over several fields are left out."""

    def build(parts: dict[str, Any]) -> Any:
        try:
            return kind(**parts)
        except ValueError:
            return None

    shapes = fields._shapes(kind)
    defaults = {field.name: field.default for field in dataclass_fields(kind)}
    strategy = st.fixed_dictionaries({name: _field(shape, defaults[name]) for name, shape in shapes.items()})
    return strategy.map(build).filter(lambda value: value is not None)


def _near(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Some have rules that random values hardly ever meet: over several fields, or that bytes are a text."""
    if kind is NoticeUp:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).map(
            lambda text: NoticeUp(**{**_parts(wire.PAYLOADS[Up.NOTICE]), "text": text.encode()})
        )
    if kind is Consent:
        return st.integers(1, 365 * 86_400_000).map(
            lambda length: Consent(**{**_parts(wire.CONSENT), "expires_at": wire.CONSENT.granted_at + length})
        )
    return _value(kind)


def _parts(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclass_fields(value)}


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_payload_comes_back_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    """For every kind, whatever the bounds allow."""
    payload = data.draw(_near(kind))
    encoded = fields.encode_payload(payload)
    decoded = fields.decode_payload(kind, encoded)
    assert decoded == payload
    assert fields.encode_payload(decoded) == encoded


_JUNK = st.one_of(
    st.sampled_from([None, False, True, -1, 1 << 63, -0.5, "\n", "x" * 5000, b"", [], {}, [None] * 300]),
    st.binary(min_size=1025, max_size=1030),
)


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_field_of_another_type_or_size_is_refused_or_allowed_by_its_bound(
    kind: type[Any], data: st.DataObject
) -> None:
    """No junk crashes, and what is accepted encodes to the same bytes."""
    examples = [*wire.PAYLOADS.values(), wire.BLANK, wire.CONSENT]
    value = fields.to_value(next(payload for payload in examples if type(payload) is kind))
    value[data.draw(st.sampled_from([*value, "unknown", 0]))] = data.draw(_JUNK)
    encoded = cbor.encode(value)
    refused = None
    try:
        decoded = fields.decode_payload(kind, encoded)
    except RefusedMessage as error:
        refused = error.reason
    else:
        assert fields.encode_payload(decoded) == encoded
    assert refused in {None, Reason.BAD_PAYLOAD}
