"""Every reason of the protocol, produced by the collector through a real broker: answered, counted, kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from cloud.database import schema
from tests.builders.collector_stack import CollectorStack, Register, now_ms, wait_for
from tests.builders.frame_sender import DAY_MS, Sender, Sent
from wire_protocol import cbor, consent, cose, envelope
from wire_protocol.envelope import Header
from wire_protocol.keys import Algorithm, SigningKey
from wire_protocol.limits import FRAME_MAX_AGE_MS, MESSAGE_MAX_BYTES
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Topic, Up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.mosquitto import Mosquitto

pytestmark = pytest.mark.service


@dataclass
class Scene:
    """A running collector, and one register of each kind."""

    stack: CollectorStack
    sender: Sender
    registers: dict[str, Register]

    def answered(self, *messages: Sent) -> None:
        """Send what comes before, and wait for its receipts."""
        register = self.registers[messages[0].topic.identity.register]
        register.send(*messages)
        register.answers(*messages)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, real_s3: CephS3) -> Iterator[Scene]:
    from contextlib import ExitStack

    from tests.builders.mosquitto import Mosquitto

    folder: Path = tmp_path_factory.mktemp("reasons")
    with ExitStack() as stack:
        broker: Mosquitto = stack.enter_context(Mosquitto(folder / "mosquitto"))
        cloud = stack.enter_context(CollectorStack(folder / "cloud", broker, real_s3, attempts=1))
        sender = Sender(now_ms=now_ms())
        others = {
            name: Sender(register=name, consent_key=sender.consent_key, now_ms=now_ms())
            for name in ("revoked", "stranger")
        }
        cloud.enrol(sender)
        cloud.enrol(others["revoked"], state="revoked")
        # Enrolled so long ago that what is too old is the frame, not the key.
        veteran = others["veteran"] = Sender(
            register="veteran", consent_key=sender.consent_key, now_ms=now_ms() - 60 * DAY_MS
        )
        cloud.enrol(veteran)
        cloud.start()
        registers = {}
        for one in (sender, *others.values()):
            register = Register(one, broker.port, cloud.receipts_key(sender.tenant))
            registers[one.register] = stack.enter_context(register)
        yield Scene(cloud, sender, registers)


def _envelope(
    sender: Sender, sent: Sent, payload: Any, *, key: SigningKey | None = None, **labels: Any
) -> Sent:
    """A frame whose envelope says something else, signed all the same."""
    parts = cbor.decode(sent.payload)
    head = Header(sent.topic, sent.message_id, 7, sender.now_ms)
    digests = tuple(cose.cose_parse(parts[0]).protected["attached"])
    fields = replace(head, attached=digests).fields((key or sender.key).kid) | labels
    signed = cose.cose_sign(fields, cbor.encode(payload), key or sender.key, envelope.AAD_UP)
    return replace(sent, payload=cbor.encode([signed, *parts[1:]]))


def _payload(sent: Sent) -> Any:
    return cbor.decode(cose.cose_parse(cbor.decode(sent.payload)[0]).payload)


def too_large(scene: Scene) -> Sent:
    sent = scene.sender.frame()
    return replace(sent, payload=sent.payload + bytes(MESSAGE_MAX_BYTES))


def malformed(scene: Scene) -> Sent:
    sent = scene.sender.frame()
    return replace(sent, payload=sent.payload + b"\0")


def bad_topic(scene: Scene) -> Sent:
    return scene.sender.frame()


def unsupported_version(scene: Scene) -> Sent:
    sent = scene.sender.frame()
    return _envelope(scene.sender, sent, _payload(sent), v=2)


def identity_mismatch(scene: Scene) -> Sent:
    other = replace(scene.sender, register="till-9")
    return replace(other.frame(), topic=Topic(scene.sender.identity, Up.FRAME))


def unknown_register(scene: Scene) -> Sent:
    return scene.registers["stranger"].sender.frame()


def revoked(scene: Scene) -> Sent:
    return scene.registers["revoked"].sender.frame()


def unknown_key(scene: Scene) -> Sent:
    return scene.sender.frame(key=SigningKey.generate())


def key_expired(scene: Scene) -> Sent:
    return replace(scene.sender, now_ms=scene.sender.now_ms - 5 * DAY_MS).frame()


def wrong_algorithm(scene: Scene) -> Sent:
    sent = scene.sender.frame()
    other = SigningKey.generate(Algorithm.ES256)
    message = _envelope(scene.sender, sent, _payload(sent), key=other)
    # Signed with another algorithm under the kid of the register's own key.
    parts = cbor.decode(message.payload)
    sign1 = cose.cose_parse(parts[0])
    fields = {**sign1.protected, cose.HEADER_KEY_ID: scene.sender.key.kid}
    signed = cose.cose_sign(fields, sign1.payload, other, envelope.AAD_UP)
    return replace(sent, payload=cbor.encode([signed, *parts[1:]]))


def bad_signature(scene: Scene) -> Sent:
    sent = scene.sender.frame()
    parts = cbor.decode(sent.payload)
    flipped = parts[0][:-1] + bytes([parts[0][-1] ^ 1])
    return replace(sent, payload=cbor.encode([flipped, *parts[1:]]))


def digest_mismatch(scene: Scene) -> Sent:
    sent = scene.sender.frame()
    parts = cbor.decode(sent.payload)
    return replace(sent, payload=cbor.encode([*parts[:2], b"another picture"]))


def bad_payload(scene: Scene) -> Sent:
    sent = scene.sender.frame()
    return _envelope(scene.sender, sent, {**_payload(sent), "width": 0})


def too_old(scene: Scene) -> Sent:
    veteran = scene.registers["veteran"].sender
    veteran.now_ms = now_ms() - FRAME_MAX_AGE_MS - 60_000
    return veteran.frame()


def conflict(scene: Scene) -> Sent:
    first = scene.sender.frame()
    scene.answered(first)
    return scene.sender.frame(message_id=first.message_id)


def consent_forged(scene: Scene) -> Sent:
    sender, blank, interaction = scene.sender, scene.sender.blank(), scene.sender.interaction()
    receipt = sender.receipt(blank, interaction, blank_key=SigningKey.generate())
    return sender.frame(blank=blank, interaction=interaction, receipt=receipt)


def consent_foreign(scene: Scene) -> Sent:
    return scene.sender.frame(blank=scene.sender.blank(tenant="zeta"))


def consent_expired(scene: Scene) -> Sent:
    sender, blank, interaction = scene.sender, scene.sender.blank(), scene.sender.interaction()
    times = {"granted_at": sender.now_ms - 2000, "expires_at": sender.now_ms - 1000}
    receipt = sender.receipt(blank, interaction, **times)
    return sender.frame(blank=blank, interaction=interaction, receipt=receipt)


def consent_withdrawn(scene: Scene) -> Sent:
    blank = scene.sender.blank()
    before = replace(scene.sender, now_ms=scene.sender.now_ms - 60_000)
    scene.answered(before.withdrawal(blank.blank))
    return scene.sender.frame(blank=blank)


def consent_purpose(scene: Scene) -> Sent:
    sender, blank, interaction = scene.sender, scene.sender.blank(), scene.sender.interaction()
    receipt = sender.receipt(blank, interaction, purposes=(consent.Purpose.EVALUATION,))
    return sender.frame(blank=blank, interaction=interaction, receipt=receipt)


def blank_reused(scene: Scene) -> Sent:
    blank = scene.sender.blank()
    scene.answered(scene.sender.frame(blank=blank))
    return scene.sender.frame(blank=blank)


def blank_stale(scene: Scene) -> Sent:
    return scene.sender.frame(blank=scene.sender.blank(usable_until=scene.sender.now_ms - 1))


def poison(scene: Scene) -> Sent:
    """A message whose row breaks the database's own rule: nothing that a well-behaved register sends."""
    sent = scene.sender.outcome()
    with scene.stack.database.tenant(scene.sender.tenant) as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER break_{sent.message_id.hex()} BEFORE INSERT ON outcomes WHEN NEW.outcome = "
            f"x'{sent.message_id.hex()}' BEGIN SELECT RAISE(ABORT, 'poison'); END"
        )
    return sent


