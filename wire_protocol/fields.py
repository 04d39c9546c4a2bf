"""Payloads as frozen dataclasses: bounds stand beside each field, encoding and checking follow from them.

A field is `Annotated[type, bound]`; `| None` makes it optional (left out of the map when None). The same
bounds give the JSON Schema that `docs/asyncapi.yaml` shows.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from wire_protocol import cbor
from wire_protocol.cbor import Value
from wire_protocol.errors import RefusedMessage
from wire_protocol.identifiers import NAME_PATTERN
from wire_protocol.limits import COUNT_MAX, TIME_MAX_MS
from wire_protocol.reasons import Reason

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Uint:
    """An integer from `low` to `high`."""

    high: int = COUNT_MAX
    low: int = 0

    def fits(self, value: Value) -> bool:
        """Whether `value` is one."""
        return type(value) is int and self.low <= value <= self.high

    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number; an integer where it is whole or not, as CBOR's shortest form does not tell."""

    low: float
    high: float

    def fits(self, value: Value) -> bool:
        """Whether `value` is one."""
        return type(value) in (int, float) and self.low <= value <= self.high

    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Text:
    """A text string of printable characters."""

    longest: int
    pattern: re.Pattern[str] | None = None

    def fits(self, value: Value) -> bool:
        """Whether `value` is one."""
        return (
            isinstance(value, str)
            and len(value) <= self.longest
            and value.isprintable()
            and (self.pattern is None or self.pattern.fullmatch(value) is not None)
        )

    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        shape: dict[str, Any] = {"type": "string", "maxLength": self.longest}
        if self.pattern is None:
            return shape
        # JSON Schema searches, in the dialect of ECMA-262, which has no \Z.
        return {**shape, "pattern": f"^{self.pattern.pattern.removesuffix(_END)}$"}


