"""Asked again where that helps; one error for all else."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import httpx
import pytest

from api_client.errors import ApiError
from api_client.transport import PATIENCE_S, ChainTransport, retry_after_s
from api_client.world import World

NOW_S = 1_800_000_000.0


class Scripted(httpx.BaseTransport):
    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(
            httpx.Request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Told:
    """A client over a script, and its pauses."""

    def __init__(
        self,
        *answers: httpx.Response | Exception,
        token: Callable[[], str] | None = None,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        self.inner = Scripted(*answers)
        self.pauses: list[float] = []
        world = World(now_s=lambda: NOW_S, pause=self.pauses.append, chance=lambda: 0.0)
        self.client = httpx.Client(transport=ChainTransport(self.inner, world, token, renew))

    def post(self, url: str = "https://a.example/v1/uploads") -> httpx.Response:
        return self.client.post(url, json={"a": 1})


def busy(status: int = 429, retry_after: str | None = None) -> httpx.Response:
    return httpx.Response(status, headers={} if retry_after is None else {"Retry-After": retry_after})


def test_busy_servers_are_asked_again_as_they_say() -> None:
    """Never sooner than `Retry-After`, longer each time, with the same body."""
    told = Told(busy(retry_after="3"), busy(503), busy(503), httpx.Response(201))
    assert told.post().status_code == 201
    assert told.pauses == [3.0, 1.0, 2.0]
    assert {one.read() for one in told.inner.sent} == {b'{"a":1}'}


def test_patience_ends() -> None:
    """A quota that is over until midnight is told at once; a minute of 503 is enough."""
    told = Told(busy(retry_after="7000"))
    with pytest.raises(ApiError) as error:
        told.post()
    assert (error.value.status, error.value.retry_after_s, told.pauses) == (429, 7000, [])
    told = Told(*(busy(503) for _ in range(50)))
    with pytest.raises(ApiError) as error:
        told.post()
    assert error.value.slug == "away"
    assert sum(told.pauses) <= PATIENCE_S


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 502])
def test_nothing_else_is_asked_again(status: int) -> None:
    """It would not help."""
    told = Told(httpx.Response(status))
    with pytest.raises(ApiError) as error:
        told.post()
    assert error.value.status == status
    assert len(told.inner.sent) == 1


def test_a_refused_token_is_renewed_once() -> None:
    """Then it is refused."""
    tokens = ["one", "two"]
    told = Told(
        httpx.Response(401),
        httpx.Response(200),
        token=lambda: tokens[0],
        renew=lambda: bool(tokens.pop(0)),
    )
    assert told.post().status_code == 200
    assert [one.headers["authorization"] for one in told.inner.sent] == ["Bearer one", "Bearer two"]
    told = Told(httpx.Response(401), httpx.Response(401), token=lambda: "one", renew=lambda: True)
    with pytest.raises(ApiError):
        told.post()


@pytest.mark.parametrize(
    ("failure", "slug"),
    [
        (httpx.ConnectError("refused"), "away"),
        (httpx.ReadTimeout("slow"), "away"),
        (httpx.RemoteProtocolError("odd"), "away"),
    ],
)
def test_a_server_that_is_away_is_told(failure: Exception, slug: str) -> None:
    """As an ApiError with a remedy, whatever the library calls it."""
    with pytest.raises(ApiError) as error:
        Told(failure).post()
    assert error.value.slug == slug
    assert error.value.remedy


def test_an_untrusted_certificate_is_told_apart() -> None:
    """It is no outage."""
    failure = httpx.ConnectError("tls")
    failure.__cause__ = ssl.SSLCertVerificationError(1, "unable to get local issuer certificate")
    with pytest.raises(ApiError) as error:
        Told(failure).post()
    assert error.value.slug == "untrusted"


def test_names_of_this_machine_need_no_resolver() -> None:
    """RFC 6761, 6.3: `*.localhost` is loopback; Host header and certificate stay the name's."""
    told = Told(httpx.Response(200))
    told.post("https://gelateria-sole.localhost:8440/v1/uploads")
    (sent,) = told.inner.sent
    assert sent.url.host == "127.0.0.1"
    assert sent.headers["host"] == "gelateria-sole.localhost:8440"
    assert sent.extensions["sni_hostname"] == "gelateria-sole.localhost"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("120", 120.0),
        ("Fri, 15 Jan 2027 08:00:10 GMT", 10.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("\u0662", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    """RFC 9110, 10.2.3; what is neither counts for nothing."""
    assert retry_after_s(value, NOW_S) == seconds
