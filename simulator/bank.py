"""A bank of rendered customers on disk, made once and mapped into memory by every process after.

A bank is two files in the cache folder: the pictures, and a small index with the digest of what they
were made from. Both are written beside their final place and renamed, so that two processes which
want the same bank at once at worst both render it, and neither reads half of one.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from simulator import rendering, wardrobe
from simulator.attributes import Nuisance, Visible
from simulator.customers import Customer, draw_customer
from simulator.errors import CacheUnusable
from simulator.rendering import PICTURE_HEIGHT, PICTURE_WIDTH, STYLES, Picture, render_character

# Children and adults that stand beside customers; a fixed cast, so that their looks carry nothing.
COMPANIONS = 16
_COMPANION_SEED = 77

# Pictures of customers outside the bank that stay in memory: 400 KB each.
_KEPT_PICTURES = 64

Progress = Callable[[int, int], None]
Report = Callable[[str], None]


def cache_folder() -> Path:
    """Return the folder for what can be made again at any time."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "topscoop"


def print_progress(done: int, total: int) -> None:
    """Draw a progress bar on standard error; silent where that is no terminal, but for start and end."""
    if sys.stderr.isatty():
        filled = 30 * done // total
        end = "\n" if done == total else ""
        bar = "#" * filled + "." * (30 - filled)
        print(f"\rrendering customers [{bar}] {done}/{total}", end=end, file=sys.stderr, flush=True)
    elif done in {0, total}:
        print(f"rendering customers {done}/{total}", file=sys.stderr, flush=True)


def _print_report(message: str) -> None:
    print(f"topscoop: {message}", file=sys.stderr, flush=True)


class CharacterBank:
    """Customers drawn independently of each other, with their pictures.

    `customers[i]` looks like `picture(customers[i])`. The cast that stands beside customers and behind
    them comes last in the file and belongs to no draw.
    """

    def __init__(self, customers: Sequence[Customer], pictures: Picture, style: str) -> None:
        self.customers = tuple(customers)
        self.style = style
        self._pictures = pictures
        self._index = {customer: position for position, customer in enumerate(self.customers)}
        self._outside = functools.lru_cache(maxsize=_KEPT_PICTURES)(self._render_outside)

    @classmethod
    def open(
        cls,
        size: int,
        seed: int,
        *,
        style: str = "personas",
        folder: Path | None = None,
        progress: Progress = print_progress,
        report: Report = _print_report,
    ) -> CharacterBank:
        """Return the bank of this size and seed, rendering it when the cache lacks it or holds a broken one.

        Raises:
            CacheUnusable: The cache folder cannot be written.
        """
        rng = np.random.default_rng(seed)
        customers = [draw_customer(rng) for _ in range(size)]
        cast = companion_cast()
        digest = _digest([*customers, *cast], style)
        folder = cache_folder() if folder is None else folder
        name = f"characters-{style}-{size}-{seed}"
        path = folder / f"{name}-{digest[:16]}.npy"
        pictures = _read(path, size + len(cast), report)
        if pictures is None:
            _render_into(path, [*customers, *cast], style, progress)
            _remove_outdated(path, name)
            pictures = _read(path, size + len(cast), report)
        if pictures is None:
            raise CacheUnusable(
                f"The rendered characters in {path} cannot be read back.",
                remedy=f"Check the disk, then delete {folder} and run the command again.",
            )
        return cls(customers, pictures, style)

    def __len__(self) -> int:
        return len(self.customers)

    def draw(self, rng: np.random.Generator) -> Customer:
        """Draw one of the bank's customers, each as likely as any other."""
        return self.customers[int(rng.integers(0, len(self.customers)))]

    def picture(self, customer: Customer) -> Picture:
        """Return a customer's picture, premultiplied BGRA; rendered now when the bank lacks it."""
        position = self._index.get(customer)
        if position is None:
            return self._outside(customer)
        picture: Picture = self._pictures[position]
        return picture

    def companion(self, kind: str, number: int) -> Picture:
        """Return the picture of a `child` or an `adult` of the cast, premultiplied BGRA."""
        first = len(self.customers) + (0 if kind == "child" else COMPANIONS)
        picture: Picture = self._pictures[first + number % COMPANIONS]
        return picture

    def _render_outside(self, customer: Customer) -> Picture:
        return render_character(customer, self.style)


def companion_cast() -> list[Customer]:
    """Return the fixed cast: children first, then adults."""
    rng = np.random.default_rng(_COMPANION_SEED)
    cast = [draw_customer(rng) for _ in range(2 * COMPANIONS)]
    children = [_as_child(customer) for customer in cast[:COMPANIONS]]
    return children + cast[COMPANIONS:]


def _as_child(customer: Customer) -> Customer:
    visible: Visible = replace(customer.visible, clothing="tshirt", accessory="none")
    nuisance: Nuisance = replace(customer.nuisance, age="young", presentation="neutral", mood="laugh")
    return Customer(visible, nuisance, customer.detail)


def _digest(customers: Sequence[Customer], style: str) -> str:
    """Return a digest of everything a bank's pictures depend on, our drawing code included."""
    digest = hashlib.sha256()
    for module in (rendering, wardrobe, sys.modules[STYLES[style].__module__]):
        digest.update(inspect.getsource(module).encode())
    settings = {"style": style, "shape": [PICTURE_HEIGHT, PICTURE_WIDTH]}
    settings["customers"] = [asdict(customer) for customer in customers]
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


def _read(path: Path, count: int, report: Report) -> Picture | None:
    shape = (count, PICTURE_HEIGHT, PICTURE_WIDTH, 4)
    if not path.exists():
        return None
    try:
        pictures: Picture = np.load(path, mmap_mode="r")
    except (ValueError, EOFError, OSError) as error:
        report(f"the rendered characters in {path} are damaged ({error}); rendering them again")
        return None
    if pictures.shape != shape or pictures.dtype != np.uint8:
        report(f"the rendered characters in {path} are of another kind; rendering them again")
        return None
    return pictures


def _render_into(path: Path, customers: Sequence[Customer], style: str, progress: Progress) -> None:
    shape = (len(customers), PICTURE_HEIGHT, PICTURE_WIDTH, 4)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            part = Path(file.name)
    except OSError as error:
        raise CacheUnusable(
            f"The folder for rendered characters cannot be written: {error}.",
            remedy="Free disk space there, or point XDG_CACHE_HOME at a folder that can be written.",
        ) from error
    try:
        pictures = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
        progress(0, len(customers))
        for position, customer in enumerate(customers):
            pictures[position] = render_character(customer, style)
            if (position + 1) % 20 == 0 or position + 1 == len(customers):
                progress(position + 1, len(customers))
        pictures.flush()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _remove_outdated(path: Path, name: str) -> None:
    """Remove the same bank as older drawing code made it; who has it mapped keeps it to the end."""
    for other in path.parent.glob(f"{name}-*.npy"):
        if other != path:
            other.unlink(missing_ok=True)