CASES: dict[Reason, Callable[[Scene], Sent]] = {
    Reason.TOO_LARGE: too_large,
    Reason.MALFORMED: malformed,
    Reason.BAD_TOPIC: bad_topic,
    Reason.UNSUPPORTED_VERSION: unsupported_version,
    Reason.IDENTITY_MISMATCH: identity_mismatch,
    Reason.UNKNOWN_REGISTER: unknown_register,
    Reason.REVOKED: revoked,
    Reason.UNKNOWN_KEY: unknown_key,
    Reason.KEY_EXPIRED: key_expired,
    Reason.WRONG_ALGORITHM: wrong_algorithm,
    Reason.BAD_SIGNATURE: bad_signature,
    Reason.DIGEST_MISMATCH: digest_mismatch,
    Reason.BAD_PAYLOAD: bad_payload,
    Reason.TOO_OLD: too_old,
    Reason.CONFLICT: conflict,
    Reason.CONSENT_FORGED: consent_forged,
    Reason.CONSENT_FOREIGN: consent_foreign,
    Reason.CONSENT_EXPIRED: consent_expired,
    Reason.CONSENT_WITHDRAWN: consent_withdrawn,
    Reason.CONSENT_PURPOSE: consent_purpose,
    Reason.BLANK_REUSED: blank_reused,
    Reason.BLANK_STALE: blank_stale,
    Reason.POISON: poison,
}


