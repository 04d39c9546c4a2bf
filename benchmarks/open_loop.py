"""Load with a fixed schedule: requests are due when they are due, whether the server keeps up or not.

A client that waits for an answer before it sends the next request stops asking exactly while the server
stalls, and the stall disappears from its statistics. Here a latency runs from the moment a request was
due, so that a stall of 100 ms shows in all the requests that fell into it.
"""

import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field

from benchmarks.http_client import HttpError, parse_answer

_RECEIVE_BYTES = 65536
_ANSWER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One request of the schedule; `status` 0 means that no answer came."""

    due_s: float
    """By time.perf_counter(), which every thread of the process shares."""
    latency_ms: float
    status: int
    body: bytes


@dataclass(slots=True)
class _Line:
    """A connection and the request it carries."""

    socket: socket.socket
    due_s: float = 0.0
    received: bytearray = field(default_factory=bytearray)


class OpenLoop:
    """`rate_hz` requests a second for `seconds`, over at most `connections` kept-open connections."""

    def __init__(
        self, host: str, port: int, request: bytes, *, rate_hz: float, seconds: float, connections: int = 16
    ) -> None:
        self._address = (host, port)
        self._request = request
        self._period_s = 1 / rate_hz
        self._total = round(rate_hz * seconds)
        self._free = [self._open() for _ in range(connections)]
        self._busy: dict[socket.socket, _Line] = {}
        self._due: deque[float] = deque()
        self._answered: list[Answered] = []

    def run(self) -> list[Answered]:
        """Send everything and wait for every answer; in order of their arrival."""
        start = time.perf_counter()
        planned = 0
        try:
            while len(self._answered) < self._total:
                now = time.perf_counter()
                while planned < self._total and start + planned * self._period_s <= now:
                    self._due.append(start + planned * self._period_s)
                    planned += 1
                self._send_what_is_due()
                next_due = start + planned * self._period_s if planned < self._total else now + 0.1
                self._receive(max(next_due - time.perf_counter(), 0.0))
                self._give_up_on_the_silent()
        finally:
            for line in (*self._free, *self._busy.values()):
                line.socket.close()
        return self._answered

    def _open(self) -> _Line:
        line = socket.create_connection(self._address, _ANSWER_TIMEOUT_S)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Line(line)

    def _send_what_is_due(self) -> None:
        while self._due and self._free:
            line = self._free.pop()
            line.due_s = self._due.popleft()
            line.received.clear()
            self._busy[line.socket] = line
            try:
                line.socket.sendall(self._request)
            except OSError as error:
                self._lost(line, str(error))

    def _receive(self, timeout_s: float) -> None:
        readable, _, _ = select.select(list(self._busy), [], [], timeout_s)
        for ready in readable:
            line = self._busy[ready]
            try:
                part = ready.recv(_RECEIVE_BYTES)
                line.received += part
                answer = parse_answer(line.received)
            except (OSError, HttpError) as error:
                self._lost(line, str(error))
                continue
            if answer is not None:
                self._note(line, *answer)
                self._free.append(self._busy.pop(ready))
            elif not part:
                self._lost(line, "the server closed the connection instead of answering")

    def _give_up_on_the_silent(self) -> None:
        limit = time.perf_counter() - _ANSWER_TIMEOUT_S
        for line in [line for line in self._busy.values() if line.due_s < limit]:
            self._lost(line, f"no answer within {_ANSWER_TIMEOUT_S:g} s")

    def _lost(self, line: _Line, reason: str) -> None:
        """Count the failure and go on over a new connection."""
        self._note(line, 0, reason.encode())
        del self._busy[line.socket]
        line.socket.close()
        self._free.append(self._open())

    def _note(self, line: _Line, status: int, body: bytes) -> None:
        latency_ms = (time.perf_counter() - line.due_s) * 1e3
        self._answered.append(Answered(line.due_s, latency_ms, status, body))
