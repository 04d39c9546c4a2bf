from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.pending_answer_state import PendingAnswerState
from typing import cast


T = TypeVar("T", bound="PendingAnswer")


@_attrs_define
class PendingAnswer:
    """An upload that is on its way.

    Attributes:
        request_id (str):
        state (PendingAnswerState):
        issued_at (str): RFC 3339, UTC
        expires_at (str): end of the signed URL
        arrived_at (None | str):
    """

    request_id: str
    state: PendingAnswerState
    issued_at: str
    expires_at: str
    arrived_at: None | str

    def to_dict(self) -> dict[str, Any]:
        request_id = self.request_id

        state = self.state.value

        issued_at = self.issued_at

        expires_at = self.expires_at

        arrived_at: None | str
        arrived_at = self.arrived_at

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "request_id": request_id,
                "state": state,
                "issued_at": issued_at,
                "expires_at": expires_at,
                "arrived_at": arrived_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        request_id = d.pop("request_id")

        state = PendingAnswerState(d.pop("state"))

        issued_at = d.pop("issued_at")

        expires_at = d.pop("expires_at")

        def _parse_arrived_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        arrived_at = _parse_arrived_at(d.pop("arrived_at"))

        pending_answer = cls(
            request_id=request_id,
            state=state,
            issued_at=issued_at,
            expires_at=expires_at,
            arrived_at=arrived_at,
        )

        return pending_answer
