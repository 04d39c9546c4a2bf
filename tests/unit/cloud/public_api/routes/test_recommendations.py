"""`GET /v1/recommendations/{id}` and the list of one's own."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from cloud.database.schema import recommendations
from cloud.intake.values import UploadState
from cloud.public_api.answers import WAITING_OF_ONE_MAX
from tests.builders.cloud_database import NOW_MS
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage, user_of
from tests.builders.recommendation_rows import (
    SLATE,
    add_recommended,
    add_upload,
    change_upload,
    recommend,
    request_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

_BOUND_S = 60


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def address(request: bytes) -> str:
    return f"/v1/recommendations/{uuid.UUID(bytes=request)}"


def slug(answer: Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).rpartition("#")[2]


def test_the_three_flavours_and_what_found_them(stage: ApiStage) -> None:
    """Slate, source, model, times and picture, as they were stored; the document is the whole answer."""
    request = add_recommended(stage.desk.database, 1)
    answer = stage.client().get(address(request))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.json() == {
        "request_id": str(uuid.UUID(bytes=request)),
        "state": "done",
        "created_at": "2026-11-18T11:06:40.080Z",
        "expires_at": "2026-11-21T11:06:40.000Z",
        "source": "model",
        "slate": SLATE,
        "nobody": 0.01,
        "model": {"release": 3, "version": "2026.11.1", "digest": "ab" * 32},
        "inference_ms": 0.4,
        "latency_ms": 31.5,
        "picture": {"sha256": bytes(range(32)).hex(), "version": None},
        "outcome": None,
    }


@pytest.mark.parametrize("state", [UploadState.ISSUED, UploadState.ARRIVED])
def test_one_on_its_way_is_told_how_far_it_is(stage: ApiStage, state: UploadState) -> None:
    """202, when to ask again, and where."""
    request = add_upload(stage.desk.database, 1, state=state.value)
    answer = stage.client().get(address(request))
    assert (answer.status_code, answer.json()["state"]) == (202, state)
    assert (answer.headers["retry-after"], answer.headers["location"]) == ("1", address(request))


@pytest.mark.parametrize(
    ("values", "status", "told"),
    [
        ({"state": "failed", "problem": "bad-picture"}, 409, "upload-failed"),
        ({"state": "expired"}, 410, "upload-expired"),
        ({"state": "erased"}, 410, "erased"),
        ({"state": "done"}, 410, "erased"),
    ],
)
def test_one_that_ended_without_flavours_says_why(
    stage: ApiStage, values: dict[str, Any], status: int, told: str
) -> None:
    """A failure is a conflict that names its problem; what is over or taken back is gone; nobody waits."""
    request = add_upload(stage.desk.database, 1, **values)
    answer = stage.client().get(address(request), params={"wait": 60})
    assert (answer.status_code, slug(answer)) == (status, told)
    assert answer.json().get("problem") == values.get("problem")


def test_a_failures_own_sentence_is_shown(stage: ApiStage) -> None:
    """What the recommender found out is more than the general words."""
    request = add_upload(
        stage.desk.database, 1, state="failed", problem="bad-picture", detail="it is progressive"
    )
    assert stage.client().get(address(request)).json()["detail"] == "it is progressive"


def test_past_its_time_nothing_is_shown(stage: ApiStage) -> None:
    """Whether it was deleted already or not; the list, too."""
    request = add_recommended(stage.desk.database, 1)
    client = stage.client()
    stage.clock[0] = NOW_MS + 1000
    assert client.get(address(request)).status_code == 200
    change_recommendation_end(stage, request, NOW_MS + 1000)
    answer = client.get(address(request))
    assert (answer.status_code, slug(answer)) == (410, "erased")
    assert client.get("/v1/recommendations").json()["recommendations"] == []


def change_recommendation_end(stage: ApiStage, request: bytes, at_ms: int) -> None:
    with stage.desk.database.tenant(TENANT) as connection:
        row = recommendations.c
        connection.execute(
            update(recommendations)
            .where(row.tenant == TENANT, row.request == request)
            .values(expires_at_ms=at_ms)
        )


@pytest.mark.parametrize("path", ["", "/events", "/outcome"])
def test_others_uploads_are_as_unknown_as_none(stage: ApiStage, path: str) -> None:
    """Another person's, another chain's, one never issued and one that is no id answer the same."""
    request = add_recommended(stage.desk.database, 1)
    body = {"lines": [{"flavour": "lemon", "quantity": 1}]}

    def ask(client: Any, where: str) -> tuple[int, dict[str, Any]]:
        answer = client.post(where, json=body) if path == "/outcome" else client.get(where)
        return answer.status_code, answer.json()

    other_person, other_chain = stage.client("ben"), stage.client("anna", tenant=OTHER)
    answers = [
        ask(other_person, address(request) + path),
        ask(other_chain, address(request) + path),
        ask(stage.client(), address(request_of(7)) + path),
        ask(stage.client(), f"/v1/recommendations/{'0' * 36}{path}"),
        ask(stage.client(), address(request)[:-1] + path),
    ]
    assert {status for status, _ in answers} == {404}
    assert all(document == answers[0][1] for _, document in answers)


@pytest.mark.parametrize(
    "path", [address(request_of(1)), address(request_of(1)) + "/events", "/v1/recommendations"]
)
def test_nobody_without_a_login_reads(stage: ApiStage, path: str) -> None:
    """401 before anything is looked up."""
    add_recommended(stage.desk.database, 1)
    assert stage.client(None).get(path).status_code == 401


def test_what_a_client_has_is_not_sent_again(stage: ApiStage) -> None:
    """304 for the same recommendation; a recorded outcome changes it."""
    request = add_recommended(stage.desk.database, 1)
    client = stage.client()
    tag = client.get(address(request)).headers["etag"]
    again = client.get(address(request), headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    sold = client.post(address(request) + "/outcome", json={"lines": [{"flavour": "lemon", "quantity": 1}]})
    assert sold.status_code == 201
    changed = client.get(address(request), headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.json()["outcome"]["lines"] == [{"flavour": "lemon", "quantity": 1}]


def waiting(stage: ApiStage, request: bytes, then: Any) -> Response:
    """A long poll's answer; `then` runs once its client waits, and tells."""
    entered = threading.Event()
    watch = stage.desk.answers.watch

    def entering(*arguments: Any) -> Any:
        entered.set()
        return watch(*arguments)

    stage.desk.answers.watch = entering  # type: ignore[method-assign]
    client = stage.client()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.get, address(request), params={"wait": 30})
        assert entered.wait(_BOUND_S)
        then()
        return answer.result(_BOUND_S)


