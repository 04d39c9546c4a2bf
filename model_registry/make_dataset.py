"""Orders go from their source into a data folder, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from model_registry.adapters.dataset_files import Dataset, DatasetWriter
from model_registry.orders import SplitPlan
from model_registry.ports import OrderSource

Progress = Callable[[str, int, int], None]


def make_dataset(
    source: OrderSource,
    tenant: str,
    *,
    folder: Path,
    size: int,
    splits: tuple[SplitPlan, ...],
    progress: Progress,
) -> Dataset:
    """Render what is missing of a data set, and return it finished.

    Raises:
        UnusableDataset: The folder was begun with other options.
        OperatorError: There is no such chain.
        WorldFailed: The source ended early; the next call goes on.
    """
    writer = DatasetWriter(folder, source.catalogue(tenant), size, splits)
    for split in splits:
        wanted = writer.missing(split)
        total = len(split.chunks())
        done = total - len(wanted)
        progress(split.name, done, total)
        for chunk in source.chunks(tenant, split, wanted, size):
            writer.store(split, chunk)
            done += 1
            progress(split.name, done, total)
    writer.finish()
    return Dataset(folder)
