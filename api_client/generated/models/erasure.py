from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.erasure_state import ErasureState
from typing import cast

if TYPE_CHECKING:
    from ..models.counts import Counts


T = TypeVar("T", bound="Erasure")


@_attrs_define
class Erasure:
    """How far an erasure is; nothing here is about a person.

    Attributes:
        proof (str):
        state (ErasureState):
        asked_at (str): RFC 3339; from here on nothing of it can be asked for
        counts (Counts): How much went.
        waiting (int): consents whose pictures are not deleted yet
        nobody_opens_since (None | str): no kept picture opens, wherever a copy lies
        online_copies_gone (None | str): no copy is left on a running system
        last_backup_gone (None | str): nor in a backup, by then
    """

    proof: str
    state: ErasureState
    asked_at: str
    counts: Counts
    waiting: int
    nobody_opens_since: None | str
    online_copies_gone: None | str
    last_backup_gone: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.counts import Counts  # noqa: PLC0415

        proof = self.proof

        state = self.state.value

        asked_at = self.asked_at

        counts = self.counts.to_dict()

        waiting = self.waiting

        nobody_opens_since: None | str
        nobody_opens_since = self.nobody_opens_since

        online_copies_gone: None | str
        online_copies_gone = self.online_copies_gone

        last_backup_gone: None | str
        last_backup_gone = self.last_backup_gone

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "proof": proof,
                "state": state,
                "asked_at": asked_at,
                "counts": counts,
                "waiting": waiting,
                "nobody_opens_since": nobody_opens_since,
                "online_copies_gone": online_copies_gone,
                "last_backup_gone": last_backup_gone,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.counts import Counts  # noqa: PLC0415

        d = dict(src_dict)
        proof = d.pop("proof")

        state = ErasureState(d.pop("state"))

        asked_at = d.pop("asked_at")

        counts = Counts.from_dict(d.pop("counts"))

        waiting = d.pop("waiting")

        def _parse_nobody_opens_since(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        nobody_opens_since = _parse_nobody_opens_since(d.pop("nobody_opens_since"))

        def _parse_online_copies_gone(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        online_copies_gone = _parse_online_copies_gone(d.pop("online_copies_gone"))

        def _parse_last_backup_gone(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        last_backup_gone = _parse_last_backup_gone(d.pop("last_backup_gone"))

        erasure = cls(
            proof=proof,
            state=state,
            asked_at=asked_at,
            counts=counts,
            waiting=waiting,
            nobody_opens_since=nobody_opens_since,
            online_copies_gone=online_copies_gone,
            last_backup_gone=last_backup_gone,
        )

        erasure.additional_properties = d
        return erasure

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
