import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simulator.demo.backend.cable import Cable
from simulator.demo.backend.settings import HOST

_PATIENCE_S = 20


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # the cable was cut
    finally:
        writer.close()


@asynccontextmanager
async def _cable() -> AsyncIterator[Cable]:
    server = await asyncio.start_server(_echo, HOST, 0)
    async with server, Cable(server.sockets[0].getsockname()[1]) as cable, asyncio.timeout(_PATIENCE_S):
        yield cable


async def _dial(cable: Cable) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, cable.port)


async def test_it_carries_both_ways() -> None:
    async with _cable() as cable:
        reader, writer = await _dial(cable)
        writer.write(b"up")
        assert await reader.readexactly(2) == b"up"
        writer.close()


async def test_unplugging_ends_the_connection() -> None:
    async with _cable() as cable:
        reader, writer = await _dial(cable)
        writer.write(b"up")
        await reader.readexactly(2)
        cable.unplug()
        assert not cable.plugged
        with contextlib.suppress(ConnectionResetError):  # a cut line may look either way
            assert await reader.read() == b""
        writer.close()


async def test_what_is_tried_meanwhile_goes_on_when_it_is_plugged_in() -> None:
    """A cut line refuses nobody: packets go nowhere, and get through later."""
    async with _cable() as cable:
        cable.unplug()
        reader, writer = await _dial(cable)
        writer.write(b"later")
        waiting = asyncio.ensure_future(reader.readexactly(5))
        await asyncio.sleep(0)
        assert not waiting.done()
        cable.plug_in()
        assert await waiting == b"later"
        writer.close()
