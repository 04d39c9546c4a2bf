from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cloud.recommender.errors import UnusableModel
from cloud.recommender.values import Champion
from cloud.recommender.warm_models import BROKEN_FOR_S, LOOK_EVERY_S, WarmModels, room_of
from cloud.releases.errors import ReleasesAway


def champion(tenant: str, release: int = 1, size: int = 1_000_000) -> Champion:
    return Champion(tenant, release, str(release), f"{release:064x}", "targets/x", size)


class Stage:
    """Models that are names, and a count of what was loaded and looked up."""

    def __init__(self, room_bytes: int) -> None:
        self.champions: dict[str, Champion | None] = {}
        self.loaded: list[tuple[str, int]] = []
        self.looked_up = 0
        self.seconds = 0.0
        self.models = WarmModels(self._look_up, self._load, room_bytes, lambda: self.seconds)

    def _look_up(self, tenant: str) -> Champion | None:
        self.looked_up += 1
        return self.champions.get(tenant)

    def _load(self, one: Champion) -> Any:
        self.loaded.append((one.tenant, one.release))
        return f"{one.tenant} {one.release}"

    def use(self, one: Champion) -> Any:
        with self.models.use(one) as model:
            return model


def test_a_model_is_loaded_once() -> None:
    stage = Stage(10**9)
    assert stage.use(champion("a")) == stage.use(champion("a")) == "a 1"
    assert stage.loaded == [("a", 1)]


def test_memory_is_bounded_and_what_was_used_least_recently_goes() -> None:
    stage = Stage(2 * room_of(champion("a")))
    for tenant in ("a", "b", "a", "c", "a", "b"):
        stage.use(champion(tenant))
    assert stage.loaded == [("a", 1), ("b", 1), ("c", 1), ("b", 1)]
    assert stage.models.count == 2
    assert stage.models.used_bytes <= 2 * room_of(champion("a"))


def test_a_model_larger_than_the_room_is_used_all_the_same() -> None:
    stage = Stage(1)
    stage.use(champion("a"))
    stage.use(champion("b"))
    assert stage.models.count == 1


def test_a_chains_former_champion_goes_at_once() -> None:
    stage = Stage(10**9)
    stage.use(champion("a", 1))
    stage.use(champion("a", 2))
    assert stage.models.count == 1
    assert stage.loaded == [("a", 1), ("a", 2)]


def test_champions_are_looked_up_once_a_second() -> None:
    stage = Stage(10**9)
    assert stage.models.champion("a") is None
    stage.champions["a"] = champion("a", 7)
    assert stage.models.champion("a") is None
    stage.seconds += LOOK_EVERY_S
    assert stage.models.champion("a") == champion("a", 7)
    assert stage.looked_up == 2


def test_a_model_that_does_not_load_is_tried_again_after_a_while() -> None:
    """T27: not fetched anew for each upload; another release is used at once."""
    stage = Stage(10**9)
    load, stage.models._load = stage.models._load, _raises
    with pytest.raises(UnusableModel):
        stage.use(champion("a"))
    stage.models._load = load
    stage.seconds = BROKEN_FOR_S - 0.1
    with pytest.raises(UnusableModel):
        stage.use(champion("a"))
    assert stage.loaded == []
    stage.seconds = BROKEN_FOR_S
    assert stage.use(champion("a")) == "a 1"
    assert stage.use(champion("a", 2)) == "a 2"


def test_a_model_that_cannot_be_fetched_now_is_asked_for_again_at_once() -> None:
    stage = Stage(10**9)
    load, stage.models._load = stage.models._load, _away
    with pytest.raises(ReleasesAway):
        stage.use(champion("a"))
    assert stage.models.count == 0
    stage.models._load = load
    assert stage.use(champion("a")) == "a 1"


def test_many_threads_load_it_once_and_take_turns() -> None:
    """One flight; a network's buffers are one thread's at a time."""
    stage = Stage(10**9)
    inside, most = threading.Semaphore(1), []

    def work() -> None:
        with stage.models.use(champion("a")):
            most.append(inside.acquire(blocking=False))
            inside.release()

    with ThreadPoolExecutor(8) as threads:
        for future in [threads.submit(work) for _ in range(64)]:
            future.result()
    assert stage.loaded == [("a", 1)]
    assert all(most)


def _raises(_: Champion) -> Any:
    raise UnusableModel("no")


def _away(_: Champion) -> Any:
    raise ReleasesAway("away")
