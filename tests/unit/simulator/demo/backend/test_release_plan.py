import numpy as np
import pytest

from cloud.rollout.gates import stability_index
from cloud.rollout.plan_values import plan_from
from simulator.demo.backend.release_plan import ANSWERS_BEFORE, release_plan

_LABELS = [37, 50, 154, 71, 14, 6, 16, 1, 0, 0, 2, 2, 0, 3, 3, 1]
_CONFIDENCE = [0, 9, 57, 88, 62, 43, 41, 26, 25, 9]
"""What the bundled model of Gelateria Sole answered to 360 customers of this world."""


def test_the_plan_is_one_and_has_three_stages() -> None:
    plan = plan_from(release_plan(3))
    assert [stage.hold_s for stage in plan.stages] == [3, 3, 3]
    assert (plan.stages[0].count, plan.stages[1].share, plan.stages[2].share) == (1, 0.5, 1.0)


@pytest.mark.parametrize(("kind", "counts", "bad"), [("labels", _LABELS, 12), ("confidence", _CONFIDENCE, 9)])
def test_its_limits_let_luck_pass_and_stop_a_model_that_always_says_the_same(
    kind: str, counts: list[int], bad: int
) -> None:
    """An unchanged model stays below both limits; the worse one is always above that of labels."""
    gates = plan_from(release_plan(1)).gates
    limit = gates.label_drift if kind == "labels" else gates.confidence_drift
    assert limit is not None
    random, shares = np.random.default_rng(5), np.array(counts) / sum(counts)
    before = random.multinomial(ANSWERS_BEFORE, shares, 2000)
    now = random.multinomial(gates.minimum_recommendations, shares, 2000)
    drifts = [stability_index(then, here) for then, here in zip(before, now, strict=True)]
    assert np.mean(np.array(drifts) > limit) <= 0.001
    worse = np.zeros(len(counts), int)
    worse[bad] = gates.minimum_recommendations
    if kind == "labels":
        assert min(stability_index(then, worse) for then in before) > limit
    else:
        assert np.median([stability_index(then, worse) for then in before]) > limit
