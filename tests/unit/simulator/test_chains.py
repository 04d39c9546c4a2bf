import re

import pytest

from simulator.chains import CHAINS
from simulator.customers import SHOP_KINDS


@pytest.mark.parametrize(("tenant", "count"), [("gelateria-sole", 16), ("polar-scoop", 12)])
def test_a_catalogue_has_distinct_flavours_named_in_three_languages(tenant: str, count: int) -> None:
    chain = CHAINS[tenant]
    assert chain.tenant == tenant
    assert len({flavour.id for flavour in chain.flavours}) == count
    for flavour in chain.flavours:
        assert re.fullmatch(r"[a-z0-9-]+", flavour.id)
        assert set(flavour.names) == {"en", "de", "it"}
        assert re.fullmatch(r"#[0-9a-f]{6}", flavour.colour)


@pytest.mark.parametrize("tenant", CHAINS)
def test_every_chain_has_a_shop_of_each_kind_with_a_background_of_its_own(tenant: str) -> None:
    assert sorted(shop.kind for shop in CHAINS[tenant].shops) == sorted(SHOP_KINDS)


def test_no_two_shops_share_a_background() -> None:
    shops = [shop for chain in CHAINS.values() for shop in chain.shops]
    assert len({shop.background_seed for shop in shops}) == len(shops)
