from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloud.intake.values import Purpose, UploadProblem, UploadState
from cloud.recommender import outcome
from cloud.recommender.outcome import Step
from cloud.recommender.values import Champion
from inference import Context, Manifest, Recommendation
from tests.builders.paper_uploads import some_ticket

NOW = 1_795_000_000_000
ARRIVED = some_ticket("brioche", bytes(16), b"picture", state=UploadState.ARRIVED, arrived_at_ms=NOW)
KEPT = replace(ARRIVED, state=UploadState.DONE, purpose=Purpose.RECOMMEND_AND_IMPROVE)
MANIFEST = Manifest.from_json(
    (Path(__file__).parents[4] / "models" / "gelateria-sole" / "manifest.json").read_bytes()
)


def step(ticket: object, attempt: int = 1, after_ms: int = 0) -> Step:
    return outcome.step_of(
        ticket,  # type: ignore[arg-type]
        attempt,
        attempts_max=3,
        now_ms=NOW + after_ms,
        plaintext_ms=120_000,
    )


@pytest.mark.parametrize(
    ("ticket", "attempt", "after_ms", "expected"),
    [
        (ARRIVED, 1, 0, Step.LOOK),
        (ARRIVED, 3, 119_999, Step.LOOK),
        (ARRIVED, 4, 0, Step.GIVE_UP),
        (ARRIVED, 1, 120_000, Step.OVERDUE),
        (None, 9, 0, Step.TIDY),
        *((replace(ARRIVED, state=state), 9, 0, Step.TIDY) for state in ("failed", "expired", "erased")),
        (replace(ARRIVED, state=UploadState.DONE), 1, 0, Step.TIDY),
        (KEPT, 1, 500_000, Step.PROMOTE),
        (KEPT, 4, 0, Step.GIVE_UP),
        (replace(KEPT, deleted=True), 1, 0, Step.TIDY),
    ],
)
def test_the_next_step(ticket: object, attempt: int, after_ms: int, expected: Step) -> None:
    assert step(ticket, attempt, after_ms) is expected


def test_bytes_must_be_those_that_were_announced() -> None:
    assert outcome.problem_of_bytes(ARRIVED, b"picture") is None
    longer, other = (outcome.problem_of_bytes(ARRIVED, data) for data in (b"pictures", b"pictura"))
    assert longer is not None
    assert longer.problem is UploadProblem.WRONG_LENGTH
    assert other is not None
    assert other.problem is UploadProblem.DIGEST_MISMATCH


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Context()),
        ({"hour": 15.5, "weekday": 6, "temperature_c": 31, "shop": "beach"}, Context(15.5, 6, 31, "beach")),
        ({"hour": 24, "weekday": -1, "temperature_c": 1e9, "shop": 7}, Context()),
        ({"hour": float("nan"), "temperature_c": float("inf")}, Context()),
        ({"hour": "15", "nonsense": {"a": 1}, "weekday": 2}, Context(weekday=2)),
    ],
)
def test_what_a_client_tells_counts_where_it_can_be(values: dict[str, object], expected: Context) -> None:
    """A value that is none counts as unknown: it spoils no recommendation."""
    assert outcome.context_of(values) == expected


def test_nobody_in_the_picture_gets_best_sellers_and_is_told_so() -> None:
    champion = Champion("brioche", 1, "1", "d" * 64, "targets/x", 1)
    scores = np.arange(len(MANIFEST.flavours), dtype=np.float32)
    for nobody, source in ((0.0, "model"), (1.0, "bestsellers")):
        answer = Recommendation((5, 4, 3), (0.5, 0.3, 0.2), scores, nobody, 0.1, 0.2)
        made = outcome.recommended(ARRIVED, champion, MANIFEST, answer)
        names = [shown.flavour for shown in made.slate]
        best = list(MANIFEST.bestsellers[:3])
        model = [MANIFEST.flavours[index].id for index in (5, 4, 3)]
        assert (made.source, names) == (source, best if nobody else model)
        assert json.dumps([shown.probability for shown in made.slate])
