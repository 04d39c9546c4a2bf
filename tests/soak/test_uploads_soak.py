"""The simulation of uploads goes on where `make test` ends."""

import pytest

from tests.simulation.test_uploads import MANIFEST, SEEDS
from tests.simulation.uploads.world import play


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_two_thousand_more_seeds() -> None:
    """T19: as `tests/simulation/test_uploads.py` says."""
    for seed in range(len(SEEDS), len(SEEDS) + 2000):
        world = play(seed, MANIFEST)
        assert not world.violations, f"seed {seed}: {world.violations}\n" + "\n".join(world.story)
