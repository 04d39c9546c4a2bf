"""Binding the sockets."""

import socket
import stat
from pathlib import Path

import pytest

from daemon.errors import ConfigError
from edge_agent.adapters.http.listening import bind_tcp, bind_unix, host_name
from edge_agent.config import ApiConfig
from edge_agent.errors import PortBusyError


def test_port_0_lets_the_system_choose() -> None:
    """And the socket accepts at once."""
    with bind_tcp(ApiConfig(port=0)) as sock, socket.create_connection(sock.getsockname()):
        assert sock.getsockname()[1] > 0


def test_a_busy_port_is_named_with_what_to_do() -> None:
    """The port, how to find who has it, and which key to change."""
    with bind_tcp(ApiConfig(port=0)) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(PortBusyError, match=f"port {port}") as busy:
            bind_tcp(ApiConfig(port=port))
    assert "ss -ltnp" in busy.value.remedy
    assert "`port`" in busy.value.remedy


def test_an_address_of_another_machine_is_told() -> None:
    """It is a mistake in the configuration, not a busy port."""
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1"):
        bind_tcp(ApiConfig(host="192.0.2.1", port=0))


def test_a_dead_agents_socket_is_replaced(tmp_path: Path) -> None:
    """A killed agent leaves its socket behind; owner and group may use the new one."""
    path = tmp_path / "agent.sock"
    bind_unix(path).close()
    assert path.exists()
    with bind_unix(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_a_living_agents_socket_is_not_taken(tmp_path: Path) -> None:
    """It answers, so it is busy."""
    path = tmp_path / "agent.sock"
    with bind_unix(path), pytest.raises(PortBusyError, match="another program"):
        bind_unix(path)


def test_something_else_is_never_removed(tmp_path: Path) -> None:
    """A file of that name stays."""
    path = tmp_path / "precious"
    path.write_text("data")
    with pytest.raises(ConfigError, match="precious"):
        bind_unix(path)
    assert path.read_text() == "data"


def test_a_path_beyond_the_kernels_limit_is_told(tmp_path: Path) -> None:
    """108 bytes."""
    with pytest.raises(ConfigError, match="cannot listen"):
        bind_unix(tmp_path / ("x" * 120))


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "localhost")]
)
def test_ipv6_stands_in_brackets(host: str, shown: str) -> None:
    """In URLs and Host headers."""
    assert host_name(host) == shown
