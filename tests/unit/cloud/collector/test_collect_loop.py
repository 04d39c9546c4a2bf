"""The flow as a whole: order, isolation, poison, fairness, bounds, what is away, lost claims."""

import asyncio
import dataclasses
from typing import Any

import pytest

from cloud.collector.acceptance import RETRY_MAX_MS, Terms, accept
from cloud.collector.collect_loop import Collector
from cloud.collector.limits import Limits
from cloud.collector.memory_ledger import MemoryLedger
from cloud.collector.values import Facts, Offer, Ruling, State
from cloud.errors import DatabaseAway
from tests.builders.frame_sender import Sender
from tests.builders.paper_collector import PaperCollector
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason

QUICK = Limits(batch_ms=0)


@pytest.fixture
def sender() -> Sender:
    return Sender()


async def test_receipt_before_acknowledgement_and_both_after_the_row(sender: Sender) -> None:
    """Row done → receipt → PUBACK, and not before the version is confirmed (invariant 3)."""
    paper = PaperCollector()
    paper.enrol(sender)
    sent = sender.frame()
    paper.objects.gate.clear()
    async with paper.running():
        paper.sent(sent)
        await paper.objects.until_putting()
        assert paper.link.did == []
        assert paper.ledger.frames == {}
        paper.objects.gate.set()
        await paper.answers(1)
    assert [what for what, _ in paper.link.did] == ["publish", "acknowledge"]
    (receipt,) = paper.receipts()
    (frame,) = paper.ledger.frames.values()
    assert (receipt.verdict, receipt.version) == (Verdict.STORED, frame.version)
    assert paper.objects.store.get(frame.object_key, frame.version).body == sent.payload


