"""`Chain` over the real API in process: what each method does, and what it never does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from api_client import ApiError, Chain, Circumstances, Purpose
from api_client.chain import read_secret
from api_client.generated.models import ConsentGiven
from cloud.public_api.caller import CallerKind
from cloud.public_api.problems import PROBLEMS
from tests.builders import hostile_pictures as hostile
from tests.builders.client_stage import ORIGIN, ClientStage
from tests.builders.public_api import TENANT
from tests.builders.recommendation_rows import recommend
from wire_protocol.errors import OperatorError

PHOTO = hostile.jpeg_with_orientation(1, hostile.photo(1280, 960))


def _pending(request_id: str) -> dict[str, Any]:
    instants = {"issued_at": "2026-11-22T14:03:05.900Z", "expires_at": "2026-11-22T14:04:05.900Z"}
    return {"request_id": request_id, "state": "issued", "arrived_at": None, **instants}


def _recommended(stage: ClientStage, request_id: str) -> None:
    recommend(stage.api.desk.database, UUID(request_id).bytes)


@pytest.fixture
def stage(tmp_path: Path) -> ClientStage:
    return ClientStage(tmp_path)


@pytest.fixture
def chain(stage: ClientStage) -> Chain:
    stage.log_in()
    return stage.chain()


def test_a_picture_becomes_three_flavours(stage: ClientStage, chain: Chain, tmp_path: Path) -> None:
    """Made small here, announced by its digest, put to the store, told, waited for; a path or bytes."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    with chain:
        found = chain.recommend(path, context=Circumstances(hour=15.5, weekday=0))
        again = chain.recommend(PHOTO)
    assert [one.flavour for one in found.slate] == ["pistachio", "lemon", "hazelnut"]
    assert found.source == "model"
    assert found.request_id != again.request_id
    (put, _) = stage.asked("PUT")
    announced = json.loads(stage.asked("POST /v1/uploads")[0].body)
    assert announced["sha256"] == hashlib.sha256(put.body).hexdigest()
    assert announced["context"] == {"hour": 15.5, "weekday": 0}
    assert b"Exif" in PHOTO
    assert b"Exif" not in put.body


def test_the_store_never_sees_the_token(stage: ClientStage, chain: Chain) -> None:
    """It goes to the chain's own host and nowhere else."""
    with chain:
        chain.recommend(PHOTO)
    hosts = {one.host for one in stage.sent if "authorization" in one.headers}
    assert hosts == {f"{TENANT}.api.example"}
    assert {one.host for one in stage.sent} == {*hosts, "s3.example"}


def test_nothing_is_sent_without_a_login(stage: ClientStage) -> None:
    """Not even looked at: the file does not exist."""
    with stage.chain() as chain, pytest.raises(ApiError) as error:
        chain.recommend("none.jpg")
    assert error.value.slug == "not-logged-in"
    assert ORIGIN in error.value.remedy
    assert stage.sent == []


def test_a_login_that_has_ended_is_told(stage: ClientStage, chain: Chain) -> None:
    """A person has to log in again."""
    assert chain.logged_in
    stage.api.clock[0] += 3_600_000
    assert not chain.logged_in
    with chain, pytest.raises(ApiError, match="ended"):
        chain.export()


def test_a_url_whose_time_is_over_is_asked_for_anew(stage: ClientStage, chain: Chain) -> None:
    """The store refuses it, the API gives another one under a new key; the picture arrives once."""

    def too_late() -> httpx.Response:
        stage.api.clock[0] += 61_000
        return httpx.Response(403, content=b"<Error><Code>AccessDenied</Code></Error>")

    stage.script("PUT", too_late)
    with chain:
        found = chain.recommend(PHOTO)
    first, second = stage.asked("POST /v1/uploads")
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]
    assert first.body == second.body
    assert found.request_id in stage.sent[-1].path


def test_a_put_whose_answer_was_lost_counts(stage: ClientStage, chain: Chain) -> None:
    """412: it is there already; there is no second upload."""

    def there_already() -> httpx.Response:
        last = stage.sent[-1]
        key = last.path.removeprefix("/").partition("/")[2]
        assert stage.api.store.put(key, last.body, last.headers["content-type"])
        return httpx.Response(412)

    stage.script("PUT", there_already)
    with chain:
        chain.recommend(PHOTO)
    assert len(stage.asked("POST /v1/uploads")) == 1


def test_a_store_that_never_takes_it_is_told(stage: ClientStage, chain: Chain) -> None:
    """After three URLs."""
    stage.script("PUT", *(httpx.Response(403) for _ in range(9)))
    with chain, pytest.raises(ApiError) as error:
        chain.recommend(PHOTO)
    assert (error.value.slug, error.value.status) == ("store-refused", 403)
    assert len(stage.asked("PUT")) == 3


