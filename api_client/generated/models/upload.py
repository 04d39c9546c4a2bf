from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.purpose import Purpose
from ..models.upload_problem import UploadProblem
from ..models.upload_state import UploadState
from typing import cast

if TYPE_CHECKING:
    from ..models.links import Links


T = TypeVar("T", bound="Upload")


@_attrs_define
class Upload:
    """What became of an upload.

    Attributes:
        request_id (str):
        state (UploadState): Where an upload is; `done`, `failed`, `expired` and `erased` are ends.
        purpose (Purpose): What the picture may be used for.
        content_type (str):
        content_length (int):
        sha256 (str):
        issued_at (str):
        expires_at (str): of the signed URL
        arrived_at (None | str):
        ended_at (None | str):
        problem (None | UploadProblem): why there will be no recommendation
        picture_deleted_at (None | str): the picture is gone from the intake bucket
        links (Links): Where to go on, relative to this host.
    """

    request_id: str
    state: UploadState
    purpose: Purpose
    content_type: str
    content_length: int
    sha256: str
    issued_at: str
    expires_at: str
    arrived_at: None | str
    ended_at: None | str
    problem: None | UploadProblem
    picture_deleted_at: None | str
    links: Links
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.links import Links  # noqa: PLC0415

        request_id = self.request_id

        state = self.state.value

        purpose = self.purpose.value

        content_type = self.content_type

        content_length = self.content_length

        sha256 = self.sha256

        issued_at = self.issued_at

        expires_at = self.expires_at

        arrived_at: None | str
        arrived_at = self.arrived_at

        ended_at: None | str
        ended_at = self.ended_at

        problem: None | str
        if isinstance(self.problem, UploadProblem):
            problem = self.problem.value
        else:
            problem = self.problem

        picture_deleted_at: None | str
        picture_deleted_at = self.picture_deleted_at

        links = self.links.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "request_id": request_id,
                "state": state,
                "purpose": purpose,
                "content_type": content_type,
                "content_length": content_length,
                "sha256": sha256,
                "issued_at": issued_at,
                "expires_at": expires_at,
                "arrived_at": arrived_at,
                "ended_at": ended_at,
                "problem": problem,
                "picture_deleted_at": picture_deleted_at,
                "links": links,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.links import Links  # noqa: PLC0415

        d = dict(src_dict)
        request_id = d.pop("request_id")

        state = UploadState(d.pop("state"))

        purpose = Purpose(d.pop("purpose"))

        content_type = d.pop("content_type")

        content_length = d.pop("content_length")

        sha256 = d.pop("sha256")

        issued_at = d.pop("issued_at")

        expires_at = d.pop("expires_at")

        def _parse_arrived_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        arrived_at = _parse_arrived_at(d.pop("arrived_at"))

        def _parse_ended_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        ended_at = _parse_ended_at(d.pop("ended_at"))

        def _parse_problem(data: object) -> None | UploadProblem:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                problem_type_0 = UploadProblem(data)

                return problem_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UploadProblem, data)

        problem = _parse_problem(d.pop("problem"))

        def _parse_picture_deleted_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        picture_deleted_at = _parse_picture_deleted_at(d.pop("picture_deleted_at"))

        links = Links.from_dict(d.pop("links"))

        upload = cls(
            request_id=request_id,
            state=state,
            purpose=purpose,
            content_type=content_type,
            content_length=content_length,
            sha256=sha256,
            issued_at=issued_at,
            expires_at=expires_at,
            arrived_at=arrived_at,
            ended_at=ended_at,
            problem=problem,
            picture_deleted_at=picture_deleted_at,
            links=links,
        )

        upload.additional_properties = d
        return upload

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
