"""What the registry needs from outside, each method with its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model_registry.orders import Catalogue, Orders, SplitPlan


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some orders of a split with their frames, uint8 [orders * frames per order, S, S, 3] BGR.

    `orders` has one row per frame.
    """

    first: int
    orders: Orders
    frames: NDArray[np.uint8]


class Frames(Protocol):
    """Frames [N, S, S, 3] that are read when they are indexed; an array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> NDArray[np.uint8]: ...


class OrderSource(Protocol):
    """A world that sells ice cream: here the simulator, later consented frames."""

    def catalogue(self, tenant: str) -> Catalogue:
        """Describe a chain.

        Raises:
            OperatorError: There is no such chain.
        """

    def chunks(
        self, tenant: str, split: SplitPlan, wanted: list[tuple[int, int]], size: int
    ) -> Iterator[Chunk]:
        """Yield the wanted (first order, count) chunks of a split in any order, frames of `size` pixels.

        Raises:
            WorldFailed: The source ended early; what was yielded stays valid.
        """
