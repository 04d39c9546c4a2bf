from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from model_registry.errors import WorldFailed
from model_registry.orders import Catalogue, Orders, SplitPlan
from model_registry.ports import Chunk

pytest.importorskip("pyarrow")

from model_registry.make_dataset import make_dataset

SPLITS = (SplitPlan("train", 700), SplitPlan("validation", 20))


class FailingWorld:
    """A source that ends after so many chunks, as a killed simulator does."""

    def __init__(self, catalogue: Catalogue, make_orders: Callable[..., Orders], lasts: int) -> None:
        self._catalogue, self._make_orders, self.lasts = catalogue, make_orders, lasts
        self.asked: list[tuple[int, int]] = []

    def catalogue(self, tenant: str) -> Catalogue:
        assert tenant == self._catalogue.tenant
        return self._catalogue

    def chunks(
        self, _tenant: str, _split: SplitPlan, wanted: list[tuple[int, int]], size: int
    ) -> Iterator[Chunk]:
        for first, count in wanted:
            if self.lasts == 0:
                raise WorldFailed("gone", remedy="again")
            self.lasts -= 1
            self.asked.append((first, count))
            frames = np.zeros((count, size, size, 3), np.uint8)
            yield Chunk(first, self._make_orders(count, seed=first, first=first), frames)


def test_a_second_call_goes_on_where_the_first_failed(
    tmp_path: Path, catalogue: Catalogue, make_orders: Callable[..., Orders]
) -> None:
    """No chunk is made twice, and what comes out is complete."""
    world = FailingWorld(catalogue, make_orders, lasts=2)
    told: list[tuple[str, int, int]] = []

    def progress(*said: object) -> None:
        told.append(said)  # type: ignore[arg-type]

    def make() -> int:
        made = make_dataset(
            world, catalogue.tenant, folder=tmp_path, size=32, splits=SPLITS, progress=progress
        )
        return len(made.split("train"))

    with pytest.raises(WorldFailed):
        make()
    world.lasts = 99
    assert make() == 700
    assert len(world.asked) == len(set(world.asked)) == 4
    assert ("train", 2, 3) in told
    assert told[-1] == ("validation", 1, 1)


def test_a_finished_data_set_asks_for_nothing(
    tmp_path: Path, catalogue: Catalogue, make_orders: Callable[..., Orders]
) -> None:
    world = FailingWorld(catalogue, make_orders, lasts=99)
    options = {"folder": tmp_path, "size": 32, "splits": SPLITS, "progress": lambda *_said: None}
    first = make_dataset(world, catalogue.tenant, **options)
    asked = len(world.asked)
    assert make_dataset(world, catalogue.tenant, **options).digest == first.digest
    assert len(world.asked) == asked
