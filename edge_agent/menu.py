"""What is in stock, as the till last said; a value that can be changed, kept and laid over a catalogue."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edge_agent.errors import BadRequestError, ConflictError, UnknownFlavourError
from wire_protocol.identifiers import is_name

MAX_FLAVOURS = 256
"""As many as a catalogue may have."""
MAX_VERSION = 2**53 - 1
"""What every JSON reader keeps exact."""


@dataclass(frozen=True, slots=True)
class Menu:
    """The flavours that can be sold now; ids, not indices, so that it outlives a change of the model."""

    version: int = 0
    """Grows with every change; 0 means that the till has not said anything yet."""
    in_stock: frozenset[str] | None = None
    """None: everything in the catalogue."""

    def change(self, in_stock: Iterable[str], catalogue: Sequence[str], version: int | None = None) -> Self:
        """The menu that the till now states in full.

        Args:
            in_stock: Ids of all flavours that can be sold; none is allowed.
            catalogue: Every flavour there is; empty where there is no model to know them, then only the ids'
                form is checked.
            version: The till's own number for this menu, above the last one; None counts on by one.

        Raises:
            UnknownFlavourError: An id is not in the catalogue.
            ConflictError: The version is older than the menu in effect, or the same with other content.
            BadRequestError: More ids than a catalogue can have, or an impossible version.
        """
        flavours = frozenset(in_stock)
        if len(flavours) > MAX_FLAVOURS:
            raise BadRequestError(
                f"the menu names {len(flavours)} flavours, at most {MAX_FLAVOURS} can be",
                remedy="Send the id of each flavour in stock once.",
            )
        check_flavours(flavours, catalogue)
        if version is None:
            return type(self)(self.version + 1, flavours)
        if not 1 <= version <= MAX_VERSION:
            raise BadRequestError(
                f"menu version {version} is not between 1 and {MAX_VERSION}",
                remedy="Leave the version out, or count from 1.",
            )
        if version < self.version or (version == self.version and flavours != self.in_stock):
            raise ConflictError(
                f"menu version {version} comes too late: version {self.version} is in effect",
                remedy=f"Send the whole menu again with a version above {self.version}, or without one.",
            )
        return type(self)(version, flavours)

    def available(self, catalogue: Sequence[str]) -> tuple[str, ...]:
        """The flavours of a catalogue that are in stock, in its order."""
        return tuple(flavour for flavour in catalogue if self._has(flavour))

    def mask(self, catalogue: Sequence[str]) -> NDArray[np.bool_]:
        """The same as a bool per flavour [F], as the network wants it."""
        return np.array([self._has(flavour) for flavour in catalogue], dtype=np.bool_)

    def _has(self, flavour: str) -> bool:
        return self.in_stock is None or flavour in self.in_stock

    def to_json(self) -> str:
        """How the menu is kept over restarts."""
        in_stock = None if self.in_stock is None else sorted(self.in_stock)
        return json.dumps({"version": self.version, "in_stock": in_stock})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: The text is something else.
        """
        kept = json.loads(text)
        match kept:
            case {"version": int(version), "in_stock": None}:
                return cls(version)
            case {"version": int(version), "in_stock": [*flavours]} if all(
                isinstance(f, str) for f in flavours
            ):
                return cls(version, frozenset(flavours))
        raise ValueError(f"no kept menu: {text[:80]!r}")


def check_flavours(flavours: Iterable[str], catalogue: Sequence[str]) -> None:
    """Refuse ids that the catalogue lacks.

    Raises:
        UnknownFlavourError: Names the first such id, and the nearest one that exists.
    """
    known = frozenset(catalogue)
    for flavour in sorted(flavours):
        if flavour in known or (not known and is_name(flavour)):
            continue
        close = get_close_matches(flavour[:64], catalogue, n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        listed = f" The catalogue has: {', '.join(sorted(known))}." if known else ""
        raise UnknownFlavourError(
            f"unknown flavour {flavour[:64]!r}",
            remedy=f"Use the ids that GET /v1/menu lists.{guess}{listed}",
        )
