from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.caller_kind import CallerKind
from typing import cast


T = TypeVar("T", bound="Me")


@_attrs_define
class Me:
    """Who calls.

    Attributes:
        pseudonym (str): the beginning of what stands for you in our tables; no name, no address
        kind (CallerKind): How somebody showed who they are.
        chain (str):
        chain_name (str):
        csrf (None | str): a browser's changing requests carry it in `X-CSRF-Token`
    """

    pseudonym: str
    kind: CallerKind
    chain: str
    chain_name: str
    csrf: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pseudonym = self.pseudonym

        kind = self.kind.value

        chain = self.chain

        chain_name = self.chain_name

        csrf: None | str
        csrf = self.csrf

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pseudonym": pseudonym,
                "kind": kind,
                "chain": chain,
                "chain_name": chain_name,
                "csrf": csrf,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pseudonym = d.pop("pseudonym")

        kind = CallerKind(d.pop("kind"))

        chain = d.pop("chain")

        chain_name = d.pop("chain_name")

        def _parse_csrf(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        csrf = _parse_csrf(d.pop("csrf"))

        me = cls(
            pseudonym=pseudonym,
            kind=kind,
            chain=chain,
            chain_name=chain_name,
            csrf=csrf,
        )

        me.additional_properties = d
        return me

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