def test_a_long_poll_answers_as_soon_as_there_is_an_end(stage: ApiStage) -> None:
    """The client waits, the recommendation is written and told, the client has it; its time is measured."""
    request = add_upload(stage.desk.database, 1)

    def then() -> None:
        recommend(stage.desk.database, request)
        stage.desk.answers.tell((TENANT, request), UploadState.DONE)

    answer = waiting(stage, request, then)
    assert (answer.status_code, answer.json()["slate"]) == (200, SLATE)
    assert dict(stage.desk.answers.waited_for()) == {}
    assert len(stage.desk.answers.waits) == 0


def test_a_long_poll_of_a_failure_ends_at_once(stage: ApiStage) -> None:
    """Whatever the end is."""
    request = add_upload(stage.desk.database, 1)

    def then() -> None:
        change_upload(stage.desk.database, request, state="failed", problem="wrong-length")
        stage.desk.answers.tell((TENANT, request), UploadState.FAILED)

    assert slug(waiting(stage, request, then)) == "upload-failed"


def test_a_long_poll_ends_with_its_time(stage: ApiStage) -> None:
    """Then the client asks again."""
    request = add_upload(stage.desk.database, 1)
    assert stage.client().get(address(request), params={"wait": 0.01}).status_code == 202


def test_who_waits_too_often_is_answered_at_once(stage: ApiStage) -> None:
    """T27: a person's places are bounded; beyond them nobody waits, and nobody else is kept out."""
    request = add_upload(stage.desk.database, 1)
    person = (TENANT, user_of("anna"))
    assert all(stage.desk.answers.waits.take(person) for _ in range(WAITING_OF_ONE_MAX))
    assert stage.client().get(address(request), params={"wait": 60}).status_code == 202
    assert stage.desk.answers.waits.free((TENANT, user_of("ben")))
    assert len(stage.desk.answers.waits) == WAITING_OF_ONE_MAX


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon"])
def test_a_wait_out_of_bounds_is_refused(stage: ApiStage, wait: str) -> None:
    """With the parameter's name."""
    answer = stage.client().get(address(request_of(1)), params={"wait": wait})
    assert (answer.status_code, slug(answer)) == (422, "invalid")
    assert [one["parameter"] for one in answer.json()["errors"]] == ["wait"]


def test_the_list_goes_page_by_page(stage: ApiStage) -> None:
    """Newest first, each once, `next` until there is no more; the last page names none."""
    there = [add_recommended(stage.desk.database, n, created_at_ms=NOW_MS + n) for n in range(5)]
    add_recommended(stage.desk.database, 9, "ben")
    client = stage.client()
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        found = client.get("/v1/recommendations", params=params).json()
        seen += [one["request_id"] for one in found["recommendations"]]
        cursor = found["next"]
    assert seen == [str(uuid.UUID(bytes=one)) for one in reversed(there)]
    assert cursor is None
    whole = client.get("/v1/recommendations", params={"limit": "5"}).json()
    assert (len(whole["recommendations"]), whole["next"]) == (5, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("cursor", "x"), ("cursor", "!" * 32), ("cursor", "_" * 32)],
)
def test_a_page_out_of_bounds_is_refused(stage: ApiStage, name: str, value: str) -> None:
    """A cursor that no page gave, and more than a hundred."""
    answer = stage.client().get("/v1/recommendations", params={name: value})
    assert (answer.status_code, slug(answer)) == (422, "invalid")
    assert [one["parameter"] for one in answer.json()["errors"]] == [name]
