from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.purpose import Purpose
from ..types import UNSET, Unset
from typing import cast
from typing import Literal, cast

if TYPE_CHECKING:
    from ..models.circumstances import Circumstances
    from ..models.consent_given import ConsentGiven


T = TypeVar("T", bound="UploadRequest")


@_attrs_define
class UploadRequest:
    """One picture that will be uploaded.

    Attributes:
        content_length (int): bytes of the picture
        sha256 (str): of the picture, 64 hex digits
        content_type (Literal['image/jpeg'] | Unset): baseline JPEG Default: 'image/jpeg'.
        content_md5 (None | str | Unset): of the picture, in base64, for stores that compare it
        purpose (Purpose | Unset): What the picture may be used for.
        consent (ConsentGiven | None | Unset): only with `recommend_and_improve`
        context (Circumstances | Unset): What is known beside the picture; each may be missing, and helps the
            recommendation.
    """

    content_length: int
    sha256: str
    content_type: Literal["image/jpeg"] | Unset = "image/jpeg"
    content_md5: None | str | Unset = UNSET
    purpose: Purpose | Unset = UNSET
    consent: ConsentGiven | None | Unset = UNSET
    context: Circumstances | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.circumstances import Circumstances  # noqa: PLC0415
        from ..models.consent_given import ConsentGiven  # noqa: PLC0415

        content_length = self.content_length

        sha256 = self.sha256

        content_type = self.content_type

        content_md5: None | str | Unset
        if isinstance(self.content_md5, Unset):
            content_md5 = UNSET
        else:
            content_md5 = self.content_md5

        purpose: str | Unset = UNSET
        if not isinstance(self.purpose, Unset):
            purpose = self.purpose.value

        consent: dict[str, Any] | None | Unset
        if isinstance(self.consent, Unset):
            consent = UNSET
        elif isinstance(self.consent, ConsentGiven):
            consent = self.consent.to_dict()
        else:
            consent = self.consent

        context: dict[str, Any] | Unset = UNSET
        if not isinstance(self.context, Unset):
            context = self.context.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "content_length": content_length,
                "sha256": sha256,
            }
        )
        if content_type is not UNSET:
            field_dict["content_type"] = content_type
        if content_md5 is not UNSET:
            field_dict["content_md5"] = content_md5
        if purpose is not UNSET:
            field_dict["purpose"] = purpose
        if consent is not UNSET:
            field_dict["consent"] = consent
        if context is not UNSET:
            field_dict["context"] = context

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.circumstances import Circumstances  # noqa: PLC0415
        from ..models.consent_given import ConsentGiven  # noqa: PLC0415

        d = dict(src_dict)
        content_length = d.pop("content_length")

        sha256 = d.pop("sha256")

        content_type = cast(Literal["image/jpeg"] | Unset, d.pop("content_type", UNSET))
        if content_type != "image/jpeg" and not isinstance(content_type, Unset):
            raise ValueError(f"content_type must match const 'image/jpeg', got '{content_type}'")

        def _parse_content_md5(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        content_md5 = _parse_content_md5(d.pop("content_md5", UNSET))

        _purpose = d.pop("purpose", UNSET)
        purpose: Purpose | Unset
        if isinstance(_purpose, Unset):
            purpose = UNSET
        else:
            purpose = Purpose(_purpose)

        def _parse_consent(data: object) -> ConsentGiven | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                consent_type_0 = ConsentGiven.from_dict(data)

                return consent_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ConsentGiven | None | Unset, data)

        consent = _parse_consent(d.pop("consent", UNSET))

        _context = d.pop("context", UNSET)
        context: Circumstances | Unset
        if isinstance(_context, Unset):
            context = UNSET
        else:
            context = Circumstances.from_dict(_context)

        upload_request = cls(
            content_length=content_length,
            sha256=sha256,
            content_type=content_type,
            content_md5=content_md5,
            purpose=purpose,
            consent=consent,
            context=context,
        )

        return upload_request
