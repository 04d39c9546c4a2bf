"""T2 at one kind; `tests/property/test_envelope.py` does it to every byte of every kind."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import wire_messages as wire
from wire_protocol import cbor, cose, envelope
from wire_protocol.envelope import Header, KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import SigningKey
from wire_protocol.limits import (
    HEADER_MAX_BYTES,
    MESSAGE_MAX_BYTES,
    PAYLOAD_MAX_BYTES,
    PICTURE_MAX_BYTES,
    TIME_MAX_MS,
)
from wire_protocol.messages import ATTACHED
from wire_protocol.reasons import Reason
from wire_protocol.sealing import OVERHEAD_BYTES
from wire_protocol.topics import Down, Kind, Topic, Up

_KEY = wire.REGISTER_KEY
_KEYS = wire.lookup(_KEY)


def _reason(message: bytes, topic: Topic, keys: envelope.KeyLookup = _KEYS) -> Reason:
    with pytest.raises(RefusedMessage) as refused:
        envelope.verify(envelope.parse(message, topic), keys)
    return refused.value.reason


@pytest.mark.parametrize("kind", wire.KINDS)
def test_every_kind_comes_back_as_it_was_sent(kind: Kind) -> None:
    """Header, payload and attachments, and the digest that a receipt names."""
    example = wire.example(kind)
    verified = envelope.verify(envelope.parse(example.message, example.header.topic), example.keys)
    assert verified.payload == example.payload
    assert verified.attachments == example.attachments
    assert replace(verified.header, attached=()) == example.header
    assert verified.kind is kind
    assert verified.identity == wire.IDENTITY
    assert verified.kid == example.key.kid
    assert verified.message == example.message
    assert verified.sha256.hex() == hashlib.sha256(example.message).hexdigest()


def test_an_unverified_message_cannot_be_called_verified() -> None:
    """What stores things takes a `VerifiedMessage`, and only `verify` makes one."""
    example = wire.example(Up.STATUS)
    parsed = envelope.parse(example.message, example.header.topic)
    with pytest.raises(TypeError, match=r"only envelope\.verify"):
        envelope.VerifiedMessage(
            parsed.header, parsed.kid, example.payload, (), parsed.message, b"", object()
        )


class TestPlace:
    """T2: a message counts only where its signer may speak."""

    @pytest.mark.parametrize(
        "topic",
        [
            wire.on_topic(Up.WITHDRAWAL, register="till-08"),
            wire.on_topic(Up.WITHDRAWAL, tenant="gelateria-sud"),
            wire.on_topic(Up.CONSENT),
            wire.on_topic(Up.FRAME),
            wire.on_topic(Down.ERASE),
        ],
        ids=str,
    )
    def test_another_topic_is_refused(self, topic: Topic) -> None:
        """Another register's, another tenant's, another kind's, the other direction's."""
        assert _reason(wire.example(Up.WITHDRAWAL).message, topic) is Reason.IDENTITY_MISMATCH

    def test_what_was_signed_for_one_direction_does_not_verify_in_the_other(self) -> None:
        """A cloud's signature cannot be sent back as a register's, even where both had one key."""
        head, payload = wire.header(Up.STATUS), wire.PAYLOADS[Up.STATUS]
        protected = head.fields(_KEY.kid)
        for aad in (envelope.AAD_DOWN, b"", b"topscoop/2/up"):
            signed = cose.cose_sign(protected, cbor.encode(_map(payload)), _KEY, aad)
            assert _reason(cbor.encode([signed]), head.topic) is Reason.BAD_SIGNATURE


def _map(payload: object) -> cbor.Value:
    from wire_protocol.fields import to_value

    return to_value(payload)


class TestSignature:
    """T2: the right key, and the one algorithm that is fixed for it."""

    def test_an_unknown_key_is_refused(self) -> None:
        """Another kid, valid as its signature may be."""
        stranger = wire.example(Up.WITHDRAWAL, key=wire.ed25519_key("thief"))
        assert _reason(stranger.message, stranger.header.topic) is Reason.UNKNOWN_KEY

    def test_another_key_under_a_known_id_is_refused(self) -> None:
        """The id only says which key is looked up."""
        example = wire.example(Up.WITHDRAWAL)
        other = KeyRecord(wire.ed25519_key("thief").verification_key)
        assert _reason(example.message, example.header.topic, lambda _: other) is Reason.BAD_SIGNATURE

    def test_an_algorithm_swap_is_refused(self) -> None:
        """The key decides about the algorithm, never the message."""
        example = wire.example(Up.WITHDRAWAL)
        other = KeyRecord(wire.REGISTER_P256_KEY.verification_key)
        assert _reason(example.message, example.header.topic, lambda _: other) is Reason.WRONG_ALGORITHM

    @pytest.mark.parametrize(("at_ms", "passes"), [(99, False), (100, True), (200, True), (201, False)])
    def test_a_key_signs_in_its_time_only(self, at_ms: int, *, passes: bool) -> None:
        """By the message's own time; both ends belong to it."""
        head = replace(wire.header(Up.STATUS), at_ms=at_ms)
        example = wire.sign(head, wire.PAYLOADS[Up.STATUS], (), _KEY)
        record = KeyRecord(_KEY.verification_key, valid_from_ms=100, valid_until_ms=200)
        if passes:
            envelope.verify(envelope.parse(example.message, head.topic), lambda _: record)
        else:
            assert _reason(example.message, head.topic, lambda _: record) is Reason.KEY_EXPIRED

    def test_an_expired_key_tells_nothing_about_a_forged_message(self) -> None:
        """The signature comes first: nobody learns of a key's time without it."""
        example = wire.example(Up.STATUS)
        other = KeyRecord(wire.ed25519_key("thief").verification_key, valid_until_ms=1)
        assert _reason(example.message, example.header.topic, lambda _: other) is Reason.BAD_SIGNATURE

    def test_the_twin_of_an_ecdsa_signature_is_refused(self) -> None:
        """T3: else a message had two forms, and its receipt would name the wrong bytes."""
        example = wire.example(Up.WITHDRAWAL, key=wire.REGISTER_P256_KEY)
        parsed = cose.cose_parse(cbor.decode(example.message)[0])
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        s = order - int.from_bytes(parsed.signature[32:])
        twin = cose.TAG + cbor.encode(
            [parsed.protected_bytes, {}, parsed.payload, parsed.signature[:32] + s.to_bytes(32)]
        )
        assert _reason(cbor.encode([twin]), example.header.topic, example.keys) is Reason.BAD_SIGNATURE


