from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="HandoverRequest")


@_attrs_define
class HandoverRequest:
    """The customer's answer.

    Attributes:
        granted (bool):
        purposes (list[str] | Unset):
        notice_sha256 (None | str | Unset):
        language (None | str | Unset):
    """

    granted: bool
    purposes: list[str] | Unset = UNSET
    notice_sha256: None | str | Unset = UNSET
    language: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        granted = self.granted

        purposes: list[str] | Unset = UNSET
        if not isinstance(self.purposes, Unset):
            purposes = self.purposes

        notice_sha256: None | str | Unset
        if isinstance(self.notice_sha256, Unset):
            notice_sha256 = UNSET
        else:
            notice_sha256 = self.notice_sha256

        language: None | str | Unset
        if isinstance(self.language, Unset):
            language = UNSET
        else:
            language = self.language

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "granted": granted,
            }
        )
        if purposes is not UNSET:
            field_dict["purposes"] = purposes
        if notice_sha256 is not UNSET:
            field_dict["notice_sha256"] = notice_sha256
        if language is not UNSET:
            field_dict["language"] = language

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        granted = d.pop("granted")

        purposes = cast(list[str], d.pop("purposes", UNSET))

        def _parse_notice_sha256(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        notice_sha256 = _parse_notice_sha256(d.pop("notice_sha256", UNSET))

        def _parse_language(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        language = _parse_language(d.pop("language", UNSET))

        handover_request = cls(
            granted=granted,
            purposes=purposes,
            notice_sha256=notice_sha256,
            language=language,
        )

        return handover_request
