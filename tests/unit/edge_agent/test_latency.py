from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_agent.latency import CADENCE_S, Bench
from inference import Context, FlavourModel, Manifest, Recommendation
from tests.builders.records import StandingClock
from tests.builders.tiny_model import build_model_dir


@dataclass
class SlowModel:
    """A model of known cost on a clock that stands otherwise: 2 ms for a cold call, 1 ms after a warm-up."""

    real: FlavourModel
    clock: StandingClock
    warm: bool = False
    digest: str = ""

    @property
    def manifest(self) -> Manifest:
        return self.real.manifest

    def warm_up(self) -> None:
        self.clock.advance(0.5)
        self.warm = True

    def recommend(
        self, frame: NDArray[np.uint8], context: Context, in_stock: NDArray[np.bool_] | None = None
    ) -> Recommendation:
        self.clock.advance(1.0 if self.warm else 2.0)
        self.warm = False
        return replace(self.real.recommend(frame, context, in_stock), inference_ms=0.5)


def test_each_row_measures_what_it_says(tmp_path: Path) -> None:
    """The warm-up helps the row that has one, and its own time is not counted."""
    clock = StandingClock()
    waits: list[float] = []
    bench = Bench(SlowModel(FlavourModel.load(build_model_dir(tmp_path)), clock), clock, waits.append)
    rows: dict[str, Any] = {row.name: row for row in bench.run(cadence_s=0.2)}
    assert len(rows) == bench.steps
    assert rows["network"].quantiles["p99"] == 0.5
    assert rows["cadence"].quantiles["p50"] == 2.0
    assert rows["cadence_warm"].quantiles["p99"] == 1.0
    assert rows["cadence_warm"].count == 6
    assert waits == [CADENCE_S] * 12
