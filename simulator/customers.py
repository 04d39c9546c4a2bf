"""Customers, and the situation in which one orders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.attributes import Nuisance, Visible, draw_nuisance, draw_visible

OPENING_HOUR = 9
CLOSING_HOUR = 22

SHOP_KINDS = ("beach", "park", "station", "mall")

# How busy each opening hour is, by the kind of shop: beaches fill at noon, stations at rush hours.
_BUSY_PEAKS: dict[str, tuple[float, ...]] = {
    "beach": (13.0, 16.0),
    "park": (15.0, 17.0),
    "station": (9.0, 18.0),
    "mall": (12.0, 19.0),
}


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer: what carries taste, what does not, and which drawing of several alike.

    `detail` picks among drawings of the same attributes (which short haircut, the tint of a cap);
    like the nuisance attributes it has no effect on taste.
    """

    visible: Visible
    nuisance: Nuisance
    detail: int


@dataclass(frozen=True, slots=True)
class Situation:
    """The context of one order: `hour` in 0..24, `weekday` with Monday = 0, degrees Celsius, shop kind."""

    hour: int
    weekday: int
    temperature_c: float
    shop: str


def draw_customer(rng: np.random.Generator) -> Customer:
    """Draw one customer; every attribute is independent of every other."""
    return Customer(draw_visible(rng), draw_nuisance(rng), int(rng.integers(0, 2**16)))


def draw_context(rng: np.random.Generator, shop_kind: str) -> Situation:
    """Draw the hour, weekday and temperature of an order in a shop of this kind."""
    hours = np.arange(OPENING_HOUR, CLOSING_HOUR)
    busy = sum(np.exp(-(((hours - peak) / 3.0) ** 2)) for peak in _BUSY_PEAKS[shop_kind]) + 0.25
    hour = int(rng.choice(hours, p=busy / busy.sum()))
    warmth = 22.0 + 4.0 * np.sin(np.pi * (hour - 9.0) / 12.0)
    temperature = float(np.clip(rng.normal(warmth, 5.0), 5.0, 42.0))
    return Situation(hour, int(rng.integers(0, 7)), round(temperature, 1), shop_kind)
