import json

import pytest

from simulator.demo.phones.story import (
    Handovers,
    PhoneStory,
    UploadCounts,
    phones_shortfalls,
    phones_summary,
    phones_view,
)

_METRICS = """
topscoop_api_arrivals_total{outcome="accepted"} 7.0
topscoop_api_arrivals_total{outcome="known"} 3.0
topscoop_intake_arrivals_total{result="accepted",source="look"} 2.0
topscoop_intake_arrivals_total{result="nothing",source="webhook"} 5.0
topscoop_recommender_ended_total{end="model"} 5.0
topscoop_recommender_ended_total{end="bestsellers"} 1.0
topscoop_recommender_ended_total{end="bad-picture"} 2.0
topscoop_recommender_promoted_total 3.0
topscoop_recommender_waiting{tenant="polar-scoop"} 1.0
"""


@pytest.fixture
def story() -> PhoneStory:
    """Everything has happened, and nothing is under way."""
    story = PhoneStory({"Polar Scoop": "http://polar-scoop.localhost:9/try"}, ready=True, proven=1)
    story.uploads = UploadCounts(arrived=8, answered=7, failed=1, kept=3)
    story.handovers = Handovers(scanned=4, yes=3, kept=2, over=1)
    story.record({"event": "person.erased", "uploads": 4, "consents": 2})
    story.answer.add(40.0)
    return story


def test_uploads_are_counted_whoever_told_of_them_and_however_they_ended() -> None:
    counts = UploadCounts.of_metrics(_METRICS)
    assert counts == UploadCounts(arrived=9, answered=6, failed=2, kept=3)
    assert counts.open == 1


def test_services_that_have_counted_nothing_yet_have_no_uploads() -> None:
    assert UploadCounts.of_metrics("") == UploadCounts()


def test_erased_is_what_the_log_says_of_persons_and_single_uploads(story: PhoneStory) -> None:
    story.record({"event": "upload.erased", "uploads": 1, "consents": 1})
    story.record({"event": "erasure.left", "tenant": "polar-scoop"})
    assert (story.erased, story.consents_erased) == (5, 3)


def test_the_result_has_its_documented_keys(story: PhoneStory) -> None:
    assert phones_summary(story) == {
        "uploads": 8,
        "answered": 7,
        "failed": 1,
        "kept": 3,
        "erased": 4,
        "answer_ms": {"p50": 40.0, "p99": 40.0},
        "handovers": {"scanned": 4, "yes": 3, "kept": 2, "over": 1},
    }
    view = json.loads(json.dumps(phones_view(story), allow_nan=False))
    assert view["pages"] == [{"chain": "Polar Scoop", "url": "http://polar-scoop.localhost:9/try"}]


def test_a_check_that_saw_everything_misses_nothing(story: PhoneStory) -> None:
    """An upload that failed has got its end; whoever uploaded it tells of it as an error."""
    assert phones_shortfalls(story) == []
    assert story.complete
    assert story.resting


def test_an_upload_with_neither_answer_nor_failure_fails_the_check(story: PhoneStory) -> None:
    story.uploads = UploadCounts(arrived=9, answered=7, failed=1, kept=3)
    assert phones_shortfalls(story) == ["1 of 9 uploads got neither answer nor failure"]
    assert not story.resting


def test_a_check_names_all_that_it_misses(story: PhoneStory) -> None:
    nothing = PhoneStory(story.pages, handovers=Handovers(scanned=2, yes=1))
    assert phones_shortfalls(nothing) == [
        "no upload was answered",
        "no uploaded picture was kept",
        "nobody's uploads were erased",
        "1 of 1 hand-overs have no end",
        "no hand-over reached its register",
    ]
    assert not nothing.complete
