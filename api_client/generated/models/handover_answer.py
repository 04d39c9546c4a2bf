from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.code_state import CodeState
from typing import cast

if TYPE_CHECKING:
    from ..models.handover_notice import HandoverNotice


T = TypeVar("T", bound="HandoverAnswer")


@_attrs_define
class HandoverAnswer:
    """A code, and what has become of it.

    Attributes:
        handover_id (str): for taking the yes back
        state (CodeState): What a code's page shows.
        chain (str): its name
        store (str): the name of the shop where the register stands
        expires_at (str): RFC 3339, UTC
        notice (HandoverNotice | None): null once it was answered
    """

    handover_id: str
    state: CodeState
    chain: str
    store: str
    expires_at: str
    notice: HandoverNotice | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.handover_notice import HandoverNotice  # noqa: PLC0415

        handover_id = self.handover_id

        state = self.state.value

        chain = self.chain

        store = self.store

        expires_at = self.expires_at

        notice: dict[str, Any] | None
        if isinstance(self.notice, HandoverNotice):
            notice = self.notice.to_dict()
        else:
            notice = self.notice

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "handover_id": handover_id,
                "state": state,
                "chain": chain,
                "store": store,
                "expires_at": expires_at,
                "notice": notice,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.handover_notice import HandoverNotice  # noqa: PLC0415

        d = dict(src_dict)
        handover_id = d.pop("handover_id")

        state = CodeState(d.pop("state"))

        chain = d.pop("chain")

        store = d.pop("store")

        expires_at = d.pop("expires_at")

        def _parse_notice(data: object) -> HandoverNotice | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                notice_type_0 = HandoverNotice.from_dict(data)

                return notice_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(HandoverNotice | None, data)

        notice = _parse_notice(d.pop("notice"))

        handover_answer = cls(
            handover_id=handover_id,
            state=state,
            chain=chain,
            store=store,
            expires_at=expires_at,
            notice=notice,
        )

        handover_answer.additional_properties = d
        return handover_answer

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
