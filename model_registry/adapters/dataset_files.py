"""A data set on disk: `dataset.json`, and per split a Parquet manifest beside one file of uint8 frames."""

from __future__ import annotations

import hashlib
import json
import os
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from model_registry.adapters.atomic_file import write_atomically
from model_registry.errors import UnusableDataset
from model_registry.orders import Catalogue, Orders, SplitPlan
from model_registry.ports import Chunk

FORMAT = "topscoop.dataset/1"
_SCALARS = ("order", "hour", "weekday", "temperature_c", "shop", "purchase")
_VECTORS = ("truth", "blind_truth")


def _table(orders: Orders) -> pa.Table:
    columns: dict[str, Any] = {name: getattr(orders, name) for name in _SCALARS}
    columns["shop"] = [str(shop) for shop in orders.shop]
    for name in _VECTORS:
        value = getattr(orders, name)
        if value is not None:
            columns[name] = [row.tolist() for row in value]
    return pa.table(columns)


def _orders(table: pa.Table) -> Orders:
    columns: dict[str, Any] = {
        name: np.asarray(table.column(name).to_pylist()) for name in table.column_names
    }
    return Orders(**columns)


class DatasetWriter:
    """Fills a data folder chunk by chunk; a second writer on the folder goes on where the first stopped.

    Raises:
        UnusableDataset: The folder holds something else, or a data set with other options.
    """

    def __init__(self, folder: Path, catalogue: Catalogue, size: int, splits: tuple[SplitPlan, ...]) -> None:
        self._folder = folder
        self._size = size
        self.splits = splits
        self._head = {
            "format": FORMAT,
            "catalogue": catalogue.to_json(),
            "size": size,
            "splits": [asdict(split) for split in splits],
        }
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        begun = folder / "begun.json"
        text = json.dumps(self._head, indent=1, ensure_ascii=False)
        if begun.exists() and begun.read_text("utf-8") != text:
            raise UnusableDataset(
                f"{folder} was begun with other options",
                remedy="Give another --out, or delete this folder.",
            )
        write_atomically(begun, text.encode())

    def missing(self, split: SplitPlan) -> list[tuple[int, int]]:
        """Return the chunks of a split that are not stored yet."""
        return [chunk for chunk in split.chunks() if not self._part(split, chunk[0]).exists()]

    def store(self, split: SplitPlan, chunk: Chunk) -> None:
        """Make a chunk durable: the frames first, then the part that says they are there."""
        path = self._folder / f"{split.name}.frames"
        bytes_per_frame = self._size**2 * 3
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(chunk.first * split.frames_per_order * bytes_per_frame)
            file.write(np.ascontiguousarray(chunk.frames).data)
            file.flush()
            os.fdatasync(file.fileno())
        sink = pa.BufferOutputStream()
        pq.write_table(_table(chunk.orders), sink)
        write_atomically(self._part(split, chunk.first), sink.getvalue().to_pybytes())

    def finish(self) -> str:
        """Join the parts, and write `dataset.json` with the digest of everything, which is returned."""
        digests = {}
        for split in self.splits:
            parts = [pq.read_table(self._part(split, first)) for first, _ in split.chunks()]
            sink = pa.BufferOutputStream()
            pq.write_table(pa.concat_tables(parts).combine_chunks(), sink)
            write_atomically(self._folder / f"{split.name}.parquet", sink.getvalue().to_pybytes())
            digests[split.name] = _split_digest(self._folder, split.name)
        digest = _digest_of(digests)
        head = self._head | {"digests": digests, "digest": digest}
        write_atomically(
            self._folder / "dataset.json", json.dumps(head, indent=1, ensure_ascii=False).encode()
        )
        return digest

    def _part(self, split: SplitPlan, first: int) -> Path:
        return self._folder / "parts" / f"{split.name}-{first:08d}.parquet"


def _digest_of(digests: Mapping[str, str]) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def _split_digest(folder: Path, name: str) -> str:
    """Hash frames and columns; not the Parquet bytes, which differ between versions of the library."""
    with (folder / f"{name}.frames").open("rb") as file:
        frames = hashlib.file_digest(file, "sha256").hexdigest()
    rows = pq.read_table(folder / f"{name}.parquet").to_pydict()
    columns = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    return f"sha256:{hashlib.sha256(f'{frames} {columns}'.encode()).hexdigest()}"


class FrameFile:
    """Frames on disk, uint8 [N, S, S, 3] BGR; what is indexed is read, and nothing is kept.

    Not a mapping: a page fault would hold Python's lock while the disk works, a read lets training go on.
    """

    def __init__(self, path: Path, count: int, size: int) -> None:
        self.shape = (count, size, size, 3)
        self._path = path
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.integer]) -> NDArray[np.uint8]:
        numbers = np.arange(len(self))[rows]
        frames = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        bytes_per_frame = frames[:1].nbytes or int(np.prod(self.shape[1:]))
        for frame, number in zip(frames, numbers, strict=True):
            if os.preadv(self._file, [frame.data], int(number) * bytes_per_frame) != bytes_per_frame:
                raise UnusableDataset(f"{self._path} ends early", remedy="Make the data set again.")
        return frames

    def first(self, count: int) -> FrameFile:
        """Return the first `count` frames."""
        return FrameFile(self._path, min(count, len(self)), self.shape[1])


@dataclass(frozen=True)
class Split:
    """One split: its rows, and its frames in the same order."""

    orders: Orders
    frames: FrameFile

    def __len__(self) -> int:
        return len(self.orders)


class Dataset:
    """A finished data folder.

    Raises:
        UnusableDataset: Missing, unfinished, of another format, or its manifests were changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "dataset.json"
        if not path.exists():
            raise UnusableDataset(
                f"{folder} holds no finished data set",
                remedy="Make it, or go on making it, with: topscoop model data",
            )
        head = json.loads(path.read_text("utf-8"))
        if head.get("format") != FORMAT or _digest_of(head["digests"]) != head["digest"]:
            raise UnusableDataset(f"{path} is of another format, or was changed", remedy="Make it again.")
        self.catalogue = Catalogue.from_json(head["catalogue"])
        self.size = int(head["size"])
        self.digest = str(head["digest"])
        self.digests: dict[str, str] = head["digests"]

    @property
    def tenant(self) -> str:
        """The chain whose orders these are."""
        return self.catalogue.tenant

    def split(self, name: str) -> Split:
        """Open a split.

        Raises:
            UnusableDataset: This data set has no such split, or the files do not fit each other.
        """
        if name not in self.digests:
            raise UnusableDataset(f"{self.folder} has no split {name!r}", remedy="Make the data set again.")
        orders = _orders(pq.read_table(self.folder / f"{name}.parquet"))
        path = self.folder / f"{name}.frames"
        if path.stat().st_size != len(orders) * self.size**2 * 3:
            raise UnusableDataset(f"{path} does not fit its manifest", remedy="Make the data set again.")
        return Split(orders, FrameFile(path, len(orders), self.size))
