"""Silent connections do not shut the enrolment service's door (T27)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvicorn

from cloud.enrolment import impatience
from cloud.enrolment.impatience import PER_SOURCE, ImpatientProtocol

_ANSWER = b"HTTP/1.1 200 OK\r\n"
_REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.fixture
async def connect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], Any]]:
    """Opens connections to an application that answers after a while, behind the protocol alone."""
    monkeypatch.setattr(impatience, "HEAD_S", 0.2)

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await asyncio.sleep(0.7)  # far longer than the head may take
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(
        app, http=ImpatientProtocol, loop="none", ws="none", lifespan="off", log_config=None
    )
    config.load()
    state = uvicorn.Server(config).server_state
    server = await asyncio.get_running_loop().create_server(
        lambda: ImpatientProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    writers = []

    async def opened() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    yield opened
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()


async def _ended(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("said", [b"", _REQUEST[:20]])
async def test_who_does_not_finish_a_requests_head_is_put_out(
    connect: Callable[[], Any], said: bytes
) -> None:
    """Whether it says nothing, or begins and stops."""
    reader, writer = await connect()
    writer.write(said)
    assert await _ended(reader) == b""


async def test_a_request_under_way_is_waited_for(connect: Callable[[], Any]) -> None:
    """However long the database takes; afterwards the connection ends, since nothing more comes."""
    reader, writer = await connect()
    writer.write(_REQUEST)
    answer = await _ended(reader)
    assert answer.startswith(_ANSWER)
    assert answer.endswith(b"ok")


async def test_one_address_takes_half_of_the_room_at_most(
    connect: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it opens beyond that is ended at once; the others live."""
    monkeypatch.setattr(impatience, "HEAD_S", 600.0)
    connections = [await connect() for _ in range(PER_SOURCE + 1)]
    assert await _ended(connections[-1][0]) == b""
    connections[0][1].write(_REQUEST)
    async with asyncio.timeout(10):
        assert await connections[0][0].readline() == _ANSWER
