"""The permission to put one object once: a signed URL and the headers that belong to its signature."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cloud.intake.values import ObjectPlace


@dataclass(frozen=True, slots=True)
class Announced:
    """What a client says that it will upload; nothing else is let in.

    Attributes:
        content_type: As `cloud.intake.values.CONTENT_TYPE`.
        content_length: Bytes.
        sha256: Of the picture. Some stores ignore it: the recommender compares it itself.
        md5: For stores that compare `Content-MD5`; None where the client sent none.
    """

    content_type: str
    content_length: int
    sha256: bytes
    md5: bytes | None = None

    def headers(self) -> dict[str, str]:
        """What the client must send with its PUT; each is part of the signature.

        A browser fills in `Content-Length` itself.
        """
        headers = {
            "Content-Length": str(self.content_length),
            "Content-Type": self.content_type,
            "If-None-Match": "*",
            "x-amz-checksum-sha256": base64.b64encode(self.sha256).decode(),
        }
        if self.md5 is not None:
            headers["Content-MD5"] = base64.b64encode(self.md5).decode()
        return headers


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """What the client is given; it holds the permission, so it belongs in no log."""

    url: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the signature."""
        return "SignedUpload(…)"


class UrlSigner(Protocol):
    """Signs URLs; may be used by several threads at once."""

    @property
    def base(self) -> str:
        """What every URL begins with; the key follows."""

    def sign(self, place: ObjectPlace, announced: Announced, seconds: int) -> SignedUpload:
        """A URL for one PUT of exactly this, good for so many seconds from now; asks nobody."""
