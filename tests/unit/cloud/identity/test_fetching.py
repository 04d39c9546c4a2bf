"""T23: a provider's documents cost little, whatever serves them, and lead nowhere."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx2
import pytest

from cloud.identity.addresses import origin_of
from cloud.identity.fetching import DOCUMENT_MAX_BYTES, TOTAL_S, BoundedTransport
from tests.builders.raw_server import head, raw_server

_TLS = ssl.create_default_context()


def _ask(url: str, *, clock: Any = None, own: str | None = None, allows: Any = None) -> httpx2.Response:
    transport = BoundedTransport(
        origin_of(own or url), allows or (lambda _: True), clock or (lambda: 0.0), _TLS
    )
    with httpx2.Client(transport=transport, trust_env=False) as client:
        return client.get(url)


def test_a_plain_answer_is_read() -> None:
    asked: list[bytes] = []

    def answer(request: bytes) -> Iterator[bytes]:
        asked.append(request)
        yield head("200 OK", "Content-Length: 2") + b"{}"

    with raw_server(answer) as url:
        assert _ask(url).content == b"{}"
    assert b"accept-encoding: identity" in asked[0].lower()


def test_an_origin_that_no_issuer_named_is_not_asked() -> None:
    """T23: the list is of origins; another port of the same host is another one."""
    asked: list[bytes] = []

    def answer(request: bytes) -> Iterator[bytes]:
        asked.append(request)
        yield head("200 OK", "Content-Length: 2") + b"{}"

    with raw_server(answer) as url, pytest.raises(httpx2.TransportError):
        _ask(url, allows=lambda origin: origin == ("http", "127.0.0.1", 1))
    assert asked == []


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    """T23: to wherever."""
    followed: list[bytes] = []

    def elsewhere(request: bytes) -> Iterator[bytes]:
        followed.append(request)
        yield head("200 OK", "Content-Length: 2") + b"{}"

    with raw_server(elsewhere) as canary:

        def answer(_: bytes) -> Iterator[bytes]:
            yield head("302 Found", f"Location: {canary}/", "Content-Length: 0")

        with raw_server(answer) as url:
            assert _ask(url).status_code == 302
    assert followed == []


def test_an_endless_document_is_read_to_its_bound() -> None:
    sent = count()

    def answer(_: bytes) -> Iterator[bytes]:
        yield head()
        while True:
            next(sent)
            yield b" " * 65_536

    with raw_server(answer) as url, pytest.raises(httpx2.TransportError, match="more bytes"):
        _ask(url)
    # What lay in the two kernels' buffers was sent as well.
    assert next(sent) * 65_536 < DOCUMENT_MAX_BYTES + 64_000_000


def test_a_coding_that_was_not_asked_for_is_not_unpacked() -> None:
    """A kilobyte could become a megabyte."""
    bomb = gzip.compress(b" " * 10_000_000)

    def answer(_: bytes) -> Iterator[bytes]:
        yield head("200 OK", "Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb

    with raw_server(answer) as url, pytest.raises(httpx2.TransportError, match="coding"):
        _ask(url)


@pytest.mark.parametrize("slow", ["head", "body"])
def test_a_server_that_speaks_slowly_is_not_listened_to_for_ever(slow: str) -> None:
    """One deadline holds for the whole answer, however many pieces it comes in."""
    clock = [0.0]

    def answer(_: bytes) -> Iterator[bytes]:
        if slow == "body":
            yield head("200 OK", "Content-Length: 200000")
        else:
            yield b"HTTP/1.1 200 OK\r\n"
        while True:
            clock[0] += 1.0  # each six bytes take a second
            yield b"X: y\r\n"

    with raw_server(answer) as url, pytest.raises(httpx2.TransportError):
        _ask(url, clock=lambda: clock[0])
    assert clock[0] > TOTAL_S


def test_a_name_that_leads_to_this_machine_is_not_asked_for_another_issuer() -> None:
    """T23: DNS may say what it likes; the address is looked at that is connected to."""
    asked: list[bytes] = []

    def answer(request: bytes) -> Iterator[bytes]:
        asked.append(request)
        yield head("200 OK", "Content-Length: 2") + b"{}"

    with raw_server(answer) as url:
        rebound = url.replace("127.0.0.1", "localhost")
        with pytest.raises(httpx2.TransportError, match="address that is not asked"):
            _ask(rebound, own="https://login.example")
        assert asked == []
        assert _ask(rebound, own=rebound).status_code == 200


@pytest.mark.parametrize(
    "words", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"]
)
def test_what_is_no_whole_answer_is_none(words: bytes) -> None:
    def answer(_: bytes) -> Iterator[bytes]:
        yield words

    with raw_server(answer) as url, pytest.raises(httpx2.TransportError):
        _ask(url)


def test_a_name_that_is_not_known_is_no_answer() -> None:
    with pytest.raises(httpx2.TransportError):
        _ask("http://nobody.invalid/")
