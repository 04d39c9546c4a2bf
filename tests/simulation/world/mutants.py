"""Mistakes made on purpose, each a few lines in the place of real ones: the twin must find every one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

from cloud.collector.acceptance import Terms, accept, expiry, object_key
from cloud.collector.answers import Work
from cloud.collector.collect_loop import Collector
from cloud.collector.memory_ledger import MemoryLedger
from cloud.collector.values import (
    Claim,
    Delivery,
    Ending,
    Facts,
    Failure,
    Offer,
    Refuse,
    Row,
    Ruling,
    State,
    Vanish,
)
from edge_agent.uplink import delivery_events as do
from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.delivery import Delivery as RegisterDelivery
from edge_agent.uplink.link_events import PubAcked
from tests.simulation.world.cloud import CollectorLink
from tests.simulation.world.twin import Mutant, Twin
from wire_protocol.messages import FrameUp
from wire_protocol.topics import Topic

# ---- the register -----------------------------------------------------------------------------------------


class _DeletesOnPuback(RegisterDelivery):
    def handle(self, event: do.Event, now_ms: int) -> list[do.Action]:
        if isinstance(event, PubAcked):
            entry = self._window.remove(event.message_id)
            if entry is not None:
                return [do.End(entry, Fate.STORED), *super().handle(do.Tick(), now_ms)]
        return super().handle(event, now_ms)


class _BelievesAnyReceipt(RegisterDelivery):
    def handle(self, event: do.Event, now_ms: int) -> list[do.Action]:
        if isinstance(event, do.ReceiptCame):
            flight = self._window.get(event.receipt.message)
            if flight is not None:
                event = do.ReceiptCame(replace(event.receipt, sha256=flight.entry.sha256))
        return super().handle(event, now_ms)


def _forgets_the_last_write(twin: Twin) -> None:
    """A spool that tells of a write before the disk has it: a power cut takes the newest message along."""
    for register in twin.registers.values():
        spool = register.disk.inner
        crash = spool.crash

        def torn(spool: Any = spool, crash: Callable[[], None] = crash) -> None:
            crash()
            if spool._messages:
                spool._messages.popitem()

        spool.crash = torn  # type: ignore[method-assign]


# ---- the collector ----------------------------------------------------------------------------------------


def _answers_before_the_row(collector: Collector) -> None:
    claims = collector.claims
    finish_rows = claims._finish_rows

    async def finish_later(tenant: str, batch: Sequence[tuple[Work, Ending]]) -> Sequence[Row | None]:
        if any(ending.version is None for _, ending in batch):
            return await finish_rows(tenant, batch)
        asyncio.get_running_loop().create_task(finish_rows(tenant, batch))
        return [
            Row(
                register=ending.offer.message.identity.register,
                message_id=ending.offer.message.header.message_id,
                sha256=ending.offer.message.sha256,
                state=State.STORED,
                received_at_ms=ending.offer.received_at_ms,
                attempts=0,
                version=ending.version,
            )
            for _, ending in batch
        ]

    claims._finish_rows = finish_later  # type: ignore[method-assign]


def _without_claims(offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
    if facts.row is not None and facts.row.state is State.CLAIMED:
        facts = replace(facts, row=None)
    return accept(offer, facts, terms, now_ms)


class _Over:
    """A ledger but for what a subclass does otherwise."""

    def __init__(self, inner: MemoryLedger) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _LedgerWithoutClaims(_Over):
    async def finish(self, tenant: str, endings: Sequence[Ending], now_ms: int) -> Sequence[Row | None]:
        for ending in endings:
            key = (
                tenant,
                ending.offer.message.identity.register,
                ending.offer.message.header.message_id,
            )
            row = self._inner.rows[key]
            self._inner.rows[key] = replace(row, state=State.CLAIMED, token=ending.offer.token)
        return await self._inner.finish(tenant, endings, now_ms)


def _without_consent(offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
    ruling = accept(offer, facts, terms, now_ms)
    frame = offer.message.payload
    if isinstance(ruling, Refuse) and isinstance(frame, FrameUp) and offer.consent is not None:
        return _claim(offer, frame, facts, terms, now_ms)
    return ruling


def _without_tombstones(offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
    return accept(offer, replace(facts, withdrawn_at_ms=None), terms, now_ms)


def _checks_only_at_the_end(offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
    ruling = accept(offer, facts, terms, now_ms)
    frame = offer.message.payload
    if isinstance(ruling, Vanish) and isinstance(frame, FrameUp):
        return _claim(offer, frame, facts, terms, now_ms)
    return ruling


def _claim(offer: Offer, frame: FrameUp, facts: Facts, terms: Terms, now_ms: int) -> Claim:
    assert offer.consent is not None
    return Claim(
        object_key=object_key(offer.message.identity.tenant, frame.interaction),
        lease_until_ms=now_ms + terms.lease_ms,
        expires_at_ms=expiry(offer.consent.consent.expires_at, now_ms, 365),
        takeover=facts.row is not None,
    )


class _LedgerWithoutTombstones(_Over):
    async def finish(self, tenant: str, endings: Sequence[Ending], now_ms: int) -> Sequence[Row | None]:
        kept, self._inner.withdrawals = self._inner.withdrawals, {}
        try:
            return await self._inner.finish(tenant, endings, now_ms)
        finally:
            self._inner.withdrawals = kept


class _LedgerPoisonsWithdrawals(_Over):
    async def fail(self, tenant: str, failure: Failure, now_ms: int) -> Row:
        return await self._inner.fail(tenant, replace(failure, kind="any"), now_ms)


class _AcknowledgesAtOnce:
    def __init__(self, inner: CollectorLink) -> None:
        self._inner = inner

    async def next(self) -> Delivery:
        delivery = await self._inner.next()
        self._inner.acknowledge(delivery)
        return delivery

    def publish(self, topic: Topic, message: bytes) -> None:
        self._inner.publish(topic, message)

    def acknowledge(self, delivery: Delivery) -> None:
        """Was done long ago."""


def _answers_without_waiting_for_objects(collector: Collector) -> None:
    """A row that is done although the put failed: the store's error is taken for an answer."""
    claims = collector.claims
    batches = claims._put
    put = batches.put

    def anyhow(tenant: str, item: tuple[Work, Ending]) -> bool:
        work, ending = item
        return put(tenant, (work, replace(ending, version=ending.version or "v0")))

    claims._put = SimpleNamespace(put=anyhow, batch=batches.batch)  # type: ignore[assignment]


