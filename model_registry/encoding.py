"""Orders become what a network reads, by the encodings that the manifest will name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.context import Context, Cyclic, Feature, OneHot, Standard, encode_into
from model_registry.orders import Orders


def features_of(encodings: Sequence[Mapping[str, Any]]) -> tuple[Feature, ...]:
    """Read encodings in the manifest's words."""
    made: list[Feature] = []
    for encoding in encodings:
        name = str(encoding["name"])
        match encoding["encoding"]:
            case "cyclic":
                made.append(Cyclic(name, period=encoding["period"]))
            case "standard":
                made.append(Standard(name, mean=encoding["mean"], scale=encoding["scale"]))
            case "one_hot":
                made.append(OneHot(name, values=tuple(encoding["values"])))
            case other:
                raise ValueError(f"unknown encoding {json.dumps(other)}")
    return tuple(made)


def context_of(orders: Orders, row: int) -> Context:
    """Return the context of one order as a till would give it."""
    return Context(
        hour=int(orders.hour[row]),
        weekday=int(orders.weekday[row]),
        temperature_c=float(orders.temperature_c[row]),
        shop=str(orders.shop[row]),
    )


def encode(orders: Orders, encodings: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
    """Return encoded contexts, float32 [N, C]."""
    features = features_of(encodings)
    encoded = np.zeros((len(orders), sum(feature.width for feature in features)), np.float32)
    for row in range(len(orders)):
        encode_into(features, context_of(orders, row), encoded[row])
    return encoded


def best_sellers(purchase: NDArray[np.integer], flavours: int) -> list[int]:
    """Return all flavours, most sold first; equally sold ones in the catalogue's order."""
    sold = np.bincount(purchase[purchase >= 0], minlength=flavours)
    return [int(index) for index in np.argsort(-sold, kind="stable")]
