from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cloud.jobs.turns import in_turn, share

WAITING = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 60), max_size=8)


def taken(waiting: dict[str, int], limit: int, last: str = "") -> tuple[Counter[str], str]:
    left = dict(waiting)

    def take(tenant: str, wanted: int) -> list[str]:
        assert wanted > 0
        count = min(wanted, left[tenant])
        left[tenant] -= count
        return [tenant] * count

    found, served = share(in_turn(sorted(waiting), last), limit, take)
    return Counter(found), served


@given(WAITING, st.integers(1, 64))
def test_nothing_is_left_lying_while_there_is_room(waiting: dict[str, int], limit: int) -> None:
    assert taken(waiting, limit)[0].total() == min(limit, sum(waiting.values()))


@given(WAITING, st.integers(1, 64))
def test_nobody_gets_much_more_than_another_who_wants_more(waiting: dict[str, int], limit: int) -> None:
    """T27: who is left with something to do got nearly as much as anybody."""
    counts, _ = taken(waiting, limit)
    for tenant, wanted in waiting.items():
        if counts[tenant] < wanted and limit >= len(waiting):
            assert counts[tenant] * 2 + len(waiting) >= max(counts.values())


@given(st.sets(st.sampled_from("abcdefgh"), min_size=1), st.integers(1, 3))
def test_everybody_is_served_within_a_round(tenants: set[str], limit: int) -> None:
    """T27: with room for few, the turn goes on where it ended."""
    served: Counter[str] = Counter()
    last = ""
    for _ in range(-(-len(tenants) // limit)):
        counts, last = taken(dict.fromkeys(tenants, 100), limit, last)
        served += counts
    assert set(served) == tenants