def test_a_store_without_tls_gets_nothing(stage: ClientStage, chain: Chain) -> None:
    """Whatever the API says, a picture travels as safely as its token."""
    ticket = {
        "request_id": "r",
        "state": "issued",
        "url": "http://s3.example/b/k",
        "method": "PUT",
        "headers": {},
        "expires_at": "2026-11-23T12:00:00.000Z",
        "links": {"self": "/a", "complete": "/b", "recommendation": "/c"},
    }
    stage.script("POST /v1/uploads", httpx.Response(201, json=ticket))
    with chain, pytest.raises(ApiError) as error:
        chain.recommend(PHOTO)
    assert error.value.slug == "not-ours"
    assert stage.asked("PUT") == []


def test_waiting_ends_and_the_answer_can_be_had_later(stage: ClientStage, chain: Chain) -> None:
    """`not-there-yet` names the request; the pauses add up to the wait, no faster."""
    stage.answered = None
    with chain:
        request_id = chain.send(PHOTO)
        at_once = [httpx.Response(202, json=_pending(request_id)) for _ in range(3)]
        stage.script(f"GET /v1/recommendations/{request_id}", *at_once)
        with pytest.raises(ApiError) as error:
            chain.answer(request_id, wait=2)
        assert (error.value.slug, error.value.document) == ("not-there-yet", {"request_id": request_id})
        assert stage.pauses == [1.0, 1.0]
        _recommended(stage, request_id)
        assert chain.answer(request_id, wait=0).request_id == request_id


def test_a_picture_that_failed_says_why(stage: ClientStage, chain: Chain) -> None:
    """The problem document is on the error."""
    refused = PROBLEMS["upload-failed"]("it is damaged", problem="bad-picture").document()
    stage.answered = None
    with chain:
        request_id = chain.send(PHOTO)
        stage.script(f"GET /v1/recommendations/{request_id}", httpx.Response(409, json=refused))
        with pytest.raises(ApiError) as error:
            chain.answer(request_id)
    assert (error.value.slug, error.value.document["problem"]) == ("upload-failed", "bad-picture")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b'"text"'])
def test_an_answer_of_another_form_is_told(stage: ClientStage, chain: Chain, body: bytes) -> None:
    """As an ApiError; no library's error comes out."""
    stage.script("POST /v1/uploads", httpx.Response(201, content=body))
    with chain, pytest.raises(ApiError) as error:
        chain.send(PHOTO)
    assert error.value.slug == "not-ours"


def test_what_was_bought_is_recorded_once(stage: ClientStage, chain: Chain) -> None:
    """The same again is the same; another sale is refused, and the first stands."""
    with chain:
        request_id = chain.recommend(PHOTO).request_id
        kept = chain.outcome(request_id, {"pistachio": 2, "lemon": 1})
        assert chain.outcome(request_id, {"pistachio": 2, "lemon": 1}).recorded_at == kept.recorded_at
        with pytest.raises(ApiError) as error:
            chain.outcome(request_id, {"lemon": 1})
        assert error.value.slug == "outcome-conflict"
        (found,) = chain.history()
    assert found.outcome is not None
    assert {one.flavour: one.quantity for one in found.outcome.lines} == {"pistachio": 2, "lemon": 1}


