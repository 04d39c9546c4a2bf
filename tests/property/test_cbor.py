"""One value, one encoding: the codec is a bijection between the protocol's values and what it accepts."""

import cbor2
from hypothesis import example, given
from hypothesis import strategies as st

from wire_protocol import cbor
from wire_protocol.errors import RefusedMessage

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=40)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
)
_KEYS = st.integers(-24, 23) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=15,
).filter(lambda value: _depth(value) <= 8)


def _depth(value: cbor.Value) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _typed(value: cbor.Value) -> object:
    """`value` so that 1, 1.0 and True, or 0.0 and -0.0, differ."""
    if isinstance(value, dict):
        return {(type(key), key): _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    return type(value), repr(value)


@given(_VALUES)
def test_what_is_encoded_is_decoded_again(value: cbor.Value) -> None:
    """To the same value of the same type."""
    assert _typed(cbor.decode(cbor.encode(value))) == _typed(value)


@given(st.binary(max_size=60))
@example(b"\xf9\x80\x00")
@example(b"\xa2\x01\x00\xf5\x01")
def test_what_is_decoded_is_encoded_to_the_same_bytes(data: bytes) -> None:
    """Or was refused."""
    try:
        value = cbor.decode(data)
    except RefusedMessage:
        return
    assert cbor.encode(value) == data


@given(_VALUES, st.binary(min_size=1, max_size=4))
def test_bytes_after_a_value_are_refused(value: cbor.Value, more: bytes) -> None:
    """T2: decoders that stop at the end of the value would accept them."""
    try:
        cbor.decode(cbor.encode(value) + more)
    except RefusedMessage:
        return
    raise AssertionError("accepted bytes after the value")


@given(_VALUES)
def test_no_other_encoding_of_a_value_is_accepted(value: cbor.Value) -> None:
    """T2: what cbor2 writes without sorting keys and shortening floats is refused where it differs."""
    plain = cbor2.dumps(value)
    if plain != cbor.encode(value):
        try:
            cbor.decode(plain)
        except RefusedMessage:
            return
        raise AssertionError("accepted a second encoding")
