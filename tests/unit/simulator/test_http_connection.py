import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from simulator.http_connection import Answer, HttpConnection, LostConnectionError

_OK = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _server(handle: Handler) -> AsyncIterator[str]:
    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*served, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    return head, await reader.readexactly(int(length.split(b":")[1]))


async def _ask(connection: HttpConnection) -> Answer:
    return await connection.request("POST", "/v1/interactions", {"Authorization": "Bearer x"}, b'{"a": 1}')


async def test_a_request_arrives_whole_and_its_answer_comes_back() -> None:
    seen = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _read(reader))
        writer.write(_OK)

    async with _server(handle) as url:
        connection = HttpConnection(url, timeout_s=10)
        assert await _ask(connection) == Answer(201, b"{}")
        await connection.aclose()
    head, body = seen[0]
    assert head.startswith(b"POST /v1/interactions HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Bearer x\r\n" in head
    assert body == b'{"a": 1}'


async def test_one_connection_serves_many_requests() -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(3):
            await _read(reader)
            writer.write(_OK)

    async with _server(handle) as url:
        connection = HttpConnection(url, timeout_s=10)
        for _ in range(3):
            assert (await _ask(connection)).status == 201
        await connection.aclose()
    assert connections == 1


@pytest.mark.parametrize("says_so", [b"", b"Connection: close\r\n"])
async def test_a_connection_that_the_agent_closed_is_opened_again(says_so: bytes) -> None:
    closed = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(_OK.replace(b"\r\n", b"\r\n" + says_so, 1))
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with _server(handle) as url:
        connection = HttpConnection(url, timeout_s=10)
        for _ in range(3):
            assert (await _ask(connection)).status == 201
            await closed.wait()
            closed.clear()
            await asyncio.sleep(0.01)
        await connection.aclose()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "0 bytes read"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP/1.1 answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "no HTTP/1.1 answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", "2 bytes read"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n", "9999999 bytes"),
        (b"x" * 100_000, "limit"),
    ],
)
async def test_what_is_no_answer_is_a_lost_connection(answer: bytes, reason: str) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(answer)

    async with _server(handle) as url:
        with pytest.raises(LostConnectionError, match=reason):
            await _ask(HttpConnection(url, timeout_s=10))


async def test_an_agent_that_does_not_answer_in_time_is_lost() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with _server(handle) as url:
        with pytest.raises(LostConnectionError, match="too slow"):
            await _ask(HttpConnection(url, timeout_s=0.05))


async def test_nobody_listening_is_a_lost_connection() -> None:
    async with _server(lambda _reader, _writer: asyncio.sleep(0)) as url:
        pass
    with pytest.raises(LostConnectionError):
        await _ask(HttpConnection(url, timeout_s=10))


async def test_a_cancelled_request_leaves_no_answer_for_the_next_one() -> None:
    first = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        if not first.is_set():
            first.set()
            await reader.read()
        else:
            writer.write(_OK)

    async with _server(handle) as url:
        connection = HttpConnection(url, timeout_s=10)
        task = asyncio.create_task(_ask(connection))
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await _ask(connection)).status == 201
        await connection.aclose()
