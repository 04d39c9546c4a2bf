"""The protocol of sd_notify, on a real datagram socket."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.adapters.systemd import ServiceManager

PID = 4711


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def test_readiness_life_and_end_are_told(manager: socket.socket) -> None:
    """In systemd's words, one datagram each."""
    service = ServiceManager({"NOTIFY_SOCKET": manager.getsockname()}, PID)
    service.ready("answering at http://127.0.0.1:8710")
    service.alive()
    service.stopping()
    heard = [manager.recv(4096) for _ in range(3)]
    assert heard == [b"READY=1\nSTATUS=answering at http://127.0.0.1:8710", b"WATCHDOG=1", b"STOPPING=1"]


def test_an_abstract_socket_is_understood() -> None:
    """`@name` in the environment is a NUL byte in the address."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("")  # the kernel chooses an abstract name
        sock.settimeout(5)
        name = sock.getsockname().decode().replace("\0", "@", 1)
        ServiceManager({"NOTIFY_SOCKET": name}, PID).alive()
        assert sock.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_said() -> None:
    """Started by hand, by a container or by a test."""
    service = ServiceManager({}, PID)
    service.ready("x")
    service.alive()
    assert service.watchdog_interval_s is None


@pytest.mark.parametrize(
    ("environ", "interval_s"),
    [
        ({"WATCHDOG_USEC": "20000000"}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(PID)}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_needed(
    environ: dict[str, str], interval_s: float | None
) -> None:
    """And not when it watches another process."""
    assert ServiceManager({"NOTIFY_SOCKET": "/x"} | environ, PID).watchdog_interval_s == interval_s
