"""Orders as the registry learns from them, and how a data set divides them; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK = 250
"""Orders that are rendered and stored together: what a kill costs at most, per process."""
NOBODY = -1
"""The purchase of a frame on which nobody stands."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A chain as its simulator describes it: what a manifest needs to know.

    `flavours` and `context` are in the manifest's own words.
    """

    tenant: str
    flavours: tuple[Mapping[str, Any], ...]
    context: tuple[Mapping[str, Any], ...]
    nuisances: tuple[str, ...]

    @property
    def flavour_ids(self) -> tuple[str, ...]:
        """Ids by index."""
        return tuple(str(flavour["id"]) for flavour in self.flavours)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Catalogue:
        """Read what a simulator or a data set says about its chain."""
        return cls(
            str(value["tenant"]), tuple(value["flavours"]), tuple(value["context"]), tuple(value["nuisances"])
        )


@dataclass(frozen=True, slots=True)
class Orders:
    """Some orders, one row each, without their frames.

    Args:
        order: int64 [N]: number of the order within its split.
        hour: int64 [N], 0 to 23.
        weekday: int64 [N], Monday = 0.
        temperature_c: float64 [N].
        shop: Kind of shop [N].
        purchase: int64 [N]: flavour index; `NOBODY` where the frame shows nobody.
        truth: float64 [N, F], true probabilities; None for what a learner sees.
        blind_truth: float64 [N, F], the same without knowing the customer; None likewise.
    """

    order: NDArray[np.int64]
    hour: NDArray[np.int64]
    weekday: NDArray[np.int64]
    temperature_c: NDArray[np.float64]
    shop: NDArray[np.str_]
    purchase: NDArray[np.int64]
    truth: NDArray[np.float64] | None = None
    blind_truth: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.order)

    @property
    def somebody(self) -> NDArray[np.bool_]:
        """Where a customer stands on the frame [N]."""
        there: NDArray[np.bool_] = self.purchase != NOBODY
        return there

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_] | slice) -> Orders:
        """Return some of the rows."""
        kept: dict[str, Any] = {}
        for name in Orders.__dataclass_fields__:
            value = getattr(self, name)
            kept[name] = None if value is None else value[rows]
        return Orders(**kept)

    @classmethod
    def concatenate(cls, parts: Sequence[Orders]) -> Orders:
        """Return the rows of all parts in order."""
        joined: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            values = [getattr(part, name) for part in parts]
            joined[name] = None if values[0] is None else np.concatenate(values)
        return cls(**joined)


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """One split: how many orders, and whether the truth is kept beside them (for exact evaluation only).

    `frames_per_order` is more than 1 where each order is shown in variants that differ in one nuisance.
    """

    name: str
    orders: int
    frames_per_order: int = 1
    truth: bool = False

    @property
    def frames(self) -> int:
        """How many frames the split holds."""
        return self.orders * self.frames_per_order

    def chunks(self) -> list[tuple[int, int]]:
        """Return (first order, count) of every chunk."""
        step = max(1, CHUNK // self.frames_per_order)
        return [(first, min(step, self.orders - first)) for first in range(0, self.orders, step)]


def plan_learning(interactions: int) -> tuple[SplitPlan, ...]:
    """Divide a data set of so many training interactions."""
    return (
        SplitPlan("train", interactions),
        SplitPlan("validation", min(4000, max(500, interactions // 12))),
        SplitPlan("calibration", 400),
    )


def plan_pairs(pairs: int) -> tuple[SplitPlan, ...]:
    """Pairs of frames that differ in nothing but nuisance attributes; nobody learns what was bought."""
    return (SplitPlan("pairs", pairs, frames_per_order=2),)


def plan_evaluation(nuisances: int) -> tuple[SplitPlan, ...]:
    """The splits that `evaluate` uses; no learner, and no calibration, ever opens them."""
    return (
        SplitPlan("test", 4000, truth=True),
        SplitPlan("nuisance", 300, frames_per_order=1 + nuisances, truth=True),
        SplitPlan("style", 500, truth=True),
    )
