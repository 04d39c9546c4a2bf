from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="NoticeAnswer")


@_attrs_define
class NoticeAnswer:
    """What a person reads before they agree.

    Attributes:
        language (str):
        sha256 (str): of the text's UTF-8; an upload's `consent` names it
        text (str):
        purposes (list[str]):
        languages (list[str]): those that there are
    """

    language: str
    sha256: str
    text: str
    purposes: list[str]
    languages: list[str]

    def to_dict(self) -> dict[str, Any]:
        language = self.language

        sha256 = self.sha256

        text = self.text

        purposes = self.purposes

        languages = self.languages

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "language": language,
                "sha256": sha256,
                "text": text,
                "purposes": purposes,
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

        languages = cast(list[str], d.pop("languages"))

        notice_answer = cls(
            language=language,
            sha256=sha256,
            text=text,
            purposes=purposes,
            languages=languages,
        )

        return notice_answer
