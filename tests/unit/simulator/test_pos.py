from collections.abc import Mapping

import pytest

from simulator.chains import CHAINS
from simulator.http_connection import Answer, LostConnectionError
from simulator.pos import OUTCOME_TRIES, Line, PosClient, PosError
from tests.builders.paper_agent import PaperAgent

_CHAIN = CHAINS["polar-scoop"]
_CONTEXT = {"temperature_c": 24.5, "hour": 15, "weekday": 5}


def _agent() -> PaperAgent:
    return PaperAgent(_CHAIN)


def _pos(agent: PaperAgent, token: str = "paper") -> PosClient:
    return PosClient("http://till.test", token, exchange=agent)


async def test_an_interaction_is_opened_with_its_context_and_understood() -> None:
    agent = _agent()
    async with _pos(agent) as pos:
        interaction = await pos.open_interaction(_CONTEXT)
    assert agent.opened == [{"context": _CONTEXT}]
    assert [offer.flavour for offer in interaction.top3] == ["cookies", "salted-caramel", "vanilla"]
    assert (interaction.source, interaction.arm, interaction.inference_ms) == ("model", "model", 0.42)


async def test_request_time_is_measured_by_the_tills_own_clock() -> None:
    ticks = iter([10.0, 10.004])
    async with PosClient("http://till.test", "paper", exchange=_agent(), clock_s=lambda: next(ticks)) as pos:
        interaction = await pos.open_interaction({})
    assert interaction.request_ms == pytest.approx(4.0)


async def test_a_sale_is_booked_under_its_key() -> None:
    agent = _agent()
    async with _pos(agent) as pos:
        repeated = await pos.book_outcome("i-1", "key-1", "receipt-1", [Line("lime", 2)])
    assert not repeated
    body = {"receipt_id": "receipt-1", "lines": [{"flavour": "lime", "quantity": 2}]}
    assert agent.outcomes == {"key-1": ("/v1/interactions/i-1/outcome", body)}


async def test_a_sale_whose_answer_got_lost_is_sent_again_under_the_same_key() -> None:
    agent = _agent()
    agent.lose_answers = 1
    async with _pos(agent) as pos:
        assert await pos.book_outcome("i-1", "key-1", "receipt-1", [Line("lime", 1)])
    assert list(agent.outcomes) == ["key-1"]


async def test_a_sale_that_is_never_answered_is_an_error_in_the_end() -> None:
    agent = _agent()
    agent.lose_answers = OUTCOME_TRIES
    async with _pos(agent) as pos:
        with pytest.raises(PosError, match="got no answer"):
            await pos.book_outcome("i-1", "key-1", "receipt-1", [Line("lime", 1)])


async def test_a_key_used_for_another_sale_is_an_error() -> None:
    async with _pos(_agent()) as pos:
        await pos.book_outcome("i-1", "key-1", "receipt-1", [Line("lime", 1)])
        with pytest.raises(PosError, match="409"):
            await pos.book_outcome("i-1", "key-1", "receipt-1", [Line("lime", 2)])


async def test_the_menu_is_told() -> None:
    agent = _agent()
    async with _pos(agent) as pos:
        await pos.set_menu(["lime", "banana"])
    assert agent.menus == [["lime", "banana"]]


async def test_a_wrong_token_says_what_to_look_at() -> None:
    async with _pos(_agent(), token="wrong") as pos:
        with pytest.raises(PosError, match="401") as caught:
            await pos.open_interaction({})
    assert "pairing token" in caught.value.remedy


class _Fixed:
    """Gives one answer, or none."""

    def __init__(self, body: bytes | None) -> None:
        self._body = body

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if self._body is None:
            raise LostConnectionError("connection refused")
        return Answer(201, self._body)

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"interaction_id": "x"}', b"\xff"])
async def test_an_answer_that_cannot_be_used_is_an_error(body: bytes) -> None:
    async with PosClient("http://till.test", "paper", exchange=_Fixed(body)) as pos:
        with pytest.raises(PosError, match="cannot be used"):
            await pos.open_interaction({})


async def test_an_agent_that_is_away_is_an_error_that_names_the_way_out() -> None:
    async with PosClient("http://till.test", "paper", exchange=_Fixed(None)) as pos:
        with pytest.raises(PosError, match="connection refused") as caught:
            await pos.open_interaction({})
    assert "doctor" in caught.value.remedy


async def test_an_agent_that_keeps_no_pictures_has_no_notice() -> None:
    async with _pos(_agent()) as pos:
        assert await pos.notice("en") is None


async def test_a_consent_is_given_and_taken_back_by_the_slip() -> None:
    agent = _agent()
    agent.blanks = 1
    async with _pos(agent) as pos:
        notice = await pos.notice("en")
        assert notice is not None
        given = await pos.answer_consent("i-1", notice, granted=True)
        assert given is not None
        await pos.withdraw(given)
        assert await pos.answer_consent("i-2", notice, granted=False) is None
        assert await pos.answer_consent("i-3", notice, granted=True) is None
    assert agent.withdrawn == [given.consent_id]
    assert [answer["notice_sha256"] for answer in agent.answers] == [notice.sha256] * 3
