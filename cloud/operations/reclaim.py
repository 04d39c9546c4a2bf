"""Frames that were stored after a backup: their objects are there and tell all that a row needs.

Without this, a restored database would know nothing of them, and the collector's sweeper would delete what a
register was told is stored. Each is verified again, envelope and consent; what does not verify is left to the
sweeper, and counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, insert, select, update

from cloud.collector.acceptance import expiry
from cloud.collector.adapters.ledger_values import consent_values, frame_values, row_values
from cloud.collector.object_storing import META_REGISTER
from cloud.collector.values import Claim, Ending, Offer, RegisterRecord, Row, State, TenantRecord
from cloud.database.engine import Database
from cloud.database.schema import consents, frames, messages, register_keys, registers, withdrawals
from cloud.database.tenancy import read_service_keys, read_tenant
from cloud.objects.ports import ObjectMissing, ObjectStore, Version
from cloud.service_keys import Purpose
from wire_protocol import envelope
from wire_protocol.consent import check_consent, verify_receipt
from wire_protocol.envelope import KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import Algorithm, VerificationKey
from wire_protocol.messages import FrameUp
from wire_protocol.topics import Identity, Topic, Up

_MARGIN_MS: Final = 3_600_000
"""A version may be older than the backup by a slow put and by the difference of two clocks."""
_NO_TOKEN: Final = bytes(16)


@dataclass(slots=True)
class Reclaimed:
    """What was found."""

    frames: int = 0
    unverified: int = 0
    unknown_registers: set[str] = field(default_factory=set)
    """`tenant/register`: enrolled after the backup, so nothing verifies their frames any more."""


def stored_since(objects: ObjectStore, backup_made_at_ms: int) -> Iterator[tuple[str, Version]]:
    """Tenant and version of every frame that came after a backup.

    Raises:
        ObjectsAway: The store does not answer.
    """
    for folder in objects.folders("frames/"):
        tenant = folder.rstrip("/").rpartition("/")[2]
        for version in objects.versions(f"frames/{tenant}/"):
            if version.stored_at_ms >= backup_made_at_ms - _MARGIN_MS:
                yield tenant, version


def reclaim(
    database: Database, connection: Connection, objects: ObjectStore, found: Iterable[tuple[str, Version]]
) -> Reclaimed:
    """Write the rows of frames that have none, within the transaction of a restore.

    Args:
        database: Whose transaction it is.
        connection: Of `Database.system`; withdrawals stand in it already, so what is withdrawn stays so.
        objects: Where the frames lie.
        found: Of `stored_since`, those of one tenant together.

    Raises:
        ObjectsAway: The store does not answer.
    """
    done = Reclaimed()
    tenant, known = "", _Known(None, {})
    for owner, version in found:
        if owner != tenant:
            tenant = owner
            database.enter(connection, tenant)
            known = _known(connection, tenant)
        if _has_row(connection, tenant, version):
            continue
        try:
            body = objects.get(version.key, version.version)
        except ObjectMissing:
            continue
        register = known.registers.get(body.metadata.get(META_REGISTER, ""))
        if known.tenant is None or register is None:
            done.unknown_registers.add(f"{tenant}/{body.metadata.get(META_REGISTER, '?')}")
            continue
        try:
            offer = _offer(body.body, known.tenant, register, version.stored_at_ms)
        except RefusedMessage:
            done.unverified += 1
            continue
        done.frames += _write(connection, tenant, offer, version)
    return done


@dataclass(frozen=True, slots=True)
class _Known:
    tenant: TenantRecord | None
    registers: dict[str, RegisterRecord]


def _known(connection: Connection, tenant: str) -> _Known:
    """The chain and its registers with every key they ever had; what was accepted once needs no dates."""
    row = read_tenant(connection, tenant)
    if row is None:
        return _Known(None, {})
    consent_keys = {
        one.key.kid: KeyRecord(one.key)
        for one in read_service_keys(connection, tenant)
        if one.purpose == Purpose.CONSENT
    }
    record = TenantRecord(
        tenant=tenant,
        frames_per_day=row.frames_per_day,
        bytes_per_day=row.bytes_per_day,
        messages_per_minute=row.messages_per_minute,
        retention_days=row.retention_days,
        consent_keys=consent_keys,
    )
    keys: dict[str, dict[bytes, KeyRecord]] = {}
    key = register_keys.c
    for register, algorithm, public in connection.execute(
        select(key.register, key.algorithm, key.public).where(key.tenant == tenant)
    ):
        verification = VerificationKey(Algorithm(algorithm), public)
        keys.setdefault(register, {})[verification.kid] = KeyRecord(verification)
    stores = connection.execute(
        select(registers.c.register, registers.c.store).where(registers.c.tenant == tenant)
    )
    return _Known(
        record,
        {
            name: RegisterRecord(Identity(tenant, name), store, revoked=False, keys=keys[name])
            for name, store in stores
            if name in keys
        },
    )


def _has_row(connection: Connection, tenant: str, version: Version) -> bool:
    statement = select(frames.c.message_id).where(
        frames.c.tenant == tenant,
        frames.c.object_key == version.key,
        frames.c.version == version.version,
    )
    return connection.execute(statement).first() is not None


def _offer(body: bytes, tenant: TenantRecord, register: RegisterRecord, stored_at_ms: int) -> Offer:
    """The object as the collector took it.

    Raises:
        RefusedMessage: It is not what a register sent under a consent of this chain.
    """
    topic = Topic(register.identity, Up.FRAME)
    message = envelope.verify(envelope.parse(body, topic), register.keys.get)
    assert isinstance(message.payload, FrameUp), "envelope.verify decodes by kind"
    consent = verify_receipt(message.attachments[0], register.keys.get, tenant.consent_keys.get)
    check_consent(consent, register.identity, message.payload.interaction)
    return Offer(message, tenant, register, stored_at_ms, _NO_TOKEN, consent)


def _write(connection: Connection, tenant: str, offer: Offer, version: Version) -> bool:
    """The frame's three rows; no where its message has another version already."""
    message, consent = offer.message, offer.consent
    assert consent is not None, "a frame has a consent"
    mine = (
        (messages.c.tenant == tenant)
        & (messages.c.register == message.identity.register)
        & (messages.c.message_id == message.header.message_id)
    )
    state = connection.execute(select(messages.c.state).where(mine)).scalar()
    if state not in {None, State.CLAIMED.value}:
        return False
    withdrawn = connection.execute(
        select(withdrawals.c.consent).where(
            withdrawals.c.tenant == tenant, withdrawals.c.consent == consent.consent_id
        )
    ).first()
    row = Row(
        register=message.identity.register,
        message_id=message.header.message_id,
        sha256=message.sha256,
        state=State.STORED if withdrawn is None else State.GONE,
        received_at_ms=offer.received_at_ms,
        attempts=1,
        version=version.version,
    )
    values = row_values(tenant, row, Up.FRAME.value, len(message.message), late=False)
    connection.execute(
        insert(messages).values(values) if state is None else update(messages).where(mine).values(values)
    )
    known = select(consents.c.consent).where(
        consents.c.tenant == tenant, consents.c.consent == consent.consent_id
    )
    if connection.execute(known).first() is None:
        connection.execute(insert(consents).values(consent_values(tenant, offer)))
    claim = Claim(
        object_key=version.key,
        lease_until_ms=0,
        expires_at_ms=expiry(consent.consent.expires_at, offer.received_at_ms, offer.tenant.retention_days),
        takeover=False,
    )
    # Also where its consent is withdrawn: by this row the keeper finds the version and deletes it.
    ending = Ending(offer, claim, version.version)
    connection.execute(insert(frames).values(frame_values(tenant, ending, offer.received_at_ms)))
    return True
