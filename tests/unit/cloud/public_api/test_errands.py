"""Questions to identity providers stay their own chain's business."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from typing import TYPE_CHECKING, Any

import pytest

from cloud.identity.kept import away
from cloud.public_api.turnstile import PLACES
from tests.builders.public_api import OTHER, ApiStage, build_stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

KEY = "0123456789ab"


class _SilentProvider:
    """A provider that takes connections and answers when the test ends; in place of `Issuers`."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.over = threading.Event()

    def flow(self, *_: Any) -> None:
        self.asked.release()
        assert self.over.wait(60)
        raise away()


@pytest.fixture
def silent() -> Iterator[_SilentProvider]:
    made = _SilentProvider()
    yield made
    made.over.set()


@pytest.fixture
def stage(tmp_path: Path, silent: _SilentProvider) -> ApiStage:
    made = build_stage(tmp_path)
    issuers: Any = silent
    made.rebuild(dataclasses.replace(made.desk, issuers=issuers))
    return made


async def _logins(client: httpx.AsyncClient, paths: list[str]) -> list[int]:
    return [one.status_code for one in await asyncio.gather(*(client.get(path) for path in paths))]


@pytest.mark.parametrize("path", [f"/login/{KEY}", f"/login/callback/{KEY}"])
async def test_a_silent_provider_of_one_chain_stands_in_nobodys_way(
    stage: ApiStage, silent: _SilentProvider, path: str
) -> None:
    """T27: with every login of a chain hanging at its provider, another chain's request is answered."""
    async with (
        stage.async_client(None) as noisy,
        stage.async_client(tenant=OTHER) as quiet,
    ):
        hanging = asyncio.create_task(_logins(noisy, [path] * PLACES))
        for _ in range(PLACES):
            assert await asyncio.to_thread(silent.asked.acquire, timeout=30)
        answer = await asyncio.wait_for(quiet.get("/v1/me"), 20)
        assert answer.json()["chain"] == OTHER
        silent.over.set()
        assert await hanging == [503] * PLACES


async def test_more_than_a_few_of_one_chain_are_told_so(stage: ApiStage, silent: _SilentProvider) -> None:
    """T27: the ninth login of a chain whose provider is silent is refused with a page; none piles up."""
    async with stage.async_client(None) as noisy:
        hanging = asyncio.create_task(_logins(noisy, [f"/login/{KEY}"] * 8))
        for _ in range(8):
            assert await asyncio.to_thread(silent.asked.acquire, timeout=30)
        refused = await asyncio.wait_for(noisy.get(f"/login/{KEY}"), 20)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert "text/html" in refused.headers["content-type"]
        silent.over.set()
        assert await hanging == [503] * 8
        again = await asyncio.wait_for(noisy.get(f"/login/{KEY}"), 20)
        assert again.status_code == 503, "who has waited gave the place back"
