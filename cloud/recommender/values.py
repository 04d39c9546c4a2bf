"""What the recommender works with: a ticket, the model of a chain, and how an upload ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cloud.intake.values import Purpose, UploadProblem, UploadState
from cloud.jobs.values import Lease


@dataclass(frozen=True, slots=True)
class Ticket:
    """An upload, as its row says.

    Attributes:
        context: What the client told besides the picture, by the names of `inference.Context`.
        arrived_at_ms: When the ticket was consumed.
        consent: What the person agreed to; None where nothing is kept.
        deleted: Whether the picture is known to be gone from the intake bucket.
        keep_days: How long the chain keeps a recommendation.
    """

    tenant: str
    request: bytes
    user: bytes
    state: UploadState
    purpose: Purpose
    content_length: int
    sha256: bytes
    object_key: str
    context: Mapping[str, Any]
    arrived_at_ms: int
    consent: Mapping[str, Any] | None
    deleted: bool
    keep_days: int


@dataclass(frozen=True, slots=True)
class Leased:
    """A job that is ours, with its upload; None where that is gone: its owner erased everything."""

    lease: Lease
    ticket: Ticket | None

    @property
    def tenant(self) -> str:
        """Whose."""
        return self.lease.tenant


@dataclass(frozen=True, slots=True)
class Champion:
    """The release that a chain's recommendations come from now.

    Attributes:
        path: Of its network, below the chain's repository.
        digest: SHA-256 of the network, in hex.
        size: Its bytes.
    """

    tenant: str
    release: int
    version: str
    digest: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One flavour of a recommendation, with its English name."""

    flavour: str
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Recommended:
    """An upload that got its flavours.

    Attributes:
        nobody: What the network says of an empty picture; the manifest's threshold decided on it.
    """

    ticket: Ticket
    source: Literal["model", "bestsellers"]
    slate: tuple[Shown, ...]
    champion: Champion
    nobody: float
    inference_ms: float


@dataclass(frozen=True, slots=True)
class Failed:
    """An upload that gets none.

    Attributes:
        detail: One sentence for the client: what was wrong, without anything of the picture.
        reason: Of a refused picture, as `inference.picture.REASONS`; fit for a counter.
    """

    ticket: Ticket
    problem: UploadProblem
    detail: str
    reason: str = ""


Ending = Recommended | Failed
