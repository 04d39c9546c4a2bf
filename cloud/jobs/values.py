"""Jobs that wait in the database."""

from dataclasses import dataclass
from enum import StrEnum


class Queue(StrEnum):
    """What a job is for."""

    RECOMMEND = "recommend"


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
