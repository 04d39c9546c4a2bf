"""Simulated orders with their frames, for whoever learns from them; run as a process of its own.

    python -m simulator.orders describe CHAIN
    python -m simulator.orders render '{"tenant": ..., "split": ..., "out": ..., ...}'

`describe` prints a chain's catalogue. `render` writes one `.npz` per chunk into `out`, each complete as
soon as it is there. Every order depends on the chain, the split and its number alone, so chunks may be
made in any order and by several processes. Each split draws its customers from banks of its own: no
drawing of a test customer is ever learned from.
"""

from __future__ import annotations

import fcntl
import json
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inference import fit_frame
from simulator import rendering
from simulator.attributes import NUISANCE_SHARES, Nuisance, draw_nuisance
from simulator.bank import CharacterBank, cache_folder
from simulator.bayes import marginal_probabilities
from simulator.chains import CHAINS, Chain
from simulator.customers import SHOP_KINDS, Customer, Situation, draw_context
from simulator.scene import Scene, render_frame
from wire_protocol.errors import OperatorError, TopscoopError

# Seeds of banks and orders by split; a new split takes a new number.
SPLITS = {
    "train": 1,
    "validation": 2,
    "calibration": 3,
    "test": 4,
    "nuisance": 5,
    "style": 6,
    "golden": 7,
    "pairs": 8,
}
BANK_SIZE = 500
ORDERS_PER_BANK = 10_000
NOBODY = -1
NOBODY_SHARE = 0.10
# Where only customers matter, nobody is left out.
_ALWAYS_SOMEBODY = ("nuisance", "style", "pairs")
# The camera's pictures that accompany a model: customers of the test, and one frame of nobody.
_GOLDEN, _GOLDEN_NOBODY = "golden", 3
_TRUTH = ("test", "nuisance", "style")
_CONTEXT = (
    {"name": "hour", "encoding": "cyclic", "period": 24},
    {"name": "weekday", "encoding": "cyclic", "period": 7},
    {"name": "temperature_c", "encoding": "standard", "mean": 20, "scale": 10},
    {"name": "shop", "encoding": "one_hot", "values": list(SHOP_KINDS)},
)


@dataclass(frozen=True, slots=True)
class Request:
    """What `render` is asked for: chunks are (first order, count).

    Frames are `size` pixels square as a network reads them, or the camera's own where `size` is 0.
    """

    tenant: str
    split: str
    size: int
    chunks: list[tuple[int, int]]
    out: str


def describe(chain: Chain) -> dict[str, Any]:
    """Return what a model's manifest says about a chain, and which attributes carry no taste."""
    return {
        "tenant": chain.tenant,
        "flavours": [
            {"id": flavour.id, "names": dict(flavour.names), "colour": flavour.colour}
            for flavour in chain.flavours
        ],
        "context": _CONTEXT,
        "nuisances": list(NUISANCE_SHARES),
    }


def chain_of(tenant: str) -> Chain:
    """Return a chain by its id.

    Raises:
        OperatorError: There is none.
    """
    if tenant not in CHAINS:
        raise OperatorError(f"There is no chain {tenant!r}.", remedy=f"The chains are: {', '.join(CHAINS)}.")
    return CHAINS[tenant]


def second_style() -> str:
    """Return the avatar style that no training frame is drawn in."""
    return next(style for style in rendering.STYLES if style != "personas")


def bank_of(split: str, order: int) -> CharacterBank:
    """Open the bank that an order's customer is drawn from; both chains share it."""
    split = "test" if split == _GOLDEN else split
    number = order // ORDERS_PER_BANK
    style = second_style() if split == "style" else "personas"
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"orders-{split}-{number}.lock").open("w") as lock:
        # Two processes that want the same bank at once: one renders it, the other waits.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return CharacterBank.open(
            BANK_SIZE, 1000 * SPLITS[split] + number, style=style, progress=lambda _done, _total: None
        )


