"""What a look into the bucket leads to, object by object; pure.

It finds uploads whose event was lost, and ends whatever has been there for too long.
"""

from enum import StrEnum
from typing import Final

from cloud.intake.values import Ticket, UploadState

EVENT_MS: Final = 2000
"""An event has so long to come; then the object is taken in without."""
STRANGE_MS: Final = 60_000
"""An object under a key that is no upload's is a probe of the store, for seconds; then it is a leftover."""


class Step(StrEnum):
    """What is to be done with an object."""

    LEAVE = "leave"
    TAKE_IN = "take-in"  # as if its event had come
    GIVE_UP = "give-up"  # it has been there too long: its upload fails, the object is deleted
    DELETE = "delete"  # no live ticket


def step_of(ticket: Ticket | None, age_ms: int, deadline_ms: int) -> Step:
    """What to do with an object under an upload's key.

    Args:
        ticket: Of its upload; None where there is none, or it was erased with its person's data.
        age_ms: Of the object.
        deadline_ms: At that age it must go.
    """
    if ticket is None or ticket.deleted or ticket.state in {UploadState.EXPIRED, UploadState.ERASED}:
        return Step.DELETE
    if age_ms >= deadline_ms:
        return Step.GIVE_UP
    if ticket.state is UploadState.ISSUED:
        return Step.TAKE_IN if age_ms >= EVENT_MS else Step.LEAVE
    return Step.LEAVE


def step_of_strange(age_ms: int) -> Step:
    """What to do with an object under any other key."""
    return Step.DELETE if age_ms >= STRANGE_MS else Step.LEAVE


def deadline_ms(plaintext_s: int, look_every_s: float) -> int:
    """The age at which an object must go, so that none is there longer than `plaintext_s`.

    Two looks earlier: one may fall between, one may fail.
    """
    return int(max(plaintext_s / 2, plaintext_s - 2 * look_every_s) * 1000)
