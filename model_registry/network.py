"""The student's shape and its weights: plain arrays, so that only training needs torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]

PATCH = 4
"""Side of the stem's patches in pixels; 4 read small accessories better than 8 for little more time."""
PIXEL_MEAN, PIXEL_SCALE = 127.5, 64.0
"""The normalisation of training, folded into the stem when weights leave it."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """One dense convolution with ReLU; weights `<name>.weight` [out, in, k, k] and `<name>.bias` [out]."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    padding: int


@dataclass(frozen=True, slots=True)
class StudentShape:
    """The network for the till.

    No depthwise convolutions and no residual additions: both are slower than what they save once
    quantized. Widths are multiples of 32, which int8 kernels like.

    Args:
        size: Side of the frame in pixels, divisible by 32.
        widths: Channels at 1/4, 1/8, 1/16 and 1/32 of the frame.
        depths: Convolutions of stride 1 at each of these.
        context: Length of the encoded context.
        context_width: Hidden units that read the context alone.
        hidden: Hidden units that read picture and context together.
    """

    size: int = 160
    widths: tuple[int, ...] = (32, 64, 128, 192)
    depths: tuple[int, ...] = (1, 1, 2, 1)
    context: int = 9
    context_width: int = 48
    hidden: int = 128

    @property
    def features(self) -> int:
        """Length of the vector that describes the picture."""
        return self.widths[-1]

    def convolutions(self) -> Iterator[Convolution]:
        """The trunk, in order; the first one is the patch stem."""
        yield Convolution("stem", 3, self.widths[0], PATCH, PATCH, 0)
        width = self.widths[0]
        for level, (wider, depth) in enumerate(zip(self.widths, self.depths, strict=True)):
            if level:
                yield Convolution(f"down{level}", width, wider, 3, 2, 1)
                width = wider
            for index in range(depth):
                yield Convolution(f"conv{level}_{index}", width, width, 3, 1, 1)

    def multiplications(self) -> int:
        """Multiply-accumulates of the trunk for one frame."""
        total, side = 0, self.size
        for convolution in self.convolutions():
            side //= convolution.stride
            total += side**2 * convolution.outputs * convolution.inputs * convolution.kernel**2
        return total

    def head_shapes(self, flavours: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of everything behind the trunk, matrices as [in, out].

        e = relu(context . context_in)
        h = relu(picture . picture_in + e . context_mix)
        scores = h . out + picture . picture_out + e . context_out
        nobody = sigmoid(picture . nobody_logit)
        """
        return {
            "context_in.weight": (self.context, self.context_width),
            "context_in.bias": (self.context_width,),
            "picture_in.weight": (self.features, self.hidden),
            "picture_in.bias": (self.hidden,),
            "context_mix.weight": (self.context_width, self.hidden),
            "out.weight": (self.hidden, flavours),
            "out.bias": (flavours,),
            "picture_out.weight": (self.features, flavours),
            "context_out.weight": (self.context_width, flavours),
            "nobody_logit.weight": (self.features, 1),
            "nobody_logit.bias": (1,),
        }


def random_weights(shape: StudentShape, flavours: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Untrained weights with activations of ordinary size: for timing an architecture, and for tests."""
    rng = np.random.default_rng(seed)
    weights: dict[str, NDArray[np.float32]] = {}
    for convolution in shape.convolutions():
        fan_in = convolution.inputs * convolution.kernel**2
        spread = np.sqrt(2 / fan_in) / (PIXEL_SCALE if convolution.name == "stem" else 1)
        drawn = rng.standard_normal(
            (convolution.outputs, convolution.inputs, convolution.kernel, convolution.kernel)
        )
        weights[f"{convolution.name}.weight"] = (spread * drawn).astype(np.float32)
        # Never all zero: equal biases would share one initializer, and the quantizer refuses those.
        weights[f"{convolution.name}.bias"] = (0.1 * rng.standard_normal(convolution.outputs)).astype(
            np.float32
        )
    for name, dimensions in shape.head_shapes(flavours).items():
        drawn = rng.standard_normal(dimensions) / np.sqrt(dimensions[0])
        weights[name] = drawn.astype(np.float32)
    return weights
