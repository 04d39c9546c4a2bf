"""Offers as the collector makes them of messages, and rows that make them known to a database."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from cloud.collector.acceptance import Terms, accept
from cloud.collector.values import Offer
from cloud.collector.verification import ConsentCache, verify
from cloud.database.schema import register_keys, registers, service_keys, tenants

if TYPE_CHECKING:
    from cloud.collector.values import Facts, Ruling
    from cloud.database.engine import Database
    from tests.builders.frame_sender import Sender, Sent


def offer_of(sender: Sender, sent: Sent, now_ms: int, *, revoked: bool = False, **tenant: Any) -> Offer:
    """The offer that a message makes; it must be a good one."""
    offer = verify(
        sent.delivery(),
        sent.topic,
        sender.tenant_record(**tenant),
        {sender.register: sender.register_record(revoked=revoked)},
        ConsentCache(),
        received_at_ms=now_ms,
        token=os.urandom(16),
    )
    assert isinstance(offer, Offer), offer
    return offer


def decide_at(now_ms: int, terms: Terms | None = None) -> Any:
    """The rules, at a time."""

    def decide(offer: Offer, facts: Facts) -> Ruling:
        return accept(offer, facts, terms or Terms(), now_ms)

    return functools.wraps(accept)(decide)


def enrol(database: Database, *senders: Sender, state: str = "enrolled", **quotas: int) -> None:
    """Make these registers and their tenants known, as enrolment does."""
    for sender in senders:
        with database.tenant(sender.tenant) as c:
            known = c.execute(tenants.select().where(tenants.c.tenant == sender.tenant)).one_or_none()
            if known is None:
                values: dict[str, Any] = {
                    "tenant": sender.tenant,
                    "name": sender.tenant,
                    "created_at_ms": sender.now_ms,
                    "frames_per_day": 100_000,
                    "bytes_per_day": 10**10,
                    "messages_per_minute": 10**6,
                    "retention_days": 365,
                }
                c.execute(insert(tenants).values(values | quotas))
            key = sender.consent_key.verification_key
            known_key = (service_keys.c.tenant == sender.tenant) & (service_keys.c.kid == key.kid)
            if not c.execute(service_keys.select().where(known_key)).first():
                c.execute(insert(service_keys).values(**_key(sender, key), purpose="consent"))
            c.execute(
                insert(registers).values(
                    tenant=sender.tenant,
                    register=sender.register,
                    store="harbour",
                    state=state,
                    created_at_ms=sender.now_ms,
                )
            )
            mine = _key(sender, sender.key.verification_key)
            c.execute(insert(register_keys).values(**mine, register=sender.register))


def _key(sender: Sender, key: Any) -> dict[str, Any]:
    return {
        "tenant": sender.tenant,
        "kid": key.kid,
        "algorithm": int(key.algorithm),
        "public": key.public,
        "valid_from_ms": sender.now_ms - 86_400_000,
    }
