import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model_registry.errors import UnusableDataset
from model_registry.orders import Catalogue, Orders, SplitPlan
from model_registry.ports import Chunk

pytest.importorskip("pyarrow")

from model_registry.adapters.dataset_files import Dataset, DatasetWriter

SIZE = 32
SPLITS = (SplitPlan("train", 300), SplitPlan("test", 10, truth=True))


def chunk_of(orders: Orders, first: int) -> Chunk:
    """Frames that are recognised again: each is filled with its order's number."""
    frames = np.empty((len(orders), SIZE, SIZE, 3), np.uint8)
    frames[:] = (orders.order % 256).astype(np.uint8)[:, None, None, None]
    return Chunk(first, orders, frames)


def fill(writer: DatasetWriter, make_orders: Callable[..., Orders], *, backwards: bool = False) -> None:
    for split in SPLITS:
        wanted = writer.missing(split)
        for first, count in reversed(wanted) if backwards else wanted:
            orders = make_orders(count, seed=first, truth=split.truth, first=first)
            writer.store(split, chunk_of(orders, first))


@pytest.fixture
def dataset(tmp_path: Path, catalogue: Catalogue, make_orders: Callable[..., Orders]) -> Dataset:
    writer = DatasetWriter(tmp_path, catalogue, SIZE, SPLITS)
    fill(writer, make_orders)
    writer.finish()
    return Dataset(tmp_path)


def test_frames_and_rows_belong_together(dataset: Dataset) -> None:
    split = dataset.split("train")
    assert len(split) == 300
    np.testing.assert_array_equal(split.orders.order, np.arange(300))
    np.testing.assert_array_equal(split.frames[:][:, 5, 7, 1], np.arange(300) % 256)


def test_truth_is_kept_where_it_was_planned_only(dataset: Dataset) -> None:
    """A learner's split has no column that it could peek at."""
    assert dataset.split("train").orders.truth is None
    truth = dataset.split("test").orders.truth
    assert truth is not None
    assert truth.shape == (10, 4)


def test_digest_does_not_depend_on_the_order_of_work(
    dataset: Dataset, tmp_path: Path, catalogue: Catalogue, make_orders: Callable[..., Orders]
) -> None:
    """Chunks made backwards, by a second writer that takes over, give the same data set."""
    other = tmp_path / "other"
    first = DatasetWriter(other, catalogue, SIZE, SPLITS)
    count = first.missing(SPLITS[0])[-1]
    first.store(SPLITS[0], chunk_of(make_orders(count[1], seed=count[0], first=count[0]), count[0]))
    second = DatasetWriter(other, catalogue, SIZE, SPLITS)
    assert count not in second.missing(SPLITS[0])
    fill(second, make_orders, backwards=True)
    assert second.finish() == dataset.digest


def test_other_frames_have_another_digest(
    dataset: Dataset, tmp_path: Path, catalogue: Catalogue, make_orders: Callable[..., Orders]
) -> None:
    other = tmp_path / "other"
    writer = DatasetWriter(other, catalogue, SIZE, SPLITS)
    fill(writer, make_orders)
    with (other / "train.frames").open("r+b") as file:
        file.write(b"\xff")
    assert writer.finish() != dataset.digest


def test_other_options_are_refused(dataset: Dataset, catalogue: Catalogue) -> None:
    with pytest.raises(UnusableDataset, match="other options") as caught:
        DatasetWriter(dataset.folder, catalogue, SIZE, (SplitPlan("train", 301),))
    assert "--out" in caught.value.remedy


def test_unfinished_data_is_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    DatasetWriter(tmp_path, catalogue, SIZE, SPLITS)
    with pytest.raises(UnusableDataset, match="no finished data set"):
        Dataset(tmp_path)


def test_a_changed_description_is_refused(dataset: Dataset) -> None:
    path = dataset.folder / "dataset.json"
    head = json.loads(path.read_text("utf-8"))
    head["digests"]["train"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(head), "utf-8")
    with pytest.raises(UnusableDataset, match="was changed"):
        Dataset(dataset.folder)


def test_shortened_frames_are_refused(dataset: Dataset) -> None:
    path = dataset.folder / "train.frames"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UnusableDataset, match="does not fit"):
        dataset.split("train")


def test_unknown_split_is_refused(dataset: Dataset) -> None:
    with pytest.raises(UnusableDataset, match="no split 'nuisance'"):
        dataset.split("nuisance")
