"""The health window."""

import pytest

from edge_agent.updates.trial import Failed, Passed, Rules, Trial, chance_of
from wire_protocol.fleet_messages import UpdateReason

RULES = Rules(min_ms=10_000, min_answers=30, budget_ms=2.0)


def trial(*, answers: int = 0, slow: int = 0, errors: int = 0) -> Trial:
    one = Trial(RULES, 0)
    for number in range(answers):
        one.answered(5.0 if number < slow else 1.0)
    for _ in range(errors):
        one.failed()
    return one


def test_a_trial_needs_both_time_and_answers() -> None:
    """Quiet is no health, and haste is none."""
    assert trial(answers=30).judge(9_999) is None
    assert trial(answers=29).judge(10_000) is None
    assert trial(answers=30).judge(10_000) == Passed()
    assert trial().judge(10**9) is None, "a camera that is away says nothing"


@pytest.mark.parametrize(
    ("answers", "errors", "bad"), [(0, 2, False), (0, 3, True), (57, 3, False), (56, 3, True)]
)
def test_errors_end_it_at_once(answers: int, errors: int, bad: bool) -> None:  # noqa: FBT001 - a table
    """T10: three that are more than one in twenty; NaN for everything is over with the third answer."""
    verdict = trial(answers=answers, errors=errors).judge(0)
    assert isinstance(verdict, Failed) is bad
    if isinstance(verdict, Failed):
        assert verdict.reason is UpdateReason.ERRORS
        assert verdict.words == f"{errors} of {answers + errors} answers were no use"


@pytest.mark.parametrize(
    ("answers", "slow", "bad"), [(30, 2, False), (30, 3, True), (100, 4, False), (100, 6, True)]
)
def test_slow_answers_are_judged_by_chance(answers: int, slow: int, bad: bool) -> None:  # noqa: FBT001 - a table
    """T10: one in a hundred may be slow; hiccups of a till are no verdict."""
    verdict = trial(answers=answers, slow=slow).judge(10_000)
    assert verdict == Passed() if not bad else isinstance(verdict, Failed)
    if isinstance(verdict, Failed):
        assert verdict.reason is UpdateReason.TOO_SLOW


def test_a_much_too_slow_model_is_not_waited_for() -> None:
    """Ten slow answers in a row are beyond doubt; three are not yet."""
    assert isinstance(trial(answers=10, slow=10).judge(0), Failed)
    assert trial(answers=10, slow=3).judge(0) is None


def test_the_chance_is_the_binomial_tail() -> None:
    """Known values; thousands of answers cost nothing and overflow nothing."""
    assert chance_of(0, 30) == pytest.approx(1.0)
    assert chance_of(1, 30) == pytest.approx(1 - 0.99**30)
    assert chance_of(3, 30) == pytest.approx(0.003318, abs=1e-5)
    assert chance_of(100_000, 100_000) == 0.0
    assert 0 < chance_of(1050, 100_000) < 0.1


def test_progress_is_the_slower_of_the_two() -> None:
    """Between 0 and 1."""
    assert trial(answers=15).progress(10_000) == 0.5
    assert trial(answers=60).progress(2_500) == 0.25
    assert trial(answers=60).progress(10**9) == 1.0


def test_the_camera_is_looked_at_often_enough() -> None:
    """So often that the answers are there in time; never in a frenzy, never forgotten."""
    assert Rules(60_000, 30, 1.0).look_every_s == 2.0
    assert Rules(1000, 1000, 1.0).look_every_s == 0.1
    assert Rules(86_400_000, 10, 1.0).look_every_s == 5.0
