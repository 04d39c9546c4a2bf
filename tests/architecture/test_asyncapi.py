"""docs/asyncapi.yaml says what the code does: it is made from it."""

from dataclasses import fields as dataclass_fields

import yaml

from tests.builders import wire_messages as wire
from tests.builders.asyncapi import FILE, RENEW, document, text
from tests.builders.asyncapi_meanings import MEANINGS
from wire_protocol import limits
from wire_protocol.messages import ATTACHED, PAYLOADS
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Topic, Up, register_may_publish, register_may_subscribe


def test_the_file_is_what_the_code_says() -> None:
    """Topics, kinds, payloads, headers, limits, reasons."""
    assert FILE.read_text("utf-8") == text(), f"docs/asyncapi.yaml is out of date: {RENEW}"
    assert yaml.safe_load(FILE.read_text("utf-8")) == document()


def test_every_topic_of_a_register_is_a_channel() -> None:
    """And no other is."""
    addresses = {
        channel["address"].format(tenant=wire.TENANT, register=wire.REGISTER): operation["action"]
        for channel, operation in zip(
            document()["channels"].values(), document()["operations"].values(), strict=True
        )
    }
    assert {topic for topic, action in addresses.items() if action == "send"} == {
        *register_may_publish(wire.IDENTITY)
    }
    assert {topic for topic, action in addresses.items() if action == "receive"} == {
        *register_may_subscribe(wire.IDENTITY)
    }


def test_every_message_says_what_follows_it_and_who_signs_it() -> None:
    """For each kind, as the code attaches and signs."""
    messages = document()["components"]["messages"]
    for kind in (*Up, *Down):
        message = messages[f"{'up' if isinstance(kind, Up) else 'down'}-{kind}"]
        assert message["x-attachments"] == list(ATTACHED.get(kind, ()))
        assert message["x-external-aad"] == f"topscoop/1/{'up' if isinstance(kind, Up) else 'down'}"
        assert message["headers"]["properties"]["3"] == {"const": f"application/vnd.topscoop.{kind}+cbor"}
        assert message["x-signed-by"]
        assert Topic(wire.IDENTITY, kind)


def test_every_field_has_a_meaning() -> None:
    """And no meaning is left of a field that is gone."""
    for kind, meanings in MEANINGS.items():
        assert list(meanings) == [field.name for field in dataclass_fields(kind)], kind.__name__
    assert set(PAYLOADS.values()) <= set(MEANINGS)


def test_limits_and_reasons_stand_there() -> None:
    """All of them, by name."""
    assert document()["x-limits"]["MESSAGE_MAX_BYTES"] == limits.MESSAGE_MAX_BYTES
    assert document()["components"]["schemas"]["Reason"]["enum"] == [reason.value for reason in Reason]
