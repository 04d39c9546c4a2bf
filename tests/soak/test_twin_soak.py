"""The twin of `tests/simulation` goes on where `make test` ends, to the whole thousand and beyond."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.world.twin import run_seeds

FIRST_SEED = int(os.environ.get("TWIN_FIRST_SEED", "81"))
SOAK_S = float(os.environ.get("TWIN_SOAK_S", "60"))
CHUNK = 50
AT_LEAST = 920


@pytest.mark.soak
@pytest.mark.timeout(SOAK_S + 900)
def test_more_seeds_until_the_time_is_over() -> None:
    """T4: with `make test` a thousand; `TWIN_FIRST_SEED` and `TWIN_SOAK_S` choose others, and more."""
    until_s, played, first = time.monotonic() + SOAK_S, 0, FIRST_SEED
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        while time.monotonic() < until_s or played < AT_LEAST:
            chunks = [range(first + shift, first + shift + CHUNK) for shift in (0, CHUNK)]
            first += 2 * CHUNK
            for outcomes in pool.map(run_seeds, chunks):
                played += len(outcomes)
                failed = [outcome for outcome in outcomes if outcome.violations]
                assert not failed, "\n\n".join(outcome.story() for outcome in failed[:3])
