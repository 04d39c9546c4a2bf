"""Jobs that wait in the database."""

from dataclasses import dataclass
from enum import StrEnum


class Queue(StrEnum):
    """What a job is for."""

    RECOMMEND = "recommend"


class JobState(StrEnum):
    """Where a job is; one that was finished has no row."""

    READY = "ready"  # now, or after its back-off
    LEASED = "leased"  # somebody works on it, or died over it
    DEAD = "dead"  # set aside after several attempts, until an operator decides


@dataclass(frozen=True, slots=True)
class Lease:
    """One job that is ours until `until_ms` of the database's clock; its end is fenced by the token.

    Attributes:
        job: The upload's request id.
        attempt: 1 for the first.
    """

    tenant: str
    queue: Queue
    job: bytes
    token: bytes
    attempt: int
    enqueued_at_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as operators see it.

    Attributes:
        ready_at_ms: When it may be taken next, by the database's clock.
        error: Why the last attempt failed.
    """

    tenant: str
    queue: Queue
    job: bytes
    state: JobState
    attempts: int
    enqueued_at_ms: int
    ready_at_ms: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one tenant.

    Attributes:
        waiting: Jobs that are ready or leased.
        dead: Jobs that were set aside.
        oldest_ms: How long the oldest waiting one has been there; 0 where none waits.
    """

    tenant: str
    waiting: int
    dead: int
    oldest_ms: int
