"""The code for phones over HTTP: what a display gets, and when it gets none."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from edge_agent.adapters.http import handover, problems
from tests.builders.uplink import PaperDesk


@pytest.fixture
async def shop() -> AsyncIterator[PaperDesk]:
    made = PaperDesk()
    yield made
    made.executor.shutdown()


@pytest.fixture
async def client(shop: PaperDesk) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(handover.routes(shop.handovers))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://till") as made:
        yield made


async def customer(shop: PaperDesk) -> UUID:
    impression = shop.impression()
    shop.consents.keep(impression, shop.frame())
    await asyncio.sleep(0)
    return impression.interaction_id


async def test_a_display_gets_address_drawing_and_end(client: httpx.AsyncClient, shop: PaperDesk) -> None:
    """Asked again, it gets the same one."""
    path = f"/v1/interactions/{await customer(shop)}/handover"
    first = await client.get(path)
    assert first.status_code == 200
    document = first.json()
    assert set(document) == {"url", "svg", "expires_at", "expires_in_s"}
    assert document["url"].startswith("https://")
    assert document["svg"].startswith("<svg")
    assert 88 < document["expires_in_s"] <= 90
    assert document["expires_at"].endswith("Z")
    assert (await client.get(path)).json() == document


async def test_refusals_say_what_to_do(client: httpx.AsyncClient, shop: PaperDesk) -> None:
    """404 for what is no id, 409 without a picture, 503 without the cloud; each with its remedy."""
    waiting = await customer(shop)
    shop.is_connected = False
    for interaction, status, slug in (
        ("7", 404, "unknown-interaction"),
        (shop.impression(9).interaction_id, 409, "nothing-to-answer"),
        (waiting, 503, "no-handover"),
    ):
        answer = await client.get(f"/v1/interactions/{interaction}/handover")
        assert answer.status_code == status
        assert answer.json()["type"] == f"urn:topscoop:problem:{slug}"
        assert answer.json()["remedy"]
