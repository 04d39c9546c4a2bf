"""Tenants in turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.collector.turns import COMPANY_MS, Company, Turns


def test_nobody_waits_behind_anothers_flood() -> None:
    """A tenant that joins is served after one batch of each before it (T27)."""
    turns = Turns[int](per_tenant=1000)
    for number in range(500):
        turns.put("noisy", number)
    turns.put("quiet", 1)
    assert [turns.take(10)[0] for _ in range(3)] == ["noisy", "quiet", "noisy"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=60), st.integers(1, 7))
def test_each_tenants_order_is_kept(puts: list[tuple[str, int]], most: int) -> None:
    """And nothing is lost or served twice."""
    turns = Turns[int](per_tenant=100)
    for tenant, item in puts:
        assert turns.put(tenant, item)
    served: dict[str, list[int]] = {}
    while len(turns):
        tenant, items = turns.take(most)
        assert 0 < len(items) <= most
        served.setdefault(tenant, []).extend(items)
    assert served == {
        tenant: [item for owner, item in puts if owner == tenant] for tenant in {owner for owner, _ in puts}
    }


def test_a_full_queue_says_so() -> None:
    """To its own tenant alone."""
    turns = Turns[int](per_tenant=1)
    assert [turns.put("a", 1), turns.put("a", 2), turns.put("b", 3)] == [True, False, True]
    assert len(turns) == 2


def test_an_empty_one_has_nothing_to_give() -> None:
    with pytest.raises(LookupError):
        Turns[int](1).take(1)


def test_alone_a_tenant_shares_with_nobody() -> None:
    """It may fill the room; in company it may not, for as long as the other has sent lately (T27)."""
    company = Company()
    assert not any(company.shared("big", now_ms) for now_ms in range(0, 100_000, 100))
    assert company.shared("small", 100_000)
    assert company.shared("big", 100_001)
    assert company.shared("big", 100_000 + COMPANY_MS - 1)
    assert not company.shared("big", 100_000 + COMPANY_MS)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8_000)), max_size=40))
def test_company_is_another_within_ten_seconds(arrivals: list[tuple[str, int]]) -> None:
    """As the definition says, looked up in all that came."""
    company, now_ms, came = Company(), 1, list[tuple[str, int]]()
    for tenant, pause_ms in arrivals:
        now_ms += pause_ms
        expected = any(other != tenant and now_ms - at < COMPANY_MS for other, at in came)
        assert company.shared(tenant, now_ms) is expected
        came.append((tenant, now_ms))
