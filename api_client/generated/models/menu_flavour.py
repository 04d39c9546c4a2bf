from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.menu_flavour_names import MenuFlavourNames


T = TypeVar("T", bound="MenuFlavour")


@_attrs_define
class MenuFlavour:
    """One flavour of the chain.

    Attributes:
        flavour (str): id from the menu
        name (str): in the language that was chosen
        names (MenuFlavourNames): by language
        colour (str):
    """

    flavour: str
    name: str
    names: MenuFlavourNames
    colour: str

    def to_dict(self) -> dict[str, Any]:
        from ..models.menu_flavour_names import MenuFlavourNames  # noqa: PLC0415

        flavour = self.flavour

        name = self.name

        names = self.names.to_dict()

        colour = self.colour

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "flavour": flavour,
                "name": name,
                "names": names,
                "colour": colour,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.menu_flavour_names import MenuFlavourNames  # noqa: PLC0415

        d = dict(src_dict)
        flavour = d.pop("flavour")

        name = d.pop("name")

        names = MenuFlavourNames.from_dict(d.pop("names"))

        colour = d.pop("colour")

        menu_flavour = cls(
            flavour=flavour,
            name=name,
            names=names,
            colour=colour,
        )

        return menu_flavour
