"""One suite over every ledger: in memory, SQLite, PostgreSQL with row-level security."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cloud.collector.acceptance import Terms
from cloud.collector.adapters.sql_directory import SqlDirectory
from cloud.collector.adapters.sql_ledger import SqlLedger
from cloud.collector.memory_ledger import MemoryLedger
from cloud.collector.values import (
    Claim,
    Condemned,
    Ending,
    Failure,
    Later,
    Opening,
    RefusalCount,
    Refuse,
    Repeat,
    Row,
    State,
    Store,
    Vanish,
)
from cloud.errors import DatabaseAway
from cloud.objects.ports import Version
from tests.builders.frame_sender import Sender, Sent
from tests.builders.ledgers import decide_at, enrol, offer_of
from wire_protocol.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud.collector.ports import Ledger
    from cloud.collector.values import Offer
    from cloud.database.engine import Database

NOW = 1_790_000_000_000
LEASE = Terms().lease_ms


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def ledger(request: pytest.FixtureRequest, sender: Sender, other: Sender) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with_database = database_of(request.param, request)
    enrol(with_database, sender, other)
    ledger = SqlLedger(with_database)
    yield ledger
    ledger.close()
    with_database.close()


def database_of(kind: str, request: pytest.FixtureRequest) -> Database:
    from tests.builders.cloud_database import postgres_service, sqlite_database

    if kind == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        return sqlite_database(folder)
    return postgres_service(request.getfixturevalue("postgres_database"))


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def other(sender: Sender) -> Sender:
    """Another register of the same tenant."""
    return Sender(register="till-2", consent_key=sender.consent_key)


async def opened(ledger: Ledger, *offers: Offer, now_ms: int = NOW) -> list[Opening]:
    return list(await ledger.open(offers[0].tenant.tenant, offers, decide_at(now_ms), now_ms))


async def claimed(ledger: Ledger, offer: Offer, now_ms: int = NOW) -> Claim:
    (opening,) = await opened(ledger, offer, now_ms=now_ms)
    assert isinstance(opening.ruling, Claim), opening
    return opening.ruling


async def stored(ledger: Ledger, offer: Offer, version: str = "v1", now_ms: int = NOW) -> Row | None:
    claim = await claimed(ledger, offer, now_ms)
    (row,) = await ledger.finish(offer.tenant.tenant, [Ending(offer, claim, version)], now_ms)
    return row


async def row_of(ledger: Ledger, sent: Sent) -> Row | None:
    identity = sent.topic.identity
    return await ledger.row(identity.tenant, identity.register, sent.message_id)


async def test_a_claim_is_finished_once_and_then_answered_from_its_row(
    ledger: Ledger, sender: Sender
) -> None:
    """Claimed, stored; the same bytes again get that very row (T3)."""
    sent = sender.frame()
    row = await stored(ledger, offer_of(sender, sent, NOW))
    assert row is not None
    assert (row.state, row.version, row.sha256) == (State.STORED, "v1", sent.sha256)
    (again,) = await opened(ledger, offer_of(sender, sent, NOW + 5), now_ms=NOW + 5)
    assert again == Opening(Repeat(row), row)
    assert await row_of(ledger, sent) == row


async def test_a_live_claim_is_nobody_elses(ledger: Ledger, sender: Sender) -> None:
    """While its lease lasts, a second collector is told to come again; afterwards it takes over."""
    sent = sender.frame()
    first = offer_of(sender, sent, NOW)
    claim = await claimed(ledger, first)
    assert not claim.takeover
    (busy,) = await opened(ledger, offer_of(sender, sent, NOW), now_ms=NOW + LEASE - 1)
    assert isinstance(busy.ruling, Later)
    second = offer_of(sender, sent, NOW + LEASE + 1)
    taken = await claimed(ledger, second, NOW + LEASE + 1)
    assert taken.takeover
    # The first one's token is worth nothing any more.
    assert await ledger.finish(sender.tenant, [Ending(first, claim, "v1")], NOW + LEASE + 2) == [None]
    (row,) = await ledger.finish(sender.tenant, [Ending(second, taken, "v2")], NOW + LEASE + 3)
    assert row is not None
    assert (row.version, row.received_at_ms) == ("v2", NOW)


async def test_of_two_at_once_one_claims(ledger: Ledger, sender: Sender) -> None:
    """Eight collectors and one message: one claim, seven told to come again."""
    sent = sender.frame()
    openings = await asyncio.gather(*(opened(ledger, offer_of(sender, sent, NOW)) for _ in range(8)))
    rulings = [type(opening.ruling) for (opening,) in openings]
    assert sorted(kind.__name__ for kind in rulings) == ["Claim"] + ["Later"] * 7


async def test_a_claim_given_back_can_be_had_at_once(ledger: Ledger, sender: Sender) -> None:
    """Without a version the claim ends, and nobody waits for a lease."""
    sent = sender.frame()
    offer = offer_of(sender, sent, NOW)
    claim = await claimed(ledger, offer)
    (row,) = await ledger.finish(sender.tenant, [Ending(offer, claim, None)], NOW)
    assert row is not None
    assert (row.state, row.token, row.attempts) == (State.CLAIMED, None, 0)
    assert (await claimed(ledger, offer_of(sender, sent, NOW + 1), NOW + 1)).takeover


async def test_other_bytes_under_the_same_id_are_a_conflict(ledger: Ledger, sender: Sender) -> None:
    """Whether the first is stored or only claimed; its row is left alone (T3)."""
    first = sender.frame()
    await claimed(ledger, offer_of(sender, first, NOW))
    second = sender.frame(message_id=first.message_id)
    for _ in range(2):
        (opening,) = await opened(ledger, offer_of(sender, second, NOW + LEASE + 1), now_ms=NOW + LEASE + 1)
        assert isinstance(opening.ruling, Refuse)
        assert (opening.ruling.reason, opening.row) == (Reason.CONFLICT, None)
    row = await row_of(ledger, first)
    assert row is not None
    assert row.sha256 == first.sha256


async def test_the_same_id_of_another_register_is_another_message(
    ledger: Ledger, sender: Sender, other: Sender
) -> None:
    """Ids are unique per register, not per tenant (T3)."""
    first = sender.frame()
    second = other.frame(message_id=first.message_id)
    await stored(ledger, offer_of(sender, first, NOW))
    row = await stored(ledger, offer_of(other, second, NOW), "v2")
    assert row is not None
    assert row.sha256 == second.sha256


async def test_a_blank_is_filled_once(ledger: Ledger, sender: Sender) -> None:
    """A second consent on one blank is refused; further frames of the first are not."""
    blank, interaction = sender.blank(), sender.interaction()
    receipt = sender.receipt(blank, interaction)
    first = sender.frame(blank=blank, interaction=interaction, receipt=receipt)
    await stored(ledger, offer_of(sender, first, NOW))
    further = sender.frame(blank=blank, interaction=interaction, receipt=receipt)
    assert await stored(ledger, offer_of(sender, further, NOW), "v2") is not None
    (opening,) = await opened(ledger, offer_of(sender, sender.frame(blank=blank), NOW))
    assert isinstance(opening.ruling, Refuse)
    assert opening.ruling.reason is Reason.BLANK_REUSED
    assert opening.row is not None
    assert opening.row.state is State.REFUSED


async def test_a_withdrawn_consents_frames_are_gone(ledger: Ledger, sender: Sender) -> None:
    """A frame after the withdrawal is `gone`; one whose put was under way as well (T25)."""
    blank, interaction = sender.blank(), sender.interaction()
    receipt = sender.receipt(blank, interaction)
    parts: dict[str, Any] = {"blank": blank, "interaction": interaction, "receipt": receipt}
    under_way = offer_of(sender, sender.frame(**parts), NOW)
    claim = await claimed(ledger, under_way)
    (withdrawn,) = await opened(ledger, offer_of(sender, sender.withdrawal(blank.blank), NOW))
    assert withdrawn.ruling == Store(late=False)
    (row,) = await ledger.finish(sender.tenant, [Ending(under_way, claim, "v1")], NOW)
    assert row is not None
    assert (row.state, row.version) == (State.GONE, None)
    (opening,) = await opened(ledger, offer_of(sender, sender.frame(**parts), NOW))
    assert opening.ruling == Vanish()
    version = Version(claim.object_key, "v1", 1, NOW)
    assert await ledger.without_frame(sender.tenant, [version]) == [version]


async def test_a_withdrawal_of_an_unknown_blank_is_kept(ledger: Ledger, sender: Sender) -> None:
    """A tombstone: the frame that comes after it is gone, whichever way it was delayed."""
    blank = sender.blank()
    await opened(ledger, offer_of(sender, sender.withdrawal(blank.blank), NOW))
    (opening,) = await opened(ledger, offer_of(sender, sender.frame(blank=blank), NOW))
    assert opening.ruling == Vanish()
    assert opening.row is not None
    assert opening.row.state is State.GONE


async def test_a_revoked_registers_withdrawal_is_for_a_person(ledger: Ledger, sender: Sender) -> None:
    """It is acknowledged and audited, and withdraws nothing by itself (T1)."""
    blank, interaction = sender.blank(), sender.interaction()
    receipt = sender.receipt(blank, interaction)
    offer = offer_of(sender, sender.withdrawal(blank.blank), NOW, revoked=True)
    (opening,) = await opened(ledger, offer)
    assert opening.ruling == Store(late=False, review=True)
    frame = sender.frame(blank=blank, interaction=interaction, receipt=receipt)
    assert await stored(ledger, offer_of(sender, frame, NOW)) is not None


async def test_small_kinds_are_stored_at_once_and_once(ledger: Ledger, sender: Sender) -> None:
    """Consent, interaction, outcome in one transaction; each again is a repeat."""
    batch = [sender.consent(), sender.interaction_record(), sender.outcome()]
    openings = await opened(ledger, *(offer_of(sender, sent, NOW) for sent in batch))
    assert [opening.ruling for opening in openings] == [Store(late=False)] * 3
    again = await opened(ledger, *(offer_of(sender, sent, NOW) for sent in batch))
    assert [opening.ruling for opening in again] == [Repeat(opening.row) for opening in openings]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["interaction_record", "outcome"])
async def test_a_record_that_is_harvested_anew_is_a_conflict_and_the_first_is_kept(
    ledger: Ledger, sender: Sender, kind: str
) -> None:
    """T3: a register that lost its journal's cursor signs the same sale again; the id is the record's."""
    record_id = sender.interaction()
    first, again = (getattr(sender, kind)(record_id) for _ in range(2))
    assert (first.message_id, first.sha256 != again.sha256) == (again.message_id, True)
    (stored_first,) = await opened(ledger, offer_of(sender, first, NOW))
    (opening,) = await opened(ledger, offer_of(sender, again, NOW))
    assert isinstance(opening.ruling, Refuse)
    assert (opening.ruling.reason, opening.row) == (Reason.CONFLICT, None)
    assert await row_of(ledger, first) == stored_first.row


@pytest.mark.parametrize("kind", ["interaction_record", "outcome"])
async def test_another_registers_record_is_a_conflict(
    ledger: Ledger, sender: Sender, other: Sender, kind: str
) -> None:
    """Who comes second under the id of another register's record is refused, and told so again."""
    record_id = sender.interaction()
    await opened(ledger, offer_of(sender, getattr(sender, kind)(record_id), NOW))
    sent = getattr(other, kind)(record_id)
    (opening,) = await opened(ledger, offer_of(other, sent, NOW))
    assert isinstance(opening.ruling, Refuse)
    assert opening.ruling.reason is Reason.CONFLICT
    (again,) = await opened(ledger, offer_of(other, sent, NOW))
    assert isinstance(again.ruling, Repeat)


