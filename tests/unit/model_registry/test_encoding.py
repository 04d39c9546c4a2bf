from collections.abc import Callable

import numpy as np
import pytest

from model_registry.encoding import best_sellers, context_of, encode, features_of
from model_registry.orders import Catalogue, Orders


def test_orders_are_encoded_as_the_manifest_would(
    catalogue: Catalogue, make_orders: Callable[..., Orders]
) -> None:
    """Nine numbers: hour and weekday as angles, temperature, and one of four shops."""
    orders = make_orders(6)
    encoded = encode(orders, catalogue.context)
    assert encoded.shape == (6, 9)
    angle = 2 * np.pi * orders.hour / 24
    np.testing.assert_allclose(encoded[:, 0], np.sin(angle), atol=1e-6)
    np.testing.assert_allclose(encoded[:, 4], (orders.temperature_c - 20) / 10, atol=1e-6)
    assert encoded[:, 5:].sum(axis=1).tolist() == [1.0] * 6


def test_context_is_plain_values(make_orders: Callable[..., Orders]) -> None:
    orders = make_orders(3)
    context = context_of(orders, 1)
    assert (context.hour, context.weekday) == (orders.hour[1], orders.weekday[1])
    assert type(context.shop) is str


def test_unknown_encoding_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown encoding"):
        features_of([{"name": "hour", "encoding": "wavelet"}])


def test_best_sellers_are_all_flavours_by_sales() -> None:
    """Frames of nobody are no sale, and a flavour nobody bought comes last."""
    assert best_sellers(np.array([2, 2, 1, -1, -1, -1, 2]), 4) == [2, 1, 0, 3]
