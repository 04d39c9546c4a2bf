"""How our services serve HTTP: a listening socket, and uvicorn that leaves signals to its process."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from cloud.errors import PortBusy

_BACKLOG: Final = 256
"""Who connects before the server has started waits for it."""
_GRACE_S: Final = 3


def bind(host: str, port: int, *, section: str) -> socket.socket:
    """A listening socket.

    Args:
        host: Address to listen on.
        port: Its TCP port; 0 lets the system choose one.
        section: Of the configuration, for the remedy.

    Raises:
        PortBusy: Another program has the port, or the address is not of this machine.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise PortBusy(
            f"cannot listen on {host}:{port}: {error.strerror}",
            remedy=f"Set another {section}.port, or {section}.host to an address of this machine.",
        ) from error
    return bound


def settings(app: ASGIApp, *, concurrency_max: int, keep_alive_s: int, **more: Any) -> uvicorn.Config:
    """Settings of uvicorn that all of our services have.

    Args:
        app: What answers.
        concurrency_max: Connections and requests at once; beyond it 503.
        keep_alive_s: How long an idle connection stays open.
        more: Of uvicorn's own, such as certificates.
    """
    return uvicorn.Config(
        app,
        loop="none",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        # Nothing that a client sends may change who we think it is.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=_GRACE_S,
        limit_concurrency=concurrency_max,
        **more,
    )


class QuietServer(uvicorn.Server):
    """The process has one owner of signals, and it is not the web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
