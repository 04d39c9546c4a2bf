"""A register's cable to the broker: a TCP relay that can be unplugged."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

from simulator.demo.backend.settings import HOST

CHUNK_BYTES = 1 << 16


class Cable:
    """Carries one register's connections to a port of this machine.

    Unplugging ends the connection at once. A connection that is tried meanwhile is accepted and carries
    nothing, as a cut line does, until the cable is plugged in again or the register gives up.

    Args:
        port: Where it leads.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def plugged(self) -> bool:
        """Whether it carries anything."""
        return self._plugged.is_set()

    def unplug(self) -> None:
        """Cut what runs over it."""
        if self.plugged:
            self._plugged.clear()
            self._cut()

    def plug_in(self) -> None:
        """Let connections through again, those that wait too."""
        self._plugged.set()

    async def __aenter__(self) -> Self:
        """Listen; `port` says where."""
        self._server = await asyncio.start_server(self._accept, HOST, 0, limit=CHUNK_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut everything, for good."""
        assert self._server is not None, "not entered"
        self._server.close()
        carrying = list(self._carrying)
        self._cut()
        await asyncio.gather(*carrying, return_exceptions=True)

    def _cut(self) -> None:
        for task in self._carrying:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "streams call this in a task"
        self._carrying.add(task)
        try:
            await self._plugged.wait()
            await self._carry(reader, writer)
        except asyncio.CancelledError:
            pass  # unplugged: the task has nothing more to do, and nobody awaits it
        finally:
            self._carrying.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions, until either ends."""
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(HOST, self._to, limit=CHUNK_BYTES)
            try:
                ways = [
                    asyncio.ensure_future(_pump(reader, far_writer)),
                    asyncio.ensure_future(_pump(far_reader, writer)),
                ]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.wait(ways)
            finally:
                far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
