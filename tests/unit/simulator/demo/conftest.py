"""A register of the demo with customers and answers made by hand."""

from dataclasses import replace

import pytest

from simulator.bayes import best_sellers
from simulator.chains import CHAINS
from simulator.demo.live_state import LiveState, RegisterInfo
from simulator.pos import Interaction, Offer
from simulator.shop_simulator import ShopSimulator, Visit

_CHAIN = CHAINS["polar-scoop"]


@pytest.fixture
def info() -> RegisterInfo:
    shop = _CHAIN.shops[0]
    return RegisterInfo(
        "polar-scoop/pier-nine", _CHAIN, shop, best_sellers(_CHAIN.taste), "http://127.0.0.1:9"
    )


@pytest.fixture
def live(info: RegisterInfo) -> LiveState:
    return LiveState.of([info])


@pytest.fixture
def visit(info: RegisterInfo) -> Visit:
    return replace(ShopSimulator(info.chain, info.shop, 1).next_visit(0.0), quantity=2)


@pytest.fixture
def interaction() -> Interaction:
    offers = (Offer("cookies", "Cookies", 0.4), Offer("lime", "Lime", 0.2), Offer("banana", "Banana", 0.1))
    return Interaction("i-1", offers, "model", "model", "2026.11.22", 40.0, 0.42, 0.6, 1.5)
