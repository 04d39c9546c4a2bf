"""The sockets of the local API, bound before anything else starts: a busy port is told at once."""

import errno
import socket
import stat
from pathlib import Path

from daemon.errors import ConfigError
from edge_agent.config import ApiConfig
from edge_agent.errors import PortBusyError

_BACKLOG = 128
_SOCKET_MODE = 0o660


def bind_tcp(api: ApiConfig) -> socket.socket:
    """Listen on the configured address.

    Raises:
        PortBusyError: Another program does already.
        ConfigError: The address is not one of this machine's, or needs rights that we lack.
    """
    family = socket.AF_INET6 if ":" in api.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((api.host, api.port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortBusyError(
                f"port {api.port} of {api.host} is in use by another program",
                remedy=f"Stop it (`ss -ltnp 'sport = :{api.port}'` names it), or set another `port`.",
            ) from error
        raise ConfigError(
            f"cannot listen on {api.host} port {api.port}: {error.strerror}",
            remedy="Set `host` and `port` under [api] to an address of this machine and a port above 1023.",
        ) from error
    sock.setblocking(False)  # noqa: FBT003 - the library's signature
    return sock


def bind_unix(path: Path) -> socket.socket:
    """Listen on a Unix socket, in place of one that a dead agent left behind.

    Raises:
        PortBusyError: Another program answers on it.
        ConfigError: Something else is there, or the folder cannot be written to.
    """
    _remove_dead(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.bind(str(path))
        path.chmod(_SOCKET_MODE)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise _unusable(path, error.strerror or str(error)) from error
    sock.setblocking(False)  # noqa: FBT003 - the library's signature
    return sock


def _remove_dead(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    if not stat.S_ISSOCK(mode):
        raise _unusable(path, "something that is no socket is there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise PortBusyError(
        f"{path}: another program answers on this socket",
        remedy="Stop that one, or set another `unix_socket` under [api].",
    )


def _unusable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"{path}: cannot listen there: {reason}",
        remedy="Set `unix_socket` under [api] to a short path in a folder that the agent may write to.",
    )


def host_name(host: str) -> str:
    """A host as it stands in a URL and in a Host header."""
    return f"[{host}]" if ":" in host else host
