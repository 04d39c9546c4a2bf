"""uvicorn inside our task group."""

import asyncio
import signal

from starlette.types import Receive, Scope, Send

from edge_agent.adapters.http.listening import bind_tcp
from edge_agent.adapters.http.server import ApiServer
from edge_agent.config import ApiConfig


async def _hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def test_it_says_when_it_is_up_and_ends_when_it_is_told() -> None:
    """A request in between is answered."""
    with bind_tcp(ApiConfig(port=0)) as sock:
        server = ApiServer(_hello, [sock])
        serving = asyncio.create_task(server.serve())
        await asyncio.wait_for(server.started.wait(), 10)
        reader, writer = await asyncio.open_connection(*sock.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"hello" in await reader.read()
        writer.close()
        await writer.wait_closed()
        server.stop()
        await asyncio.wait_for(serving, 10)


async def test_signals_are_left_to_their_owner() -> None:
    """The web server installs no handler of its own."""
    before = signal.getsignal(signal.SIGTERM)
    with bind_tcp(ApiConfig(port=0)) as sock:
        server = ApiServer(_hello, [sock])
        serving = asyncio.create_task(server.serve())
        await asyncio.wait_for(server.started.wait(), 10)
        assert signal.getsignal(signal.SIGTERM) is before
        server.stop()
        await asyncio.wait_for(serving, 10)
