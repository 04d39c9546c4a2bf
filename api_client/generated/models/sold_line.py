from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="SoldLine")


@_attrs_define
class SoldLine:
    """So many scoops of one flavour.

    Attributes:
        flavour (str): id from the menu
        quantity (int):
    """

    flavour: str
    quantity: int

    def to_dict(self) -> dict[str, Any]:
        flavour = self.flavour

        quantity = self.quantity

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "flavour": flavour,
                "quantity": quantity,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        flavour = d.pop("flavour")

        quantity = d.pop("quantity")

        sold_line = cls(
            flavour=flavour,
            quantity=quantity,
        )

        return sold_line