async def test_what_was_stored_counts_against_the_quota(ledger: Ledger, sender: Sender) -> None:
    """Frames of the day; the next one is told to come later, and leaves no row (T27)."""
    await stored(ledger, offer_of(sender, sender.frame(), NOW))
    sent = sender.frame()
    (opening,) = await opened(ledger, offer_of(sender, sent, NOW, frames_per_day=1))
    assert isinstance(opening.ruling, Later)
    assert opening.ruling.why == "quota"
    assert await row_of(ledger, sent) is None
    tomorrow = NOW + 86_400_000
    (opening,) = await opened(ledger, offer_of(sender, sent, tomorrow, frames_per_day=1), now_ms=tomorrow)
    assert isinstance(opening.ruling, Claim)


async def test_the_third_failure_sets_a_message_aside(ledger: Ledger, sender: Sender) -> None:
    """Counted in the row, whoever fails; then refused, and so for ever (T19)."""
    sent = sender.frame()
    failure = Failure(sender.identity, sent.message_id, "frame", sent.sha256, sent.payload, "boom\0", 3)
    rows = [await ledger.fail(sender.tenant, failure, NOW + n) for n in range(4)]
    assert [row.attempts for row in rows] == [1, 2, 3, 3]
    assert [row.state for row in rows] == [State.CLAIMED, State.CLAIMED, State.REFUSED, State.REFUSED]
    assert rows[2].reason is Reason.POISON
    (opening,) = await opened(ledger, offer_of(sender, sent, NOW))
    assert opening.ruling == Repeat(rows[2])


