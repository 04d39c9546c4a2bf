import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from simulator.demo.live_state import LiveState, Phase, RegisterInfo
from simulator.demo.till import Till
from simulator.pos import PosClient
from simulator.shop_simulator import Pace, ShopSimulator
from tests.builders.paper_agent import PaperAgent

_MOMENT = (0.001, 0.002)
_HURRY = Pace(_MOMENT, _MOMENT, _MOMENT, _MOMENT)
_AGES = Pace(_MOMENT, _MOMENT, choose_s=(1000.0, 1000.0), leave_s=_MOMENT)
_ID = "polar-scoop/pier-nine"


@pytest.fixture
def agent(info: RegisterInfo) -> PaperAgent:
    return PaperAgent(info.chain)


def _till(
    info: RegisterInfo,
    live: LiveState,
    agent: PaperAgent,
    pace: Pace = _HURRY,
    *,
    alive: Callable[[], bool] = lambda: True,
    scan: Callable[[str], Awaitable[bool]] | None = None,
) -> Till:
    return Till(
        info=info,
        alive=alive,
        shop=ShopSimulator(info.chain, info.shop, 1, pace=pace),
        pos=PosClient("http://till.test", "paper", exchange=agent),
        live=live,
        clock_s=time.monotonic,
        scan=scan,
    )


async def _serve_until(till: Till, done: Callable[[], bool]) -> None:
    stopping = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(till.serve(stopping))
        while not done():  # noqa: ASYNC110 - the state is a plain value, as for the page
            await asyncio.sleep(0.001)
        stopping.set()


async def test_customers_are_served_one_after_the_other(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    await _serve_until(_till(info, live, agent), lambda: live.registers[_ID].served >= 25)
    assert live.errors == []
    assert live.unacknowledged == 0
    assert len(agent.opened) == live.interactions == len(agent.outcomes) >= 25
    assert live.registers[_ID].phase is Phase.EMPTY


async def test_the_agent_is_told_the_situation_but_not_the_shop(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    await _serve_until(_till(info, live, agent), lambda: bool(agent.opened))
    assert set(agent.opened[0]["context"]) == {"temperature_c", "hour", "weekday"}


async def test_menu_changes_reach_the_agent_before_the_customer_orders(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    await _serve_until(_till(info, live, agent), lambda: len(agent.menus) >= 3)
    assert live.errors == []
    for _, body in agent.outcomes.values():
        assert body["lines"][0]["quantity"] in {1, 2}


async def test_an_interaction_that_was_opened_is_paid_even_when_the_demo_stops(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    await _serve_until(_till(info, live, agent, _AGES), lambda: bool(agent.opened))
    assert len(agent.outcomes) == 1
    assert live.unacknowledged == 0


async def test_a_refusal_is_an_error_and_the_next_customer_is_served(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    agent.refuse_with = 503
    till = _till(info, live, agent)

    def recovered() -> bool:
        if live.error_count:
            agent.refuse_with = None
        return live.registers[_ID].served > 0

    await _serve_until(till, recovered)
    assert "503" in live.errors[0]
    assert live.registers[_ID].problem is None


async def test_a_sale_that_is_refused_stays_unacknowledged(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    agent.lose_answers = 3
    await _serve_until(_till(info, live, agent), lambda: live.registers[_ID].served > 0)
    assert live.unacknowledged == 1
    assert live.error_count == 1


async def test_a_till_without_agent_ends_by_itself(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    agent.refuse_with = 500
    till = _till(info, live, agent, alive=lambda: not live.registers[_ID].visit)
    async with asyncio.timeout(20):
        await till.serve(asyncio.Event())
    assert live.errors == []


async def test_customers_are_asked_where_the_agent_keeps_pictures_and_some_change_their_minds(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    agent.blanks = 10_000
    state = live.registers[_ID]
    await _serve_until(_till(info, live, agent), lambda: state.withdrawn >= 2)
    assert live.errors == []
    assert state.consented + state.declined == len(agent.answers)
    assert sum(answer["granted"] for answer in agent.answers) == state.consented > 0
    assert state.declined > 0
    assert len(agent.withdrawn) == state.withdrawn


async def test_without_a_blank_nobody_has_consented(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    agent.blanks = 0
    await _serve_until(_till(info, live, agent), lambda: len(agent.answers) >= 5)
    assert live.errors == []
    assert live.registers[_ID].consented == 0


async def test_some_say_yes_on_their_phone_and_the_till_does_not_ask_them_again(
    info: RegisterInfo, live: LiveState, agent: PaperAgent
) -> None:
    agent.blanks = agent.codes = 10_000
    scanned: list[str] = []

    async def scan(url: str) -> bool:
        scanned.append(url)
        return True

    state = live.registers[_ID]
    await _serve_until(_till(info, live, agent, scan=scan), lambda: len(scanned) >= 2)
    assert live.errors == []
    assert scanned[0].startswith("http://polar-scoop.localhost:9/c/")
    assert len(scanned) + sum(answer["granted"] for answer in agent.answers) == state.consented
    assert len(agent.answers) + len(scanned) == state.consented + state.declined


@pytest.mark.parametrize("codes", [None, 0, 10_000])
async def test_a_yes_that_no_phone_says_is_said_at_the_till(
    info: RegisterInfo, live: LiveState, agent: PaperAgent, codes: int | None
) -> None:
    agent.blanks, agent.codes = 10_000, codes

    async def scan(_url: str) -> bool:
        return False

    await _serve_until(_till(info, live, agent, scan=scan), lambda: live.registers[_ID].served >= 30)
    assert live.errors == []
    assert sum(answer["granted"] for answer in agent.answers) == live.registers[_ID].consented > 0
