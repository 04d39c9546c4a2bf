"""What a customer looks like: the attributes that carry taste, and those that must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from types import MappingProxyType
from typing import TypeVar

import numpy as np

Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Visible:
    """The attributes that a taste depends on; each can be read from a 160 px picture."""

    headwear: str
    hair: str
    hair_colour: str
    clothing: str
    clothing_colour: str
    accessory: str
    company: str


@dataclass(frozen=True, slots=True)
class Nuisance:
    """The attributes that no taste depends on; a model that reads them reads noise."""

    skin: str
    presentation: str
    age: str
    mood: str
    head_cover: str


def _shares(**shares: float) -> Shares:
    total = sum(shares.values())
    return MappingProxyType({level: share / total for level, share in shares.items()})


# Levels and how often each is met. Every attribute is drawn independently of all others: whatever a
# model learns about taste it must have read from a visible attribute or from the context.
VISIBLE_SHARES: Mapping[str, Shares] = MappingProxyType(
    {
        "headwear": _shares(none=0.46, cap=0.20, beanie=0.16, sun_hat=0.18),
        "hair": _shares(short=0.30, long=0.28, curly=0.20, tied=0.22),
        "hair_colour": _shares(black=0.26, brown=0.24, blond=0.22, red=0.16, dyed=0.12),
        "clothing": _shares(tshirt=0.26, striped=0.19, checked=0.18, hoodie=0.20, suit=0.17),
        "clothing_colour": _shares(
            red=0.15, yellow=0.13, green=0.14, blue=0.17, purple=0.12, white=0.15, black=0.14
        ),
        "accessory": _shares(
            none=0.26, glasses=0.16, sunglasses=0.16, scarf=0.14, backpack=0.14, headphones=0.14
        ),
        "company": _shares(alone=0.50, child=0.27, adult=0.23),
    }
)

# Grey hair is absent on purpose: it would tie age (a nuisance) to hair colour (a taste attribute).
NUISANCE_SHARES: Mapping[str, Shares] = MappingProxyType(
    {
        "skin": _shares(tone1=1, tone2=1, tone3=1, tone4=1, tone5=1, tone6=1, tone7=1),
        "presentation": _shares(feminine=0.36, neutral=0.30, masculine=0.34),
        "age": _shares(young=0.30, adult=0.45, senior=0.25),
        "mood": _shares(smile=0.34, laugh=0.24, smirk=0.16, surprise=0.12, frown=0.14),
        "head_cover": _shares(none=0.84, headscarf=0.07, kippah=0.05, turban=0.04),
    }
)

A = TypeVar("A", Visible, Nuisance)


def _draw(kind: type[A], shares: Mapping[str, Shares], rng: np.random.Generator) -> A:
    drawn = {
        field.name: str(rng.choice(list(shares[field.name]), p=list(shares[field.name].values())))
        for field in fields(kind)
    }
    return kind(**drawn)


def draw_visible(rng: np.random.Generator) -> Visible:
    """Draw the taste-carrying attributes of one customer."""
    return _draw(Visible, VISIBLE_SHARES, rng)


def draw_nuisance(rng: np.random.Generator) -> Nuisance:
    """Draw the attributes of one customer that carry no taste."""
    return _draw(Nuisance, NUISANCE_SHARES, rng)


def level_indices(visible: Visible) -> tuple[int, ...]:
    """Return the position of each level within its attribute, in the order of `VISIBLE_SHARES`."""
    return tuple(_INDEX[name][level] for name, level in zip(VISIBLE_SHARES, astuple(visible), strict=True))


_INDEX: Mapping[str, Mapping[str, int]] = {
    name: {level: position for position, level in enumerate(shares)}
    for name, shares in VISIBLE_SHARES.items()
}
