"""What can be offered now: catalogue, stock and best-sellers, worked out once per menu and model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge_agent.impression import Offer, Reason
from edge_agent.menu import Menu
from edge_agent.ports import Model
from edge_agent.slate import in_stock_bestsellers
from inference import Flavour

_COLOUR_WITHOUT_MODEL = "#cccccc"


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """A menu laid over a catalogue."""

    model: Model | None
    menu: Menu
    flavours: tuple[Flavour, ...]
    in_stock: tuple[str, ...]
    mask: NDArray[np.bool_]
    """bool [F], as the network wants it."""
    available: tuple[int, ...]
    """Indices of what is in stock."""
    bestsellers: tuple[str, ...]
    """The best three in stock."""

    @classmethod
    def lay(cls, model: Model | None, menu: Menu, configured_bestsellers: Sequence[str]) -> Self:
        """Combine; without a model the configured best-sellers are the catalogue."""
        if model is None:
            flavours = tuple(_unnamed(flavour) for flavour in configured_bestsellers)
            ranking = tuple(configured_bestsellers)
        else:
            flavours, ranking = model.manifest.flavours, model.manifest.bestsellers
        catalogue = tuple(flavour.id for flavour in flavours)
        in_stock = menu.available(catalogue)
        mask = menu.mask(catalogue)
        return cls(
            model=model,
            menu=menu,
            flavours=flavours,
            in_stock=in_stock,
            mask=mask,
            available=tuple(np.flatnonzero(mask).tolist()),
            bestsellers=in_stock_bestsellers(ranking, in_stock),
        )

    @property
    def catalogue(self) -> tuple[str, ...]:
        """Ids by index."""
        return tuple(flavour.id for flavour in self.flavours)

    @property
    def empty_because(self) -> Reason | None:
        """Why nothing can be offered; None where something can."""
        if self.in_stock:
            return None
        return Reason.NOTHING_IN_STOCK if self.flavours else Reason.NO_CATALOGUE

    def offer(self, flavour_id: str, language: str, probability: float | None) -> Offer:
        """A flavour as customer and till see it."""
        for flavour in self.flavours:
            if flavour.id == flavour_id:
                return Offer(flavour_id, flavour.name(language), probability)
        raise KeyError(flavour_id)


def _unnamed(flavour_id: str) -> Flavour:
    return Flavour(flavour_id, {"en": flavour_id.replace("-", " ").capitalize()}, _COLOUR_WITHOUT_MODEL)
