"""CBOR as this protocol uses it: one encoding for every value, and nothing else is decoded.

The core deterministic encoding of RFC 8949, section 4.2.1, over a part of the data model: integers, finite
floats, byte and text strings, booleans, arrays, maps. Keys of maps are text or integers of one byte, so that
the sorting of the older RFC 7049 (by length first) gives the same order.
"""

import math
from typing import Any, Final, NoReturn

import cbor2

from wire_protocol.errors import RefusedMessage
from wire_protocol.limits import DEPTH_MAX, ITEMS_MAX
from wire_protocol.reasons import Reason

Value = Any
"""int, float, bytes, str, bool, None, list or dict of these."""

_SMALL = range(-24, 24)
_STRINGS: Final = frozenset({2, 3})
"""Major types of byte and text strings."""
_LONG_HEADS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
"""Bytes that follow a head, by its lower five bits."""
_LEAVES: Final = frozenset({type(None), bool, str, bytes})


def _refuse_tag(*_: object, **__: object) -> NoReturn:
    raise ValueError("the protocol uses no tags")


# cbor2 acts on these tags by itself, and before anybody can look: shared references (28, 29) make cycles and
# values that double at every step, 35 compiles the sender's regular expressions. All others reach the hook.
_NO_TAGS: Final = dict.fromkeys((*range(300), 1004, 43_000, 55_799), _refuse_tag)


def encode(value: Value) -> bytes:
    """The one encoding of `value`.

    Raises:
        TypeError: It holds something outside the protocol's part of CBOR, or is nested too deep; a mistake
            of the caller.
    """
    if not _is_ours(value):
        raise TypeError(f"the protocol cannot carry this {type(value).__name__}")
    try:
        return cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError as error:
        raise TypeError("the protocol cannot carry half of a surrogate pair") from error


def decode(data: bytes) -> Value:
    """The value that `data` encodes.

    Raises:
        RefusedMessage: `malformed`: not CBOR, bytes after it, indefinite lengths, duplicate keys, tags,
            more items or deeper nesting than the limits allow, or any encoding but the deterministic one.
    """
    if len(data) > ITEMS_MAX and not _has_few_items(data):
        raise RefusedMessage(Reason.MALFORMED, f"more than {ITEMS_MAX} items")
    try:
        value = cbor2.loads(
            data,
            max_depth=DEPTH_MAX,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_NO_TAGS,
            tag_hook=_refuse_tag,
        )
    except (cbor2.CBORDecodeError, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise RefusedMessage(Reason.MALFORMED, f"not CBOR as the protocol has it: {error}") from error
    if not _is_ours(value):
        raise RefusedMessage(Reason.MALFORMED, "holds a type that the protocol does not use")
    if cbor2.dumps(value, canonical=True) != data:
        raise RefusedMessage(Reason.MALFORMED, "not the deterministic encoding, or bytes follow it")
    return value


def _has_few_items(data: bytes) -> bool:
    """Whether `data` has at most `ITEMS_MAX` heads; walks over strings without looking into them."""
    at = 0
    for _ in range(ITEMS_MAX):
        if at >= len(data):
            return True
        major, length = data[at] >> 5, data[at] & 31
        at += 1
        if length in _LONG_HEADS:
            size = _LONG_HEADS[length]
            length = int.from_bytes(data[at : at + size])
            at += size
        if major in _STRINGS:
            at += length
    return at >= len(data)


def _is_ours(value: Value, depth: int = DEPTH_MAX) -> bool:
    if type(value) in _LEAVES:
        return True
    match value:
        case int():
            return -(1 << 63) <= value < 1 << 64
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return depth > 0 and all(_is_ours(inner, depth - 1) for inner in value)
        case dict():
            return (
                depth > 0
                and all(_is_key(key) for key in value)
                and all(_is_ours(inner, depth - 1) for inner in value.values())
            )
    return isinstance(value, str | bytes)


def _is_key(key: Value) -> bool:
    return type(key) is str or (type(key) is int and key in _SMALL)