class TestForm:
    """T2: one form, and every other is refused before a key is looked up."""

    @staticmethod
    def _forged(
        change: Callable[[dict[int | str, Any]], object], kind: Kind = Up.WITHDRAWAL, key: SigningKey = _KEY
    ) -> bytes:
        """A message whose header was changed, and then really signed."""
        protected = wire.header(kind).fields(key.kid)
        change(protected)
        payload = cbor.encode(_map(wire.PAYLOADS[kind]))
        return cbor.encode([cose.cose_sign(protected, payload, key, envelope.AAD_UP)])

    @pytest.mark.parametrize("label", [3, 4, "at", "attached", "id", "register", "seq", "tenant"])
    def test_no_field_of_the_header_can_be_missing(self, label: int | str) -> None:
        """Each label is there."""
        message = self._forged(lambda head: head.pop(label))
        assert _reason(message, wire.on_topic(Up.WITHDRAWAL)) is Reason.MALFORMED

    @pytest.mark.parametrize("label", [2, 5, 0, -1, "x", "", "kid", "alg"])
    def test_no_field_can_be_added_to_the_header(self, label: int | str) -> None:
        """`crit` (2) and all others: nothing is signed that is not understood."""
        message = self._forged(lambda head: head.update({label: []}))
        assert _reason(message, wire.on_topic(Up.WITHDRAWAL)) is Reason.MALFORMED

    @pytest.mark.parametrize(
        ("label", "value"),
        [
            (3, b"application/vnd.topscoop.withdrawal+cbor"),
            (3, "application/vnd.topscoop.unknown+cbor"),
            (3, "Application/vnd.topscoop.withdrawal+cbor"),
            (3, 0),
            (4, "text"),
            (4, b""),
            (4, _KEY.kid + b"\0"),
            ("at", -1),
            ("at", TIME_MAX_MS + 1),
            ("at", True),
            ("at", 1.0),
            ("at", "0"),
            ("at", None),
            ("attached", None),
            ("attached", {}),
            ("attached", [b"short"]),
            ("attached", ["x" * 32]),
            ("attached", [None]),
            ("id", b""),
            ("id", bytes(15)),
            ("id", bytes(17)),
            ("id", "x" * 16),
            ("register", ""),
            ("register", "UPPER"),
            ("register", "a/b"),
            ("register", "till-07\n"),
            ("register", b"till-07"),
            ("register", "r" * 32),
            ("tenant", "t" * 33),
            ("tenant", None),
            ("seq", -1),
            ("seq", 1 << 53),
            ("seq", False),
            ("seq", 1.0),
        ],
    )
    def test_each_field_of_the_header_has_its_type_and_bounds(self, label: int | str, value: Any) -> None:
        """Booleans are no integers, texts no bytes."""
        message = self._forged(lambda head: head.update({label: value}))
        reason = _reason(message, wire.on_topic(Up.WITHDRAWAL))
        fits_alone = (label, value) == ("register", "r" * 32)  # with this tenant it fits a common name
        assert reason is (Reason.IDENTITY_MISMATCH if fits_alone else Reason.MALFORMED)

    @pytest.mark.parametrize("version", [0, 2, True, 1.0, "1", None, [1], b"\1"], ids=repr)
    def test_another_version_is_told_so(self, version: Any) -> None:
        """Even where the rest of the header is new too: a register learns that it must be updated."""
        message = self._forged(lambda head: head.update({"v": version, "new": 1}))
        assert _reason(message, wire.on_topic(Up.WITHDRAWAL)) is Reason.UNSUPPORTED_VERSION
        message = self._forged(lambda head: head.pop("v"))
        assert _reason(message, wire.on_topic(Up.WITHDRAWAL)) is Reason.UNSUPPORTED_VERSION

    def test_a_filled_unprotected_header_is_refused(self) -> None:
        """It is not signed, so nothing may stand in it."""
        parts = cbor.decode(cbor.decode(wire.example(Up.WITHDRAWAL).message)[0][1:])
        for unprotected in ({4: _KEY.kid}, {"x": 0}, {1: -8}):
            parts[1] = unprotected
            message = cbor.encode([cose.TAG + cbor.encode(parts)])
            assert _reason(message, wire.on_topic(Up.WITHDRAWAL)) is Reason.MALFORMED

    def test_other_outer_forms_are_refused(self) -> None:
        """An array of byte strings, the envelope first."""
        message = wire.example(Up.WITHDRAWAL).message
        inner = cbor.decode(message)[0]
        for other in (
            b"",
            inner,
            cbor.encode(inner),
            cbor.encode([]),
            cbor.encode([inner.hex()]),
            cbor.encode([[inner]]),
            cbor.encode({0: inner}),
            cbor.encode([inner, None]),
            cbor.encode([inner, b""]),
            cbor.encode([b"", inner]),
            cbor.encode([inner[1:]]),
            cbor.encode([inner + b"\0"]),
            message + b"\0",
            b"\x9f" + message[1:] + b"\xff",
            b"\x98\x01" + message[1:],
            b"\xd8\x18" + message,
        ):
            assert _reason(other, wire.on_topic(Up.WITHDRAWAL)) is Reason.MALFORMED

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_a_frame_has_two_attachments(self, count: int) -> None:
        """Whether or not their digests are signed."""
        parts = [*cbor.decode(wire.example(Up.FRAME).message), b"one more"][: count + 1]
        assert _reason(cbor.encode(parts), wire.on_topic(Up.FRAME)) is Reason.MALFORMED

    def test_digests_without_attachments_are_refused(self) -> None:
        """And a kind that carries nothing signs no digests."""
        message = self._forged(lambda head: head.update({"attached": [bytes(32)]}))
        assert _reason(message, wire.on_topic(Up.WITHDRAWAL)) is Reason.MALFORMED

    @pytest.mark.parametrize(
        ("kind", "attached"),
        [(Up.FRAME, 0), (Up.FRAME, 1), (Up.FRAME, 3), (Up.CONSENT, 0), (Up.CONSENT, 2), (Up.STATUS, 1)],
    )
    def test_as_many_attachments_as_the_kind_has(self, kind: Up, attached: int) -> None:
        """However well their digests are signed."""
        parts = [b"attachment"] * attached
        head = replace(wire.header(kind), attached=(hashlib.sha256(b"attachment").digest(),) * attached)
        payload = cbor.encode(_map(wire.PAYLOADS[kind]))
        signed = cose.cose_sign(head.fields(_KEY.kid), payload, _KEY, envelope.AAD_UP)
        assert _reason(cbor.encode([signed, *parts]), head.topic) is Reason.MALFORMED

    def test_swapped_attachments_are_refused(self) -> None:
        """Their order is signed."""
        first, receipt, sealed = cbor.decode(wire.example(Up.FRAME).message)
        for parts in ([first, sealed, receipt], [first, receipt, receipt], [first, receipt, sealed + b"\0"]):
            assert _reason(cbor.encode(parts), wire.on_topic(Up.FRAME)) is Reason.DIGEST_MISMATCH


