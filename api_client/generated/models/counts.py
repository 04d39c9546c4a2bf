from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="Counts")


@_attrs_define
class Counts:
    """How much went.

    Attributes:
        uploads (int):
        recommendations (int):
        outcomes (int):
        consents (int): withdrawn, with the pictures that were kept under them
        sessions (int):
    """

    uploads: int
    recommendations: int
    outcomes: int
    consents: int
    sessions: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        uploads = self.uploads

        recommendations = self.recommendations

        outcomes = self.outcomes

        consents = self.consents

        sessions = self.sessions

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "uploads": uploads,
                "recommendations": recommendations,
                "outcomes": outcomes,
                "consents": consents,
                "sessions": sessions,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        uploads = d.pop("uploads")

        recommendations = d.pop("recommendations")

        outcomes = d.pop("outcomes")

        consents = d.pop("consents")

        sessions = d.pop("sessions")

        counts = cls(
            uploads=uploads,
            recommendations=recommendations,
            outcomes=outcomes,
            consents=consents,
            sessions=sessions,
        )

        counts.additional_properties = d
        return counts

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
