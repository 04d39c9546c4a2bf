"""Files over HTTP from servers that mean well, and from others (T8)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from edge_agent.updater.adapters.http_source import HttpSource
from edge_agent.updater.transfer import Budget, FetchFailed, FileMissing
from tests.builders.file_http_server import FileHttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def server() -> Iterator[FileHttpServer]:
    with FileHttpServer({"targets/x": CONTENT, "a%20b%23": b"odd"}.get) as running:
        yield running


def fetch(
    server: FileHttpServer,
    path: str = "targets/x",
    *,
    offset: int = 0,
    total: int | None = None,
    longest: int = 1 << 20,
    timeout_s: float = 5,
) -> bytes:
    source = HttpSource(server.url, Budget(1 << 40, 1 << 40), timeout_s=timeout_s)
    return b"".join(source.fetch(path, offset=offset, total=total, longest=longest))


def test_a_file(server: FileHttpServer) -> None:
    """Whole, with and without a known length."""
    assert fetch(server) == CONTENT
    assert fetch(server, total=len(CONTENT)) == CONTENT


def test_it_goes_on_where_it_ended(server: FileHttpServer) -> None:
    """By a range; a server that ignores it costs bytes, and nothing else."""
    assert fetch(server, offset=1000, total=len(CONTENT)) == CONTENT[1000:]
    assert server.asked[-1] == ("/targets/x", "bytes=1000-")
    server.misbehave = whole
    assert fetch(server, offset=1000, total=len(CONTENT)) == CONTENT[1000:]


def test_names_are_escaped_once(server: FileHttpServer) -> None:
    """What is escaped already stays so."""
    assert fetch(server, "a b%23") == b"odd"


def test_a_missing_file(server: FileHttpServer) -> None:
    """Is told apart from a broken server."""
    with pytest.raises(FileMissing):
        fetch(server, "metadata/2.root.json")


def whole(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT)
    return True


def redirect(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/targets/x")
    handler.end_headers()
    return True


def broken(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_error(500)
    return True


def endless(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(65_536))
    except OSError:
        return True


def boastful(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    return True


def short(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[:1000])
    return True


def noise(handler: BaseHTTPRequestHandler) -> bool:
    handler.wfile.write(b"\0" * 100_000)
    return True


def other_range(handler: BaseHTTPRequestHandler) -> bool:
    handler.send_response(206)
    handler.send_header("Content-Range", "bytes 0-9/10")
    handler.end_headers()
    handler.wfile.write(CONTENT[:10])
    return True


@pytest.mark.parametrize(
    "misbehave",
    [redirect, broken, endless, boastful, short, noise, other_range],
    ids=lambda one: one.__name__,
)
def test_servers_that_misbehave(
    server: FileHttpServer, misbehave: Callable[[BaseHTTPRequestHandler], bool]
) -> None:
    """T8: redirects, errors, endless, boastful and short answers are one error, and soon."""
    server.misbehave = misbehave
    with pytest.raises(FetchFailed):
        fetch(server, offset=5, total=len(CONTENT))


def test_a_server_that_says_nothing(server: FileHttpServer) -> None:
    """T8: slow retrieval ends with the time-out."""
    server.misbehave = lambda _: time.sleep(0.5) is None
    with pytest.raises(FetchFailed, match="imeout"):
        fetch(server, timeout_s=0.05)


@pytest.mark.parametrize("base", ["ftp://127.0.0.1/", "file:///etc/", "http://", "http://127.0.0.1:1/"])
def test_other_addresses(base: str) -> None:
    """Only http and https, and only where somebody answers."""
    source = HttpSource(base, Budget(1 << 40, 1 << 40), timeout_s=1)
    with pytest.raises(FetchFailed):
        list(source.fetch("x", offset=0, total=None, longest=100))
