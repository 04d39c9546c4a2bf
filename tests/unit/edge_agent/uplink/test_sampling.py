from dataclasses import dataclass

import pytest

from edge_agent.config import SamplingConfig
from edge_agent.uplink.sampling import SETTING, FrameSampler, Quotas
from tests.builders.records import START_MS, interaction_id

_HOUR_MS = 3_600_000
_MIDNIGHT_MS = START_MS - START_MS % (24 * _HOUR_MS)


@dataclass
class Picture:
    """What a rule sees of one."""

    first: str | None = "mango"
    margin: float | None = 1.0


def _sampler(rules: SamplingConfig, kept: str | None = None, seed: str = "seed") -> FrameSampler:
    return FrameSampler(rules, seed, kept)


def _chosen(sampler: FrameSampler, count: int, now_ms: int = _MIDNIGHT_MS, first: str = "mango") -> int:
    return sum(sampler.choose(Picture(first), interaction_id(number), now_ms) for number in range(count))


def test_without_a_rule_every_consented_picture_goes() -> None:
    assert _chosen(_sampler(SamplingConfig()), 50) == 50


def test_a_share_is_drawn_by_a_hash_that_can_be_repeated() -> None:
    """The same interactions for the same seed, other ones for another; a larger share only adds."""

    def chosen(share: float, seed: str = "seed") -> set[int]:
        sampler = _sampler(SamplingConfig(rule="share", share=share), seed=seed)
        return {n for n in range(2000) if sampler.choose(Picture(), interaction_id(n), _MIDNIGHT_MS)}

    tenth = chosen(0.1)
    assert 150 < len(tenth) < 250
    assert chosen(0.1) == tenth
    assert chosen(0.1, "other") != tenth
    assert tenth < chosen(0.3)
    assert chosen(0.0) == set()
    assert len(chosen(1.0)) == 2000


@pytest.mark.parametrize("margin", [0.0, 0.3, -0.3])
def test_near_ties_are_what_a_model_learns_most_from(margin: float) -> None:
    assert _near_tie(margin)


@pytest.mark.parametrize("margin", [0.31, -0.31, None])
def test_a_clear_slate_is_not_sent_under_near_tie(margin: float | None) -> None:
    """Without scores (best-sellers) there is no tie."""
    assert not _near_tie(margin)


def _near_tie(margin: float | None) -> bool:
    sampler = _sampler(SamplingConfig(rule="near-tie", margin=0.3))
    return sampler.choose(Picture(margin=margin), interaction_id(1), START_MS)


def test_hours_and_days_have_their_bounds() -> None:
    sampler = _sampler(SamplingConfig(per_hour=3, per_day=7))
    taken = [_chosen(sampler, 10, _MIDNIGHT_MS + hour * _HOUR_MS) for hour in range(5)]
    assert taken == [3, 3, 1, 0, 0]
    assert _chosen(sampler, 10, _MIDNIGHT_MS + 24 * _HOUR_MS) == 3


def test_each_flavour_has_its_own_quota() -> None:
    """A best-seller does not take the room of the rare ones."""
    sampler = _sampler(SamplingConfig(per_flavour_per_day=2))
    assert [_chosen(sampler, 5, first=name) for name in ("mango", "mango", "liquorice")] == [2, 0, 2]
    assert _chosen(sampler, 5, _MIDNIGHT_MS + 24 * _HOUR_MS) == 2


def test_a_picture_that_the_rule_does_not_want_uses_no_quota() -> None:
    sampler = _sampler(SamplingConfig(rule="near-tie", margin=0.1, per_day=1))
    assert not sampler.choose(Picture(margin=5), interaction_id(1), START_MS)
    assert sampler.choose(Picture(margin=0), interaction_id(2), START_MS)


def test_quotas_survive_a_restart() -> None:
    """What was kept goes on; what cannot be read begins anew instead of stopping the till."""
    rules = SamplingConfig(per_hour=3)
    sampler = _sampler(rules)
    assert _chosen(sampler, 2) == 2
    kept = sampler.settings()[SETTING]
    assert _chosen(_sampler(rules, kept), 10) == 1
    assert _sampler(rules, kept).settings() == sampler.settings()


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '{"hour": 1}', '{"hour": "x"}', "7"])
def test_a_damaged_state_begins_anew(damaged: str) -> None:
    assert Quotas.parse(damaged) == Quotas()


def test_a_clock_that_was_years_ahead_does_not_end_the_sampling() -> None:
    """T15: a step back begins a new hour like a step ahead."""
    sampler = _sampler(SamplingConfig(per_hour=1))
    assert _chosen(sampler, 3, _MIDNIGHT_MS + 10_000 * 24 * _HOUR_MS) == 1
    assert _chosen(sampler, 3) == 1
