from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="PictureUsed")


@_attrs_define
class PictureUsed:
    """What was looked at.

    Attributes:
        sha256 (str):
        version (None | str): of the sealed picture that is kept under your consent; null: it was deleted
    """

    sha256: str
    version: None | str

    def to_dict(self) -> dict[str, Any]:
        sha256 = self.sha256

        version: None | str
        version = self.version

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "sha256": sha256,
                "version": version,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        sha256 = d.pop("sha256")

        def _parse_version(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        version = _parse_version(d.pop("version"))

        picture_used = cls(
            sha256=sha256,
            version=version,
        )

        return picture_used
