import json
from collections.abc import Mapping
from typing import Any

import pytest

from simulator.demo.backend.release_story import (
    Act,
    ReleaseStory,
    release_of,
    release_shortfalls,
    release_summary,
    release_view,
)

_SHOPS = {"lido-1": "Lido", "giardino-1": "Giardino", "centrale-1": "Centrale"}
_PASS = {"kind": "latency", "outcome": "pass", "words": "p99 3.1 of 10 ms"}
_DRIFT = {"kind": "labels", "outcome": "fail", "words": "labels drift 3.92 of 2.1"}


def _status(state: str, stage: int, members: Mapping[str, str], *gates: Mapping[str, str]) -> dict[str, Any]:
    """As `topscoop rollout status --json` prints it, as far as the story reads it."""
    names = ("first till", "half", "all")
    return {
        "rollout": "ab" * 16,
        "state": state,
        "stage": stage,
        "started_at_ms": 1000,
        "ended_at_ms": 39_500 if state in {"done", "returned"} else None,
        "stages": [{"name": name, "registers": 1, "counts": {"good": 1}} for name in names],
        "gates": list(gates),
        "waiting": ["waiting for 3 more answers"],
        "members": [{"register": register, "state": at} for register, at in members.items()],
    }


@pytest.fixture
def story() -> ReleaseStory:
    """After everything went as it should."""
    story = ReleaseStory("gelateria-sole", "Gelateria Sole", _SHOPS, "http://localhost:1")
    story.published.extend([1, 2, 3])
    story.good.saw(_status("done", 2, dict.fromkeys(_SHOPS, "good"), _PASS))
    told = {"giardino-1": "told", "lido-1": "waiting", "centrale-1": "waiting"}
    story.worse.saw(_status("running", 0, told, _PASS))
    story.worse.saw(_status("returned", 0, told | {"giardino-1": "returned"}, _PASS, _DRIFT))
    for register in _SHOPS:
        story.running(register, "2026.11.22+demo.2")
    return story


def test_all_went_as_it_should(story: ReleaseStory) -> None:
    assert release_summary(story) == {
        "published": [1, 2, 3],
        "rolled_out": {"release": 2, "stages": 3, "seconds": 38.5, "registers": 3},
        "stopped": {
            "release": 3,
            "stage": "first till",
            "gate": "labels",
            "words": "labels drift 3.92 of 2.1",
            "exposed": ["giardino-1"],
            "returned": ["giardino-1"],
            "never_exposed": ["centrale-1", "lido-1"],
        },
        "problems": [],
    }


def test_before_anything_happened_nothing_is_claimed() -> None:
    story = ReleaseStory("gelateria-sole", "Gelateria Sole", _SHOPS, "http://localhost:1")
    summary = release_summary(story)
    assert summary["rolled_out"] == {"release": 2, "stages": 0, "seconds": None, "registers": 0}
    assert summary["stopped"]["gate"] is None
    assert release_shortfalls(story) == [
        "releases 1, 2 and 3 were to be published, not []",
        "release 2 did not reach every register (soon)",
        "release 3 was not stopped and returned (soon)",
    ]


def test_a_rollout_that_came_to_no_end_says_where_it_is_and_what_it_waits_for(story: ReleaseStory) -> None:
    story.good.saw(_status("running", 0, {"lido-1": "told", "giardino-1": "waiting"}))
    assert release_shortfalls(story)[0] == (
        "release 2 did not reach every register (running; giardino-1 waiting, lido-1 told;"
        " waiting for 3 more answers)"
    )


def test_a_register_that_does_not_attest_the_good_release_is_named(story: ReleaseStory) -> None:
    story.good.members = {**story.good.members, "lido-1": "skipped"}
    assert any("not every register" in words and "lido-1" in words for words in release_shortfalls(story))


def test_a_worse_release_that_came_further_is_a_failure(story: ReleaseStory) -> None:
    story.worse.stage = 1
    assert release_shortfalls(story) == [
        "release 3 was to be stopped by drift in its first stage, not by: labels drift 3.92 of 2.1"
    ]


def test_a_worse_release_that_another_gate_stopped_is_a_failure(story: ReleaseStory) -> None:
    """Too slow on a busy machine, for example: that would prove nothing about drift."""
    slow = {"kind": "latency", "outcome": "fail", "words": "p99 312.0 of 150 ms"}
    story.worse.saw(_status("returned", 0, {"giardino-1": "returned"}, slow))
    assert any("not by: p99 312.0" in words for words in release_shortfalls(story))


def test_an_exposed_register_that_stays_is_a_failure(story: ReleaseStory) -> None:
    story.worse.members = {**story.worse.members, "giardino-1": "returning"}
    assert release_shortfalls(story) == ["exposed to release 3: ['giardino-1']; back: []"]


def test_a_register_that_ran_the_worse_release_untold_is_a_failure(story: ReleaseStory) -> None:
    """What the agents themselves have in memory counts, not only what the controller says."""
    story.running("lido-1", "2026.11.22+demo.3")
    assert release_shortfalls(story) == [
        "lido-1 ran release 3 and was never told to",
        "lido-1 runs release 3 at the end, not 2",
    ]


@pytest.mark.parametrize(
    ("version", "release"), [("2026.11.22", 1), ("2026.11.22+demo.3", 3), ("1+demo.x", 1), ("", 1)]
)
def test_a_version_tells_its_release(version: str, release: int) -> None:
    assert release_of(version) == release


def test_the_page_gets_shops_stages_and_words(story: ReleaseStory) -> None:
    view = release_view(story)
    json.dumps(view, allow_nan=False)
    good, worse = view["passages"]
    assert (good["act"], good["seconds"], good["registers"]) == (Act.DONE, 38.5, 3)
    assert (worse["exposed"], worse["never"]) == (["Giardino"], ["Centrale", "Lido"])
    assert worse["gates"][1] == {"kind": "labels", "outcome": "fail", "words": "labels drift 3.92 of 2.1"}
    assert view["registers"][0] == {"shop": "Lido", "release": 2}
