"""What a client is told of its upload: the recommendation, how far it is, or why there is none. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cloud.intake.values import UploadProblem, UploadState
from cloud.public_api.answers import ENDS
from cloud.public_api.problems import Problem, problem
from cloud.public_api.times import rfc3339

_WORDS: Final[Mapping[str, str]] = {
    UploadProblem.DIGEST_MISMATCH: "other bytes were uploaded than those whose SHA-256 was announced",
    UploadProblem.WRONG_LENGTH: "the picture has another length than was announced",
    UploadProblem.WRONG_TYPE: "what was uploaded has another type than was announced",
    UploadProblem.BAD_PICTURE: "the picture is no JPEG that is taken here; take a baseline JPEG",
    UploadProblem.PICTURE_GONE: "the picture had to be deleted before anybody could look at it",
    UploadProblem.NO_MODEL: "the chain has no model that may be used yet",
    UploadProblem.CONSENT_WITHDRAWN: "the consent was withdrawn before the picture was looked at",
    UploadProblem.REPEATEDLY_FAILED: "looking at the picture failed several times; the operators see why",
}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A row of `recommendations`, as far as its owner sees it."""

    request: bytes
    created_at_ms: int
    expires_at_ms: int
    source: str
    slate: list[dict[str, Any]]
    release: int | None
    model_digest: str | None
    model_version: str | None
    picture_version: str | None
    picture_sha256: bytes
    nobody: float | None
    inference_ms: float | None
    latency_ms: float
    outcome: dict[str, Any] | None
    outcome_at_ms: int | None

    def document(self) -> dict[str, Any]:
        """As the API gives it."""
        model = {"release": self.release, "version": self.model_version, "digest": self.model_digest}
        outcome = None
        if self.outcome_at_ms is not None and self.outcome is not None:
            outcome = {**self.outcome, "recorded_at": rfc3339(self.outcome_at_ms)}
        return {
            "request_id": request_id(self.request),
            "state": UploadState.DONE,
            "created_at": rfc3339(self.created_at_ms),
            "expires_at": rfc3339(self.expires_at_ms),
            "source": self.source,
            "slate": self.slate,
            "nobody": self.nobody,
            "model": None if self.model_version is None else model,
            "inference_ms": self.inference_ms,
            "latency_ms": self.latency_ms,
            "picture": {"sha256": self.picture_sha256.hex(), "version": self.picture_version},
            "outcome": outcome,
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """An upload, and what came of it.

    Attributes:
        expires_at_ms: Of the signed URL.
        problem: As `UploadProblem`, where it failed.
        detail: The same in a sentence, where more is known.
        recommendation: None where there is none yet, or none any more.
    """

    request: bytes
    state: UploadState
    issued_at_ms: int
    expires_at_ms: int
    arrived_at_ms: int | None
    problem: str | None
    detail: str | None
    recommendation: Recommendation | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ENDS

    @property
    def address(self) -> str:
        """Where its recommendation is read."""
        return f"/v1/recommendations/{request_id(self.request)}"

    def pending(self) -> dict[str, Any]:
        """The document of one that has not ended."""
        return {
            "request_id": request_id(self.request),
            "state": self.state,
            "issued_at": rfc3339(self.issued_at_ms),
            "expires_at": rfc3339(self.expires_at_ms),
            "arrived_at": None if self.arrived_at_ms is None else rfc3339(self.arrived_at_ms),
        }

    def refusal(self, now_ms: int) -> Problem | None:
        """Why an ended one has no recommendation; None for one that has, or that has not ended."""
        named = request_id(self.request)
        match self.state:
            case UploadState.FAILED:
                why = self.problem or UploadProblem.REPEATEDLY_FAILED
                words = self.detail or _WORDS.get(why, "the picture could not be used")
                return problem("upload-failed", words, problem=why, request_id=named)
            case UploadState.EXPIRED:
                return problem("upload-expired", "nothing was uploaded while the URL held", request_id=named)
            case UploadState.ERASED:
                return problem("erased", "the upload was taken back", request_id=named)
            case UploadState.DONE:
                kept = self.recommendation
                if kept is None or kept.expires_at_ms <= now_ms:
                    return problem("erased", "the recommendation's time is over", request_id=named)
        return None


def request_id(request: bytes) -> str:
    """As clients know it."""
    return str(uuid.UUID(bytes=request))


def written(document: Mapping[str, Any]) -> bytes:
    """The document's bytes: the same for the same document."""
    return orjson.dumps(document)
