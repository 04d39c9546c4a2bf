"""A fleet of 200 registers, each seed with faults of its own, a release that is good or bad in one way."""

import pytest

from tests.simulation.fleet.world import run_seed

SEEDS = range(100)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bad_release_stops_in_its_first_stage_and_a_good_one_goes_everywhere(seed: int) -> None:
    """T28: reports come late, twice, in another order, lying or never; two controllers decide at once.

    A bad release is stopped with its first stage exposed at most, and every exposed register runs its last
    good release again; a good one reaches all; nothing but a person ends a pause.
    """
    outcome = run_seed(seed)
    assert not outcome.violations, str(outcome)
