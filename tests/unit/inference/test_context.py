"""The context becomes numbers exactly as the manifest says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.context import Context, Cyclic, Feature, OneHot, Standard, encode_into
from inference.errors import ContextError

FEATURES: tuple[Feature, ...] = (
    Cyclic("hour", 24),
    Cyclic("weekday", 7),
    Standard("temperature_c", 20, 10),
    OneHot("shop", ("beach", "park")),
)


def encode(context: Context) -> list[float]:
    out = np.full(7, np.nan, np.float32)
    encode_into(FEATURES, context, out)
    return [float(value) for value in out]


def test_every_encoding_by_hand() -> None:
    """Six o'clock is a quarter of the day, 25 degrees are half a scale above the mean, park is the second."""
    encoded = encode(Context(hour=6, weekday=0, temperature_c=25, shop="park"))
    assert encoded == pytest.approx([1, 0, 0, 1, 0.5, 0, 1], abs=1e-6)


def test_what_is_missing_is_zero_everywhere() -> None:
    assert encode(Context()) == [0.0] * 7


def test_an_unknown_shop_is_like_none() -> None:
    assert encode(Context(shop="moon"))[5:] == [0.0, 0.0]


def test_an_earlier_context_leaves_nothing_behind() -> None:
    """The buffer is used again for the next customer."""
    out = np.zeros(7, np.float32)
    encode_into(FEATURES, Context(hour=3, weekday=4, temperature_c=-5, shop="beach"), out)
    encode_into(FEATURES, Context(), out)
    assert not out.any()


@given(hour=st.floats(0, 23.999), weekday=st.integers(0, 6))
def test_cyclic_features_lie_on_the_unit_circle(hour: float, weekday: int) -> None:
    encoded = encode(Context(hour=hour, weekday=weekday))
    assert math.hypot(*encoded[0:2]) == pytest.approx(1, abs=1e-5)
    assert math.hypot(*encoded[2:4]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        {"hour": 24.0},
        {"hour": -0.1},
        {"hour": math.nan},
        {"weekday": 7},
        {"weekday": -1},
        {"temperature_c": 95.0},
        {"temperature_c": math.inf},
        {"temperature_c": math.nan},
    ],
)
def test_values_that_cannot_be_are_refused(values: dict[str, float]) -> None:
    """A NaN would otherwise travel through the network and come back as a broken model."""
    with pytest.raises(ContextError) as caught:
        Context(**values)  # type: ignore[arg-type]
    assert next(iter(values)) in str(caught.value)
    assert caught.value.remedy
