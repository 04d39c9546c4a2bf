"""One register with frames in the cloud, and everything that keeps or ends them; SQLite and memory."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from cloud.collector.acceptance import object_key
from cloud.collector.values import Delivery
from cloud.database.schema import audit, consents, frames, register_keys, registers
from cloud.database.tenancy import ServiceKey, add_service_key
from cloud.objects.memory_store import MemoryStore
from cloud.operations.frames import StoredFrame, find_frame
from cloud.privacy.downlink import Downlink
from cloud.privacy.erasure import Eraser
from cloud.privacy.keeper import Keeper, Stock
from cloud.privacy.memory_key_vault import MemoryKeyVault
from cloud.privacy.opening import Opener
from cloud.privacy.records import Records
from tests.builders.cloud_database import add_tenants, sqlite_database
from tests.builders.wire_messages import (
    CONSENT_KEY,
    IDENTITY,
    NOW_MS,
    PICTURE,
    REGISTER,
    REGISTER_KEY,
    TENANT,
    lookup,
)
from wire_protocol import envelope
from wire_protocol.consent import Blank, Consent, Method, Purpose, make_blank, make_receipt
from wire_protocol.envelope import Header, seal_info
from wire_protocol.identifiers import uuid7
from wire_protocol.messages import FrameUp, Payload, ReportUp
from wire_protocol.sealing import seal
from wire_protocol.topics import Topic, Up

if TYPE_CHECKING:
    from pathlib import Path

    from cloud.database.engine import Database
    from cloud.objects.ports import ObjectStore
    from cloud.privacy.ports import KeyVault

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS


class Time:
    """A clock that a test sets."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class SentDown:
    """A link whose messages a test reads."""

    sent: list[tuple[Topic, bytes]] = field(default_factory=list)

    async def next(self) -> Delivery:
        raise AssertionError("who sends down takes nothing in")

    def publish(self, topic: Topic, message: bytes) -> None:
        self.sent.append((topic, message))

    def acknowledge(self, delivery: Delivery) -> None:
        raise AssertionError("who took nothing in acknowledges nothing")

    def payloads(self) -> list[Payload]:
        """What was sent, verified as the register does it; and forgets it."""
        taken, self.sent = self.sent, []
        return [
            envelope.verify(envelope.parse(message, topic), lookup(CONSENT_KEY)).payload
            for topic, message in taken
        ]


@dataclass(frozen=True)
class Given:
    """A consent that a customer gave, and the frame sealed to it."""

    consent: bytes
    interaction: bytes
    receipt: bytes
    granted: Consent
    message: bytes
    message_id: bytes