async def test_a_withdrawal_is_set_aside_and_never_refused(ledger: Ledger, sender: Sender) -> None:
    """T19, T25: however often it fails; when the defect is mended, it is carried out."""
    sent = sender.withdrawal(os.urandom(16))
    failure = Failure(sender.identity, sent.message_id, "withdrawal", sent.sha256, sent.payload, "boom", 3)
    rows = [await ledger.fail(sender.tenant, failure, NOW + n) for n in range(5)]
    assert [row.attempts for row in rows] == [1, 2, 3, 4, 5]
    assert {row.state for row in rows} == {State.CLAIMED}
    (opening,) = await opened(ledger, offer_of(sender, sent, NOW))
    assert opening.ruling == Store(late=False)
    assert opening.row is not None
    assert opening.row.state is State.STORED


async def test_a_failure_does_not_touch_what_is_settled(ledger: Ledger, sender: Sender) -> None:
    """Neither a stored message, nor one of other bytes under its id."""
    sent = sender.frame()
    row = await stored(ledger, offer_of(sender, sent, NOW))
    failure = Failure(sender.identity, sent.message_id, "frame", sent.sha256, sent.payload, "boom", 1)
    assert await ledger.fail(sender.tenant, failure, NOW) == row
    forged = replace(failure, sha256=bytes(32), message=b"other")
    assert await ledger.fail(sender.tenant, forged, NOW) == row


