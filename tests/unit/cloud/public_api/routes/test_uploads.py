"""`getSignedURL()` over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import func, select

from cloud.database.schema import api_usage, jobs, uploads
from cloud.intake.values import ObjectPlace, UploadState
from cloud.public_api import tickets
from cloud.public_api.adapters.notices import read_notices
from tests.builders.public_api import OTHER, TENANT, ApiStage, build_stage

if TYPE_CHECKING:
    from pathlib import Path

PICTURE = b"\xff\xd8" + b"a picture" * 100 + b"\xff\xd9"
ASKED = {
    "content_type": "image/jpeg",
    "content_length": len(PICTURE),
    "sha256": hashlib.sha256(PICTURE).hexdigest(),
    "purpose": "recommend",
    "context": {"hour": 15.5, "shop": "beach"},
}


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


def _rows(stage: ApiStage, table: Any = uploads, tenant: str = TENANT) -> list[Any]:
    with stage.desk.database.tenant(tenant, read_only=True) as connection:
        return list(connection.execute(select(table).where(table.c.tenant == tenant)))


def _put(stage: ApiStage, request_id: str, tenant: str = TENANT, body: bytes = PICTURE) -> None:
    """What the client's PUT does."""
    assert stage.store.put(ObjectPlace(tenant, UUID(request_id).bytes).key, body, "image/jpeg")


def _problem(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return str(document["type"].partition("#")[2])


def test_a_ticket_and_its_url(stage: ApiStage) -> None:
    """The URL is for one object of this chain, a minute at most, and what was announced is signed."""
    answer = stage.client().post("/v1/uploads", json=ASKED)
    assert answer.status_code == 201
    ticket = answer.json()
    address = urlsplit(ticket["url"])
    request = UUID(ticket["request_id"])
    assert request.version == 7
    assert address.path == f"/topscoop-intake/intake/{TENANT}/{request.hex}"
    query = parse_qs(address.query)
    assert int(query["X-Amz-Expires"][0]) == 60
    signed = query["X-Amz-SignedHeaders"][0].split(";")
    assert {"content-length", "content-type", "if-none-match", "x-amz-checksum-sha256"} <= set(signed)
    assert ticket["headers"]["Content-Length"] == str(len(PICTURE))
    assert answer.headers["location"] == ticket["links"]["self"]
    assert answer.headers["cache-control"] == "no-store"
    [row] = _rows(stage)
    assert (row.request, row.state, row.context) == (request.bytes, "issued", {"hour": 15.5, "shop": "beach"})
    assert row.expires_at_ms - row.issued_at_ms == 60_000


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"content_type": "image/png"}, "#/content_type"),
        ({"content_length": 0}, "#/content_length"),
        ({"content_length": 10**9}, "#/content_length"),
        ({"content_length": "900"}, "#/content_length"),
        ({"sha256": "00"}, "#/sha256"),
        ({"sha256": ASKED["sha256"].upper()}, "#/sha256"),  # type: ignore[attr-defined]
        ({"content_md5": "AAAA"}, "#/content_md5"),
        ({"purpose": "sell"}, "#/purpose"),
        ({"context": {"hour": 24}}, "#/context/hour"),
        ({"context": {"mood": "good"}}, "#/context/mood"),
        ({"context": {"shop": "x" * 65}}, "#/context/shop"),
        ({"tenant": OTHER}, "#/tenant"),
        ({"url": "http://169.254.169.254/"}, "#/url"),
        ({"consent": {"notice": "0" * 64, "language": "en", "agreed": True}}, "#/"),
    ],
)
def test_what_does_not_fit_is_named(stage: ApiStage, change: dict[str, Any], where: str) -> None:
    """T23, T27: 422 with the field's place; nothing is written, no URL and no chain can be passed in."""
    answer = stage.client().post("/v1/uploads", json=ASKED | change)
    assert _problem(answer) == "invalid"
    assert where in [one["pointer"] for one in answer.json()["errors"]]
    assert _rows(stage) == []
    assert _rows(stage, api_usage) == []


def test_a_larger_picture_than_the_configuration_allows(tmp_path: Path) -> None:
    stage = build_stage(tmp_path, picture_max_bytes=10_000)
    answer = stage.client().post("/v1/uploads", json=ASKED | {"content_length": 10_001})
    assert (answer.status_code, _problem(answer)) == (413, "too-large")


def test_a_body_that_is_no_json(stage: ApiStage) -> None:
    answer = stage.client().post("/v1/uploads", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, _problem(answer)) == (400, "malformed")


def test_nobody_gets_a_url_without_a_login(stage: ApiStage) -> None:
    assert _problem(stage.client(None).post("/v1/uploads", json=ASKED)) == "not-authenticated"
    assert _rows(stage) == []


def test_the_same_key_and_request_lead_to_the_same_upload(stage: ApiStage) -> None:
    """One row, one count; the URL is signed anew for what is left of its time."""
    client = stage.client()
    first = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"}).json()
    stage.clock[0] += 20_000
    again = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"})
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    second = again.json()
    assert (second["request_id"], second["expires_at"]) == (first["request_id"], first["expires_at"])
    assert parse_qs(urlsplit(second["url"]).query)["X-Amz-Expires"] == ["40"]
    assert len(_rows(stage)) == 1
    stage.desk.day_quota.close()
    assert _rows(stage, api_usage)[0].uploads == 1


