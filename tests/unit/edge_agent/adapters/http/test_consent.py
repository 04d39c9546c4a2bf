"""Consent over HTTP: what a till and the display may say, and what each gets."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from edge_agent.adapters.http import consent, problems
from edge_agent.adapters.http.access import LOOPBACK_NAMES, AccessRules
from edge_agent.adapters.http.guard import Guard
from tests.builders.uplink import PaperDesk

TOKEN = "a-token-for-tests-only"
OWN = {"Origin": "http://127.0.0.1:8710"}
TILL = {"Authorization": f"Bearer {TOKEN}"}


class Door:
    """The routes behind their guard, over a desk in memory."""

    def __init__(self) -> None:
        self.shop = PaperDesk()
        app = FastAPI()
        problems.install(app)
        app.include_router(consent.routes(self.shop.consents))
        guarded = Guard(app, AccessRules(LOOPBACK_NAMES, 8710, [], [TOKEN]), lambda *_: None)
        transport = httpx.ASGITransport(guarded, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8710")

    async def customer(self, seed: int = 1) -> UUID:
        impression = self.shop.impression(seed)
        self.shop.consents.keep(impression, self.shop.frame(seed))
        await asyncio.sleep(0)
        return impression.interaction_id

    async def say(
        self, interaction: UUID, headers: dict[str, str] = TILL, **changes: object
    ) -> httpx.Response:
        notice = (await self.client.get("/v1/notice?language=it")).json()
        body = {
            "granted": True,
            "language": notice["language"],
            "notice_sha256": notice["sha256"],
            "method": "spoken",
            "purposes": notice["purposes"],
        } | changes
        return await self.client.post(f"/v1/interactions/{interaction}/consent", json=body, headers=headers)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door()
    yield made
    await made.shop.consents.settle()
    await made.client.aclose()
    made.shop.executor.shutdown()


async def test_a_yes_gets_its_slip_and_a_repetition_the_same_one(door: Door) -> None:
    """201, then 200 with the same consent; the till can fetch it for the printer."""
    interaction = await door.customer()
    first, second = await door.say(interaction), await door.say(interaction)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    slip = await door.client.get(f"/v1/interactions/{interaction}/consent", headers=TILL)
    assert slip.json() == first.json()
    assert (await door.client.get(f"/v1/interactions/{interaction}/consent")).status_code == 401


async def test_a_no_needs_nothing_and_the_opposite_is_a_conflict(door: Door) -> None:
    """200 `{"granted": false}`; a yes after it is refused, for the picture is gone."""
    interaction = await door.customer()
    path = f"/v1/interactions/{interaction}/consent"
    answer = await door.client.post(path, json={"granted": False}, headers=TILL)
    assert (answer.status_code, answer.json()) == (200, {"granted": False})
    assert (await door.say(interaction)).status_code == 409


async def test_the_display_may_say_what_was_touched_and_no_more_t29(door: Door) -> None:
    """T29: without a token only `touch`, only from the agent's own page, and never a withdrawal."""
    interaction = await door.customer()
    assert (await door.say(interaction, OWN)).status_code == 401
    assert (
        await door.say(interaction, {"Origin": "https://evil.example"}, method="touch")
    ).status_code == 403
    assert (await door.say(interaction, {}, method="touch")).status_code == 401
    assert (await door.say(interaction, OWN, method="touch")).status_code == 201
    path = f"/v1/consents/{interaction}/withdrawal"
    refused = await door.client.post(path, json={"withdrawal_code": "x"}, headers=OWN)
    assert refused.status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "problem"),
    [
        ({"notice_sha256": "00" * 32}, 422, "unknown-notice"),
        ({"language": "en"}, 422, "unknown-notice"),
        ({"purposes": ["evaluation"]}, 422, "unknown-notice"),
        ({"notice_sha256": "zz"}, 422, "impossible-request"),
        ({"purposes": []}, 422, "impossible-request"),
        ({"method": None}, 422, "impossible-request"),
        ({"method": "guessed"}, 422, "invalid-body"),
        ({"granted": "yes"}, 422, "invalid-body"),
        ({"name": "Anna"}, 422, "invalid-body"),
    ],
)
async def test_what_was_not_shown_is_not_agreed_to_t6(
    door: Door, changes: dict[str, object], status: int, problem: str
) -> None:
    """T6: each with a name and a remedy, and the question still stands."""
    interaction = await door.customer()
    answer = await door.say(interaction, **changes)
    assert answer.status_code == status
    assert answer.json()["type"].endswith(problem)
    assert answer.json()["remedy"]
    assert (await door.say(interaction)).status_code == 201


async def test_an_answer_without_a_question_is_refused(door: Door) -> None:
    """Another register's interaction, or one whose time is over; and what is no id at all."""
    unknown = door.shop.impression(9).interaction_id
    assert (await door.say(unknown)).status_code == 409
    no_id = await door.client.post("/v1/interactions/7/consent", json={"granted": False}, headers=TILL)
    assert no_id.status_code == 404


async def test_a_withdrawal_takes_the_code_of_the_slip_and_nothing_else(door: Door) -> None:
    """As easy as the consent was: id and code, however they are typed."""
    given = (await door.say(await door.customer())).json()
    path = f"/v1/consents/{given['consent_id']}/withdrawal"
    wrong = await door.client.post(path, json={"withdrawal_code": "0000"}, headers=TILL)
    assert (wrong.status_code, wrong.json()["type"].rsplit(":", 1)[1]) == (403, "wrong-withdrawal-code")
    right = await door.client.post(
        path, json={"withdrawal_code": given["withdrawal_code"].lower()}, headers=TILL
    )
    assert right.json() == {"consent_id": given["consent_id"], "withdrawn": True}
    no_id = "/v1/consents/7/withdrawal"
    assert (await door.client.post(no_id, json={"withdrawal_code": "0"}, headers=TILL)).status_code == 403


async def test_without_a_blank_a_yes_is_refused_and_said_so(door: Door) -> None:
    """503 with its own name; nothing was kept."""
    for seed in range(1, 4):
        assert (await door.say(await door.customer(seed))).status_code == 201
    door.shop.consents.count_blanks(1)
    answer = await door.say(await door.customer(4))
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("no-consent-blanks")
