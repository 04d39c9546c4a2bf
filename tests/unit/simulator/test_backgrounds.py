import numpy as np
import pytest

from simulator.backgrounds import MARGIN, VIEWS_PER_SHOP, background
from simulator.chains import CHAINS, Shop

SHOPS = [shop for chain in CHAINS.values() for shop in chain.shops]


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop.id)
def test_a_view_is_a_margin_larger_than_the_frame_and_repeatable(shop: Shop) -> None:
    view = background(shop, 0, 320, 240)
    assert view.shape == (round(240 * (1 + MARGIN)), round(320 * (1 + MARGIN)), 3)
    assert view.dtype == np.uint8
    assert np.array_equal(view, background.__wrapped__(shop, 0, 320, 240))


def test_views_of_a_shop_differ() -> None:
    views = {background(SHOPS[0], number, 160, 120).tobytes() for number in range(VIEWS_PER_SHOP)}
    assert len(views) == VIEWS_PER_SHOP


def test_a_view_that_is_shared_cannot_be_painted_over() -> None:
    with pytest.raises(ValueError, match="read-only"):
        background(SHOPS[0], 0, 160, 120)[0, 0] = 0