def test_another_request_under_the_same_key_is_refused(stage: ApiStage) -> None:
    """Another person's same key is another key."""
    client, headers = stage.client(), {"idempotency-key": "one"}
    client.post("/v1/uploads", json=ASKED, headers=headers)
    other = client.post("/v1/uploads", json=ASKED | {"content_length": 999}, headers=headers)
    assert (other.status_code, _problem(other)) == (409, "key-reused")
    assert stage.client("bert").post("/v1/uploads", json=ASKED, headers=headers).status_code == 201
    assert stage.client(tenant=OTHER).post("/v1/uploads", json=ASKED, headers=headers).status_code == 201


def test_a_key_whose_url_is_over_is_over(stage: ApiStage) -> None:
    client, headers = stage.client(), {"idempotency-key": "one"}
    client.post("/v1/uploads", json=ASKED, headers=headers)
    stage.clock[0] += 60_000
    late = client.post("/v1/uploads", json=ASKED, headers=headers)
    assert (late.status_code, _problem(late)) == (410, "upload-expired")


def test_a_key_whose_picture_arrived_gives_no_second_url(stage: ApiStage) -> None:
    """T21: the ticket is consumed; its state is told instead."""
    client, headers = stage.client(), {"idempotency-key": "one"}
    ticket = client.post("/v1/uploads", json=ASKED, headers=headers).json()
    _put(stage, ticket["request_id"])
    assert client.post(ticket["links"]["complete"]).json()["state"] == "arrived"
    again = client.post("/v1/uploads", json=ASKED, headers=headers).json()
    assert (again["request_id"], again["state"], again["url"]) == (ticket["request_id"], "arrived", None)


def test_a_key_whose_upload_was_taken_back_says_so(stage: ApiStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """T25: `erased`, whether the row was emptied before or goes away between the two statements."""
    client, headers = stage.client(), {"idempotency-key": "one"}
    ticket = client.post("/v1/uploads", json=ASKED, headers=headers).json()
    assert client.delete(ticket["links"]["self"]).status_code == 200
    again = client.post("/v1/uploads", json=ASKED, headers=headers)
    assert (again.status_code, _problem(again)) == (410, "erased")
    monkeypatch.setattr(tickets, "read_by_idempotency", lambda *_: None)
    raced = client.post("/v1/uploads", json=ASKED, headers=headers)
    assert (raced.status_code, _problem(raced)) == (410, "erased")


async def test_sixteen_at_once_with_one_key_make_one_upload(stage: ApiStage) -> None:
    """T21: whoever repeats a request before it was answered gets the same ticket."""
    async with stage.async_client() as client:
        key = {"idempotency-key": "one"}
        answers = await asyncio.gather(
            *(client.post("/v1/uploads", json=ASKED, headers=key) for _ in range(16))
        )
    assert sorted(one.status_code for one in answers) == [200] * 15 + [201]
    assert len({one.json()["request_id"] for one in answers}) == len(_rows(stage)) == 1


def test_the_days_quota_holds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """T27: beyond the chain's uploads of a day 429, no row, and tomorrow again."""
    stage = build_stage(tmp_path, uploads_per_day=2)
    client = stage.client()
    assert [client.post("/v1/uploads", json=ASKED).status_code for _ in range(2)] == [201, 201]
    refused = stage.client("bert").post("/v1/uploads", json=ASKED)
    assert (refused.status_code, _problem(refused)) == (429, "quota-used-up")
    assert len(_rows(stage)) == 2
    assert stage.client(tenant=OTHER).post("/v1/uploads", json=ASKED).status_code == 201
    stage.clock[0] += int(refused.headers["retry-after"]) * 1000
    assert stage.client().post("/v1/uploads", json=ASKED).status_code == 201


def test_a_repetition_is_answered_when_the_quota_is_used_up(tmp_path: Path) -> None:
    """It is no new upload."""
    client = build_stage(tmp_path, uploads_per_day=1).client()
    first = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"})
    again = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"})
    other = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "two"})
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 429]


def test_one_person_does_not_upload_for_all(tmp_path: Path) -> None:
    """T27: uploads a minute are each person's own; a repetition is none."""
    stage = build_stage(tmp_path, uploads_per_minute=2)
    client = stage.client()
    first = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"})
    assert '"uploads";q=2;w=60' in first.headers["ratelimit-policy"]
    again = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"})
    statuses = [client.post("/v1/uploads", json=ASKED).status_code for _ in range(2)]
    assert [first.status_code, again.status_code, *statuses] == [201, 200, 201, 429]
    assert stage.client("bert").post("/v1/uploads", json=ASKED).status_code == 201
    stage.desk.day_quota.close()
    assert sum(row.uploads for row in _rows(stage, api_usage)) == 3


