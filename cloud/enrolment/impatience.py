"""Connections that say nothing are ended; else sixty-four silent ones would shut the service's door."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S: Final = 10.0
"""From the connection, or the last answer, to the end of a request's head; a register says it at once."""
PER_SOURCE: Final = 32
"""Connections of one address at a time: the tills of a whole shop, and half of what the service takes."""


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 for whoever gets to the point; a request that is being answered has all the time it needs."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give it time for one request; more than its share of connections are ended at once."""
        super().connection_made(transport)
        if sum(_source(other) == _source(self) for other in self.connections) > PER_SOURCE:
            transport.abort()
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._patience = asyncio.get_running_loop().call_later(HEAD_S, self._look)

    def _look(self) -> None:
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.abort()
        else:
            self._wait()


def _source(connection: Any) -> str | None:
    return connection.client[0] if connection.client is not None else None