@dataclass(frozen=True, slots=True)
class Octets:
    """A byte string."""

    longest: int
    shortest: int

    def fits(self, value: Value) -> bool:
        """Whether `value` is one."""
        return isinstance(value, bytes) and self.shortest <= len(value) <= self.longest

    def schema(self) -> dict[str, Any]:
        """As JSON Schema, with lengths in bytes."""
        return {"type": "string", "format": "binary", "minLength": self.shortest, "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Many:
    """So many of a tuple's elements at most."""

    longest: int
    shortest: int = 0


Bound = Uint | Number | Text | Octets
_END: Final = r"\Z"
_YES_OR_NO: Final[dict[str, Any]] = {"type": "boolean"}

# The bounds that many fields share.
Id16 = Annotated[bytes, Octets(16, 16)]
Digest32 = Annotated[bytes, Octets(32, 32)]
TimeMs = Annotated[int, Uint(TIME_MAX_MS)]
Count = Annotated[int, Uint()]
Name = Annotated[str, Text(32, NAME_PATTERN)]
Probability = Annotated[float, Number(0, 1)]
Milliseconds = Annotated[float, Number(0, 86_400_000)]
Version = Annotated[str, Text(64)]
Sha256Hex = Annotated[str, Text(64, re.compile(r"[0-9a-f]{64}\Z"))]
"""As files of models are named by: plain hex, no `sha256:` before it."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a field's annotation says."""

    of: type[Any]
    bound: Bound | None
    many: Many | None
    optional: bool

    def decode(self, value: Value, where: str) -> Any:
        if self.many is None:
            return self._one(value, where)
        if not isinstance(value, list) or not self.many.shortest <= len(value) <= self.many.longest:
            raise _bad(where, f"an array of {self.many.shortest} to {self.many.longest}")
        return tuple(self._one(inner, f"{where}[{index}]") for index, inner in enumerate(value))

    def _one(self, value: Value, where: str) -> Any:
        if self.bound is not None:
            if self.bound.fits(value):
                return value
            raise _bad(where, str(self.bound.schema()))
        if self.of is bool and isinstance(value, bool):
            return value
        if issubclass(self.of, StrEnum) and isinstance(value, str) and value in {*self.of}:
            return self.of(value)
        if is_dataclass(self.of) and isinstance(value, dict):
            return from_value(self.of, value, where)
        raise _bad(where, self.of.__name__)

    def schema(self) -> dict[str, Any]:
        one = self._one_schema()
        if self.many is None:
            return one
        return {"type": "array", "minItems": self.many.shortest, "maxItems": self.many.longest, "items": one}

    def _one_schema(self) -> dict[str, Any]:
        if self.bound is not None:
            return self.bound.schema()
        if self.of is bool:
            return _YES_OR_NO
        if issubclass(self.of, StrEnum):
            return {"type": "string", "enum": [member.value for member in self.of]}
        return json_schema(self.of)


def encode_payload(payload: object) -> bytes:
    """The CBOR map of a payload's dataclass."""
    return cbor.encode(to_value(payload))


def decode_payload(kind: type[T], data: bytes) -> T:
    """The payload that `data` encodes.

    Raises:
        RefusedMessage: `malformed`, or `bad-payload` with the field's name.
    """
    return from_value(kind, cbor.decode(data), kind.__name__)


def to_value(payload: object) -> Value:
    """A payload as CBOR's types: maps without what is None."""
    match payload:
        case StrEnum():
            return payload.value
        case tuple():
            return [to_value(inner) for inner in payload]
        case _ if is_dataclass(payload):
            pairs = ((field.name, getattr(payload, field.name)) for field in fields(payload))
            return {name: to_value(value) for name, value in pairs if value is not None}
    return payload


def from_value(kind: type[T], value: Value, where: str) -> T:
    """As `decode_payload`, for what was decoded already."""
    if not isinstance(value, dict):
        raise _bad(where, "a map")
    shapes = _shapes(kind)
    if unknown := set(map(str, value)) - set(shapes):
        raise _bad(where, f"no field {min(unknown)[:40]!r}")
    found = {}
    for name, shape in shapes.items():
        if name in value:
            found[name] = shape.decode(value[name], f"{where}.{name}")
        elif not shape.optional:
            raise _bad(f"{where}.{name}", "present")
    try:
        return kind(**found)
    except ValueError as error:  # a rule over several fields, in __post_init__
        raise RefusedMessage(Reason.BAD_PAYLOAD, f"{where}: {error}") from error


def json_schema(kind: type[Any]) -> dict[str, Any]:
    """A payload's JSON Schema (draft 2020-12); byte strings are `format: binary`."""
    shapes = _shapes(kind)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, shape in shapes.items() if not shape.optional],
        "properties": {name: shape.schema() for name, shape in shapes.items()},
    }


def _shapes(kind: type[Any]) -> Mapping[str, _Shape]:
    if kind not in _CACHE:
        _CACHE[kind] = _read_shapes(kind)
    return _CACHE[kind]


_CACHE: Final[dict[type[Any], Mapping[str, _Shape]]] = {}


def _read_shapes(kind: type[Any]) -> Mapping[str, _Shape]:
    hints = get_type_hints(kind, include_extras=True)
    return {
        field.name: _shape(hints[field.name], optional=field.default is not MISSING) for field in fields(kind)
    }


def _shape(hint: Any, *, optional: bool) -> _Shape:
    of, bound, many = hint, None, None
    for _ in range(4):  # Annotated, union with None, tuple, Annotated inside
        origin, arguments = get_origin(of), get_args(of)
        if origin is Annotated:
            of = arguments[0]
            for extra in arguments[1:]:
                many = extra if isinstance(extra, Many) else many
                bound = bound if isinstance(extra, Many) else extra
        elif origin in (Union, UnionType):
            of = next(part for part in arguments if part is not type(None))
        elif origin is tuple:
            of = arguments[0]
    assert isinstance(of, type), f"a field of {hint!r} cannot go over the wire"
    return _Shape(of, bound, many, optional)


def _bad(where: str, expected: str) -> RefusedMessage:
    return RefusedMessage(Reason.BAD_PAYLOAD, f"{where}: expected {expected}")
