from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="ConsentGiven")


@_attrs_define
class ConsentGiven:
    """What the person read, and that they agreed; see `GET /v1/notice`.

    Attributes:
        notice (str): `sha256` of the notice that was shown
        language (str): its language
        agreed (bool): the person said yes
    """

    notice: str
    language: str
    agreed: bool

    def to_dict(self) -> dict[str, Any]:
        notice = self.notice

        language = self.language

        agreed = self.agreed

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "notice": notice,
                "language": language,
                "agreed": agreed,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        notice = d.pop("notice")

        language = d.pop("language")

        agreed = d.pop("agreed")

        consent_given = cls(
            notice=notice,
            language=language,
            agreed=agreed,
        )

        return consent_given
