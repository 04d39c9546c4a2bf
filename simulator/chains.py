"""The two chains: their catalogues, tastes and shops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from simulator.taste import Strengths, Taste, build_taste


@dataclass(frozen=True, slots=True)
class Flavour:
    """One flavour of a catalogue: its id, its name by language and its colour as `#rrggbb`."""

    id: str
    names: Mapping[str, str]
    colour: str


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop: its kind, and the seed from which its background is drawn."""

    id: str
    kind: str
    background_seed: int


@dataclass(frozen=True, eq=False)
class Chain:
    """A tenant of the simulated world; flavours stand in the order of the model's outputs."""

    tenant: str
    name: str
    flavours: tuple[Flavour, ...]
    taste: Taste
    shops: tuple[Shop, ...]


def _flavour(identifier: str, english: str, german: str, italian: str, colour: str) -> Flavour:
    names = MappingProxyType({"en": english, "de": german, "it": italian})
    return Flavour(identifier, names, colour)


_SOLE_FLAVOURS = (
    _flavour("vanilla", "Vanilla", "Vanille", "Vaniglia", "#f3e5ab"),
    _flavour("chocolate", "Chocolate", "Schokolade", "Cioccolato", "#5c3317"),
    _flavour("strawberry", "Strawberry", "Erdbeere", "Fragola", "#f2677a"),
    _flavour("hazelnut", "Hazelnut", "Haselnuss", "Nocciola", "#b98a5a"),
    _flavour("stracciatella", "Stracciatella", "Stracciatella", "Stracciatella", "#f1ede4"),
    _flavour("pistachio", "Pistachio", "Pistazie", "Pistacchio", "#a8c07a"),
    _flavour("lemon", "Lemon", "Zitrone", "Limone", "#fbe96b"),
    _flavour("mango", "Mango", "Mango", "Mango", "#f9a83a"),
    _flavour("yogurt", "Yogurt", "Joghurt", "Yogurt", "#fbf7ef"),
    _flavour("coffee", "Coffee", "Kaffee", "Caffè", "#8a6244"),
    _flavour("amarena", "Amarena Cherry", "Amarena", "Amarena", "#a3274c"),
    _flavour("coconut", "Coconut", "Kokos", "Cocco", "#f7f4ea"),
    _flavour("tiramisu", "Tiramisu", "Tiramisu", "Tiramisù", "#d3ac7c"),
    _flavour("mint", "Mint Chip", "Pfefferminz", "Menta", "#9fdcc0"),
    _flavour("fig", "Fig", "Feige", "Fico", "#7d4a67"),
    _flavour("liquorice", "Liquorice", "Lakritze", "Liquirizia", "#2e2a2c"),
)

_POLAR_FLAVOURS = (
    _flavour("cookies", "Cookies & Cream", "Cookies & Cream", "Biscotti e panna", "#cfc6bd"),
    _flavour("salted-caramel", "Salted Caramel", "Salzkaramell", "Caramello salato", "#c98b3d"),
    _flavour("vanilla", "Vanilla", "Vanille", "Vaniglia", "#f3e5ab"),
    _flavour("dark-chocolate", "Dark Chocolate", "Bitterschokolade", "Cioccolato fondente", "#3b2218"),
    _flavour("raspberry", "Raspberry Sorbet", "Himbeersorbet", "Sorbetto al lampone", "#d62f5c"),
    _flavour("blueberry", "Blueberry", "Heidelbeere", "Mirtillo", "#6a5aa8"),
    _flavour("passion-fruit", "Passion Fruit", "Maracuja", "Frutto della passione", "#f2b632"),
    _flavour("banana", "Banana", "Banane", "Banana", "#f5dd7a"),
    _flavour("peanut", "Peanut Butter", "Erdnussbutter", "Burro di arachidi", "#c79355"),
    _flavour("bubblegum", "Bubblegum", "Kaugummi", "Gomma da masticare", "#f59ac4"),
    _flavour("lime", "Lime Sorbet", "Limettensorbet", "Sorbetto al lime", "#b9dd5c"),
    _flavour("black-sesame", "Black Sesame", "Schwarzer Sesam", "Sesamo nero", "#5a5656"),
)

# Seeds and strengths fix the difficulty of each world; `docs/world.md` records what follows from them.
_SOLE_TASTE = build_taste(16, len(_SOLE_FLAVOURS), Strengths(1.9, 0.62, 0.32, 0.50))
_POLAR_TASTE = build_taste(12, len(_POLAR_FLAVOURS), Strengths(1.8, 0.54, 0.24, 0.50))

CHAINS: Mapping[str, Chain] = MappingProxyType(
    {
        "gelateria-sole": Chain(
            "gelateria-sole",
            "Gelateria Sole",
            _SOLE_FLAVOURS,
            _SOLE_TASTE,
            (
                Shop("lido", "beach", 101),
                Shop("giardino", "park", 102),
                Shop("centrale", "station", 103),
                Shop("galleria", "mall", 104),
            ),
        ),
        "polar-scoop": Chain(
            "polar-scoop",
            "Polar Scoop",
            _POLAR_FLAVOURS,
            _POLAR_TASTE,
            (
                Shop("pier-nine", "beach", 201),
                Shop("elm-park", "park", 202),
                Shop("platform-two", "station", 203),
                Shop("arcade", "mall", 204),
            ),
        ),
    }
)