# ---- the keeper -------------------------------------------------------------------------------------------


def _keeps_the_keys(twin: Twin) -> None:
    twin.vault.destroy = lambda tenant, blanks: None  # type: ignore[method-assign]


def _marks_erased_without_listing(twin: Twin) -> None:
    """Erases only what rows name: what was put a moment ago stays."""
    twin.records.object_keys = lambda tenant, consent: []  # type: ignore[method-assign]


MUTANTS: Final = (
    Mutant("delete-on-puback", delivery=_DeletesOnPuback),
    Mutant("receipt-before-row", collector=_answers_before_the_row),
    Mutant("no-claim", accept=_without_claims, ledger=_LedgerWithoutClaims),
    Mutant("no-consent-check", accept=_without_consent),
    Mutant("puback-before-put", link=_AcknowledgesAtOnce),
    Mutant("no-tombstone", accept=_without_tombstones, ledger=_LedgerWithoutTombstones),
    Mutant("tombstone-only-at-the-end", accept=_checks_only_at_the_end),
    Mutant("tombstone-only-at-the-start", ledger=_LedgerWithoutTombstones),
    Mutant("poison-withdrawal", ledger=_LedgerPoisonsWithdrawals),
    Mutant("row-without-object", collector=_answers_without_waiting_for_objects),
    Mutant("believes-any-receipt", delivery=_BelievesAnyReceipt),
    Mutant("spool-not-durable", twin=_forgets_the_last_write),
    Mutant("keeps-the-keys", twin=_keeps_the_keys),
    Mutant("erases-no-versions", twin=_marks_erased_without_listing),
)
"""The first six are those that threat T4 names."""