def test_a_picture_that_is_kept_needs_a_consent_to_a_known_notice(stage: ApiStage) -> None:
    """What the person agreed to is written down with the ticket."""
    client = stage.client()
    improve = ASKED | {"purpose": "recommend_and_improve"}
    assert _problem(client.post("/v1/uploads", json=improve)) == "consent-missing"
    wrong = {"notice": "0" * 64, "language": "en", "agreed": True}
    assert _problem(client.post("/v1/uploads", json=improve | {"consent": wrong})) == "notice-unknown"
    no = wrong | {"agreed": False}
    assert _problem(client.post("/v1/uploads", json=improve | {"consent": no})) == "invalid"
    assert _rows(stage) == []
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        [notice] = [one for one in read_notices(connection, TENANT) if one.language == "de"]
    yes = {"notice": notice.sha256.hex(), "language": "de", "agreed": True}
    assert client.post("/v1/uploads", json=improve | {"consent": yes}).status_code == 201
    [row] = _rows(stage)
    assert (row.consent["notice"], row.consent["language"]) == (yes["notice"], "de")


def test_completing_says_what_is_so(stage: ApiStage) -> None:
    """Before the PUT 409; after it the ticket is consumed and one job waits; again, and nothing changes."""
    client = stage.client()
    ticket = client.post("/v1/uploads", json=ASKED).json()
    complete = ticket["links"]["complete"]
    assert _problem(client.post(complete)) == "upload-not-there"
    _put(stage, ticket["request_id"])
    for _ in range(3):
        assert client.post(complete).json()["state"] == "arrived"
    assert len(_rows(stage, jobs)) == 1
    shown = client.get(ticket["links"]["self"]).json()
    assert (shown["state"], shown["problem"], shown["sha256"]) == ("arrived", None, ASKED["sha256"])


def test_another_picture_than_announced_is_refused(stage: ApiStage) -> None:
    """T21: another length ends the upload, the object is deleted unread, nothing is enqueued."""
    client = stage.client()
    ticket = client.post("/v1/uploads", json=ASKED).json()
    _put(stage, ticket["request_id"], body=PICTURE + b"x")
    refused = client.post(ticket["links"]["complete"])
    assert (_problem(refused), refused.json()["problem"]) == ("upload-failed", "wrong-length")
    assert list(stage.store.listed()) == []
    assert _rows(stage, jobs) == []


def test_nothing_came_in_time(stage: ApiStage) -> None:
    client = stage.client()
    ticket = client.post("/v1/uploads", json=ASKED).json()
    stage.clock[0] += 61_000
    late = client.post(ticket["links"]["complete"])
    assert (late.status_code, _problem(late)) == (410, "upload-expired")


@pytest.mark.parametrize("state", [UploadState.ERASED, UploadState.EXPIRED, UploadState.FAILED])
def test_what_ended_stays_ended(stage: ApiStage, state: UploadState) -> None:
    """`complete` says how; a key that led there gives no new URL."""
    client = stage.client()
    ticket = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"}).json()
    with stage.desk.database.tenant(TENANT) as connection:
        connection.execute(
            uploads.update().where(uploads.c.tenant == TENANT).values(state=str(state), ended_at_ms=1)
        )
    ends = {"erased": "erased", "expired": "upload-expired", "failed": "upload-failed"}
    assert _problem(client.post(ticket["links"]["complete"])) == ends[state]
    again = client.post("/v1/uploads", json=ASKED, headers={"idempotency-key": "one"})
    assert again.json().get("url") is None


@pytest.mark.parametrize("name", ["bert", "anna"])
def test_somebody_elses_upload_is_as_unknown_as_none(stage: ApiStage, name: str) -> None:
    """T27: another person of the chain, and the same subject at another chain, see nothing."""
    ticket = stage.client().post("/v1/uploads", json=ASKED).json()
    client = stage.client(name, tenant=TENANT if name == "bert" else OTHER)
    for answer in (client.get(ticket["links"]["self"]), client.post(ticket["links"]["complete"])):
        assert (answer.status_code, _problem(answer)) == (404, "not-found")
    assert [row.state for row in _rows(stage)] == ["issued"]


@pytest.mark.parametrize("name", ["x", "00000000-0000-4000-8000-000000000000", "%00", "..", "x" * 40])
def test_what_was_never_an_id(stage: ApiStage, name: str) -> None:
    assert stage.client().get(f"/v1/uploads/{name}").status_code == 404


def test_no_signature_is_kept(stage: ApiStage) -> None:
    """T26: neither the URL nor its signature stands in any table; who has the database cannot upload."""
    ticket = stage.client().post("/v1/uploads", json=ASKED).json()
    signature = parse_qs(urlsplit(ticket["url"]).query)["X-Amz-Signature"][0]
    with stage.desk.database.tenant(TENANT, read_only=True) as connection:
        assert connection.execute(select(func.count()).select_from(uploads)).scalar() == 1
    assert signature.encode() not in b"".join(
        file.read_bytes() for file in stage.desk.config.state_dir.glob("cloud.sqlite3*")
    )
