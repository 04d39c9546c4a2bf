"""What the till knows beside the picture, and how it becomes numbers; encodings come from the manifest."""

import math
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from inference.errors import ContextError

_HOURS_PER_DAY = 24
_DAYS_PER_WEEK = 7
_TEMPERATURE_C = (-90.0, 90.0)
"""No weather on Earth is outside; a Fahrenheit reading of a summer's day often is."""


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one interaction; what is unknown is None and counts for nothing.

    Args:
        hour: Local time of day, 0 <= hour < 24, fractions allowed.
        weekday: Monday = 0 to Sunday = 6.
        temperature_c: Outside, in degrees Celsius.
        shop: Kind of shop; a kind that the model never saw counts as unknown.

    Raises:
        ContextError: A value is outside of its range.
    """

    hour: float | None = None
    weekday: int | None = None
    temperature_c: float | None = None
    shop: str | None = None

    def __post_init__(self) -> None:
        if self.hour is not None and not 0 <= self.hour < _HOURS_PER_DAY:
            raise ContextError(f"hour is {self.hour}", remedy="Give the local time of day, 0 to 23.99.")
        if self.weekday is not None and not 0 <= self.weekday < _DAYS_PER_WEEK:
            raise ContextError(f"weekday is {self.weekday}", remedy="Give 0 for Monday to 6 for Sunday.")
        low, high = _TEMPERATURE_C
        if self.temperature_c is not None and not low <= self.temperature_c <= high:
            raise ContextError(
                f"temperature_c is {self.temperature_c}",
                remedy=f"Give degrees Celsius between {low:g} and {high:g}, or leave it out.",
            )


NUMBERS = ("hour", "weekday", "temperature_c")
"""Fields of `Context` that a cyclic or standard feature may name."""
WORDS = ("shop",)
"""Fields of `Context` that a one-hot feature may name."""


@dataclass(frozen=True, slots=True)
class Cyclic:
    """`(sin, cos)` of the angle `2 pi value / period`; (0, 0) when missing."""

    name: str
    period: float
    width = 2


@dataclass(frozen=True, slots=True)
class Standard:
    """`(value - mean) / scale`; 0 when missing."""

    name: str
    mean: float
    scale: float
    width = 1


@dataclass(frozen=True, slots=True)
class OneHot:
    """1 at the place of the value; all 0 when it is missing or not among `values`."""

    name: str
    values: tuple[str, ...]

    @property
    def width(self) -> int:
        """How many numbers this feature takes."""
        return len(self.values)


Feature = Cyclic | Standard | OneHot


def encode_into(features: tuple[Feature, ...], context: Context, out: NDArray[np.float32]) -> None:
    """Write the encoded context into `out`, float32 [sum of the features' widths]."""
    at = 0
    for feature in features:
        value = getattr(context, feature.name)
        match feature:
            case Cyclic():
                if value is None:
                    out[at] = out[at + 1] = 0.0
                else:
                    angle = 2 * math.pi * value / feature.period
                    out[at] = math.sin(angle)
                    out[at + 1] = math.cos(angle)
            case Standard():
                out[at] = 0.0 if value is None else (value - feature.mean) / feature.scale
            case OneHot():
                for offset, known in enumerate(feature.values):
                    out[at + offset] = 1.0 if value == known else 0.0
            case _:
                assert_never(feature)
        at += feature.width
