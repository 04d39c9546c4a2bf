import asyncio

import pytest

from edge_agent.errors import TooManySubscribersError
from edge_agent.events import MAX_BACKLOG_EVENTS, MAX_SUBSCRIBERS, RING_EVENTS, EventHub, Subscription


async def numbers(subscription: Subscription, count: int) -> list[int]:
    return [(await anext(subscription)).id for _ in range(count)]


def publish(hub: EventHub, count: int) -> None:
    for number in range(count):
        hub.publish("menu", {"number": number})


async def test_a_subscriber_hears_what_happens_from_now_on() -> None:
    hub = EventHub(first_id=100)
    publish(hub, 2)
    with hub.subscribe() as subscription:
        publish(hub, 2)
        assert await numbers(subscription, 2) == [102, 103]
        assert not subscription.missed


async def test_a_waiting_subscriber_is_woken() -> None:
    hub = EventHub(first_id=1)
    with hub.subscribe() as subscription:
        waiting = asyncio.create_task(numbers(subscription, 1))
        await asyncio.sleep(0)
        publish(hub, 1)
        assert await waiting == [1]


async def test_a_subscriber_resumes_where_it_was() -> None:
    hub = EventHub(first_id=1)
    publish(hub, 5)
    subscription = hub.subscribe(last_seen=3)
    assert await numbers(subscription, 2) == [4, 5]
    assert not subscription.missed


@pytest.mark.parametrize("last_seen", [0, 999, 10_000])
async def test_who_missed_something_is_told(last_seen: int) -> None:
    """Before the ring, in an earlier run, or a number that was never given."""
    hub = EventHub(first_id=1000)
    publish(hub, RING_EVENTS + 1)
    subscription = hub.subscribe(last_seen=last_seen)
    assert subscription.missed


@pytest.mark.parametrize("last_seen", [1000, 1000 + RING_EVENTS])
async def test_the_edges_of_the_ring_miss_nothing(last_seen: int) -> None:
    hub = EventHub(first_id=1000)
    publish(hub, RING_EVENTS + 1)
    subscription = hub.subscribe(last_seen=last_seen)
    assert not subscription.missed
    await numbers(subscription, 1000 + RING_EVENTS - last_seen)


async def test_a_new_hub_misses_nothing_for_who_saw_the_last_number() -> None:
    assert not EventHub(first_id=5).subscribe(last_seen=4).missed
    assert EventHub(first_id=5).subscribe(last_seen=3).missed


async def test_a_slow_subscriber_is_dropped_and_nobody_waits_for_it() -> None:
    hub = EventHub(first_id=0)
    slow, quick = hub.subscribe(), hub.subscribe()
    for number in range(MAX_BACKLOG_EVENTS + 1):
        publish(hub, 1)
        assert await numbers(quick, 1) == [number]
    assert (hub.subscribers, hub.dropped_subscribers) == (1, 1)
    read = [event.id async for event in slow]
    assert read == list(range(MAX_BACKLOG_EVENTS)), "what waited can still be read, and no gap is hidden"
    resumed = hub.subscribe(last_seen=read[-1])
    assert not resumed.missed
    assert await numbers(resumed, 1) == [MAX_BACKLOG_EVENTS]


async def test_closing_ends_every_stream_and_every_later_one() -> None:
    hub = EventHub(first_id=1)
    subscription = hub.subscribe()
    reading = asyncio.create_task(anext(subscription, None))
    await asyncio.sleep(0)
    hub.close()
    assert await reading is None
    assert [event async for event in hub.subscribe()] == []
    assert hub.subscribers == 0


async def test_too_many_subscribers_are_refused() -> None:
    hub = EventHub(first_id=1)
    first = hub.subscribe()
    for _ in range(MAX_SUBSCRIBERS - 1):
        hub.subscribe()
    with pytest.raises(TooManySubscribersError):
        hub.subscribe()
    first.close()
    first.close()
    hub.subscribe()
