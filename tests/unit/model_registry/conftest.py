"""Small networks and orders that the registry's tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model_registry.network import StudentShape
from model_registry.orders import Catalogue, Orders

FLAVOURS = 4

Inputs = dict[str, NDArray[Any]]


@pytest.fixture
def shape() -> StudentShape:
    """A network small enough that a test builds and quantizes it in a moment."""
    return StudentShape(size=32, widths=(16, 16), depths=(1, 0), context=9, context_width=8, hidden=8)


@pytest.fixture
def catalogue() -> Catalogue:
    flavours = tuple(
        {"id": f"flavour-{index}", "names": {"en": f"Flavour {index}"}, "colour": "#aabbcc"}
        for index in range(FLAVOURS)
    )
    context = (
        {"name": "hour", "encoding": "cyclic", "period": 24},
        {"name": "weekday", "encoding": "cyclic", "period": 7},
        {"name": "temperature_c", "encoding": "standard", "mean": 20, "scale": 10},
        {"name": "shop", "encoding": "one_hot", "values": ["beach", "park", "station", "mall"]},
    )
    return Catalogue("test-chain", flavours, context, ("skin", "mood"))


@pytest.fixture
def make_orders() -> Callable[..., Orders]:
    """Make some orders from a seed; every fifth frame shows nobody."""

    def make(count: int, seed: int = 0, *, truth: bool = False, first: int = 0) -> Orders:
        rng = np.random.default_rng(seed)
        chances = rng.dirichlet(np.ones(FLAVOURS), count)
        purchase = np.array([rng.choice(FLAVOURS, p=row) for row in chances])
        purchase[::5] = -1
        return Orders(
            order=np.arange(first, first + count),
            hour=rng.integers(9, 22, count),
            weekday=rng.integers(0, 7, count),
            temperature_c=np.round(rng.normal(22, 5, count), 1),
            shop=rng.choice(["beach", "park"], count),
            purchase=purchase,
            truth=chances if truth else None,
            blind_truth=np.tile(chances.mean(axis=0), (count, 1)) if truth else None,
        )

    return make


@pytest.fixture
def make_inputs(shape: StudentShape) -> Callable[[int], Inputs]:
    """Make one input of the model contract from a seed."""

    def make(seed: int) -> Inputs:
        rng = np.random.default_rng(seed)
        return {
            "frame": rng.integers(0, 256, (1, shape.size, shape.size, 3), dtype=np.uint8),
            "context": rng.standard_normal((1, shape.context)).astype(np.float32),
            "in_stock": np.ones((1, FLAVOURS), np.bool_),
        }

    return make