async def test_versions_that_no_frame_has(ledger: Ledger, sender: Sender) -> None:
    """What the sweeper looks at: key and version together."""
    offer = offer_of(sender, sender.frame(), NOW)
    claim = await claimed(ledger, offer)
    await ledger.finish(sender.tenant, [Ending(offer, claim, "v1")], NOW)
    names = [(claim.object_key, "v1"), (claim.object_key, "v0"), ("frames/x", "v1")]
    versions = [Version(key, version, 1, NOW) for key, version in names]
    assert await ledger.without_frame(sender.tenant, versions) == versions[1:]


async def test_only_what_is_nobodys_is_condemned(ledger: Ledger, sender: Sender) -> None:
    """Not under a live claim, not what the row names; ending an expired claim locks its holder out (T4)."""
    sent = sender.frame()
    condemned = Condemned("frames/x", "v1", sender.register, sent.message_id)
    assert await ledger.condemn(sender.tenant, condemned, NOW)  # never claimed
    offer = offer_of(sender, sent, NOW)
    claim = await claimed(ledger, offer)
    assert not await ledger.condemn(sender.tenant, condemned, NOW + 1)
    assert await ledger.condemn(sender.tenant, condemned, NOW + LEASE + 1)
    assert await ledger.finish(sender.tenant, [Ending(offer, claim, "v1")], NOW + LEASE + 2) == [None]
    again = offer_of(sender, sent, NOW + LEASE + 3)
    claim = await claimed(ledger, again, NOW + LEASE + 3)
    await ledger.finish(sender.tenant, [Ending(again, claim, "v2")], NOW + LEASE + 4)
    assert await ledger.condemn(sender.tenant, condemned, NOW + LEASE + 5)
    kept = replace(condemned, version="v2")
    assert not await ledger.condemn(sender.tenant, kept, NOW + LEASE + 5)


async def test_a_batch_is_one_transaction(ledger: Ledger, sender: Sender) -> None:
    """Where deciding on one offer raises, nothing of the batch is written (T19)."""
    good, bad = sender.outcome(), sender.outcome()
    decide = decide_at(NOW)

    def breaks(offer: Offer, facts: Any) -> Any:
        if offer.message.header.message_id == bad.message_id:
            raise RuntimeError("poison")
        return decide(offer, facts)

    offers = [offer_of(sender, sent, NOW) for sent in (good, bad)]
    with pytest.raises(RuntimeError):
        await ledger.open(sender.tenant, offers, breaks, NOW)
    assert await row_of(ledger, good) is None


