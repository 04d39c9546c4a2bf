from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="Offer")


@_attrs_define
class Offer:
    """One flavour of the slate.

    Attributes:
        flavour (str): id from the menu
        name (str):
        probability (float | None): of being bought, calibrated; null for best-sellers
    """

    flavour: str
    name: str
    probability: float | None

    def to_dict(self) -> dict[str, Any]:
        flavour = self.flavour

        name = self.name

        probability: float | None
        probability = self.probability

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "flavour": flavour,
                "name": name,
                "probability": probability,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        flavour = d.pop("flavour")

        name = d.pop("name")

        def _parse_probability(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        probability = _parse_probability(d.pop("probability"))

        offer = cls(
            flavour=flavour,
            name=name,
            probability=probability,
        )

        return offer