class TestSizes:
    """Sizes are checked before anything is decoded."""

    def test_the_largest_frame_fits(self) -> None:
        """A picture at its limit, sealed, with its receipt, fits the message."""
        sealed = bytes(PICTURE_MAX_BYTES + OVERHEAD_BYTES)
        assert len(wire.example(Up.FRAME, sealed=sealed).message) < MESSAGE_MAX_BYTES

    def test_a_message_over_the_limit_is_neither_made_nor_read(self) -> None:
        """Who made it is told at once."""
        with pytest.raises(ValueError, match="longer than"):
            wire.example(Up.FRAME, sealed=bytes(MESSAGE_MAX_BYTES))
        assert _reason(bytes(MESSAGE_MAX_BYTES + 1), wire.on_topic(Up.FRAME)) is Reason.TOO_LARGE
        assert _reason(bytes(MESSAGE_MAX_BYTES), wire.on_topic(Up.FRAME)) is Reason.MALFORMED

    def test_header_and_payload_have_limits_of_their_own(self) -> None:
        """A picture's room is not free for other things."""
        head = wire.header(Up.WITHDRAWAL)
        payload = b"\x59\x60\x01" + bytes(PAYLOAD_MAX_BYTES + 1)
        signed = cose.cose_sign(head.fields(_KEY.kid), payload, _KEY, envelope.AAD_UP)
        assert _reason(cbor.encode([signed]), head.topic) is Reason.TOO_LARGE
        fields = head.fields(_KEY.kid) | {"new": "x" * HEADER_MAX_BYTES}
        signed = cose.cose_sign(fields, b"\xa0", _KEY, envelope.AAD_UP)
        assert _reason(cbor.encode([signed]), head.topic) is Reason.TOO_LARGE