async def test_one_bad_message_does_not_fail_its_batch(sender: Sender) -> None:
    """Of a batch of ten, one breaks the rules' own code: it alone is tried again, and in the end refused.

    Poison, T19: three attempts, quarantine, negative receipt; the others flow.
    """
    paper = PaperCollector()
    paper.enrol(sender)
    messages = [sender.frame() for _ in range(10)]
    poison = messages[4]

    def breaks(offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
        if offer.message.header.message_id == poison.message_id:
            raise ZeroDivisionError("boom")
        return accept(offer, facts, terms, now_ms)

    paper.collector = Collector(paper.world, QUICK, breaks)
    async with paper.running():
        paper.sent(*messages)
        await paper.answers(10)
        for attempt in (2, 3, 4):
            paper.sent(poison)
            await paper.answers(9 + attempt)
    said = [receipt for receipt in paper.receipts() if receipt.message == poison.message_id]
    assert [receipt.verdict for receipt in said] == [Verdict.RETRY] * 2 + [Verdict.REFUSED] * 2
    assert said[-1].reason is Reason.POISON
    assert len(paper.ledger.frames) == 9
    (failure,) = paper.ledger.quarantine.values()
    assert (failure.message, "boom" in failure.error) == (poison.payload, True)


async def test_what_breaks_the_parser_is_poison_too(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even before anything is verified, the id it claims is good enough for an answer to its sender (T19)."""
    paper = PaperCollector()
    paper.enrol(sender)
    poison, good = sender.frame(), sender.frame()
    from cloud.collector import verification

    parse = verification.envelope.parse

    def breaks(message: bytes, topic: Any) -> Any:
        if message == poison.payload:
            raise MemoryError("parser")
        return parse(message, topic)

    monkeypatch.setattr(verification.envelope, "parse", breaks)
    async with paper.running():
        for attempt in (1, 2, 3):
            paper.sent(poison)
            await paper.answers(attempt)
        paper.sent(good)
        await paper.answers(4)
    monkeypatch.undo()
    verdicts = [receipt.verdict for receipt in paper.receipts()]
    assert verdicts == [Verdict.RETRY, Verdict.RETRY, Verdict.REFUSED, Verdict.STORED]


async def test_a_withdrawal_is_never_poison(sender: Sender) -> None:
    """T25: refused, a register would drop it and nobody would erase; it is heard until it is carried out.

    Each failure is an alarm, a person finds the bytes in quarantine, and the pauses grow.
    """
    paper = PaperCollector()
    paper.enrol(sender)
    consent = bytes(range(16))
    sent = sender.withdrawal(consent)
    broken = True

    def breaks(offer: Offer, facts: Facts, terms: Terms, now_ms: int) -> Ruling:
        if broken:
            raise ZeroDivisionError("boom")
        return accept(offer, facts, terms, now_ms)

    paper.collector = Collector(paper.world, QUICK, breaks)
    async with paper.running():
        for attempt in range(1, 21):
            paper.sent(sent)
            await paper.answers(attempt)
        broken = False
        paper.sent(sent)
        await paper.answers(21)
    *failed, carried_out = paper.receipts()
    assert {receipt.verdict for receipt in failed} == {Verdict.RETRY}
    pauses = [receipt.retry_after_ms or 0 for receipt in failed]
    assert pauses == sorted(pauses)
    assert (pauses[0] < 3_000, pauses[-1]) == (True, RETRY_MAX_MS)
    assert carried_out.verdict is Verdict.STORED
    assert (sender.tenant, consent) in paper.ledger.withdrawals
    (kept,) = paper.ledger.quarantine.values()
    assert kept.message == sent.payload
    assert {event for event, _ in paper.watch.failures} == {"withdrawal.failed"}


async def test_a_flood_leaves_room_for_the_others() -> None:
    """One tenant's thousand messages; another's single one is answered among the first (T27)."""
    limits = Limits(in_flight=64, batch_max=8, batch_ms=0, workers=1)
    paper = PaperCollector(limits)
    noisy, quiet = Sender(tenant="noisy"), Sender(tenant="quiet")
    paper.enrol(noisy, quiet)
    flood = [noisy.interaction_record() for _ in range(300)]
    single = quiet.interaction_record()
    paper.sent(*flood[:31], single, *flood[31:])
    async with paper.running():
        await paper.answers(301)
    order = [answer.message_id for answer in paper.watch.answers]
    stored = [answer for answer in paper.watch.answers if answer.verdict is Verdict.STORED]
    assert single.message_id in [answer.message_id for answer in stored[:17]], "after two batches at most"
    turned_away = [answer for answer in paper.watch.answers if answer.detail == "queue"]
    assert turned_away, "what exceeds a tenant's half of the room is told to come again"
    assert all(answer.topic.split("/")[2] == "noisy" for answer in turned_away)
    assert len(order) == 301


async def test_alone_a_tenant_may_fill_the_room(sender: Sender) -> None:
    """Nobody else waits, so nothing of a drained backlog is turned away (T16)."""
    paper = PaperCollector(Limits(in_flight=64, batch_max=8, batch_ms=0, workers=1))
    paper.enrol(sender)
    paper.sent(*(sender.interaction_record() for _ in range(300)))
    async with paper.running():
        await paper.answers(300)
    assert {answer.verdict for answer in paper.watch.answers} == {Verdict.STORED}


async def test_what_is_kept_of_a_sender_cannot_be_used(sender: Sender) -> None:
    """A broken row of the directory: `retry`, and the collector lives."""
    paper = PaperCollector()
    paper.enrol(sender)
    registers = paper.directory.registers

    async def broken(*_: Any) -> Any:
        raise ValueError("no point on the curve")

    paper.directory.registers = broken  # type: ignore[method-assign]
    sent = sender.outcome()
    async with paper.running():
        paper.sent(sent)
        await paper.answers(1)
        paper.directory.registers = registers  # type: ignore[method-assign]
        paper.sent(sent)
        await paper.answers(2)
    assert [receipt.verdict for receipt in paper.receipts()] == [Verdict.RETRY, Verdict.STORED]


async def test_a_tenants_rate_is_its_own() -> None:
    """Beyond its messages a minute a tenant is told to come later, before anything is verified (T27)."""
    paper = PaperCollector()
    noisy, quiet = Sender(tenant="noisy"), Sender(tenant="quiet")
    paper.enrol(noisy, messages_per_minute=50)
    paper.enrol(quiet)
    async with paper.running():
        paper.sent(*(noisy.interaction_record() for _ in range(30)), quiet.interaction_record())
        await paper.answers(31)
    late = [answer for answer in paper.watch.answers if answer.detail == "rate"]
    assert len(late) == 20
    assert {answer.topic.split("/")[2] for answer in late} == {"noisy"}


async def test_no_more_is_taken_in_than_the_limits_say(sender: Sender) -> None:
    """While the store hangs, the broker holds the rest (T18)."""
    paper = PaperCollector(Limits(in_flight=5, batch_ms=0))
    paper.enrol(sender, Sender(tenant="zeta"))
    other = Sender(tenant="zeta")
    paper.enrol(other)
    paper.objects.gate.clear()
    async with paper.running():
        paper.sent(*(sender.frame() for _ in range(2)), *(other.frame() for _ in range(20)))
        await paper.objects.until_putting(4)
        for _ in range(50):
            await asyncio.sleep(0)
        assert paper.collector.in_flight.messages <= 5
        paper.objects.gate.set()
        await paper.answers(22)
    assert paper.collector.in_flight.messages == 0
    assert paper.collector.in_flight.bytes == 0


@pytest.mark.parametrize("fault", ["away", "stores_and_fails"])
async def test_a_store_in_trouble_means_retry_and_one_version(sender: Sender, fault: str) -> None:
    """Also when it stored and could not say so: the next attempt adopts that version (T18)."""
    paper = PaperCollector()
    paper.enrol(sender)
    sent = sender.frame()
    setattr(paper.objects, fault, True)
    async with paper.running():
        paper.sent(sent)
        await paper.answers(1)
        setattr(paper.objects, fault, False)
        paper.clock.now += 1_000
        paper.sent(sent)
        await paper.answers(2)
    first, second = paper.receipts()
    assert (first.verdict, second.verdict) == (Verdict.RETRY, Verdict.STORED)
    assert [version.version for version in paper.objects.store.versions("frames/")] == [second.version]
    (row,) = paper.ledger.rows.values()
    assert row.attempts == 0


async def test_while_the_store_is_away_few_ask_it(sender: Sender) -> None:
    """A hundred frames do not become a hundred requests; each is answered `retry` (T18)."""
    paper = PaperCollector()
    paper.enrol(sender)
    paper.objects.away = True
    async with paper.running():
        paper.sent(sender.frame())
        await paper.answers(1)
        paper.sent(*(sender.frame() for _ in range(100)))
        await paper.answers(101)
    assert {answer.detail for answer in paper.watch.answers} == {"objects"}
    assert len([event for event, _ in paper.watch.failures if event == "object.put_failed"]) == 1


class FailingLedger(MemoryLedger):
    """Raises what it is told to, at the call it is told to."""

    failing: dict[str, Exception]

    def __init__(self) -> None:
        super().__init__()
        self.failing = {}

    async def open(self, *arguments: Any) -> Any:
        self._maybe("open")
        return await super().open(*arguments)

    async def finish(self, *arguments: Any) -> Any:
        self._maybe("finish")
        return await super().finish(*arguments)

    async def fail(self, *arguments: Any) -> Any:
        self._maybe("fail")
        return await super().fail(*arguments)

    def _maybe(self, name: str) -> None:
        if name in self.failing:
            raise self.failing[name]


@pytest.mark.parametrize("step", ["open", "finish", "directory"])
async def test_a_database_in_trouble_means_retry(sender: Sender, step: str) -> None:
    """At each step; nothing is lost, and after the lease the version that was put is adopted."""
    ledger = FailingLedger()
    paper = PaperCollector(ledger=ledger)
    paper.enrol(sender)
    sent = sender.frame()
    paper.directory.away = step == "directory"
    ledger.failing = {step: DatabaseAway("away")}
    async with paper.running():
        paper.sent(sent)
        await paper.answers(1)
        paper.directory.away = False
        ledger.failing = {}
        paper.clock.now += 31_000
        paper.sent(sent)
        await paper.answers(2)
    assert [receipt.verdict for receipt in paper.receipts()] == [Verdict.RETRY, Verdict.STORED]
    assert len(list(paper.objects.store.versions("frames/"))) == 1


async def test_a_failure_that_cannot_even_be_counted_is_retried(sender: Sender) -> None:
    """And the collector lives."""
    ledger = FailingLedger()
    ledger.failing = {"open": ValueError("odd"), "fail": ValueError("odder")}
    paper = PaperCollector(ledger=ledger)
    paper.enrol(sender)
    async with paper.running():
        paper.sent(sender.outcome())
        await paper.answers(1)
        ledger.failing = {}
        paper.sent(sender.outcome())
        await paper.answers(2)
    assert [receipt.verdict for receipt in paper.receipts()] == [Verdict.RETRY, Verdict.STORED]


async def test_the_loser_of_a_claim_deletes_only_what_no_row_names(sender: Sender) -> None:
    """A slow collector loses its claim to another, which stores a version of its own; the slow one's goes."""
    slow = PaperCollector()
    slow.enrol(sender)
    sent = sender.frame()
    slow.objects.gate.clear()
    quick = PaperCollector(ledger=slow.ledger)
    quick.enrol(sender)
    quick.objects.store = slow.objects.store
    quick.objects._store = slow.objects.store
    async with slow.running(), quick.running():
        slow.sent(sent)
        await slow.objects.until_putting()
        for clock in (slow.clock, quick.clock):
            clock.now += 31_000
        quick.world.token()  # not the slow one's token
        quick.sent(sent)
        await quick.answers(1)
        slow.objects.gate.set()
        await slow.answers(1)
    assert slow.receipts() == quick.receipts()
    (frame,) = slow.ledger.frames.values()
    versions = [version.version for version in slow.objects.store.versions("frames/")]
    assert versions == [frame.version]


async def test_the_loser_leaves_a_version_that_was_adopted(sender: Sender) -> None:
    """Who took over found the slow one's version and named it in the row: it must not be deleted."""
    slow = PaperCollector()
    slow.enrol(sender)
    sent = sender.frame()
    ledger = slow.ledger
    finish = ledger.finish

    async def taken_over(tenant: str, endings: Any, now_ms: int) -> Any:
        (ending,) = endings
        key = (tenant, sender.register, sent.message_id)
        row = ledger.rows[key]
        ledger.rows[key] = dataclasses.replace(row, token=b"another collector's")
        lost = await finish(tenant, endings, now_ms)
        ledger.rows[key] = dataclasses.replace(
            row, state=State.STORED, version=ending.version, token=None, lease_until_ms=None
        )
        return lost

    ledger.finish = taken_over  # type: ignore[method-assign]
    async with slow.running():
        slow.sent(sent)
        await slow.answers(1)
    (receipt,) = slow.receipts()
    assert receipt.verdict is Verdict.STORED
    assert [version.version for version in slow.objects.store.versions("frames/")] == [receipt.version]


async def test_while_another_finishes_the_loser_deletes_nothing(sender: Sender) -> None:
    """Its row is still a claim: the version may be adopted at this moment, so the sweeper decides later."""
    slow = PaperCollector()
    slow.enrol(sender)
    ledger = slow.ledger
    finish = ledger.finish

    async def taken_over(tenant: str, endings: Any, now_ms: int) -> Any:
        for key, row in ledger.rows.items():
            ledger.rows[key] = dataclasses.replace(row, token=b"another collector's")
        return await finish(tenant, endings, now_ms)

    ledger.finish = taken_over  # type: ignore[method-assign]
    async with slow.running():
        slow.sent(sender.frame())
        await slow.answers(1)
    assert slow.receipts()[0].verdict is Verdict.RETRY
    assert len(list(slow.objects.store.versions("frames/"))) == 1


async def test_withdrawn_while_it_was_put(sender: Sender) -> None:
    """The frame is `gone` and its version deleted at once (T25)."""
    paper = PaperCollector()
    paper.enrol(sender)
    sent = sender.frame()
    paper.objects.gate.clear()
    async with paper.running():
        paper.sent(sent)
        await paper.objects.until_putting()
        paper.sent(sender.withdrawal(sent.consent))
        await paper.answers(1)
        paper.objects.gate.set()
        await paper.answers(2)
    assert [receipt.verdict for receipt in paper.receipts()] == [Verdict.STORED, Verdict.GONE]
    assert list(paper.objects.store.versions("frames/")) == []
    assert paper.ledger.frames == {}


async def test_a_register_enrolled_a_moment_ago_is_not_refused(sender: Sender) -> None:
    """What is remembered of a register is asked for again before anything is refused for it."""
    paper = PaperCollector()
    other = Sender(register="till-2", consent_key=sender.consent_key)
    paper.enrol(sender)
    async with paper.running():
        paper.sent(other.outcome())
        await paper.answers(1)
        paper.enrol(other)
        paper.sent(other.outcome())
        await paper.answers(2)
    refused, stored = paper.receipts()
    assert (refused.reason, stored.verdict) == (Reason.UNKNOWN_REGISTER, Verdict.STORED)


async def test_a_revocation_acts_within_two_seconds(sender: Sender) -> None:
    """Whatever the thief writes as its time; the withdrawal of a customer is still heard (T1)."""
    paper = PaperCollector()
    paper.enrol(sender)
    async with paper.running():
        paper.sent(sender.outcome())
        await paper.answers(1)
        paper.enrol(sender, revoked=True)
        paper.clock.now += 2_001
        paper.sent(sender.frame(), sender.withdrawal(bytes(16)))
        await paper.answers(3)
    by_reason = {receipt.reason for receipt in paper.receipts()}
    assert by_reason == {None, Reason.REVOKED}
    assert paper.ledger.withdrawals == {}
    assert len(paper.ledger.reviews) == 1


async def test_a_topic_of_nobody_is_dropped_and_counted(sender: Sender) -> None:
    """There is nobody to answer; it is acknowledged, so that it does not come again."""
    paper = PaperCollector()
    async with paper.running():
        paper.raw("topscoop/v1/Acme/till-1/up/frame", b"x", 1)
        paper.raw(f"topscoop/v1/{sender.tenant}/{sender.register}/up/report", b"x", 2)
        paper.raw(str(sender.frame().topic), b"no message", 3)
        answers = await paper.answers(3)
    assert [answer.reason for answer in answers[:2]] == [Reason.BAD_TOPIC] * 2
    assert (answers[2].reason, answers[2].verdict) == (Reason.MALFORMED, None)
    assert paper.link.did == [("acknowledge", 1), ("acknowledge", 2), ("acknowledge", 3)]


async def test_draining_answers_what_was_taken_in(sender: Sender) -> None:
    """And takes in nothing more; refusals are counted before it ends."""
    paper = PaperCollector()
    paper.enrol(sender)
    paper.objects.gate.clear()
    async with paper.running():
        paper.sent(sender.frame(), sender.frame(key=sender.consent_key))
        await paper.objects.until_putting()
        draining = asyncio.get_running_loop().create_task(paper.collector.drain())
        await asyncio.sleep(0)
        paper.sent(sender.frame())
        paper.objects.gate.set()
        await draining
        assert paper.collector.in_flight.messages == 0
    assert len(paper.watch.answers) == 2
    ((_, count),) = paper.ledger.refusals
    assert count.reason is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("batch_ms", [0, 1000])
async def test_what_a_slow_store_confirms_one_by_one_is_finished_together(
    sender: Sender, batch_ms: int
) -> None:
    """A transaction waits for those that are on their way, and no longer than until the last has come."""
    paper = PaperCollector(Limits(in_flight=20, batch_ms=batch_ms, workers=1))
    paper.enrol(sender)
    paper.collector._pace.took(1_000_000)  # the store is slow
    put, finish = paper.objects.put, paper.ledger.finish
    finished: list[int] = []

    async def slow_put(*put_what: Any) -> str:
        turns = 10 * paper.objects.putting
        version = await put(*put_what)
        for _ in range(turns):
            await asyncio.sleep(0)
        return version

    async def counted(tenant: str, endings: Any, now_ms: int) -> Any:
        finished.append(len(endings))
        return await finish(tenant, endings, now_ms)

    paper.objects.put = slow_put  # type: ignore[method-assign]
    paper.ledger.finish = counted  # type: ignore[method-assign]
    paper.objects.gate.clear()
    paper.sent(*(sender.frame() for _ in range(20)))
    async with paper.running():
        await paper.objects.until_putting(20)
        paper.objects.gate.set()
        await paper.answers(20)
    assert {answer.verdict for answer in paper.watch.answers} == {Verdict.STORED}
    assert sum(finished) == 20
    assert (len(finished) == 1) == (batch_ms > 0)
