from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast


T = TypeVar("T", bound="ModelUsed")


@_attrs_define
class ModelUsed:
    """What recommended.

    Attributes:
        release (int | None):
        version (None | str):
        digest (None | str): SHA-256 of the network, hex
    """

    release: int | None
    version: None | str
    digest: None | str

    def to_dict(self) -> dict[str, Any]:
        release: int | None
        release = self.release

        version: None | str
        version = self.version

        digest: None | str
        digest = self.digest

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "release": release,
                "version": version,
                "digest": digest,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_release(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        release = _parse_release(d.pop("release"))

        def _parse_version(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        version = _parse_version(d.pop("version"))

        def _parse_digest(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        digest = _parse_digest(d.pop("digest"))

        model_used = cls(
            release=release,
            version=version,
            digest=digest,
        )

        return model_used
