from itertools import pairwise

import numpy as np
import pytest

from model_registry.network import StudentShape, random_weights


def test_default_shape_stays_within_the_budget_of_a_till() -> None:
    """About 90 million products a frame: a quarter of a millisecond on one core."""
    assert StudentShape().multiplications() < 120e6


def test_trunk_is_a_chain() -> None:
    """Each convolution reads what the one before wrote, and the last one's width is the feature vector's."""
    shape = StudentShape()
    convolutions = list(shape.convolutions())
    for before, after in pairwise(convolutions):
        assert after.inputs == before.outputs
    assert convolutions[-1].outputs == shape.features


def test_products_are_counted_by_hand_for_a_small_shape() -> None:
    """A stem and one level: 40x40 patches of 48 numbers, then 9 x 32 x 32 at each of them."""
    shape = StudentShape(size=160, widths=(32,), depths=(1,))
    assert shape.multiplications() == 1600 * 48 * 32 + 1600 * 9 * 32 * 32


@pytest.mark.parametrize("flavours", [3, 16])
def test_random_weights_have_every_name_and_shape(flavours: int) -> None:
    shape = StudentShape()
    weights = random_weights(shape, flavours, seed=1)
    for name, dimensions in shape.head_shapes(flavours).items():
        assert weights[name].shape == dimensions
    for spec in shape.convolutions():
        assert weights[f"{spec.name}.weight"].shape == (spec.outputs, spec.inputs, spec.kernel, spec.kernel)
        assert weights[f"{spec.name}.bias"].any()
    assert all(array.dtype == np.float32 for array in weights.values())
