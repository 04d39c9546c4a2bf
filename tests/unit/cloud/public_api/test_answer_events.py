"""The events of an upload's stream, from the beginning and after a break."""

from __future__ import annotations

import json

import pytest

from cloud.intake.values import UploadState
from cloud.public_api.answer_events import events_after
from tests.builders.cloud_database import NOW_MS
from tests.builders.recommendation_rows import DAY_MS, seen


@pytest.mark.parametrize(
    ("state", "last", "names"),
    [
        (UploadState.ISSUED, None, ["issued"]),
        (UploadState.ISSUED, "issued", []),
        (UploadState.ARRIVED, None, ["issued", "arrived"]),
        (UploadState.ARRIVED, "issued", ["arrived"]),
        (UploadState.DONE, None, ["issued", "arrived", "done"]),
        (UploadState.DONE, "arrived", ["done"]),
        (UploadState.DONE, "issued", ["arrived", "done"]),
        (UploadState.FAILED, "arrived", ["failed"]),
        (UploadState.EXPIRED, None, ["issued", "expired"]),
        (UploadState.ERASED, "arrived", ["erased"]),
        (UploadState.ARRIVED, "junk", ["issued", "arrived"]),
    ],
)
def test_each_event_comes_once_and_in_order(state: UploadState, last: str | None, names: list[str]) -> None:
    """A client that comes back with the id of its last event gets what came after it."""
    assert [name for name, _ in events_after(seen(state), last, NOW_MS)] == names


def test_the_end_brings_its_document() -> None:
    """`done` carries the recommendation, every other end its problem document."""
    [*_, (_, done)] = events_after(seen(), None, NOW_MS)
    assert [one["flavour"] for one in json.loads(done)["slate"]] == ["pistachio", "lemon", "hazelnut"]
    [*_, (_, failed)] = events_after(seen(UploadState.FAILED, problem="bad-picture"), None, NOW_MS)
    assert json.loads(failed)["problem"] == "bad-picture"


def test_a_recommendation_that_is_over_ends_as_erased() -> None:
    """Past its time nothing of it is shown, deleted already or not."""
    [*_, (name, document)] = events_after(seen(), None, NOW_MS + 3 * DAY_MS)
    assert name == "erased"
    assert b"pistachio" not in document