class Stage:
    """A tenant with one enrolled register; `vault` and `objects` may be real ones."""

    def __init__(
        self,
        folder: Path,
        vault: KeyVault | None = None,
        objects: ObjectStore | None = None,
        database: Database | None = None,
    ) -> None:
        self.time = Time()
        self.database = sqlite_database(folder) if database is None else database
        self.vault: KeyVault = MemoryKeyVault() if vault is None else vault
        self.objects: ObjectStore = MemoryStore(self.time) if objects is None else objects
        self.link = SentDown()
        self.records = Records(self.database)
        self.eraser = Eraser(self.records, self.vault, self.objects, self.time)
        self.keeper = Keeper(
            self.records,
            self.vault,
            self.eraser,
            Downlink(self.link, lambda _: CONSENT_KEY, self.time),
            stock=Stock(blanks=300, days=90),
            clock=self.time,
        )
        self.opener = Opener(self.database, self.vault, self.objects, self.time)
        self._sequence = 0
        add_tenants(self.database, TENANT)
        with self.database.tenant(TENANT) as connection:
            add_service_key(connection, TENANT, ServiceKey("consent", CONSENT_KEY.verification_key, 0, None))
            connection.execute(
                insert(registers).values(
                    tenant=TENANT, register=REGISTER, store="harbour", state="enrolled", created_at_ms=0
                )
            )
            connection.execute(
                insert(register_keys).values(
                    tenant=TENANT,
                    register=REGISTER,
                    kid=REGISTER_KEY.kid,
                    algorithm=int(REGISTER_KEY.algorithm),
                    public=REGISTER_KEY.verification_key.public,
                    valid_from_ms=0,
                )
            )

    def close(self) -> None:
        self.database.close()

    def consent(
        self,
        *,
        lasts_ms: int = YEAR_MS,
        interaction: bytes | None = None,
        purposes: tuple[Purpose, ...] = (Purpose.TRAINING,),
        code: str = "7K3M-Q9TX-2VBD-H6RA",
    ) -> Given:
        """A customer says yes at the register; nothing of it has reached the cloud."""
        now_ms = self.time()
        (key,) = self.vault.issue(TENANT, REGISTER, 1, now_ms, now_ms + 121 * DAY_MS)
        blank = Blank(key.blank, TENANT, REGISTER, key.public_key, now_ms, now_ms + 90 * DAY_MS)
        interaction = interaction or uuid7(now_ms, os.urandom(10)).bytes
        granted = Consent(
            blank=make_blank(blank, CONSENT_KEY),
            interaction=interaction,
            purposes=purposes,
            notice=bytes(32),
            language="en",
            method=Method.TOUCH,
            granted_at=now_ms,
            expires_at=now_ms + lasts_ms,
            withdrawal=hashlib.sha256(code.encode()).digest(),
        )
        receipt = make_receipt(granted, REGISTER_KEY)
        self._sequence += 1
        header = Header(Topic(IDENTITY, Up.FRAME), os.urandom(16), self._sequence, now_ms)
        sealed = seal(PICTURE, key.public_key, seal_info(header, REGISTER_KEY.kid))
        payload = FrameUp(interaction, key.blank, now_ms, 16, 16, len(PICTURE))
        message = envelope.make(header, payload, (receipt, sealed), REGISTER_KEY)
        return Given(key.blank, interaction, receipt, granted, message, header.message_id)

    def receive(
        self, given: Given, *, frame: bool = True, retention_ms: int = YEAR_MS, method: str = "touch"
    ) -> str | None:
        """What the collector does with it; the version of the frame's object."""
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(consents).values(
                    tenant=TENANT,
                    consent=given.consent,
                    register=REGISTER,
                    interaction=given.interaction,
                    purposes=[purpose.value for purpose in given.granted.purposes],
                    notice=given.granted.notice,
                    language="en",
                    method=method,
                    granted_at_ms=given.granted.granted_at,
                    expires_at_ms=given.granted.expires_at,
                    withdrawal=given.granted.withdrawal,
                    receipt=given.receipt,
                    received_at_ms=self.time(),
                )
            )
        if not frame:
            return None
        version = self.put(given)
        self.finish(given, version, retention_ms=retention_ms)
        return version

    def put(self, given: Given) -> str:
        """The object alone, without its row."""
        return self.objects.put(object_key(TENANT, given.interaction), given.message, {}, {})

    def finish(self, given: Given, version: str, *, retention_ms: int = YEAR_MS) -> None:
        """The row of an object that is there."""
        now_ms = self.time()
        with self.database.tenant(TENANT) as connection:
            connection.execute(
                insert(frames).values(
                    tenant=TENANT,
                    register=REGISTER,
                    message_id=given.message_id,
                    interaction=given.interaction,
                    consent=given.consent,
                    object_key=object_key(TENANT, given.interaction),
                    version=version,
                    size=len(given.message),
                    captured_at_ms=now_ms,
                    stored_at_ms=now_ms,
                    expires_at_ms=min(given.granted.expires_at, now_ms + retention_ms),
                )
            )

    def frame(self, given: Given) -> StoredFrame:
        """Its row."""
        return find_frame(self.database, TENANT, given.message_id)

    def versions(self, given: Given) -> list[str]:
        """Every version under its key."""
        return [found.version for found in self.objects.versions(object_key(TENANT, given.interaction))]

    def logged(self) -> list[str]:
        """Keys of the erasure log."""
        return [found.key for found in self.objects.versions("erasure-log/")]

    def audited(self, action: str) -> list[dict[str, Any]]:
        """Details of audit entries."""
        with self.database.tenant(TENANT, read_only=True) as connection:
            found = select(audit).where(audit.c.action == action).order_by(audit.c.at_ms)
            return [dict(row._mapping) for row in connection.execute(found)]

    def set_register_state(self, state: str) -> None:
        with self.database.tenant(TENANT) as connection:
            connection.execute(update(registers).values(state=state))

    def report(self, *, left: int = 0, wanted: int = 0, key: Any = REGISTER_KEY) -> tuple[str, bytes]:
        """Topic and bytes of a report of the register."""
        topic = Topic(IDENTITY, Up.REPORT)
        report = ReportUp("0.2.0", self.time(), 60, left, wanted, 0, 0, ())
        self._sequence += 1
        header = Header(topic, os.urandom(16), self._sequence, self.time())
        return str(topic), envelope.make(header, report, (), key)
