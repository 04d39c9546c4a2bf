"""Clients that wait, over real connections: answered when there is an answer, their places free again."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING

import pytest

from cloud.http_server import QuietServer, bind, settings
from cloud.outage_log import DatabaseOutage
from cloud.public_api.adapters.wakeups import wake
from tests.builders.public_api import TENANT, ApiStage, build_stage
from tests.builders.recommendation_rows import add_upload, recommend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

_BOUND_S = 60


@pytest.fixture
def stage(tmp_path: Path) -> ApiStage:
    return build_stage(tmp_path)


@contextlib.asynccontextmanager
async def serving(stage: ApiStage) -> AsyncIterator[int]:
    """The API on a port of loopback, woken as its process does it; gives the port."""
    with bind("127.0.0.1", 0, section="public_api") as listening:
        server = QuietServer(settings(stage.app, concurrency_max=100, keep_alive_s=5))
        waking = asyncio.create_task(wake(stage.desk.answers, stage.desk.database, DatabaseOutage()))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with asyncio.timeout(_BOUND_S):
                yield listening.getsockname()[1]
        finally:
            stage.desk.answers.stop()
            server.should_exit = True
            await task
            waking.cancel()
            await asyncio.wait([waking])


async def ask(stage: ApiStage, port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {stage.desk.tenants.hosts.host(TENANT)}\r\n"
        f"Authorization: Bearer {stage.bearer()}\r\nConnection: close\r\n\r\n".encode()
    )
    await writer.drain()
    return reader, writer


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the places tell nobody
        await asyncio.sleep(0.002)


def address(request: bytes, rest: str) -> str:
    return f"/v1/recommendations/{uuid.UUID(bytes=request)}{rest}"


@pytest.mark.parametrize("rest", ["?wait=60", "/events"])
def test_a_client_that_goes_away_frees_its_place(stage: ApiStage, rest: str) -> None:
    """T27: a closed connection ends its long poll or stream at once; nothing is looked at for it any more."""
    answers = stage.desk.answers
    request = add_upload(stage.desk.database, 1)
    places = answers.streams if rest == "/events" else answers.waits

    async def scenario() -> None:
        async with serving(stage) as port:
            _, writer = await ask(stage, port, address(request, rest))
            await until(lambda: len(places) == 1 and bool(answers.waited_for()))
            writer.transport.abort()
            await until(lambda: len(places) == 0 and not answers.waited_for())

    asyncio.run(scenario())


@pytest.mark.parametrize("rest", ["?wait=60", "/events"])
def test_what_another_process_writes_reaches_who_waits(stage: ApiStage, rest: str) -> None:
    """Long poll and stream bring the flavours, and end."""
    request = add_upload(stage.desk.database, 1)

    async def scenario() -> bytes:
        async with serving(stage) as port:
            reader, writer = await ask(stage, port, address(request, rest))
            await until(lambda: bool(stage.desk.answers.waited_for()))
            await asyncio.to_thread(recommend, stage.desk.database, request)
            whole = await reader.read()
            writer.close()
            return whole

    whole = asyncio.run(scenario())
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b'"flavour":"pistachio"' in whole


@pytest.mark.parametrize(("rest", "status"), [("?wait=60", b"202"), ("/events", b"200")])
def test_a_process_that_ends_answers_who_waits(stage: ApiStage, rest: str, status: bytes) -> None:
    """With how far it is; the client asks the next process."""
    request = add_upload(stage.desk.database, 1)

    async def scenario() -> bytes:
        async with serving(stage) as port:
            reader, writer = await ask(stage, port, address(request, rest))
            await until(lambda: bool(stage.desk.answers.waited_for()))
            stage.desk.answers.stop()
            whole = await reader.read()
            writer.close()
            return whole

    whole = asyncio.run(scenario())
    assert whole.split()[1] == status
    assert b'"issued"' in whole
