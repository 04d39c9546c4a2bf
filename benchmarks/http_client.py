"""A client that costs next to nothing: one socket kept open, requests built in advance.

The same client measures every server, so what differs is the server.
"""

import random
import re
import socket
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

_RECEIVE_BYTES = 65536
_TIMEOUT_S = 10
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_NS_PER_MS = 1e6


class HttpError(Exception):
    """The server closed the connection, or answered something else than was asked for."""


def build_request(
    method: str, path: str, *, host: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    fields = {"Host": host, "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def parse_answer(data: bytes | bytearray) -> tuple[int, bytes] | None:
    """Status and body once the whole answer is there, else None.

    Raises:
        HttpError: No HTTP/1.1 answer with a Content-Length; nothing that is measured here sends another.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(data[: end + 2])
    length = _LENGTH.search(head)
    if not head.startswith(b"HTTP/1.1 ") or length is None:
        raise HttpError(f"cannot read this answer: {head[:200]!r}")
    start = end + 4
    stop = start + int(length[1])
    if len(data) < stop:
        return None
    return int(head[9:12]), bytes(data[start:stop])


class KeepAlive:
    """One open connection; a request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), _TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def exchange(self, request: bytes) -> tuple[int, bytes]:
        """Send one request and wait for its answer: status and body.

        Raises:
            HttpError: The connection was closed, or the answer cannot be read.
            OSError: No answer within ten seconds, or a broken connection.
        """
        self._socket.sendall(request)
        received = bytearray()
        while True:
            part = self._socket.recv(_RECEIVE_BYTES)
            if not part:
                raise HttpError("the server closed the connection instead of answering")
            received += part
            answer = parse_answer(received)
            if answer is not None:
                return answer


def time_requests(
    client: KeepAlive, request: bytes, count: int, *, expect: int, period_s: float = 0.0
) -> list[float]:
    """Milliseconds of `count` exchanges, one per `period_s` on average (0: back to back).

    The pauses vary by half to either side: an even pace would keep step with a camera of the same rate, and
    meet its pictures always or never.

    Raises:
        HttpError: An answer had another status than `expect`: a refusal is fast, and would flatter.
    """
    timings: list[float] = []
    uneven = random.Random(count)
    due = time.perf_counter()
    for _ in range(count):
        if period_s:
            due += period_s * uneven.uniform(0.5, 1.5)
            time.sleep(max(due - time.perf_counter(), 0.0))
        before = time.perf_counter_ns()
        status, body = client.exchange(request)
        timings.append((time.perf_counter_ns() - before) / _NS_PER_MS)
        if status != expect:
            raise HttpError(f"expected status {expect}, got {status}: {body[:300].decode(errors='replace')}")
    return timings
