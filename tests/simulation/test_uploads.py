"""Lost, doubled and late events, workers that die at any step: every upload ends exactly once."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference import Manifest
from tests.simulation.uploads.mutants import MUTANTS
from tests.simulation.uploads.world import Mutant, play

SEEDS = range(200)
MANIFEST = Manifest.from_json(
    (Path(__file__).parents[2] / "models" / "gelateria-sole" / "manifest.json").read_bytes()
)


def test_every_upload_ends_in_one_recommendation_or_one_clear_failure() -> None:
    """T19: poison and killers are set aside, all others flow; no picture stays in the intake bucket."""
    deaths = 0
    for seed in SEEDS:
        world = play(seed, MANIFEST)
        deaths += world.deaths
        assert not world.violations, f"seed {seed}: {world.violations}\n" + "\n".join(world.story)
    assert deaths > len(SEEDS) / 2


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_simulation_finds_this_defect(mutant: Mutant) -> None:
    assert any(play(seed, MANIFEST, mutant).violations for seed in range(400))
