"""A register as the collector sees one: its keys, blanks and consents, and messages, right or wrong."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cloud.collector.values import Delivery, RegisterRecord, TenantRecord
from tests.builders.wire_messages import PAYLOADS, PICTURE_PUBLIC
from wire_protocol import consent, envelope
from wire_protocol.envelope import Header, KeyRecord
from wire_protocol.identifiers import uuid7
from wire_protocol.keys import SigningKey
from wire_protocol.messages import (
    ConsentUp,
    FrameUp,
    InteractionUp,
    OutcomeUp,
    Payload,
    WithdrawalUp,
)
from wire_protocol.topics import Identity, Topic, Up

if TYPE_CHECKING:
    from wire_protocol.topics import Kind

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Sent:
    """A message as it goes to the broker."""

    topic: Topic
    payload: bytes
    message_id: bytes
    consent: bytes = b""
    interaction: bytes = b""

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.payload).digest()

    def delivery(self, ticket: Any = None) -> Delivery:
        """As it comes out of the broker."""
        return Delivery(str(self.topic), self.payload, ticket)


@dataclass
class Sender:
    """One register; `now_ms` is its clock."""

    tenant: str = "acme"
    register: str = "till-1"
    now_ms: int = 1_790_000_000_000
    key: SigningKey = field(default_factory=SigningKey.generate)
    consent_key: SigningKey = field(default_factory=SigningKey.generate)
    sequence: int = 0

    @property
    def identity(self) -> Identity:
        return Identity(self.tenant, self.register)

    def register_record(self, *, revoked: bool = False) -> RegisterRecord:
        keys = {self.key.kid: KeyRecord(self.key.verification_key, self.now_ms - DAY_MS)}
        return RegisterRecord(self.identity, "harbour", revoked, keys)

    def tenant_record(self, **changes: Any) -> TenantRecord:
        keys = {self.consent_key.kid: KeyRecord(self.consent_key.verification_key)}
        return replace(TenantRecord(self.tenant, 1000, 10**9, 10**6, 365, keys), **changes)

    # ---- parts ----

    def blank(self, **changes: Any) -> consent.Blank:
        plain = consent.Blank(
            blank=os.urandom(16),
            tenant=self.tenant,
            register=self.register,
            public_key=PICTURE_PUBLIC,
            issued_at=self.now_ms - DAY_MS,
            usable_until=self.now_ms + 90 * DAY_MS,
        )
        return replace(plain, **changes)

    def interaction(self) -> bytes:
        return uuid7(self.now_ms, os.urandom(10)).bytes

    def receipt(
        self,
        blank: consent.Blank,
        interaction: bytes,
        *,
        key: SigningKey | None = None,
        blank_key: SigningKey | None = None,
        **changes: Any,
    ) -> bytes:
        """A consent receipt, filled now."""
        filled = consent.Consent(
            blank=consent.make_blank(blank, blank_key or self.consent_key),
            interaction=interaction,
            purposes=(consent.Purpose.TRAINING,),
            notice=bytes(32),
            language="en",
            method=consent.Method.TOUCH,
            granted_at=self.now_ms,
            expires_at=self.now_ms + 365 * DAY_MS,
            withdrawal=bytes(32),
        )
        return consent.make_receipt(replace(filled, **changes), key or self.key)

    def send(
        self,
        kind: Kind,
        payload: Payload,
        attachments: tuple[bytes, ...] = (),
        *,
        message_id: bytes | None = None,
        key: SigningKey | None = None,
    ) -> Sent:
        self.sequence += 1
        topic = Topic(self.identity, kind)
        header = Header(topic, message_id or os.urandom(16), self.sequence, self.now_ms)
        message = envelope.make(header, payload, attachments, key or self.key)
        return Sent(topic, message, header.message_id)

    # ---- whole messages ----

    def frame(
        self,
        *,
        blank: consent.Blank | None = None,
        interaction: bytes | None = None,
        receipt: bytes | None = None,
        sealed: bytes | None = None,
        captured_at: int | None = None,
        **how: Any,
    ) -> Sent:
        """A frame with its consent; `sealed` is anything, the collector cannot look inside."""
        blank = blank or self.blank()
        interaction = interaction or self.interaction()
        receipt = receipt or self.receipt(blank, interaction)
        payload = FrameUp(
            interaction=interaction,
            consent=blank.blank,
            captured_at=self.now_ms if captured_at is None else captured_at,
            width=640,
            height=480,
            picture_bytes=1000,
        )
        sent = self.send(Up.FRAME, payload, (receipt, sealed or os.urandom(300)), **how)
        return replace(sent, consent=blank.blank, interaction=interaction)

    def consent(
        self, blank: consent.Blank | None = None, interaction: bytes | None = None, **changes: Any
    ) -> Sent:
        blank = blank or self.blank()
        interaction = interaction or self.interaction()
        receipt = self.receipt(blank, interaction, **changes)
        sent = self.send(Up.CONSENT, ConsentUp(blank.blank, interaction), (receipt,))
        return replace(sent, consent=blank.blank, interaction=interaction)

    def withdrawal(self, consent_id: bytes, **how: Any) -> Sent:
        sent = self.send(Up.WITHDRAWAL, WithdrawalUp(consent_id, self.now_ms), **how)
        return replace(sent, consent=consent_id)

    def interaction_record(self, interaction: bytes | None = None) -> Sent:
        plain = PAYLOADS[Up.INTERACTION]
        assert isinstance(plain, InteractionUp)
        interaction = interaction or self.interaction()
        payload = replace(plain, interaction=interaction, shown_at=self.now_ms)
        return self.send(Up.INTERACTION, payload, message_id=interaction)

    def outcome(self, outcome: bytes | None = None) -> Sent:
        plain = PAYLOADS[Up.OUTCOME]
        assert isinstance(plain, OutcomeUp)
        outcome = outcome or os.urandom(16)
        payload = replace(plain, outcome=outcome, sold_at=self.now_ms)
        return self.send(Up.OUTCOME, payload, message_id=outcome)
