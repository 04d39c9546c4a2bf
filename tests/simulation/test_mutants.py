"""A referee that finds nothing must be one that would find something."""

import pytest

from tests.simulation.world.mutants import MUTANTS
from tests.simulation.world.twin import Mutant, run_seed

SEEDS = range(1, 101)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_is_caught(mutant: Mutant) -> None:
    """T4: with one rule broken a seed ends in a violation, and the same seed has none with the rule kept."""
    caught = next((outcome for seed in SEEDS if (outcome := run_seed(seed, mutant)).violations), None)
    assert caught is not None, f"{mutant.name} lives through {len(SEEDS)} seeds"
    assert not run_seed(caught.seed).violations
