"""`GET /v1/recommendations/{id}/events`."""

from __future__ import annotations

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from cloud.intake.values import UploadState
from cloud.public_api.answers import STREAMS_OF_ONE_MAX
from cloud.public_api.routes import recommendation_events
from tests.builders.cloud_database import NOW_MS
from tests.builders.public_api import TENANT, ApiStage, build_stage, user_of
from tests.builders.recommendation_rows import (
    SLATE,
    add_recommended,
    add_upload,
    change_upload,
    recommend,
    remove_upload,
)

if TYPE_CHECKING:
    from pathlib import Path

_BOUND_S = 60


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def events(request: bytes) -> str:
    return f"/v1/recommendations/{uuid.UUID(bytes=request)}/events"


def told(text: str) -> list[tuple[str, str, Any]]:
    """Event, id and data of each block that has an event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        if "event" in lines:
            found.append((lines["event"], lines["id"], json.loads(lines["data"])))
    return found


def test_a_stream_of_what_has_ended_says_all_and_ends(stage: ApiStage) -> None:
    """Issued, arrived, done, with the recommendation; the browser is told how soon to come back."""
    answer = stage.client().get(events(add_recommended(stage.desk.database, 1)))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    assert answer.text.startswith("retry: 1000\n\n")
    said = told(answer.text)
    assert [(event, one) for event, one, _ in said] == [(x, x) for x in ("issued", "arrived", "done")]
    assert said[-1][2]["slate"] == SLATE
    assert len(stage.desk.answers.streams) == 0


def test_a_stream_follows_what_happens(stage: ApiStage) -> None:
    """Each state as it comes; then it ends by itself, and its place is free."""
    database, answers = stage.desk.database, stage.desk.answers
    request = add_upload(database, 1)
    looked = threading.Semaphore(0)
    find = recommendation_events.find

    def looking(*arguments: Any) -> Any:
        found = find(*arguments)
        looked.release()
        return found

    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(1) as pool:
        patched.setattr(recommendation_events, "find", looking)
        answer = pool.submit(stage.client().get, events(request))
        for _ in range(2):  # the one before the stream, and its first
            assert looked.acquire(timeout=_BOUND_S)
        change_upload(database, request, state="arrived", arrived_at_ms=NOW_MS + 50)
        answers.tell((TENANT, request), UploadState.ARRIVED)
        assert looked.acquire(timeout=_BOUND_S)
        recommend(database, request)
        answers.tell((TENANT, request), UploadState.DONE)
        text = answer.result(_BOUND_S).text
    assert [event for event, _, _ in told(text)] == ["issued", "arrived", "done"]
    assert len(answers.streams) == 0


def test_a_stream_goes_on_where_it_broke_off(stage: ApiStage) -> None:
    """Last-Event-ID: what the client has is not said again; after the end there is nothing more."""
    request = add_recommended(stage.desk.database, 1)
    client = stage.client()
    after = client.get(events(request), headers={"last-event-id": "issued"})
    assert [event for event, _, _ in told(after.text)] == ["arrived", "done"]
    assert client.get(events(request), headers={"last-event-id": "done"}).status_code == 204


def test_a_failure_is_an_end(stage: ApiStage) -> None:
    """With its problem document."""
    request = add_upload(stage.desk.database, 1, state="failed", problem="bad-picture")
    [*_, (event, _, document)] = told(stage.client().get(events(request)).text)
    assert (event, document["status"], document["problem"]) == ("failed", 409, "bad-picture")


def test_a_stream_whose_upload_is_erased_meanwhile_ends(stage: ApiStage) -> None:
    """The ticket is gone: the stream breaks off, and the client that comes back is told 404."""
    request = add_upload(stage.desk.database, 1)
    looked = threading.Semaphore(0)
    find = recommendation_events.find

    def looking(*arguments: Any) -> Any:
        try:
            return find(*arguments)
        finally:
            looked.release()

    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(1) as pool:
        patched.setattr(recommendation_events, "find", looking)
        client = stage.client()
        answer = pool.submit(client.get, events(request))
        for _ in range(2):
            assert looked.acquire(timeout=_BOUND_S)
        remove_upload(stage.desk.database, request)
        stage.desk.answers.tell((TENANT, request))
        assert [event for event, _, _ in told(answer.result(_BOUND_S).text)] == ["issued"]
    assert client.get(events(request)).status_code == 404


def test_streams_of_one_person_are_bounded(stage: ApiStage) -> None:
    """T27: one more is refused with Retry-After; another person's is not."""
    request = add_recommended(stage.desk.database, 1)
    person = (TENANT, user_of("anna"))
    assert all(stage.desk.answers.streams.take(person) for _ in range(STREAMS_OF_ONE_MAX))
    answer = stage.client().get(events(request))
    assert (answer.status_code, answer.json()["type"]) == (429, "/docs/problems#too-many-requests")
    assert answer.headers["retry-after"] == "5"
    assert stage.client("ben").get(events(add_recommended(stage.desk.database, 2, "ben"))).status_code == 200
