"""Servers as processes of a test: on reserved ports, killed with the test run, never left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import psutil

from tests.services import require_program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_POLL_S = 0.05
_STOP_TIMEOUT_S = 15
_LOG_LINES = 20

# Linux kills a child when the *thread* that started it ends (PR_SET_PDEATHSIG), so every server is started by
# this one thread, which lives as long as the interpreter; a test may then restart a server from any thread.
_starter = ThreadPoolExecutor(1, thread_name_prefix="daemon starter")


class ServerFailed(Exception):
    """A server of the tests did not do what was asked; the message ends with the last lines of its log."""


class ReservedPort:
    """A TCP port of loopback that nobody else is given while this object is open.

    The socket is bound and never listens. A server that sets SO_REUSEADDR (all of ours do) may bind the port
    beside it, again and again; the system gives it to nobody who asks for any free port.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def accepts(self) -> bool:
        """Whether a server listens there now."""
        try:
            socket.create_connection(("127.0.0.1", self.number), timeout=1).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def last_lines(log: Path, count: int = _LOG_LINES) -> str:
    """The end of a log, for messages."""
    if not log.exists():
        return f"({log.name} was never written)"
    return "\n".join([f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-count:]])


@dataclass
class Daemon:
    """One server process: started, killed and started again with the same command."""

    name: str
    command: Sequence[str]
    log: Path
    user: str | None = None
    """The system user to run as; None: who runs the tests."""
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; it dies with the test run, however that ends."""
        assert not self.running(), f"{self.name} runs already"
        self._process = _starter.submit(self._popen).result()

    def _popen(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(require_program("setpriv")), "--pdeathsig", "KILL", "--", *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.log.parent,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Return once the server is ready; raise with the end of its log where it died or took too long."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.running():
                raise ServerFailed(f"{self.name} ended while it started\n{last_lines(self.log)}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} was not ready after {timeout_s} s\n{last_lines(self.log)}")
            time.sleep(_POLL_S)

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None, f"{self.name} was never started"
        self._process.send_signal(number)

    def kill(self) -> None:
        """As a power cut: SIGKILL, to the process and all that it started."""
        if self._process is None:
            return
        if self._process.poll() is None:
            server = psutil.Process(self._process.pid)
            family = [server, *server.children(recursive=True)]
            for member in family:
                if member.is_running():
                    member.kill()
            psutil.wait_procs(family[1:], timeout=_STOP_TIMEOUT_S)
        self._process.wait(_STOP_TIMEOUT_S)

    def stop(self) -> None:
        """Ask it to end, and kill it where it does not."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
