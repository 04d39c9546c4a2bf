"""Two changes of a network's bytes, for releases that the demo makes of a bundled model. Pure.

The `onnx` package is not needed where the demo runs, so the protobuf structure is walked here (onnx.proto of
ONNX 1.x, field numbers below). Nothing of the network's structure is changed; a note is put at its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_GRAPH: Final = 7
_MODEL_NOTE: Final = 14  # metadata_props: pairs that no runtime reads
_NOTE_KEY, _NOTE_VALUE = 1, 2
_GRAPH_TENSOR: Final = 5
_TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 2, 8, 9
_FLOAT: Final = 1
_FLOAT_BYTES: Final = 4

Span = tuple[int, int]


def with_note(network: bytes, key: str, value: str) -> bytes:
    """The same network with a pair in its metadata: it answers the same, and has another digest."""
    pair = _field(_NOTE_KEY, key.encode()) + _field(_NOTE_VALUE, value.encode())
    return network + _field(_MODEL_NOTE, pair)


def with_raised(network: bytes, tensor: str, by: Mapping[int, float]) -> bytes:
    """The network with some numbers of one of its tensors raised, in place.

    Args:
        network: ONNX.
        tensor: Name of an initializer, float32.
        by: What is added, by index.

    Raises:
        ValueError: There is no such tensor, it is not float32, or it is shorter.
    """
    start, end = _floats(network, tensor)
    length = (end - start) // _FLOAT_BYTES
    if not all(0 <= index < length for index in by):
        raise ValueError(f"{tensor} has {length} numbers only")
    changed = bytearray(network)
    for index, more in by.items():
        at = start + index * _FLOAT_BYTES
        (number,) = struct.unpack_from("<f", changed, at)
        struct.pack_into("<f", changed, at, number + more)
    return bytes(changed)


def _floats(network: bytes, name: str) -> Span:
    """Where the bytes of a float32 initializer are."""
    for number, graph in _fields(network, (0, len(network))):
        if number != _MODEL_GRAPH or isinstance(graph, int):
            continue
        for inner, tensor in _fields(network, graph):
            if inner != _GRAPH_TENSOR or isinstance(tensor, int):
                continue
            found = dict(_fields(network, tensor))
            called, raw = found.get(_TENSOR_NAME), found.get(_TENSOR_RAW)
            if not isinstance(called, tuple) or network[slice(*called)] != name.encode():
                continue
            if found.get(_TENSOR_TYPE) != _FLOAT or not isinstance(raw, tuple):
                raise ValueError(f"{name} is no float32 tensor with its bytes inside")
            return raw
    raise ValueError(f"the network has no tensor {name}")


def _fields(data: bytes, span: Span) -> Iterator[tuple[int, Span | int]]:
    """Field numbers of one protobuf message, each with its number or where its bytes are."""
    at, end = span
    while at < end:
        key, at = _varint(data, at, end)
        wire_type = key & 7
        if wire_type == _VARINT:
            value, at = _varint(data, at, end)
            yield key >> 3, value
            continue
        if wire_type == _BYTES:
            length, at = _varint(data, at, end)
        elif wire_type in {_FIXED64, _FIXED32}:
            length = 8 if wire_type == _FIXED64 else 4
        else:
            raise ValueError("this is no ONNX network")
        if at + length > end:
            raise ValueError("the network was cut off")
        if wire_type == _BYTES:
            yield key >> 3, (at, at + length)
        at += length


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("the network was cut off")


def _field(number: int, value: bytes) -> bytes:
    return _number(number << 3 | _BYTES) + _number(len(value)) + value


def _number(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
