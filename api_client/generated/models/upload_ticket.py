from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.upload_state import UploadState
from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.links import Links
    from ..models.upload_ticket_headers import UploadTicketHeaders


T = TypeVar("T", bound="UploadTicket")


@_attrs_define
class UploadTicket:
    """Permission to upload one picture once.

    Attributes:
        request_id (str): UUID version 7
        state (UploadState): Where an upload is; `done`, `failed`, `expired` and `erased` are ends.
        url (None | str): PUT the picture here; it is a secret. null: the picture has arrived before
        headers (UploadTicketHeaders): send exactly these with it; a browser adds the length
        expires_at (str): RFC 3339
        links (Links): Where to go on, relative to this host.
        method (str | Unset):  Default: 'PUT'.
    """

    request_id: str
    state: UploadState
    url: None | str
    headers: UploadTicketHeaders
    expires_at: str
    links: Links
    method: str | Unset = "PUT"
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.links import Links  # noqa: PLC0415
        from ..models.upload_ticket_headers import UploadTicketHeaders  # noqa: PLC0415

        request_id = self.request_id

        state = self.state.value

        url: None | str
        url = self.url

        headers = self.headers.to_dict()

        expires_at = self.expires_at

        links = self.links.to_dict()

        method = self.method

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "request_id": request_id,
                "state": state,
                "url": url,
                "headers": headers,
                "expires_at": expires_at,
                "links": links,
            }
        )
        if method is not UNSET:
            field_dict["method"] = method

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.links import Links  # noqa: PLC0415
        from ..models.upload_ticket_headers import UploadTicketHeaders  # noqa: PLC0415

        d = dict(src_dict)
        request_id = d.pop("request_id")

        state = UploadState(d.pop("state"))

        def _parse_url(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        url = _parse_url(d.pop("url"))

        headers = UploadTicketHeaders.from_dict(d.pop("headers"))

        expires_at = d.pop("expires_at")

        links = Links.from_dict(d.pop("links"))

        method = d.pop("method", UNSET)

        upload_ticket = cls(
            request_id=request_id,
            state=state,
            url=url,
            headers=headers,
            expires_at=expires_at,
            links=links,
            method=method,
        )

        upload_ticket.additional_properties = d
        return upload_ticket

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
