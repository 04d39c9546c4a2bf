"""A provider's document: asked for by one at a time, kept while the provider is away."""

from __future__ import annotations

import threading

import pytest

from cloud.identity.errors import ProviderAway
from cloud.identity.kept import AGAIN_S, FRESH_S, STALE_S, Kept, away


class _Source:
    """A document that counts who asks."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.is_away = False

    def __call__(self) -> int:
        self.asked += 1
        if self.is_away:
            raise away()
        return self.asked

    def kept(self) -> Kept[int]:
        return Kept(self, lambda: self.now)


def test_it_is_asked_for_again_when_it_is_old() -> None:
    source = _Source()
    kept = source.kept()
    assert [kept.get(), kept.get()] == [1, 1]
    source.now = FRESH_S
    assert kept.get() == 2


def test_who_needs_a_newer_one_asks_once_a_minute() -> None:
    """T22: a flood of unknown keys costs the provider one request a minute."""
    source = _Source()
    kept = source.kept()
    kept.get()
    assert [kept.newer() for _ in range(5)] == [1] * 5
    source.now = AGAIN_S
    assert [kept.newer() for _ in range(5)] == [2] * 5


def test_a_provider_that_is_away_is_not_asked_by_everybody_in_turn() -> None:
    """T24: beginning a login takes nobody's word: while one try ran out, the others are told at once."""
    source = _Source()
    source.is_away = True
    kept = source.kept()
    asked = []
    for at in (0.0, 0.5, 1.9, 2.0, 2.1):
        source.now = at
        with pytest.raises(ProviderAway):
            kept.get()
        asked.append(source.asked)
    assert asked == [1, 1, 1, 2, 2]


def test_an_old_one_serves_while_the_provider_is_away_but_not_for_ever() -> None:
    source = _Source()
    kept = source.kept()
    kept.get()
    source.is_away = True
    source.now = FRESH_S
    assert kept.get() == 1
    source.now = STALE_S + 1
    with pytest.raises(ProviderAway):
        kept.get()


def test_many_who_need_it_at_once_make_one_request() -> None:
    """Single flight: the others wait for the one that asks, and get what it got."""
    asking, go_on = threading.Event(), threading.Event()
    asked: list[int] = []

    def slow() -> int:
        asked.append(1)
        asking.set()
        assert go_on.wait(30)
        return 7

    kept: Kept[int] = Kept(slow, lambda: 0.0, patience_s=60)
    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(kept.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert asking.wait(30)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert (got, len(asked)) == ([7] * 8, 1)


@pytest.mark.parametrize("has_one", [False, True])
def test_nobody_waits_long_for_somebody_elses_question(*, has_one: bool) -> None:
    """T27: a silent provider holds the one thread that asks it; others get the old document, or hear it."""
    asking, go_on = threading.Event(), threading.Event()
    now, documents = [0.0], iter([1, 2])

    def silent() -> int:
        if has_one and not now[0]:
            return next(documents)
        asking.set()
        assert go_on.wait(60)
        return next(documents)

    kept: Kept[int] = Kept(silent, lambda: now[0], patience_s=0.01)
    if has_one:
        assert kept.get() == 1
        now[0] = FRESH_S
    asker = threading.Thread(target=kept.get)
    asker.start()
    try:
        assert asking.wait(30)
        if has_one:
            assert kept.get() == 1
        else:
            with pytest.raises(ProviderAway):
                kept.get()
    finally:
        go_on.set()
        asker.join(30)
    assert kept.get() == (2 if has_one else 1)
