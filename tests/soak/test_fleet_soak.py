"""The fleet simulation over a thousand seeds."""

import pytest

from tests.simulation.fleet.world import run_seed


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(1, 10))
def test_a_thousand_seeds(hundred: int) -> None:
    """T28: as tests/simulation/test_fleet.py, which plays the first hundred."""
    outcomes = [run_seed(seed) for seed in range(100 * hundred, 100 * hundred + 100)]
    assert [str(outcome) for outcome in outcomes if outcome.violations] == []
