import socket
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks.http_client import build_request
from benchmarks.open_loop import OpenLoop

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
_REQUEST = build_request("POST", "/", host="x")


class Stub:
    """A server that answers each request, in the order of arrival, with what `answer(number)` gives."""

    def __init__(self) -> None:
        self.stall: tuple[int, float] | None = None
        self.answers: dict[int, bytes] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            while client.recv(4096):
                with self._lock:  # one at a time: a stall stops everybody, as one event loop does
                    number = self._number
                    self._number += 1
                    if self.stall and self.stall[0] == number:
                        time.sleep(self.stall[1])
                answer = self.answers.get(number, _ANSWER)
                if not answer:
                    return
                client.sendall(answer)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.close()


def test_every_request_of_the_schedule_is_answered(stub: Stub) -> None:
    """Fifty of fifty, and each was due one period after the one before."""
    answers = OpenLoop("127.0.0.1", stub.port, _REQUEST, rate_hz=250, seconds=0.2).run()
    due = sorted(answer.due_s for answer in answers)
    assert [answer.status for answer in answers] == [200] * 50
    assert due[-1] - due[0] == pytest.approx(49 / 250)


def test_a_stall_shows_in_all_requests_that_fell_into_it(stub: Stub) -> None:
    """A stall of 0.4 s at 100 requests a second delays the 20 due in its first half by 0.2 s or more.

    A client that waits for its answer before it sends the next request would report a single slow one.
    """
    stub.stall = (5, 0.4)
    answers = OpenLoop("127.0.0.1", stub.port, _REQUEST, rate_hz=100, seconds=1.0, connections=4).run()
    assert sum(answer.latency_ms >= 200 for answer in answers) >= 20
    assert len(answers) == 100


def test_refusals_and_broken_connections_are_counted_and_not_retried(stub: Stub) -> None:
    """A 503 keeps its status, a connection that is closed without an answer is status 0; the rest goes on."""
    stub.answers = {3: _REFUSED, 7: b""}
    answers = OpenLoop("127.0.0.1", stub.port, _REQUEST, rate_hz=200, seconds=0.1).run()
    assert sorted(answer.status for answer in answers) == [0, *[200] * 18, 503]
