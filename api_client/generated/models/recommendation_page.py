from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.recommendation_answer import RecommendationAnswer


T = TypeVar("T", bound="RecommendationPage")


@_attrs_define
class RecommendationPage:
    """Some of your own, newest first.

    Attributes:
        recommendations (list[RecommendationAnswer]):
        next_ (None | str): `cursor` of the next page; null: this is the last
    """

    recommendations: list[RecommendationAnswer]
    next_: None | str

    def to_dict(self) -> dict[str, Any]:
        from ..models.recommendation_answer import RecommendationAnswer  # noqa: PLC0415

        recommendations = []
        for recommendations_item_data in self.recommendations:
            recommendations_item = recommendations_item_data.to_dict()
            recommendations.append(recommendations_item)

        next_: None | str
        next_ = self.next_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "recommendations": recommendations,
                "next": next_,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.recommendation_answer import RecommendationAnswer  # noqa: PLC0415

        d = dict(src_dict)
        recommendations = []
        _recommendations = d.pop("recommendations")
        for recommendations_item_data in _recommendations:
            recommendations_item = RecommendationAnswer.from_dict(recommendations_item_data)

            recommendations.append(recommendations_item)

        def _parse_next_(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_ = _parse_next_(d.pop("next"))

        recommendation_page = cls(
            recommendations=recommendations,
            next_=next_,
        )

        return recommendation_page
