from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="Circumstances")


@_attrs_define
class Circumstances:
    """What is known beside the picture; each may be missing, and helps the recommendation.

    Attributes:
        hour (float | None | Unset): local time of day
        weekday (int | None | Unset): Monday is 0
        temperature_c (float | None | Unset): outside, in degrees Celsius
        shop (None | str | Unset): kind of shop
    """

    hour: float | None | Unset = UNSET
    weekday: int | None | Unset = UNSET
    temperature_c: float | None | Unset = UNSET
    shop: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        hour: float | None | Unset
        if isinstance(self.hour, Unset):
            hour = UNSET
        else:
            hour = self.hour

        weekday: int | None | Unset
        if isinstance(self.weekday, Unset):
            weekday = UNSET
        else:
            weekday = self.weekday

        temperature_c: float | None | Unset
        if isinstance(self.temperature_c, Unset):
            temperature_c = UNSET
        else:
            temperature_c = self.temperature_c

        shop: None | str | Unset
        if isinstance(self.shop, Unset):
            shop = UNSET
        else:
            shop = self.shop

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if hour is not UNSET:
            field_dict["hour"] = hour
        if weekday is not UNSET:
            field_dict["weekday"] = weekday
        if temperature_c is not UNSET:
            field_dict["temperature_c"] = temperature_c
        if shop is not UNSET:
            field_dict["shop"] = shop

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_hour(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        hour = _parse_hour(d.pop("hour", UNSET))

        def _parse_weekday(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        weekday = _parse_weekday(d.pop("weekday", UNSET))

        def _parse_temperature_c(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        temperature_c = _parse_temperature_c(d.pop("temperature_c", UNSET))

        def _parse_shop(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        shop = _parse_shop(d.pop("shop", UNSET))

        circumstances = cls(
            hour=hour,
            weekday=weekday,
            temperature_c=temperature_c,
            shop=shop,
        )

        return circumstances
