import base64
import json
from collections.abc import Callable

import httpx
import pytest

from simulator.demo.phones.chain_api import ChainApi, PhoneError, address_of

_URL = "http://{tenant}.localhost:8740"
_PICTURE = b"a picture"
_TICKET = {
    "request_id": "01a2",
    "method": "PUT",
    "url": "http://store.test/intake/one?X-Amz-Signature=abc",
    "headers": {"If-None-Match": "*"},
    "links": {"complete": "/v1/uploads/01a2/complete", "recommendation": "/v1/recommendations/01a2"},
}
_NOTICE = {"sha256": "5a" * 32, "language": "en"}


class _Paper:
    """API and store on paper: what they were asked, and what they answer."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.store_status = 200
        self.waits = 1

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answers: dict[tuple[str, str], Callable[[], httpx.Response]] = {
            ("POST", "/v1/token"): lambda: httpx.Response(200, json={"access_token": "a-token"}),
            ("POST", "/v1/uploads"): lambda: httpx.Response(201, json=_TICKET),
            ("PUT", "/intake/one"): lambda: httpx.Response(self.store_status),
            ("POST", "/v1/uploads/01a2/complete"): lambda: httpx.Response(200, json={}),
            ("GET", "/v1/recommendations/01a2"): self._answer,
        }
        return answers.get((request.method, request.url.path), lambda: httpx.Response(404, text="none"))()

    def _answer(self) -> httpx.Response:
        if self.waits:
            self.waits -= 1
            return httpx.Response(202, json={"state": "arrived"})
        slate = [{"flavour": one, "probability": 0.3} for one in ("lime", "banana", "cookies")]
        return httpx.Response(200, json={"slate": slate})


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> _Paper:
    paper, real = _Paper(), httpx.AsyncClient
    monkeypatch.setattr(
        httpx, "AsyncClient", lambda **options: real(transport=httpx.MockTransport(paper), **options)
    )
    return paper


def test_names_below_localhost_need_no_resolver() -> None:
    assert address_of(_URL, "polar-scoop") == ("http://127.0.0.1:8740", "polar-scoop.localhost:8740")


async def test_a_picture_goes_to_the_store_with_the_signed_headers_and_without_the_token(
    paper: _Paper,
) -> None:
    async with ChainApi(_URL, "polar-scoop", "till", "secret") as api:
        await api.log_in()
        answered = await api.recommend(_PICTURE, {"hour": 15}, _NOTICE)
    assert answered.slate == ("lime", "banana", "cookies")
    assert answered.took_ms > 0
    token, begun, put = paper.asked[:3]
    assert base64.b64decode(token.headers["authorization"].split()[1]) == b"till:secret"
    assert begun.headers["host"] == "polar-scoop.localhost:8740"
    assert begun.headers["authorization"] == "Bearer a-token"
    said = json.loads(begun.content)
    assert (said["purpose"], said["content_length"]) == ("recommend_and_improve", len(_PICTURE))
    assert said["consent"] == {"notice": "5a" * 32, "language": "en", "agreed": True}
    assert put.content == _PICTURE
    assert put.headers["if-none-match"] == "*"
    assert "authorization" not in put.headers


async def test_without_consent_the_picture_is_only_looked_at(paper: _Paper) -> None:
    async with ChainApi(_URL, "polar-scoop", "till", "secret") as api:
        await api.recommend(_PICTURE, {}, None)
    said = json.loads(paper.asked[0].content)
    assert said["purpose"] == "recommend"
    assert "consent" not in said


async def test_a_store_that_refuses_is_told(paper: _Paper) -> None:
    paper.store_status = 403
    async with ChainApi(_URL, "polar-scoop", "till", "secret") as api:
        with pytest.raises(PhoneError, match="403"):
            await api.recommend(_PICTURE, {}, None)


async def test_a_refusal_is_told_with_its_words(paper: _Paper) -> None:
    async with ChainApi(_URL, "polar-scoop", "till", "secret") as api:
        with pytest.raises(PhoneError, match="DELETE /v1/me was answered 404: none"):
            await api.erase()
    assert len(paper.asked) == 1
