"""What a learner is shown at each step: which examples, and how they are varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from model_registry.ports import Frames

SHIFT_PX = 8
GAIN = 0.12


@dataclass(frozen=True)
class Labelled:
    """What one chain teaches with: frames, contexts, purchases, and the teacher's opinion if there is one.

    Args:
        tenant: Whose head learns from it.
        frames: uint8 [N, S, S, 3].
        context: float32 [N, C].
        purchase: int64 [N], `NOBODY` where nobody stands.
        soft: float32 [N, F] probabilities by the teacher, or None.
    """

    tenant: str
    frames: Frames
    context: NDArray[np.float32]
    purchase: NDArray[np.int64]
    soft: NDArray[np.float32] | None = None

    def take(self, rows: slice | NDArray[np.int64]) -> Labelled:
        """Return some rows, their frames read."""
        soft = None if self.soft is None else np.ascontiguousarray(self.soft[rows])
        return Labelled(self.tenant, self.frames[rows], self.context[rows], self.purchase[rows], soft)


@dataclass(frozen=True)
class Pairs:
    """Frames 2i and 2i + 1 differ in nothing but attributes that must not matter.

    Args:
        tenant: Whose head must answer both alike.
        frames: uint8 [2N, S, S, 3].
        context: float32 [2N, C], the same for both of a pair.
    """

    tenant: str
    frames: Frames
    context: NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """One step's examples: the pixels of all parts, then of all pairs, and how much brighter each is."""

    parts: list[Labelled]
    pairs: list[Pairs]
    pixels: NDArray[np.uint8]
    gain: NDArray[np.float32]


class ExampleReader:
    """Reads and varies the examples of a step; step, seed and data decide everything, so a training repeats.

    Args:
        learning: One entry per chain; each is shuffled anew every time it was seen once.
        pairs: One entry per chain, or none.
        batch: Frames per step, divided among the chains.
        pairs_per_step: Pairs on top of the batch, divided among the chains.
        seed: Of order and variation.
    """

    def __init__(
        self,
        learning: Sequence[Labelled],
        pairs: Sequence[Pairs],
        *,
        batch: int,
        pairs_per_step: int,
        seed: int,
    ) -> None:
        self._learning, self._pairs, self._seed = learning, pairs, seed
        self._share = max(1, batch // len(learning))
        self._pair_share = max(1, pairs_per_step // len(pairs)) if pairs and pairs_per_step else 0
        self._shuffled: dict[tuple[int, int], NDArray[np.int64]] = {}

    def read(self, step: int) -> Batch:
        """Return the examples of a step."""
        rng = np.random.default_rng([self._seed, step])
        parts = [part.take(self.rows(index, step)) for index, part in enumerate(self._learning)]
        pairs = [self._some_pairs(pair, rng) for pair in self._pairs] if self._pair_share else []
        shown = [part.frames for part in parts] + [pair.frames for pair in pairs]
        pixels = augmented(np.concatenate([frames[:] for frames in shown]), rng)
        gain = 1 + GAIN * (2 * rng.random((len(pixels), 1, 1, 1), np.float32) - 1)
        return Batch(parts, pairs, pixels, gain)

    def rows(self, chain: int, step: int) -> NDArray[np.int64]:
        """Return which examples of a chain a step shows."""
        count = len(self._learning[chain].purchase)
        epoch, place = divmod(step, max(1, count // self._share))
        key = (chain, epoch)
        if key not in self._shuffled:
            self._shuffled = {other: order for other, order in self._shuffled.items() if other[0] != chain}
            self._shuffled[key] = np.random.default_rng([self._seed, chain, epoch]).permutation(count)
        # Read in the order of the disk, which matters when the frames do not fit in memory.
        return np.sort(self._shuffled[key][place * self._share : (place + 1) * self._share])

    def _some_pairs(self, pairs: Pairs, rng: np.random.Generator) -> Pairs:
        chosen = np.sort(rng.choice(len(pairs.context) // 2, self._pair_share, replace=False))
        rows = np.stack([2 * chosen, 2 * chosen + 1], axis=1).ravel()
        return Pairs(pairs.tenant, pairs.frames[rows], pairs.context[rows])


def augmented(frames: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Mirror and shift each frame; its edge is repeated where the shift leaves a gap."""
    side = frames.shape[1]
    moved = np.empty_like(frames)
    for index, frame in enumerate(frames):
        top, left = rng.integers(0, 2 * SHIFT_PX + 1, 2)
        wider = cv2.copyMakeBorder(frame, *(SHIFT_PX,) * 4, cv2.BORDER_REPLICATE)
        shifted = wider[top : top + side, left : left + side]
        moved[index] = shifted[:, ::-1] if rng.random() < 0.5 else shifted
    return moved