async def test_an_outage_of_the_database_is_told_twice(
    tmp_path: Path, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    """When it begins and when it ends, however many messages met it."""
    from tests.builders.cloud_database import sqlite_database

    caplog.set_level("INFO", "cloud.outage_log")
    database = sqlite_database(tmp_path)
    enrol(database, sender)
    ledger = SqlLedger(database)
    with database.system() as c:
        c.exec_driver_sql("ALTER TABLE messages RENAME TO elsewhere")
    for _ in range(3):
        with pytest.raises(DatabaseAway):
            await row_of(ledger, sender.frame())
    with database.system() as c:
        c.exec_driver_sql("ALTER TABLE elsewhere RENAME TO messages")
    for _ in range(2):
        await row_of(ledger, sender.frame())
    ledger.close()
    database.close()
    assert [record.getMessage() for record in caplog.records] == ["database.away", "database.back"]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
async def test_what_the_tables_hold_in_the_end(
    kind: str, request: pytest.FixtureRequest, sender: Sender
) -> None:
    """Every table the collector writes, with the values that others read from it."""
    from cloud.database import schema

    database = database_of(kind, request)
    enrol(database, sender)
    ledger = SqlLedger(database)
    frame, consent, late = sender.frame(), sender.consent(), sender.outcome()
    await stored(ledger, offer_of(sender, frame, NOW))
    await opened(ledger, offer_of(sender, consent, NOW))
    long_after = NOW + 31 * 86_400_000
    await opened(ledger, offer_of(sender, late, long_after), now_ms=long_after)
    await opened(ledger, offer_of(sender, sender.interaction_record(), NOW))
    await opened(ledger, offer_of(sender, sender.withdrawal(os.urandom(16)), NOW, revoked=True))
    counts = [RefusalCount(sender.register, Reason.CONSENT_FORGED, "2026-11-22", 2)]
    await ledger.count_refusals(sender.tenant, counts)
    await ledger.count_refusals(sender.tenant, counts)
    ledger.close()
    with database.tenant(sender.tenant, read_only=True) as c:
        row = c.execute(schema.frames.select()).one()
        assert (row.consent, row.interaction, row.version) == (frame.consent, frame.interaction, "v1")
        assert (row.size, row.stored_at_ms, row.erased_at_ms) == (len(frame.payload), NOW, None)
        assert row.expires_at_ms == NOW + 365 * 86_400_000
        consents = {one.consent: one for one in c.execute(schema.consents.select())}
        assert set(consents) == {frame.consent, consent.consent}
        assert consents[consent.consent].purposes == ["training"]
        outcome = c.execute(schema.outcomes.select()).one()
        assert (outcome.late, outcome.body["lines"][0]["flavour"]) == (True, "pistachio")
        assert c.execute(schema.interactions.select()).one().body["arm"] == "model"
        assert c.execute(schema.withdrawals.select()).all() == []
        assert c.execute(schema.refusals.select()).one().count == 4
        assert {one.action for one in c.execute(schema.audit.select())} == {
            "withdrawal.from_revoked_register",
            "consent.refused",
        }
        assert c.execute(schema.usage.select()).one().bytes == len(frame.payload)
    database.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
async def test_the_directory_knows_registers_and_keys(
    kind: str, request: pytest.FixtureRequest, sender: Sender, other: Sender
) -> None:
    """Enrolled and revoked ones, with every key; invited ones are not there yet."""
    database = database_of(kind, request)
    invited = Sender(register="till-3", consent_key=sender.consent_key)
    enrol(database, sender)
    enrol(database, other, state="revoked")
    enrol(database, invited, state="invited")
    directory = SqlDirectory(database)
    tenant = await directory.tenant(sender.tenant)
    assert tenant is not None
    assert set(tenant.consent_keys) == {sender.consent_key.kid}
    assert await directory.tenant("nobody") is None
    assert list(await directory.tenants()) == [sender.tenant]
    found = await directory.registers(sender.tenant, ["till-1", "till-2", "till-3", "till-4"])
    assert {name: record.revoked for name, record in found.items()} == {"till-1": False, "till-2": True}
    assert found["till-1"].keys[sender.key.kid].key == sender.key.verification_key
    database.close()
