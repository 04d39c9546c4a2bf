import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import jsonschema
import pytest

from tests.builders import wire_messages as wire
from wire_protocol import cbor, fields
from wire_protocol.consent import Blank, Consent
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import Many, Name, Number, Octets, Text, Uint
from wire_protocol.messages import PAYLOADS
from wire_protocol.reasons import Reason


class _Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class _Inner:
    count: Annotated[int, Uint(9, 1)]


@dataclass(frozen=True, slots=True)
class _Outer:
    name: Name
    inner: _Inner
    many: Annotated[tuple[_Inner, ...], Many(2, 1)]
    colours: Annotated[tuple[_Colour, ...], Many(1)]
    colour: _Colour
    yes: bool
    number: Annotated[float, Number(-1, 1)]
    octets: Annotated[bytes, Octets(2, 1)]
    text: Annotated[str, Text(3)] | None = None
    numbers: Annotated[tuple[Annotated[float, Number(0, 1)], ...], Many(2)] | None = None

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise ValueError("a rule over several fields")


_VALUE: dict[int | str, Any] = {
    "name": "a-1",
    "inner": {"count": 1},
    "many": [{"count": 9}],
    "colours": ["red"],
    "colour": "red",
    "yes": False,
    "number": 0.5,
    "octets": b"\0",
}


def test_a_value_becomes_a_payload_and_a_value_again() -> None:
    """Nested, repeated, chosen and left out."""
    payload = fields.from_value(_Outer, _VALUE, "outer")
    assert payload == _Outer(
        "a-1", _Inner(1), (_Inner(9),), (_Colour.RED,), _Colour.RED, yes=False, number=0.5, octets=b"\0"
    )
    assert type(payload.colour) is _Colour
    assert fields.to_value(payload) == _VALUE
    full = {**_VALUE, "text": "", "numbers": [0, 1.0]}
    assert fields.to_value(fields.from_value(_Outer, full, "outer")) == full


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "forbidden"),
        ("name", ""),
        ("name", "A"),
        ("name", "a\n"),
        ("name", "a" * 33),
        ("name", b"a"),
        ("inner", {}),
        ("inner", {"count": 1, "more": 1}),
        ("inner", []),
        ("inner", None),
        ("inner", {"count": True}),
        ("inner", {"count": 1.0}),
        ("inner", {"count": 0}),
        ("inner", {"count": 10}),
        ("many", []),
        ("many", [{"count": 1}] * 3),
        ("many", {"0": {"count": 1}}),
        ("many", [1]),
        ("colours", ["blue"]),
        ("colour", "RED"),
        ("colour", 0),
        ("colour", ["red"]),
        ("yes", 0),
        ("yes", 1),
        ("yes", None),
        ("number", True),
        ("number", 1.0000001),
        ("number", 2),
        ("number", -(1 << 63)),
        ("number", "0"),
        ("octets", b""),
        ("octets", b"123"),
        ("octets", "1"),
        ("text", "1234"),
        ("text", None),
        ("text", "\x7f"),
        ("text", "\u2028"),
        ("text", "\u00a0"),
        ("numbers", None),
        ("numbers", 0.5),
        ("numbers", [None]),
        ("numbers", [0.5, False]),
        ("numbers", [0.5] * 3),
        ("unknown", 0),
        (1, 0),
    ],
)
def test_what_a_bound_forbids_is_a_bad_payload(field: int | str, value: Any) -> None:
    """T2: signed or not; the answer names the field."""
    with pytest.raises(RefusedMessage, match="outer") as refused:
        fields.from_value(_Outer, {**_VALUE, field: value}, "outer")
    assert refused.value.reason is Reason.BAD_PAYLOAD


@pytest.mark.parametrize("name", _VALUE)
def test_a_field_cannot_be_missing(name: str) -> None:
    """Unless it is optional."""
    with pytest.raises(RefusedMessage, match=str(name)) as refused:
        fields.from_value(_Outer, {key: value for key, value in _VALUE.items() if key != name}, "outer")
    assert refused.value.reason is Reason.BAD_PAYLOAD


def test_a_payload_that_is_no_cbor_is_malformed() -> None:
    """Another reason than a wrong field."""
    with pytest.raises(RefusedMessage) as refused:
        fields.decode_payload(_Outer, b"\xff")
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_cannot_be_sent(value: float) -> None:
    """It would be refused as malformed."""
    with pytest.raises(TypeError):
        fields.encode_payload(
            _Outer("a", _Inner(1), (_Inner(1),), (), _Colour.RED, yes=True, number=value, octets=b"\0")
        )


class TestSchema:
    """The JSON Schema says what the decoder does."""

    @staticmethod
    def _json(value: Any) -> Any:
        match value:
            case bytes():
                return "x" * len(value)  # lengths are in bytes
            case list():
                return [TestSchema._json(inner) for inner in value]
            case dict():
                return {key: TestSchema._json(inner) for key, inner in value.items()}
        return value

    @pytest.mark.parametrize("kind", [*PAYLOADS.values(), Blank, Consent], ids=lambda kind: kind.__name__)
    def test_every_example_fits_its_schema(self, kind: type[Any]) -> None:
        """And the schema is one; a field more or less does not fit."""
        schema = fields.json_schema(kind)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        examples = [*wire.PAYLOADS.values(), wire.BLANK, wire.CONSENT]
        value = self._json(fields.to_value(next(each for each in examples if type(each) is kind)))
        validator.validate(value)
        assert not validator.is_valid({**value, "unknown": 0})
        for name in schema["required"]:
            assert not validator.is_valid({key: inner for key, inner in value.items() if key != name})

    def test_names_are_anchored_as_ecma_262_wants_it(self) -> None:
        """JSON Schema searches; Python's end of text means nothing to it."""
        pattern = fields.json_schema(Blank)["properties"]["tenant"]["pattern"]
        assert "\\Z" not in pattern
        for name, fits in [("till-07", True), ("Till", False), ("a b", False), ("-a", False), ("", False)]:
            assert (re.search(pattern, name) is not None) is fits


def test_the_example_is_deterministic() -> None:
    """Equal payloads, equal bytes."""
    payload = fields.from_value(_Outer, dict(reversed(_VALUE.items())), "outer")
    assert fields.encode_payload(payload) == cbor.encode(_VALUE)
