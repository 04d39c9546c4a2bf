"""Places of those who wait: none is lost, none is woken for others, and no news that came early."""

from __future__ import annotations

import asyncio

import pytest

from cloud.intake.values import UploadState
from cloud.public_api.answers import ALL, ENDS, Answers, Places

A, B = ("gelateria-sole", b"a" * 16), ("gelateria-sole", b"b" * 16)
SAME_ID_ELSEWHERE = ("eisdiele-nord", b"a" * 16)
ANNA, BEN = ("gelateria-sole", b"anna"), ("gelateria-sole", b"ben")
_BOUND_S = 30


def test_places_are_bounded_in_all_and_for_each() -> None:
    """T27: one person takes no more than their share, and all together no more than there are."""
    places = Places(of_all=3, of_one=2)
    assert [places.take(ANNA) for _ in range(3)] == [True, True, False]
    assert [places.take(BEN) for _ in range(2)] == [True, False]
    assert not places.free(BEN)
    places.give_back(ANNA)
    assert places.free(BEN)
    assert places.take(BEN)
    for person in (ANNA, BEN, BEN):
        places.give_back(person)
    assert len(places) == 0


def test_news_before_the_wait_are_not_lost() -> None:
    """What is told between the look and the wait ends the wait at once."""

    async def scenario() -> None:
        answers = Answers()
        with answers.watch(A, ENDS) as watch:
            answers.tell(A, UploadState.DONE)
            assert await watch.news(_BOUND_S)

    asyncio.run(scenario())


def test_news_are_told_once() -> None:
    """A second wait waits for what is told after the first."""

    async def scenario() -> None:
        answers = Answers()
        with answers.watch(A, ENDS) as watch:
            answers.tell(A)
            answers.tell(A)
            assert await watch.news(_BOUND_S)
            assert not await watch.news(0)

    asyncio.run(scenario())


def test_others_news_wake_nobody() -> None:
    """Another upload's end, and one of the same id of another chain, are none of ours."""

    async def scenario() -> None:
        answers = Answers()
        with answers.watch(A, ENDS) as watch:
            answers.tell(B, UploadState.DONE)
            answers.tell(SAME_ID_ELSEWHERE)
            await asyncio.sleep(0)
            assert not await watch.news(0)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("wanted", "known", "told", "woken"),
    [
        (ENDS, None, UploadState.ISSUED, False),
        (ENDS, None, UploadState.ARRIVED, False),
        (ENDS, None, UploadState.DONE, True),
        (ENDS, None, UploadState.FAILED, True),
        (ENDS, UploadState.ISSUED, None, True),
        (ALL, UploadState.ISSUED, UploadState.ISSUED, False),
        (ALL, UploadState.ISSUED, UploadState.ARRIVED, True),
        (ALL, UploadState.ARRIVED, UploadState.DONE, True),
    ],
)
def test_only_what_is_new_and_wanted_wakes(
    wanted: frozenset[UploadState], known: UploadState | None, told: UploadState | None, *, woken: bool
) -> None:
    """Who waits for the end sleeps through the picture's arrival, a stream through what it has sent."""

    async def scenario() -> bool:
        answers = Answers()
        with answers.watch(A, wanted) as watch:
            if known is not None:
                watch.knows(known)
            answers.tell(A, told)
            await asyncio.sleep(0)
            return await watch.news(0)

    assert asyncio.run(scenario()) is woken


def test_a_thread_may_bring_the_news() -> None:
    """The recommender in the same process, or a listener on another loop, wakes as well."""

    async def scenario() -> None:
        answers = Answers()
        with answers.watch(A, ENDS) as watch:
            await asyncio.to_thread(answers.tell, A, UploadState.DONE)
            assert await watch.news(_BOUND_S)

    asyncio.run(scenario())


def test_a_place_is_free_again_however_its_client_leaves() -> None:
    """A cancelled client leaves nothing behind, and the one beside it is woken still."""

    async def scenario() -> None:
        answers = Answers()
        entered = asyncio.Event()

        async def client() -> None:
            with answers.watch(A, ENDS) as watch:
                entered.set()
                await watch.news(_BOUND_S)

        task = asyncio.create_task(client())
        await entered.wait()
        with answers.watch(A, ENDS) as watch:
            task.cancel()
            await asyncio.wait([task])
            answers.tell(A)
            assert await watch.news(_BOUND_S)
        assert dict(answers.waited_for()) == {}

    asyncio.run(scenario())


def test_whoever_brings_news_sleeps_until_somebody_waits() -> None:
    """No look while nobody waits; the first place wakes the bringer, and it learns of all by tenant."""

    async def scenario() -> None:
        answers = Answers()
        waiting = asyncio.create_task(answers.until_waited_for())
        await asyncio.sleep(0)
        assert not waiting.done()
        with answers.watch(A, ENDS), answers.watch(B, ENDS), answers.watch(A, ALL):
            async with asyncio.timeout(_BOUND_S):
                await waiting
            assert {tenant: sorted(those) for tenant, those in answers.waited_for().items()} == {
                A[0]: [A[1], B[1]]
            }
            await answers.until_waited_for()

    asyncio.run(scenario())


def test_a_process_that_ends_lets_everybody_go() -> None:
    """Those who wait are woken, and who comes after that does not wait."""

    async def scenario() -> None:
        answers = Answers()
        with answers.watch(A, ENDS) as before:
            answers.stop()
            assert await before.news(_BOUND_S)
        with answers.watch(B, ENDS) as after:
            assert await after.news(_BOUND_S)

    asyncio.run(scenario())