def test_history_goes_through_all_pages(
    stage: ClientStage, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first, each once, the pages asked for as they are read."""
    monkeypatch.setattr("api_client.chain._PAGE", 2)
    with chain:
        sent = []
        for _ in range(5):
            stage.api.clock[0] += 1000
            sent.append(chain.recommend(PHOTO).request_id)
        found = chain.history()
        next(found)
        assert len(stage.asked("GET /v1/recommendations")) == 1
        rest = [one.request_id for one in found]
    assert len({*rest, *sent}) == 5
    assert len(rest) == 4
    assert len(stage.asked("GET /v1/recommendations")) == 3


def test_keeping_a_picture_needs_the_notice(chain: Chain) -> None:
    """`recommend_and_improve` without a consent, or with one to words that nobody wrote, is refused."""
    with chain:
        with pytest.raises(ApiError) as error:
            chain.send(PHOTO, purpose="recommend_and_improve")
        assert error.value.slug == "consent-missing"
        made_up = ConsentGiven(notice="ab" * 32, language="en", agreed=True)
        with pytest.raises(ApiError) as error:
            chain.send(PHOTO, purpose=Purpose.RECOMMEND_AND_IMPROVE, consent=made_up)
        assert error.value.slug == "notice-unknown"
        with pytest.raises(OperatorError):
            chain.send(PHOTO, purpose="sell")


def test_keeping_a_picture_after_a_yes(stage: ClientStage, chain: Chain) -> None:
    """The notice that was shown is the consent."""
    with chain:
        notice = chain.notice("de")
        chain.send(PHOTO, purpose="recommend_and_improve", consent=notice)
    announced = json.loads(stage.asked("POST /v1/uploads")[0].body)
    assert announced["consent"] == {"notice": notice.sha256, "language": notice.language, "agreed": True}


def test_a_machine_logs_in_and_its_token_is_renewed(stage: ClientStage, tmp_path: Path) -> None:
    """In the same object and in a later one; the secret is never kept."""
    client_id, secret = stage.machine()
    file = tmp_path / "secret"
    file.write_text(secret + "\n", "utf-8")
    with stage.chain() as chain:
        chain.login_machine(client_id, read_secret(file), secret_file=file)
        assert list(chain.history()) == []
        stage.api.clock[0] += 3_600_000
        assert list(chain.history()) == []
    stage.api.clock[0] += 3_600_000
    with stage.chain() as later:
        assert list(later.history()) == []
    assert len(stage.asked("POST /v1/token")) == 3
    (kept,) = stage.logins.folder.iterdir()
    assert secret not in kept.read_text("utf-8")


def test_a_machine_whose_token_was_revoked_gets_another_one(stage: ClientStage) -> None:
    """Once; with a wrong secret it says so."""
    client_id, secret = stage.machine()
    with stage.chain() as chain:
        chain.login_machine(client_id, secret)
        first = stage.logins.read(ORIGIN)
        assert first is not None
        chain._open.get_httpx_client().post("/v1/token/revoke", data={"token": first.token})
        assert list(chain.history()) == []
        with pytest.raises(ApiError) as error:
            chain.login_machine(client_id, "wrong" * 9)
    assert error.value.slug == "invalid_client"
    assert error.value.remedy


def test_logging_out_ends_it_there_and_here(stage: ClientStage, chain: Chain) -> None:
    """The token is worth nothing to whoever copied it; without a login nothing happens."""
    login = stage.logins.read(ORIGIN)
    assert login is not None
    with chain:
        chain.logout()
        assert not chain.logged_in
        chain.logout()
    assert stage.logins.read(ORIGIN) is None
    assert len(stage.asked("POST /v1/token/revoke")) == 1
    stage.logins.write(login)
    with stage.chain() as copied, pytest.raises(ApiError) as error:
        list(copied.history())
    assert error.value.slug == "bad-token"


def test_an_erased_account_is_gone(stage: ClientStage, chain: Chain) -> None:
    """Its proof can be asked for without a login; the login ended with it, and is nobody's."""
    with chain:
        request_id = chain.recommend(PHOTO).request_id
        exported = chain.export()
        assert [one["request_id"] for one in exported["recommendations"]] == [request_id]
        proof = chain.erase()
        assert stage.logins.read(ORIGIN) is None
        with pytest.raises(ApiError) as error:
            list(chain.history())
        assert error.value.slug == "not-logged-in"
        assert chain.erasure(proof.proof).counts.recommendations == 1
    stage.log_in()
    with stage.chain() as again:
        assert list(again.history()) == []


def test_one_upload_can_be_taken_back(chain: Chain) -> None:
    """The rest stays."""
    with chain:
        first, second = (chain.recommend(PHOTO).request_id for _ in range(2))
        assert chain.erase_upload(first).proof
        assert [one.request_id for one in chain.history()] == [second]
        with pytest.raises(ApiError) as error:
            chain.answer(first)
    assert error.value.slug == "erased"


def test_a_device_of_another_person_sees_nothing(stage: ClientStage, chain: Chain) -> None:
    """Others' ids are answered like ids that never were."""
    with chain:
        request_id = chain.recommend(PHOTO).request_id
    stage.log_in("ben", kind=CallerKind.DEVICE)
    with stage.chain() as other, pytest.raises(ApiError) as error:
        other.answer(request_id)
    assert error.value.slug == "not-found"


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_a_secret_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    """With what to do."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OperatorError) as error:
        read_secret(file)
    assert error.value.remedy


def test_an_authority_that_is_none_is_told(stage: ClientStage, tmp_path: Path) -> None:
    """Before anything is sent."""
    (tmp_path / "ca.pem").write_text("nothing", "utf-8")
    for name in ("ca.pem", "none.pem"):
        with pytest.raises(OperatorError, match="authority"):
            stage.chain(ca=tmp_path / name)
