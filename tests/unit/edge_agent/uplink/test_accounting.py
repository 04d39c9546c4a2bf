import pytest

from edge_agent.uplink.accounting import DropReason, Fate, account, captured, ended, never_spooled
from edge_agent.uplink.lanes import Lane


def test_every_fate_and_reason_has_a_place_in_the_equation() -> None:
    """T4: one of each, and nothing is lost."""
    counters: dict[str, int] = {}
    fates: list[tuple[Fate, DropReason | None]] = [(fate, None) for fate in Fate if fate is not Fate.DROPPED]
    for fate, reason in fates + [(Fate.DROPPED, reason) for reason in DropReason]:
        for name, by in never_spooled(Lane.FRAMES, fate, reason).items():
            counters[name] = counters.get(name, 0) + by
    counters[captured(Lane.FRAMES)] += 5
    sums = account(Lane.FRAMES, counters, spooled=5)
    assert sums.lost == 0
    assert sums.captured == len(Fate) - 1 + len(DropReason) + 5
    assert set(sums.dropped) == set(DropReason)
    assert account(Lane.FRAMES, counters, spooled=4).lost == 1


def test_lanes_are_counted_apart() -> None:
    counters = never_spooled(Lane.EVENTS, Fate.DROPPED, DropReason.PURGED)
    assert account(Lane.FRAMES, counters, spooled=0).captured == 0


@pytest.mark.parametrize(("fate", "reason"), [(Fate.DROPPED, None), (Fate.STORED, DropReason.FULL)])
def test_a_drop_has_a_reason_and_nothing_else_has(fate: Fate, reason: DropReason | None) -> None:
    with pytest.raises(ValueError, match="a drop has a reason"):
        ended(Lane.FRAMES, fate, reason)
