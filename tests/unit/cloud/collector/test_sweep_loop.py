"""What the sweeper deletes, and what it must not."""

import asyncio

import pytest

from cloud.collector.object_storing import metadata_of
from cloud.collector.sweep_loop import Sweeper, recent_days
from cloud.collector.values import Claim, Ending
from cloud.objects.ports import ObjectsAway
from tests.builders.frame_sender import Sender
from tests.builders.ledgers import decide_at, offer_of
from tests.builders.paper_collector import NOW, PaperCollector

AFTER = 600_000


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def paper(sender: Sender) -> PaperCollector:
    paper = PaperCollector()
    paper.enrol(sender)
    return paper


def sweeper_of(paper: PaperCollector) -> Sweeper:
    world = paper.world
    return Sweeper(
        world.ledger, world.objects, world.directory, world.clock, world.watch, sweep_after_ms=AFTER
    )


async def test_what_no_row_names_goes_after_ten_minutes(paper: PaperCollector, sender: Sender) -> None:
    """Not before; what a row names stays for ever; what is not ours stays too."""
    offer = offer_of(sender, sender.frame(), NOW)
    (opening,) = await paper.ledger.open(sender.tenant, [offer], decide_at(NOW), NOW)
    claim = opening.ruling
    assert isinstance(claim, Claim)
    store = paper.objects.store
    lost = store.put(claim.object_key, b"x", metadata_of(offer), {})
    kept = store.put(claim.object_key, b"x", metadata_of(offer), {})
    foreign = store.put(claim.object_key, b"x", {"somebody": "else"}, {})
    await paper.ledger.finish(sender.tenant, [Ending(offer, claim, kept)], NOW)
    sweeper = sweeper_of(paper)
    paper.clock.now = NOW + AFTER
    assert (await sweeper.sweep()).deleted == 0
    paper.clock.now = NOW + AFTER + 1
    assert (await sweeper.sweep()).deleted == 1
    assert [version.version for version in store.versions("frames/")] == [foreign, kept]
    assert [version.version for version in paper.watch.swept_versions] == [lost]


async def test_a_live_claims_version_is_left_alone(paper: PaperCollector, sender: Sender) -> None:
    """However old it is: who holds the claim may be about to finish with it."""
    store = paper.objects.store
    offer = offer_of(sender, sender.frame(), NOW)
    paper.clock.now = NOW + AFTER + 1
    (opening,) = await paper.ledger.open(sender.tenant, [offer], decide_at(paper.clock.now), paper.clock.now)
    claim = opening.ruling
    assert isinstance(claim, Claim)
    paper.clock.now = NOW
    version = store.put(claim.object_key, b"x", metadata_of(offer), {})
    paper.clock.now = NOW + AFTER + 2
    assert (await sweeper_of(paper).sweep()).deleted == 0
    rows = await paper.ledger.finish(sender.tenant, [Ending(offer, claim, version)], paper.clock.now)
    assert rows[0] is not None


async def test_who_lost_its_claim_to_the_sweeper_cannot_finish(paper: PaperCollector, sender: Sender) -> None:
    """A collector that stood still for ten minutes finds its version gone, and its claim with it (T4)."""
    sent = sender.frame()
    finish, at_the_gate, go_on = paper.ledger.finish, asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: object) -> object:
        at_the_gate.set()
        await go_on.wait()
        return await finish(*arguments)  # type: ignore[arg-type]

    paper.ledger.finish = slowly  # type: ignore[method-assign, assignment]
    async with paper.running():
        paper.sent(sent)
        await at_the_gate.wait()
        paper.clock.now += AFTER + 1
        assert (await sweeper_of(paper).sweep()).deleted == 1
        go_on.set()
        await paper.answers(1)
        paper.sent(sent)
        await paper.answers(2)
    first, second = paper.receipts()
    assert (first.verdict, second.verdict) == ("retry", "stored")
    assert [one.version for one in paper.objects.store.versions("frames/")] == [second.version]


async def test_a_days_folder_of_any_clock_is_found(paper: PaperCollector, sender: Sender) -> None:
    """The first round looks everywhere, also on days far off and under `undated`."""
    store = paper.objects.store
    offer = offer_of(sender, sender.frame(), NOW)
    for key in ("frames/acme/1999/01/01/x", "frames/acme/undated/y", "frames/acme/2026/09/21/z"):
        store.put(key, b"x", metadata_of(offer), {})
    paper.clock.now = NOW + AFTER + 1
    sweeper = sweeper_of(paper)
    assert (await sweeper.sweep()).deleted == 3
    assert list(store.versions("frames/")) == []


async def test_an_absent_store_is_asked_again(paper: PaperCollector, sender: Sender) -> None:
    """The loop outlives it, and says so."""
    asked = asyncio.Event()

    async def away(_: str) -> list[str]:
        asked.set()
        raise ObjectsAway("away")

    paper.objects.folders = away  # type: ignore[method-assign, assignment]
    task = asyncio.get_running_loop().create_task(sweeper_of(paper).run(every_s=0))
    await asked.wait()
    asked.clear()
    await asked.wait()
    assert not task.done()
    task.cancel()
    assert paper.watch.failures[0][0] == "sweep.interrupted"


def test_recent_days_span_midnight() -> None:
    """Yesterday, today, tomorrow."""
    assert recent_days("a", 1_790_000_000_000)[:3] == [
        "frames/a/2026/09/20/",
        "frames/a/2026/09/21/",
        "frames/a/2026/09/22/",
    ]
