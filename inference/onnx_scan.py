"""A look into ONNX bytes before any runtime parses them: operator domains and external data.

A network may name other files for its weights, which a runtime would then open, and operators of other
libraries. Both are refused by reading the protobuf structure itself (onnx.proto of ONNX 1.x, field numbers
below), because the `onnx` package is not installed on a till. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from inference.errors import NotAModel

ALLOWED_DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
_REMEDY = "Take the model again from where it was published, or export it with every weight inside the file."
_MAX_DEPTH = 64
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Message -> field number -> message inside; everything else cannot hold a node or a tensor."""
_NODE_DOMAIN = 7
_TENSOR_EXTERNAL = (13, 14)
"""`external_data`, and `data_location`, which is 0 when the weights are inside."""


@dataclass
class Scan:
    """What was found."""

    nodes: int = 0
    domains: set[str] = field(default_factory=set)
    external: bool = False


def check_onnx(data: bytes) -> None:
    """Refuse a network that reaches outside of itself.

    Raises:
        NotAModel: No ONNX structure, no operators, external data, or operators of an unknown domain.
    """
    scan = Scan()
    _walk(memoryview(data), "model", scan, _MAX_DEPTH)
    if not scan.nodes:
        raise NotAModel("the file is no ONNX network: it has no operators", remedy=_REMEDY)
    if scan.external:
        raise NotAModel("the network keeps weights in other files (ONNX external data)", remedy=_REMEDY)
    unknown = scan.domains - ALLOWED_DOMAINS
    if unknown:
        raise NotAModel(
            f"the network uses operators of {', '.join(map(repr, sorted(unknown)))}",
            remedy="Export it with the standard operators of ONNX and ONNX Runtime only.",
        )


def _walk(message: memoryview, kind: str, scan: Scan, depth: int) -> None:
    if not depth:
        raise NotAModel("the file nests deeper than any network", remedy=_REMEDY)
    if kind == "node":
        scan.nodes += 1
    for number, value in _fields(message):
        inner = _CHILDREN[kind].get(number)
        if inner is not None:
            if isinstance(value, int):
                raise _broken()
            _walk(value, inner, scan, depth - 1)
        elif kind == "tensor" and number in _TENSOR_EXTERNAL and value != 0:
            scan.external = True
        elif kind == "node" and number == _NODE_DOMAIN:
            if isinstance(value, int):
                raise _broken()
            scan.domains.add(bytes(value).decode(errors="replace"))


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Field numbers and values of one protobuf message; fixed-width values are only skipped."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire_type == _BYTES:
            length, at = _varint(message, at)
        elif wire_type in {_FIXED32, _FIXED64}:
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise _broken()
        if not number or at + length > end:
            raise _broken()
        if wire_type == _BYTES:
            yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise _broken()


def _broken() -> NotAModel:
    return NotAModel("the file is no ONNX network, or was cut off", remedy=_REMEDY)
