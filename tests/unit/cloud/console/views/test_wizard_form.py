"""The form that plans a rollout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.console.views.wizard_fields import GATE_FIELDS, STEPS, TIME_FIELDS, default_fields
from cloud.console.views.wizard_form import Draft, carried, read_form, step_of, step_to_show
from cloud.rollout.plan_values import DEFAULT_PLAN
from cloud.rollout.values import Gates, Plan, Stage, Window


def typed(**changes: str | tuple[str, ...] | None) -> Draft:
    """The usual plan of release 7, with some fields changed; None takes a field away."""
    fields: dict[str, tuple[str, ...]] = default_fields() | {"release": ("7",)}
    for name, value in changes.items():
        fields.pop(name, None)
        if value is not None:
            fields[name] = value if isinstance(value, tuple) else (value,)
    return read_form([(name, value) for name, values in fields.items() for value in values])


def test_the_first_visit_shows_the_usual_plan() -> None:
    """Nothing typed but the release of the link: the plan is the default one."""
    draft = read_form([("release", "7")])
    assert (draft.release, draft.plan, dict(draft.problems)) == (7, DEFAULT_PLAN, {})


def test_every_plan_that_fits_the_form_survives_it() -> None:
    """Stages of all kinds, percent, hours, windows and boxes come out as they went in."""
    plan = Plan(
        stages=(
            Stage("pilots", group="pilots", hold_s=90),
            Stage("three", count=3, approval=True),
            Stage("7 %", share=0.07, hold_s=0),
            Stage("all", share=1.0),
        ),
        gates=Gates(failed_share=0.29, confidence_drift=None, shadow_agreement=0.57, error_share=0.001),
        pace_per_minute=3,
        window=(Window((0, 4), 22 * 60, 6 * 60 + 30), Window((6,), 0, 60)),
        outside_opening=True,
        silent_after_s=90,
        stores=("a", "b"),
        shadow_first=True,
    )
    fields = default_fields(plan) | {"release": ("3",)}
    draft = read_form([(name, value) for name, values in fields.items() for value in values])
    assert dict(draft.problems) == {}
    assert draft.plan == plan


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("release", "", "Choose a release"),
        ("release", "-1", "no release"),
        ("s0_size", "", "Write a whole number"),
        ("s1_size", "101", "from 0 to 100"),
        ("s1_size", "0", "reaches nobody"),
        ("s1_size", "nan", "Write a number"),
        ("s1_size", "1e999", "Write a number"),
        ("s1_size", "٣", "Write a number"),
        ("s1_kind", "everybody", "what the size counts"),
        ("s1_hold", "soon", "Write a number"),
        ("s1_name", "", "must be a name"),
        ("s0_size", "1.5", "whole number"),
        ("g_failed_share", "abc", "from 0 to 100"),
        ("g_failed_share", "", "from 0 to 100"),
        ("g_minimum_recommendations", "2.5", "whole number"),
        ("pace", "0", "from 1"),
        ("stores", "berlin ../etc", "no name of a store"),
        ("shadow_first", "on", "shadow_agreement"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(field: str, value: str, says: str) -> None:
    """An unparsable threshold makes no plan, and what was typed still stands there."""
    draft = typed(**{field: value})
    assert says in draft.problem(field)
    assert draft.plan is None or field == "release"
    assert draft.text(field) == value


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"w0_from": "09:00", "w0_to": "12:00"}, "w0_days"),
        ({"w0_days": ("1",), "w0_from": "9 o'clock", "w0_to": "12:00"}, "w0_from"),
        ({"w0_days": ("1",), "w0_from": "09:00"}, "w0_to"),
        ({"s1_size": "50", "s2_size": "20"}, "stages"),
        ({"s1_kind": "group", "s1_size": "no such/name"}, "s1_size"),
        ({"s1_kind": "group", "s1_size": ""}, "s1_size"),
        (dict.fromkeys([f"s{row}_{part}" for row in range(3) for part in ("name", "size")]), "stages"),
    ],
)
def test_fields_that_belong_together(changes: dict[str, str | None], field: str) -> None:
    """A window without its days, a stage that is smaller than the one before, no stage at all."""
    draft = typed(**changes)
    assert set(draft.problems) == {field}
    assert draft.plan is None


def test_nobody_goes_past_a_step_with_problems() -> None:
    """Back is always open, forward is not."""
    bad = typed(s0_size="many")
    assert step_to_show(bad, "check") == "stages"
    assert step_to_show(bad, "release") == "release"
    assert step_to_show(typed(), "check") == "check"
    assert step_to_show(typed(release=None), "limits") == "release"
    assert step_to_show(typed(), "<script>") == "release"


def test_a_step_carries_what_the_others_hold() -> None:
    """Shown fields and carried fields are all fields, none twice."""
    draft = typed(
        shadow_first="on", g_shadow_agreement="90", w0_days=("1", "2"), w0_from="01:00", w0_to="02:00"
    )
    for step in STEPS:
        hidden = carried(draft, step)
        shown = [(n, v) for n, values in draft.typed.items() if step_of(n) == step for v in values]
        assert sorted(hidden + (shown if step != "check" else [])) == sorted(
            (n, v) for n, values in draft.typed.items() for v in values
        )
    assert read_form(carried(draft, "check")).plan == draft.plan


def test_what_is_no_field_of_ours_is_not_read() -> None:
    """Nothing foreign travels through the form, and nothing endless."""
    draft = read_form([("release", "7"), ("csrf", "x"), ("s99_name", "x"), ("stores", "s " * 9000)])
    assert set(draft.typed) == {"release", "stores"}
    assert len(draft.text("stores")) < 5000
    assert len(typed(s0_name="x" * 9000).text("s0_name")) <= 400


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["release", "s0_size", "s0_kind", "s1_name", "w0_from", "w0_days", "stores"]
                + [field.name for field in (*GATE_FIELDS, *TIME_FIELDS)]
            ),
            st.text(max_size=20),
        ),
        max_size=8,
    )
)
def test_no_text_breaks_the_form(sent: list[tuple[str, str]]) -> None:
    """Whatever is typed, there is a plan or a problem, and each problem has a step."""
    draft = read_form([*sent, ("s0_name", "a")])
    assert (draft.plan is None) == any(step_of(name) != "release" for name in draft.problems)
    assert all(step_of(name) in STEPS for name in draft.problems)
