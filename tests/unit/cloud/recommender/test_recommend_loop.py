from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from cloud.database.notifications import JOBS
from cloud.errors import DatabaseAway
from cloud.outage_log import DatabaseOutage
from cloud.recommender import recommend_loop
from cloud.recommender.recommend_loop import Bell, Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

WAIT_S = 30


class Batches:
    """A recommender that finds what the test says, and tells when it was asked."""

    def __init__(self, *found: int | BaseException) -> None:
        self.found = list(found)
        self.asked = threading.Semaphore(0)

    def serve(self, stopping: Callable[[], bool]) -> int:
        one = self.found.pop(0) if self.found else 0
        self.asked.release()
        if isinstance(one, BaseException):
            raise one
        return one


def workers_of(batches: Any, bell: Bell) -> Workers:
    return Workers([batches], bell, DatabaseOutage(), batch_max=4)


def asked(batches: Batches, times: int = 1) -> bool:
    return all(batches.asked.acquire(timeout=WAIT_S) for _ in range(times))


def test_a_bell_that_rang_while_all_were_busy_is_heard() -> None:
    """No wake-up is lost: whoever would sleep next looks again at once."""
    bell = Bell(polling=False)
    bell.hears()
    bell.wait(WAIT_S)
    assert not bell._rung.is_set()
    bell.heard(JOBS, "recommend")
    assert bell._rung.is_set()
    bell.wait(WAIT_S)
    bell.heard(JOBS, "another queue")
    bell.heard("another channel", "recommend")
    assert not bell._rung.is_set()


def test_workers_go_on_while_there_is_work_and_sleep_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend_loop, "HEARING_S", WAIT_S)
    bell, batches = Bell(polling=False), Batches(4, 2)
    bell.hears()
    workers = workers_of(batches, bell)
    workers.start(lambda _: None)
    assert asked(batches, 3)
    bell.ring()
    assert asked(batches)
    workers.stop()


def test_a_database_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend_loop, "AWAY_S", 0.001)
    batches = Batches(DatabaseAway("away"), DatabaseAway("away"), 1)
    workers = workers_of(batches, Bell(polling=True))
    workers.start(lambda _: None)
    assert asked(batches, 4)
    workers.stop()


def test_a_defect_ends_the_process() -> None:
    """Whoever runs the threads hears of it: no service lives on with half of its workers."""
    told: list[BaseException] = []
    heard = threading.Event()
    workers = workers_of(Batches(ZeroDivisionError()), Bell(polling=True))

    def failed(error: BaseException) -> None:
        told.append(error)
        heard.set()

    workers.start(failed)
    assert heard.wait(WAIT_S)
    assert isinstance(told[0], ZeroDivisionError)
    workers.stop()
