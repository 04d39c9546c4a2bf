from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.menu_flavour import MenuFlavour


T = TypeVar("T", bound="MenuAnswer")


@_attrs_define
class MenuAnswer:
    """The chain's flavours.

    Attributes:
        release (int):
        model (str): version of the model that recommends
        language (str): of `name`
        flavours (list[MenuFlavour]):
    """

    release: int
    model: str
    language: str
    flavours: list[MenuFlavour]

    def to_dict(self) -> dict[str, Any]:
        from ..models.menu_flavour import MenuFlavour  # noqa: PLC0415

        release = self.release

        model = self.model

        language = self.language

        flavours = []
        for flavours_item_data in self.flavours:
            flavours_item = flavours_item_data.to_dict()
            flavours.append(flavours_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "release": release,
                "model": model,
                "language": language,
                "flavours": flavours,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.menu_flavour import MenuFlavour  # noqa: PLC0415

        d = dict(src_dict)
        release = d.pop("release")

        model = d.pop("model")

        language = d.pop("language")

        flavours = []
        _flavours = d.pop("flavours")
        for flavours_item_data in _flavours:
            flavours_item = MenuFlavour.from_dict(flavours_item_data)

            flavours.append(flavours_item)

        menu_answer = cls(
            release=release,
            model=model,
            language=language,
            flavours=flavours,
        )

        return menu_answer
