"""What an upload is, from its ticket to its end."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wire_protocol.identifiers import is_name

CONTENT_TYPE: Final = "image/jpeg"
"""The only one: the strict decoder takes baseline JPEG (threat T11)."""


class UploadState(StrEnum):
    """Where an upload is; `done`, `failed`, `expired` and `erased` are ends."""

    ISSUED = "issued"  # the URL was given out
    ARRIVED = "arrived"  # the ticket is consumed, a job waits
    DONE = "done"  # there is a recommendation
    FAILED = "failed"  # there will be none: see the problem
    EXPIRED = "expired"  # nothing arrived in time
    ERASED = "erased"  # the person took it back


class Purpose(StrEnum):
    """What the picture may be used for."""

    RECOMMEND = "recommend"  # deleted as soon as it was looked at
    RECOMMEND_AND_IMPROVE = "recommend_and_improve"  # kept, sealed, under the person's consent


class UploadProblem(StrEnum):
    """Why there is no recommendation."""

    DIGEST_MISMATCH = "digest-mismatch"  # other bytes than were announced
    WRONG_LENGTH = "wrong-length"
    WRONG_TYPE = "wrong-type"
    BAD_PICTURE = "bad-picture"  # the guarded decoder refused it; see `detail`
    PICTURE_GONE = "picture-gone"  # nobody looked at it before it had to be deleted
    NO_MODEL = "no-model"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    REPEATEDLY_FAILED = "repeatedly-failed"  # set aside after several attempts; operators see why


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """Where an upload lies in the intake bucket: `intake/{tenant}/{request as 32 hex digits}`."""

    tenant: str
    request: bytes

    @property
    def key(self) -> str:
        """The object's key."""
        return f"intake/{self.tenant}/{self.request.hex()}"

    @classmethod
    def parse(cls, key: str) -> "ObjectPlace | None":
        """The place that a key names; None for any other key."""
        parts = key.split("/")
        if len(parts) != 3 or parts[0] != "intake" or not is_name(parts[1]) or len(parts[2]) != 32:
            return None
        try:
            place = cls(parts[1], bytes.fromhex(parts[2]))
        except ValueError:
            return None
        return place if place.key == key else None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a ticket lets in: this much of this kind, until then."""

    content_length: int
    content_type: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where an upload is, and whether its object was deleted by whoever was done with it."""

    state: UploadState
    deleted: bool