def test_every_reason_has_a_case() -> None:
    """A new reason needs a case here, or a word on who else produces it."""
    assert {*CASES} == {*Reason}


@pytest.mark.parametrize("reason", CASES, ids=str)
def test_a_refusal_is_answered_counted_and_keeps_nothing(scene: Scene, reason: Reason) -> None:
    """Signed answer with the reason, counter, row of the day; no byte reaches S3 (T2, T5).

    Poison is answered too, and the others flow (T19); what a revoked register sends is refused (T1).
    """
    sent = CASES[reason](scene)
    identity = sent.topic.identity
    register = scene.registers[identity.register]
    before = scene.stack.metrics()[_series(reason)]
    versions = set(scene.stack.versions(identity.tenant))
    if reason is Reason.BAD_TOPIC:
        register.publish_raw("topscoop/v1/Acme/till-1/up/frame", sent.payload)
        wait_for(lambda: scene.stack.metrics()[_series(reason)] == before + 1, "it is counted")
        assert sent.message_id not in register.receipts
    else:
        register.send(sent)
        (receipt,) = register.answers(sent)
        assert (receipt.verdict, receipt.reason, receipt.sha256) == (Verdict.REFUSED, reason, sent.sha256)
        assert scene.stack.metrics()[_series(reason)] == before + 1
        wait_for(lambda: reason in _refusals(scene, identity.register), "its row of the day is written")
    assert set(scene.stack.versions(identity.tenant)) == versions
    rows = {row.message_id: row for row in scene.stack.rows(schema.messages, identity.tenant)}
    if reason is Reason.CONFLICT:
        assert rows[sent.message_id].state == "stored"
    elif sent.message_id in rows:
        assert (rows[sent.message_id].state, rows[sent.message_id].reason) == ("refused", reason)
    told = [event for event in scene.stack.events() if event["event"] == "message.refused"]
    assert any(event["reason"] == reason for event in told)
    # The others flow.
    scene.answered(scene.sender.frame())


def test_a_refused_consent_is_audited(scene: Scene) -> None:
    """Once a day for each register and reason (T5)."""
    sent = consent_purpose(scene)
    scene.answered(sent)
    wait_for(lambda: Reason.CONSENT_PURPOSE in _refusals(scene, scene.sender.register), "it is counted")
    entries = scene.stack.rows(schema.audit, scene.sender.tenant)
    assert ("consent.refused", "consent-purpose") in {(one.action, one.subject) for one in entries}


def test_poison_is_set_aside_for_a_person(scene: Scene) -> None:
    """The quarantine has the bytes and the error (T19)."""
    sent = poison(scene)
    scene.answered(sent)
    (row,) = [
        row
        for row in scene.stack.rows(schema.quarantine, scene.sender.tenant)
        if row.message_id == sent.message_id
    ]
    assert row.message == sent.payload
    assert "poison" in row.error


def _series(reason: Reason) -> str:
    return f'topscoop_collector_refused_total{{reason="{reason}"}}'


def _refusals(scene: Scene, register: str) -> set[str]:
    rows = scene.stack.rows(schema.refusals, scene.sender.tenant)
    return {row.reason for row in rows if row.register == register}