class TestPayload:
    """What is rightly signed may still be wrong."""

    @pytest.mark.parametrize(
        ("payload", "reason"),
        [
            (b"", Reason.MALFORMED),
            (b"\xa0\x00", Reason.MALFORMED),
            (b"\xa0", Reason.BAD_PAYLOAD),
            (b"\x80", Reason.BAD_PAYLOAD),
            (b"\xf6", Reason.BAD_PAYLOAD),
        ],
    )
    def test_no_map_or_a_map_without_fields_is_refused(self, payload: bytes, reason: Reason) -> None:
        """Each with its reason."""
        head = wire.header(Up.STATUS)
        signed = cose.cose_sign(head.fields(_KEY.kid), payload, _KEY, envelope.AAD_UP)
        assert _reason(cbor.encode([signed]), head.topic) is reason


class TestMake:
    """A sender learns of its own mistakes."""

    def test_payload_and_attachments_are_those_of_the_kind(self) -> None:
        """Nothing goes out that must be refused."""
        with pytest.raises(ValueError, match="another payload"):
            wire.sign(wire.header(Up.STATUS), wire.PAYLOADS[Up.REPORT], (), _KEY)
        for kind in wire.KINDS:
            attached = (b"",) * (len(ATTACHED.get(kind, ())) + 1)
            with pytest.raises(ValueError, match="attachments"):
                wire.sign(wire.header(kind), wire.PAYLOADS[kind], attached, _KEY)


def test_seal_info_binds_all_of_the_header_but_the_digests() -> None:
    """So the picture of one message opens in no other."""
    head = wire.header(Up.FRAME)
    info = envelope.seal_info(head, _KEY.kid)
    assert envelope.seal_info(replace(head, attached=(bytes(32),)), _KEY.kid) == info
    others: list[tuple[Header, bytes]] = [
        (replace(head, message_id=bytes(16)), _KEY.kid),
        (replace(head, sequence=0), _KEY.kid),
        (replace(head, at_ms=0), _KEY.kid),
        (replace(head, topic=wire.on_topic(Up.FRAME, register="till-08")), _KEY.kid),
        (replace(head, topic=wire.on_topic(Up.FRAME, tenant="gelateria-sud")), _KEY.kid),
        (head, bytes(16)),
    ]
    assert info not in {envelope.seal_info(other, kid) for other, kid in others}
    assert info.startswith(b"topscoop/1/seal\0")
