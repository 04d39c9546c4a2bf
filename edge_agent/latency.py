"""Latency of a model on this till, measured as customers meet it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_agent.ports import Clock, Model
from edge_agent.quantiles import quantiles
from inference import Context, fit_frame

CADENCE_S = 1 / 30
"""One interaction per picture of a 30 fps camera: caches are cold again, as with real customers."""
_HOT_RUNS = 400
_RESIZE_RUNS = 100
_FRAMES = 8
"""Rotated, because one picture over and over stays in the caches and flatters."""
_NS_PER_MS = 1e6


class Sleep(Protocol):
    """Waits."""

    def __call__(self, seconds: float, /) -> None:
        """For so long."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of the table."""

    name: str
    title: str
    count: int
    quantiles: Mapping[str, float] | None


class Bench:
    """Measures a model on synthetic pictures; what is on them changes nothing about the time."""

    steps = 7

    def __init__(self, model: Model, clock: Clock, sleep: Sleep) -> None:
        self._model = model
        self._clock = clock
        self._sleep = sleep
        self._frames = [noise(480, 640, seed) for seed in range(_FRAMES)]
        self._context = Context(hour=15.0, weekday=5, temperature_c=28.0)

    def run(self, *, cadence_s: float) -> Iterator[Measurement]:
        """All rows, in the order of the table."""
        count = max(2, round(cadence_s / CADENCE_S))
        yield self._network()
        yield self._measure("recommend", "picture to three flavours, hot loop", self._recommend(), _HOT_RUNS)
        yield self.at_cadence(count, warm_up=False)
        yield self.at_cadence(count, warm_up=True)
        for height, width in ((480, 640), (720, 1280), (1080, 1920)):
            yield self._resize(height, width)

    def at_cadence(self, count: int, *, warm_up: bool) -> Measurement:
        """One recommendation per picture of a 30 fps camera, with or without a warm-up at the trigger."""
        before = self._model.warm_up if warm_up else None
        name, how = ("cadence_warm", "after warm-up") if warm_up else ("cadence", "cold")
        title = f"picture to three flavours, one per {CADENCE_S * 1000:.0f} ms, {how}"
        return self._measure(name, title, self._recommend(), count, every_s=CADENCE_S, before=before)

    def _network(self) -> Measurement:
        """What each hot recommendation spends inside the network."""
        taken_ms = [
            self._model.recommend(self._frames[turn % _FRAMES], self._context).inference_ms
            for turn in range(_HOT_RUNS)
        ]
        return Measurement("network", "network alone, hot loop", _HOT_RUNS, quantiles(taken_ms))

    def _resize(self, height: int, width: int) -> Measurement:
        frame, size = noise(height, width, 0), self._model.manifest.frame.size
        out = np.empty((size, size, 3), np.uint8)
        return self._measure(
            f"resize_{width}x{height}",
            f"resize {width}x{height}",
            lambda: fit_frame(frame, size, out),
            _RESIZE_RUNS,
        )

    def _recommend(self) -> Callable[[], object]:
        turn = iter(range(1 << 62))
        return lambda: self._model.recommend(self._frames[next(turn) % _FRAMES], self._context)

    def _measure(
        self,
        name: str,
        title: str,
        work: Callable[[], object],
        count: int,
        *,
        every_s: float = 0.0,
        before: Callable[[], object] | None = None,
    ) -> Measurement:
        work()
        taken_ms = []
        for _ in range(count):
            if every_s:
                self._sleep(every_s)
            if before is not None:
                before()
            started_ns = self._clock.monotonic_ns()
            work()
            taken_ms.append((self._clock.monotonic_ns() - started_ns) / _NS_PER_MS)
        return Measurement(name, title, count, quantiles(taken_ms))


def noise(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """A picture, uint8 [height, width, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