def variants(customer: Customer, rng: np.random.Generator) -> list[Customer]:
    """Return the customer, and one who differs in a single attribute for each that carries no taste."""
    changed = [customer]
    for field in fields(Nuisance):
        now = getattr(customer.nuisance, field.name)
        others = [level for level in NUISANCE_SHARES[field.name] if level != now]
        level = others[int(rng.integers(0, len(others)))]
        changed.append(replace(customer, nuisance=replace(customer.nuisance, **{field.name: level})))
    return changed


def _shown(split: str, customer: Customer, rng: np.random.Generator) -> list[Customer]:
    """Return whom the frames of one order show: mostly the customer, once."""
    if split == "nuisance":
        return variants(customer, rng)
    if split == "pairs":
        return [customer, replace(customer, nuisance=draw_nuisance(rng))]
    return [customer]


def make_chunk(request: Request, bank: CharacterBank, first: int, count: int) -> dict[str, NDArray[Any]]:
    """Draw and render some orders: columns with one row per frame, and the frames [N, S, S, 3]."""
    chain, split = chain_of(request.tenant), SPLITS[request.split]
    chain_seed = list(CHAINS).index(request.tenant)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("order", "hour", "weekday", "temperature_c", "shop", "purchase")
    }
    frames, truths, blind = [], [], []
    for order in range(first, first + count):
        rng = np.random.default_rng([20261122, chain_seed, split, order])
        shop = chain.shops[int(rng.integers(0, len(chain.shops)))]
        situation = draw_context(rng, shop.kind)
        customer = bank.draw(rng)
        truth = chain.taste.probabilities(customer.visible, situation)
        purchase = int(rng.choice(len(truth), p=truth))
        scene_seed = int(rng.integers(0, 2**31))
        nobody = rng.random() < NOBODY_SHARE and request.split not in _ALWAYS_SOMEBODY
        if request.split == _GOLDEN:
            nobody = order == _GOLDEN_NOBODY
        shown = _shown(request.split, customer, rng)
        for person in shown:
            scene = Scene(shop, None if nobody else person)
            frame = render_frame(scene, bank, seed=scene_seed)
            frames.append(fit_frame(frame, request.size) if request.size else frame)
            _append(columns, order, situation, NOBODY if nobody else purchase)
        if request.split in _TRUTH:
            # Marginalising takes longer than rendering: only where it is evaluated.
            truths += [truth] * len(shown)
            blind += [marginal_probabilities(chain.taste, situation)] * len(shown)
    chunk: dict[str, NDArray[Any]] = {name: np.array(values) for name, values in columns.items()}
    chunk["frames"] = np.stack(frames)
    if request.split in _TRUTH:
        chunk["truth"], chunk["blind_truth"] = np.array(truths), np.array(blind)
    return chunk


def _append(columns: dict[str, list[Any]], order: int, situation: Situation, purchase: int) -> None:
    values = (
        order,
        situation.hour,
        situation.weekday,
        situation.temperature_c,
        situation.shop,
        purchase,
    )
    for column, value in zip(columns.values(), values, strict=True):
        column.append(value)


def render(request: Request) -> None:
    """Write every chunk of the request as `<first>.npz`, renamed into place when it is complete."""
    out = Path(request.out)
    opened: tuple[int, CharacterBank] | None = None
    for first, count in request.chunks:
        number = first // ORDERS_PER_BANK
        if opened is None or opened[0] != number:
            opened = (number, bank_of(request.split, first))
        part = out / f".{first:08d}.part.npz"
        columns: dict[str, Any] = dict(make_chunk(request, opened[1], first, count))
        np.savez(part, **columns)
        part.replace(out / f"{first:08d}.npz")


def main(arguments: list[str]) -> int:
    """Run one of the two commands; this is a program's interface, people use `topscoop model data`."""
    cv2.setNumThreads(1)
    try:
        match arguments:
            case ["describe", tenant]:
                print(json.dumps(describe(chain_of(tenant)), ensure_ascii=False))
            case ["render", text]:
                wanted = json.loads(text)
                wanted["chunks"] = [(int(first), int(count)) for first, count in wanted["chunks"]]
                render(Request(**wanted))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except TopscoopError as error:
        print(f"topscoop: error: {error}\n  {error.remedy}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
