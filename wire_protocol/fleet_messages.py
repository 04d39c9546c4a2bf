"""What register and cloud say about releases of models: the desired state, files, progress, health.

Part of `messages`, which lists the kinds; times and ids are as there.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from wire_protocol.fields import Count, Id16, Many, Milliseconds, Sha256Hex, Text, TimeMs, Uint
from wire_protocol.limits import COUNT_MAX, FILE_BLOCK_MAX_BYTES, FILE_MAX_BYTES, FILE_PATH_MAX

# ---- up ---------------------------------------------------------------------------------------------------


class UpdateState(StrEnum):
    """How far the release that is desired has come on this register."""

    IDLE = "idle"  # nothing is desired that does not run already
    FETCHING = "fetching"
    PREFLIGHT = "preflight"
    TRIAL = "trial"  # it runs, and may still be returned from
    GOOD = "good"  # it runs, and passed its trial
    BAD = "bad"  # it ran, and was returned from
    REFUSED = "refused"  # it never ran; `reason` says why
    WAITING = "waiting"  # trouble that may pass: no metadata, no room, no connection; tried again by itself


class UpdateReason(StrEnum):
    """Why a release did not come to run, or not to stay: one closed list for reports, gates and pages."""

    UNTRUSTED = "untrusted"  # metadata that the chain's keys did not sign
    METADATA_EXPIRED = "metadata-expired"  # new releases are refused, what runs goes on
    CLOCK = "clock"  # metadata looks expired because the till's clock is off
    NOT_LISTED = "not-listed"  # no release of that number, or other bytes than desired
    WITHDRAWN = "withdrawn"
    BELOW_FLOOR = "below-floor"
    AGENT_TOO_OLD = "agent-too-old"
    OTHER_CHAIN = "other-chain"
    DIGEST_MISMATCH = "digest-mismatch"
    NOT_A_MODEL = "not-a-model"  # custom operators, external data, or no network at all
    WRONG_CONTRACT = "wrong-contract"
    BROKEN_ANSWER = "broken-answer"  # NaN, or an impossible answer
    GOLDEN_MISMATCH = "golden-mismatch"
    TOO_SLOW = "too-slow"
    TOO_LARGE = "too-large"  # more memory than a preflight may take
    CRASHED = "crashed"
    ERRORS = "errors"  # its share of failed recommendations
    NO_ROOM = "no-room"
    DISK = "disk"
    UNREACHABLE = "unreachable"  # the file service did not answer
    RETURNED = "returned"  # the cloud, or a person at the till, wanted the release before


Release = Annotated[int, Uint(1_000_000_000, 1)]
"""A release's number: given at signing, growing within a chain, never used twice."""


@dataclass(frozen=True, slots=True)
class UpdateProgress:
    """The register's newest attempt at a release.

    `transaction` stays the same from the order to the verdict, over every restart.
    """

    transaction: Id16
    release: Release
    state: UpdateState
    at: TimeMs
    fetched_bytes: Count = 0
    total_bytes: Count = 0
    reason: UpdateReason | None = None
    words: Annotated[str, Text(200)] | None = None


@dataclass(frozen=True, slots=True)
class MetadataSeen:
    """Which signed metadata of the chain's releases this register holds."""

    root: Count
    timestamp: Count
    snapshot: Count
    targets: Count
    expires_at: TimeMs
    """When the first of them expires; later the register takes no new release; what runs goes on."""
    floor: Count = 0
    """`minimum_release` as this register knows it; it never sinks."""


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """How the model that runs does since it was put in use, or since the agent started with it.

    Every figure is a count or a measure, not a view.

    `confidence` counts the probability of the first flavour in ten equal steps; `labels` counts how often
    each flavour came first, by its index in the catalogue.
    """

    since: TimeMs
    """When counting began."""
    recommendations: Count
    errors: Count
    crashes: Count
    """Starts of the agent that did not come to an orderly end, since this model was put in use."""
    nobody: Count
    p50_ms: Milliseconds
    p99_ms: Milliseconds
    confidence: Annotated[tuple[Count, ...], Many(10)]
    labels: Annotated[tuple[Count, ...], Many(64)]


@dataclass(frozen=True, slots=True)
class ShadowHealth:
    """A release that runs beside the one in use, on the same pictures, and is never shown."""

    release: Release
    digest: Sha256Hex
    compared: Count
    same_first: Count
    same_three: Count
    """The same three flavours, whatever their order."""
    errors: Count
    p99_ms: Milliseconds


@dataclass(frozen=True, slots=True)
class FileRequestUp:
    """A piece of a file of the chain's release repository, please; the answer names this message's id."""

    path: Annotated[
        str, Text(FILE_PATH_MAX, re.compile(r"(?:metadata|targets)(?:/[A-Za-z0-9_%.-]{1,128}){1,6}\Z"))
    ]
    """Below the chain's repository; no part of it is `.` or `..`."""
    offset: Annotated[int, Uint(FILE_MAX_BYTES)]
    length: Annotated[int, Uint(FILE_BLOCK_MAX_BYTES, 1)]
    deflate: bool | None = None
    """Whether the piece may come packed."""

    def __post_init__(self) -> None:
        """Raise ValueError for a path that climbs."""
        if {".", ".."} & set(self.path.split("/")):
            raise ValueError("a path has no part that climbs")


# ---- down -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settings:
    """What the cloud decides for a register; what is left out, the register's own configuration says."""

    shadow: Release | None = None
    """Fetch this release and let it run beside the other."""
    trial_ms: Annotated[int, Uint(86_400_000, 1000)] | None = None
    """How long a new release is on trial at least."""
    trial_recommendations: Annotated[int, Uint(100_000, 1)] | None = None
    """How many answers a trial needs at least; the register looks at its camera by itself where few come."""
    report_every_s: Annotated[int, Uint(86_400, 1)] | None = None


@dataclass(frozen=True, slots=True)
class DesiredDown:
    """What the register shall be; retained, so that it is there at every connection.

    A register ignores generations up to its own. Without `release` it runs the model that it was installed
    with where `minimum_release` was never signed, and shows best-sellers where it was.
    """

    generation: Annotated[int, Uint(COUNT_MAX, 1)]
    settings: Settings
    release: Release | None = None
    digest: Sha256Hex | None = None
    """Of the release's network: another one under the same number is refused."""
    rollout: Id16 | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where only one of release and digest is there."""
        if (self.release is None) != (self.digest is None):
            raise ValueError("release and digest belong together")


class FileStatus(StrEnum):
    """What became of a request for a piece of a file."""

    OK = "ok"
    MISSING = "missing"  # there is no such file; how a client of TUF learns that there is no newer root
    BEYOND = "beyond"  # the offset lies behind the end
    BUSY = "busy"  # ask again after `retry_after_ms`


@dataclass(frozen=True, slots=True)
class FileBlockDown:
    """A piece of a file; attached: its bytes, none unless `ok`. What it is worth, TUF's signatures say."""

    request: Id16
    status: FileStatus
    offset: Annotated[int, Uint(FILE_MAX_BYTES)] = 0
    total: Annotated[int, Uint(FILE_MAX_BYTES)] = 0
    """Length of the whole file."""
    retry_after_ms: Annotated[int, Uint(3_600_000)] | None = None
    unpacked: Annotated[int, Uint(FILE_BLOCK_MAX_BYTES, 1)] | None = None
    """Bytes of the piece, where what is attached is the piece in raw DEFLATE (`packing`)."""
