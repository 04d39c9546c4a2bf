"""CBOR as this protocol uses it: one encoding for every value, and nothing else is decoded.

The core deterministic encoding of RFC 8949, section 4.2.1, over a part of the data model: integers, finite
floats, byte and text strings, booleans, arrays, maps. Keys of maps are text or integers of one byte, so that
the sorting of the older RFC 7049 (by length first) gives the same order.
"""

import math
from typing import Any

import cbor2

from wire_protocol.errors import RefusedMessage
from wire_protocol.limits import DEPTH_MAX
from wire_protocol.reasons import Reason

Value = Any
"""int, float, bytes, str, bool, None, list or dict of these."""

_SMALL = range(-24, 24)


def encode(value: Value) -> bytes:
    """The one encoding of `value`.

    Raises:
        TypeError: It holds something outside the protocol's part of CBOR; a mistake of the caller.
    """
    if not _is_ours(value):
        raise TypeError(f"the protocol cannot carry this {type(value).__name__}")
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Value:
    """The value that `data` encodes.

    Raises:
        RefusedMessage: `malformed`: not CBOR, bytes after it, indefinite lengths, duplicate keys, tags,
            nesting beyond the limit, or any encoding but the deterministic one.
    """
    try:
        value = cbor2.loads(data, max_depth=DEPTH_MAX, allow_indefinite=False, allow_duplicate_keys=False)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise RefusedMessage(Reason.MALFORMED, f"not CBOR as the protocol has it: {error}") from error
    if not _is_ours(value):
        raise RefusedMessage(Reason.MALFORMED, "holds a type that the protocol does not use")
    if cbor2.dumps(value, canonical=True) != data:
        raise RefusedMessage(Reason.MALFORMED, "not the deterministic encoding, or bytes follow it")
    return value


def _is_ours(value: Value) -> bool:
    match value:
        case None | bool() | str() | bytes():
            return True
        case int():
            return -(1 << 63) <= value < 1 << 64
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(map(_is_ours, value))
        case dict():
            return all(_is_key(key) and _is_ours(inner) for key, inner in value.items())
    return False


def _is_key(key: Value) -> bool:
    return isinstance(key, str) or (type(key) is int and key in _SMALL)
