"""A referee that finds nothing must be one that would find something: each broken rule is caught."""

import pytest

from tests.simulation.fleet.mutants import MUTANTS
from tests.simulation.fleet.world import Mutant, run_seed

SEEDS = range(200)
REGISTERS = 80


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_is_caught(mutant: Mutant) -> None:
    """T28: with one rule broken a seed ends in a violation; the same seed has none with the rule kept."""
    seeds = (seed for seed in SEEDS if mutant.shows(seed))
    caught = next(
        (outcome for seed in seeds if (outcome := run_seed(seed, mutant, REGISTERS)).violations), None
    )
    assert caught is not None, f"{mutant.name} lives through its seeds"
    assert not run_seed(caught.seed, registers=REGISTERS).violations
