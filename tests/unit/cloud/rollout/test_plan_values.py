"""Plans as JSON: what is written is read back, and what is wrong is named, all of it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.rollout.errors import PlanError
from cloud.rollout.plan_values import DEFAULT_PLAN, plan_from, plan_to, windows_from, windows_to
from cloud.rollout.values import Gates, Plan, Stage, Window

_FULL = Plan(
    stages=(
        Stage("pilots", group="pilots", approval=True),
        Stage("one in ten", share=0.1, hold_s=0),
        Stage("all", share=1.0),
    ),
    gates=Gates(shadow_agreement=0.8, label_drift=None),
    window=(Window((5, 6), 22 * 60, 4 * 60),),
    outside_opening=True,
    stores=("beach", "harbour"),
    shadow_first=True,
)


@pytest.mark.parametrize("plan", [DEFAULT_PLAN, _FULL], ids=["default", "full"])
def test_a_plan_survives_json(plan: Plan) -> None:
    assert plan_from(json.loads(json.dumps(plan_to(plan)))) == plan


def test_what_is_left_out_is_as_in_the_default() -> None:
    assert plan_from({}) == DEFAULT_PLAN
    assert plan_from({"gates": {"error_share": 0.5}}) == replace(DEFAULT_PLAN, gates=Gates(error_share=0.5))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "plan: must be an object"),
        ({"stage": []}, "there is no 'stage'"),
        ({"stages": []}, "stages: has no stage"),
        ({"stages": 3}, "stages: must be a list"),
        ({"stages": [{"name": "a"}]}, "needs exactly one of share, count and group"),
        ({"stages": [{"name": "a", "share": 0.1, "count": 1}]}, "needs exactly one"),
        ({"stages": [{"name": "a", "share": 0}]}, "0 reaches nobody"),
        ({"stages": [{"name": "a", "share": 1.5}]}, "1.5 is no number from 0 to 1"),
        ({"stages": [{"name": "a", "count": 0}]}, "0 is no whole number"),
        ({"stages": [{"name": "a", "group": "Ü"}]}, "no name of a group"),
        ({"stages": [{"name": "", "count": 1}]}, "must be a name"),
        ({"stages": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]}, "not greater than"),
        ({"stages": [{"name": "a", "share": 0.5}, {"name": "a", "share": 1}]}, "two are called 'a'"),
        ({"stages": [{"name": "a", "count": 1, "hold_s": -1}]}, "-1 is no whole number"),
        ({"stages": [{"name": "a", "count": 1, "approval": "yes"}]}, "neither true nor false"),
        ({"gates": {"failed_share": "10%"}}, "gates.failed_share: '10%' is no number"),
        ({"gates": {"failed_share": None}}, "gates.failed_share: None is no number"),
        ({"gates": {"failed_share": True}}, "True is no number"),
        ({"gates": {"failed_share": float("nan")}}, "nan is no number"),
        ({"gates": {"confidence_drift": float("inf")}}, "inf is no number"),
        ({"gates": {"minimum_recommendations": 0}}, "0 is no whole number"),
        ({"gates": {"minimum_recommendations": 1.5}}, "1.5 is no whole number"),
        ({"gates": []}, "gates: must be an object"),
        ({"pace_per_minute": 0}, "pace_per_minute"),
        ({"silent_after_s": "900"}, "silent_after_s"),
        ({"window": [{"from": "2:00", "to": "05:00"}]}, "'2:00' is no time of day"),
        ({"window": [{"from": "05:00", "to": "05:00"}]}, "begins when it ends"),
        ({"window": [{"days": [7], "from": "02:00", "to": "05:00"}]}, "days of the week"),
        ({"window": [{"days": [], "from": "02:00", "to": "05:00"}]}, "days of the week"),
        ({"window": ["night"]}, "window[0]: must be an object"),
        ({"stores": ["Harbour!"]}, "no name of a store"),
        ({"shadow_first": True}, "needs gates.shadow_agreement"),
        ({"outside_opening": 1}, "neither true nor false"),
    ],
)
def test_what_is_wrong_is_said(value: object, words: str) -> None:
    """An unparsable threshold is no plan: nothing is guessed, nothing is clipped."""
    with pytest.raises(PlanError) as refused:
        plan_from(value)
    assert words in str(refused.value)
    assert refused.value.remedy


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(PlanError) as refused:
        plan_from({"pace_per_minute": 0, "gates": {"error_share": 2}, "window": [1], "new": 1})
    assert len(refused.value.problems) == 4


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from([*plan_to(DEFAULT_PLAN), "other"])


@given(st.dictionaries(_KEYS, _JSON, max_size=4) | _JSON)
def test_any_json_is_a_plan_or_a_clear_refusal(value: object) -> None:
    try:
        plan = plan_from(value)
    except PlanError:
        return
    assert plan_from(plan_to(plan)) == plan


def test_windows_survive_json() -> None:
    windows = (Window((0, 6), 540, 1170), Window((1,), 0, 1439))
    assert windows_from(windows_to(windows)) == windows
    with pytest.raises(PlanError, match="opening"):
        windows_from("always", "opening")
