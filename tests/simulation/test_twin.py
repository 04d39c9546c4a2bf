"""Stories of registers, broker, collectors and keeper, a score of faults in each; `make soak`: 1,000."""

import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.simulation.world.faults import Fault, Kind
from tests.simulation.world.twin import FAULTS, MESSAGES, REPLAY, Outcome, run_seed, run_seeds

SEEDS = int(os.environ.get("TWIN_SEEDS", "80"))
PROCESSES = 2
CHUNK = 25
_ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(1800)  # whichever test comes first plays all the seeds


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """All seeds, played once for all tests of this file."""
    chunks = [range(first, min(first + CHUNK, SEEDS + 1)) for first in range(1, SEEDS + 1, CHUNK)]
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        return [outcome for some in pool.map(run_seeds, chunks) for outcome in some]


@pytest.fixture(scope="module")
def bite(outcomes: list[Outcome]) -> Counter[str]:
    """Which faults struck, over all seeds."""
    return sum((outcome.bite for outcome in outcomes), Counter())


@pytest.fixture(scope="module")
def counts(outcomes: list[Outcome]) -> Counter[str]:
    """What happened, over all seeds."""
    return sum((outcome.counts for outcome in outcomes), Counter())


def test_no_seed_finds_what_must_never_happen(outcomes: list[Outcome]) -> None:
    """T1 T3 T4 T5 T12 T14 T15 T16 T17 T18 T19 T25: whatever fails, the law holds at every step.

    Nothing is lost, doubled, unconsented, readable after its erasure or told before it is durable; accounts
    add up; all comes to rest.
    """
    failed = [outcome for outcome in outcomes if outcome.violations]
    assert not failed, "\n\n".join(
        [f"{len(failed)} of {len(outcomes)} seeds", *(outcome.story() for outcome in failed[:3])]
    )


def test_every_seed_is_rich(outcomes: list[Outcome]) -> None:
    """T4: each has two tenants, three registers, two collectors, 150 messages, 20 faults and a crash."""
    assert len(outcomes) == SEEDS
    for outcome in outcomes:
        assert (outcome.tenants, outcome.registers, outcome.collectors) >= (2, 3, 2)
        assert outcome.registers >= 3
        assert outcome.collectors >= 2
        assert outcome.captured >= MESSAGES, f"seed {outcome.seed} captured {outcome.captured}"
        assert len(outcome.faults) >= FAULTS
        assert outcome.crashes >= 1, f"seed {outcome.seed} had no crash"


@pytest.mark.parametrize("kind", [*Kind])
def test_every_fault_bites(kind: Kind, bite: Counter[str]) -> None:
    """A fault that is drawn and never strikes would prove nothing."""
    assert bite[kind] >= SEEDS // 20


@pytest.mark.parametrize(
    "what",
    [
        "lose",
        "repeat",
        "delay",
        "lie",
        "cut",
        "no subscriber",
        "queue lost",
        "unacknowledged lost",
        "lost in crash",
        "crash after a write",
        "erased under way",
        *(f"forged {how}" for how in ("own_blank", "ended_consent", "other_purpose", "reused_blank")),
        "forged foreign_consent",
        "forged wrong_key",
    ],
)
def test_every_way_of_failing_happens(what: str, bite: Counter[str]) -> None:
    """The parts of faults that matter most are counted by themselves."""
    assert bite[what] >= SEEDS // 50


@pytest.mark.parametrize(
    "what",
    [
        *(f"captured {kind}" for kind in ("frame", "consent", "interaction", "outcome", "withdrawal")),
        *(f"receipt {verdict}" for verdict in ("stored", "refused", "gone", "retry")),
        *(f"ended {fate}" for fate in ("stored", "refused", "gone", "dropped")),
        *(f"ruled {ruling}" for ruling in ("Claim", "Store", "Refuse", "Vanish", "Repeat", "Later")),
        *(
            f"refused {reason}"
            for reason in ("conflict", "revoked", "identity-mismatch", "poison", "too-old")
        ),
        *(f"refused consent-{reason}" for reason in ("forged", "foreign", "expired", "purpose")),
        *(f"retry {why}" for why in ("busy", "rate", "database", "objects", "failed")),
        "refused unknown-key",
        "refused blank-reused",
        "erasure version-deleted",
        "opened with a living key",
    ],
)
def test_every_answer_is_given(what: str, counts: Counter[str]) -> None:
    """All verdicts, fates and rulings happen, so the law about each of them was asked."""
    assert counts[what] >= SEEDS // 50


def test_a_flood_is_its_own_tenants_trouble() -> None:
    """T27: the tenant that floods is told to wait, the others are not."""
    floods = tuple(Fault(Kind.FLOOD, at_s, 0, which=0.0) for at_s in range(300, 320))
    for seed in range(1, 6):
        outcome = run_seed(seed, faults=floods)
        assert not outcome.violations
        assert outcome.counts["retry of acme"] > 20
        assert outcome.counts["retry rate"] == outcome.counts["retry of acme"]


def test_a_seed_is_one_story() -> None:
    """The same seed plays the same, also in another process with other hashes of strings."""
    here = run_seed(7).digest
    assert run_seed(7).digest == here
    code = "from tests.simulation.world.twin import run_seed; print(run_seed(7).digest)"
    there = subprocess.run(
        [sys.executable, "-c", code],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


def test_a_failure_tells_how_to_replay_it() -> None:
    """Seed, command, faults and last events stand in the message; the command works."""
    outcome = run_seed(3)
    outcome.violations.append("made up")
    story = outcome.story()
    assert "seed 3: made up" in story
    assert f"{REPLAY} 3" in story
    assert "last events:" in story
    again = subprocess.run(
        [sys.executable, "-m", "tests.simulation.replay", "3"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "nothing happened that must not" in again.stdout
