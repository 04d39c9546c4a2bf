from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="HandoverNotice")


@_attrs_define
class HandoverNotice:
    """What the register would show on its own display, word for word.

    Attributes:
        language (str):
        sha256 (str):
        text (str):
        purposes (list[str]):
        valid_days (int):
        languages (list[str]): those that there are
    """

    language: str
    sha256: str
    text: str
    purposes: list[str]
    valid_days: int
    languages: list[str]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        language = self.language

        sha256 = self.sha256

        text = self.text

        purposes = self.purposes

        valid_days = self.valid_days

        languages = self.languages

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "language": language,
                "sha256": sha256,
                "text": text,
                "purposes": purposes,
                "valid_days": valid_days,
                "languages": languages,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        language = d.pop("language")

        sha256 = d.pop("sha256")

        text = d.pop("text")

        purposes = cast(list[str], d.pop("purposes"))

        valid_days = d.pop("valid_days")

        languages = cast(list[str], d.pop("languages"))

        handover_notice = cls(
            language=language,
            sha256=sha256,
            text=text,
            purposes=purposes,
            valid_days=valid_days,
            languages=languages,
        )

        handover_notice.additional_properties = d
        return handover_notice

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
