"""Releases and their repository, in words."""

import dataclasses

import pytest

from cloud.console.views.releases import (
    Release,
    Repository,
    fairness,
    lineage,
    may_roll_out,
    quality,
    repository_words,
    standing,
)

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000
_REPOSITORY = Repository(
    trusted_at_ms=1,
    checked_at_ms=NOW_MS,
    problem=None,
    root_version=1,
    targets_version=2,
    expires_at_ms=NOW_MS + 6 * DAY_MS,
    minimum_release=7,
    champion=8,
    candidate=9,
)
_RELEASE = Release(
    release=8,
    name="n",
    version="v",
    digest="d",
    target="t",
    bytes=1000,
    budget_p99_ms=1.0,
    minimum_agent="0.1.0",
    manifest={},
    report={},
    listed_at_ms=1,
    withdrawn_at_ms=None,
    withdrawn_reason=None,
    running=0,
    desired=0,
)


@pytest.mark.parametrize(
    ("change", "words", "may"),
    [
        ({}, ["champion"], True),
        ({"release": 9}, ["candidate"], True),
        ({"release": 7}, ["listed"], True),
        ({"release": 6}, ["below the minimum"], False),
        ({"withdrawn_at_ms": 1}, ["withdrawn"], False),
    ],
    ids=["champion", "candidate", "listed", "below", "withdrawn"],
)
def test_a_release_stands_as_it_was_signed(change: dict[str, int], words: list[str], may: bool) -> None:  # noqa: FBT001
    release = dataclasses.replace(_RELEASE, **change)  # type: ignore[arg-type]
    assert [word for word, _ in standing(release, _REPOSITORY)] == words
    assert may_roll_out(release, _REPOSITORY) is may


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, "good"),
        ({"expires_at_ms": NOW_MS + DAY_MS}, "warn"),
        ({"expires_at_ms": NOW_MS}, "bad"),
        ({"problem": "wrong."}, "bad"),
        ({"checked_at_ms": None}, "warn"),
        ({"checked_at_ms": NOW_MS - DAY_MS}, "warn"),
    ],
    ids=["good", "soon", "expired", "problem", "never", "late"],
)
def test_a_repository_that_lags_says_what_to_do(change: dict[str, object], kind: str) -> None:
    """T8: nothing about it is quietly good."""
    title, words, found = repository_words(dataclasses.replace(_REPOSITORY, **change), NOW_MS)  # type: ignore[arg-type]
    assert found == kind
    assert title
    assert words


def test_without_a_signed_report_nothing_is_made_up() -> None:
    assert quality(_RELEASE) == []
    assert fairness({}) == []
    assert ("Data set", "not told") in lineage(_RELEASE)


def test_a_model_that_best_sellers_beat_is_not_good() -> None:
    report = {
        "hit_at_3": 0.5,
        "best_sellers": 0.53,
        "context_only": 0.4,
        "calibration_error": 0.1,
        "p99_ms": 2.0,
        "int8_loss_points": 0,
    }
    tiles = {words: kind for words, _, _, kind in quality(dataclasses.replace(_RELEASE, report=report))}
    assert (tiles["hit@3"], tiles["Calibration error"], tiles["p99"]) == ("bad", "warn", "bad")
