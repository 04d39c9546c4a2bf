import asyncio
from pathlib import Path

import pytest

from simulator.bank import CharacterBank
from simulator.demo import one_shop
from simulator.demo.live_state import RegisterInfo
from simulator.demo.one_shop import OneShop, serve_one_shop
from simulator.pos import PosClient
from tests.builders.paper_agent import PaperAgent


async def test_customers_are_served_at_an_agent_that_runs_already(
    bank: CharacterBank, info: RegisterInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = PaperAgent(info.chain)
    monkeypatch.setattr(one_shop, "AGENT_SEES_RING_AFTER_S", 0.05)
    monkeypatch.setattr(one_shop, "PosClient", lambda url, token: PosClient(url, token, exchange=agent))
    ring = tmp_path / "ring"
    options = OneShop(info.chain, info.shop, "http://127.0.0.1:9", "paper", ring, seed=1, seconds=3.0)
    async with asyncio.timeout(60):
        live = await serve_one_shop(options, bank)
    assert live.errors == []
    assert live.interactions == len(agent.outcomes) >= 1
    assert not ring.exists()
