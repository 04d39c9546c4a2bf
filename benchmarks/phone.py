"""A phone as the public API and the S3 server see it: one client that goes the whole way of a picture."""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from benchmarks.http_client import HttpError, KeepAlive, build_request

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Walk:
    """One picture's way; moments by time.time_ns().

    Attributes:
        begun_ns: Before `POST /v1/uploads`.
        put_ns: Before the PUT.
        uploaded_ns: The PUT was answered.
        told_ns: `complete` was answered; as `uploaded_ns` where the store itself tells.
        answered_ns: The three flavours were there.
    """

    begun_ns: int
    put_ns: int
    uploaded_ns: int
    told_ns: int
    answered_ns: int

    @property
    def answer_ms(self) -> float:
        """From the upload's end to the readable recommendation."""
        return (self.answered_ns - self.uploaded_ns) / 1e6

    @property
    def whole_ms(self) -> float:
        """From the first request to the readable recommendation."""
        return (self.answered_ns - self.begun_ns) / 1e6


class Refused(Exception):
    """The API answered with a problem; `status` and its document say which."""

    def __init__(self, status: int, document: bytes) -> None:
        super().__init__(f"{status}: {document[:300].decode(errors='replace')}")
        self.status = status


class Phone:
    """One person at one chain; requests go over two connections that are kept open.

    Args:
        port: Of the API, on loopback.
        host: Of the chain.
        bearer: The person's token.
    """

    def __init__(self, port: int, host: str, bearer: str) -> None:
        self._port = port
        self._host = host
        self.bearer = bearer
        self._api: KeepAlive | None = None
        self._store: tuple[str, KeepAlive] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """Close both connections; the next request opens new ones."""
        if self._api is not None:
            self._api.close()
        if self._store is not None:
            self._store[1].close()
        self._api = self._store = None

    def begin(self, picture: bytes) -> bytes:
        """The request for a signed URL, as it goes over the wire."""
        asked = {
            "content_type": "image/jpeg",
            "content_length": len(picture),
            "sha256": hashlib.sha256(picture).hexdigest(),
            "context": {"hour": 15.5, "temperature_c": 24},
        }
        return self.request("POST", "/v1/uploads", json.dumps(asked).encode())

    def walk(self, picture: bytes, *, tell: bool = True) -> Walk:
        """Upload a picture, and wait for its recommendation.

        Args:
            picture: A JPEG.
            tell: Say `complete`; otherwise the store's own event must do.

        Raises:
            Refused: By the API or the store.
            HttpError: No recommendation came.
        """
        begun_ns = time.time_ns()
        ticket = json.loads(self.ask(self.begin(picture), 201))
        put_ns = time.time_ns()
        self._put(ticket, picture)
        uploaded_ns = told_ns = time.time_ns()
        links = ticket["links"]
        if tell:
            self.ask(self.request("POST", links["complete"]), 200)
            told_ns = time.time_ns()
        answer = json.loads(self.ask(self.request("GET", f"{links['recommendation']}?wait=20"), 200))
        if len(answer["slate"]) != 3:
            raise HttpError(f"no three flavours: {answer}")
        return Walk(begun_ns, put_ns, uploaded_ns, told_ns, time.time_ns())

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The bytes of a request to the API."""
        headers = {"Authorization": f"Bearer {self.bearer}"} | (_JSON if body else {})
        return build_request(method, path, host=self._host, body=body, headers=headers)

    def ask(self, request: bytes, expect: int) -> bytes:
        """One exchange with the API. Raises Refused for another status."""
        if self._api is None:
            self._api = KeepAlive("127.0.0.1", self._port)
        status, body = self._api.exchange(request)
        if status != expect:
            raise Refused(status, body)
        return body

    def _put(self, ticket: dict[str, Any], picture: bytes) -> None:
        url = urlsplit(ticket["url"])
        if self._store is None or self._store[0] != url.netloc:
            self._store = (url.netloc, KeepAlive(str(url.hostname), int(url.port or 80)))
        headers = {name: value for name, value in ticket["headers"].items() if name != "Content-Length"}
        path = f"{url.path}?{url.query}"
        request = build_request("PUT", path, host=url.netloc, body=picture, headers=headers)
        status, body = self._store[1].exchange(request)
        if status != 200:
            raise Refused(status, body)
