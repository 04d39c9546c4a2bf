"""What is to be done with a leased upload, and how it ends. Pure."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from cloud.intake.values import Purpose, UploadProblem, UploadState
from cloud.recommender.values import Champion, Failed, Recommended, Shown, Ticket
from inference import Context, Manifest, Recommendation
from inference.context import NUMBERS, WORDS
from inference.errors import ContextError, RefusedPicture
from inference.slate import choose_slate

_LANGUAGE: Final = "en"


class Step(StrEnum):
    """What comes next for a leased upload."""

    LOOK = "look"  # read the picture and recommend
    PROMOTE = "promote"  # the recommendation is there; the picture is to be kept under its consent
    TIDY = "tidy"  # nothing but to delete the picture
    OVERDUE = "overdue"  # the picture may not be looked at any more
    GIVE_UP = "give-up"  # it failed too often: set the job aside


def step_of(
    ticket: Ticket | None, attempt: int, *, attempts_max: int, now_ms: int, plaintext_ms: int
) -> Step:
    """The next step.

    Args:
        ticket: None where the upload is gone: its owner erased everything.
        attempt: Of the lease, 1 for the first. Who dies over a job never reports that it failed, so it
            counts from the lease.
        attempts_max: So often it is tried.
        now_ms: Now.
        plaintext_ms: So long after its arrival the picture is gone, or about to be.
    """
    if ticket is None or ticket.state not in {UploadState.ARRIVED, UploadState.DONE}:
        return Step.TIDY
    if ticket.state is UploadState.DONE and (ticket.deleted or not is_kept(ticket)):
        return Step.TIDY
    if attempt > attempts_max:
        return Step.GIVE_UP
    if ticket.state is UploadState.DONE:
        return Step.PROMOTE
    return Step.OVERDUE if now_ms - ticket.arrived_at_ms >= plaintext_ms else Step.LOOK


def is_kept(ticket: Ticket) -> bool:
    """Whether the picture is kept, sealed, after it was looked at."""
    return ticket.purpose is Purpose.RECOMMEND_AND_IMPROVE


def problem_of_bytes(ticket: Ticket, data: bytes) -> Failed | None:
    """Why these are not the bytes that were announced; None where they are."""
    if len(data) != ticket.content_length:
        detail = f"{len(data)} bytes were uploaded, {ticket.content_length} were announced"
        return Failed(ticket, UploadProblem.WRONG_LENGTH, detail)
    if hashlib.sha256(data).digest() != ticket.sha256:
        return Failed(ticket, UploadProblem.DIGEST_MISMATCH, "other bytes were uploaded than were announced")
    return None


def too_long(ticket: Ticket) -> Failed:
    """More bytes lie there than were announced; nobody counted them."""
    detail = f"more than the announced {ticket.content_length} bytes were uploaded"
    return Failed(ticket, UploadProblem.WRONG_LENGTH, detail)


def gone(ticket: Ticket) -> Failed:
    """The picture was deleted, or has to be, before anybody looked at it."""
    return Failed(ticket, UploadProblem.PICTURE_GONE, "nobody looked at it in the time that it may be kept")


def refused(ticket: Ticket, error: RefusedPicture) -> Failed:
    """The guarded decoder took it for no picture of a camera."""
    return Failed(ticket, UploadProblem.BAD_PICTURE, f"{error}. {error.remedy}", error.reason)


def no_model(ticket: Ticket) -> Failed:
    """The chain has no release that may be used, or its network does not load."""
    return Failed(ticket, UploadProblem.NO_MODEL, "the chain has no model that may be used now")


def context_of(values: Mapping[str, Any]) -> Context:
    """What the client told, as the network takes it; what is no such value counts as unknown."""
    known: dict[str, Any] = {}
    for name in (*NUMBERS, *WORDS):
        value = values.get(name)
        if isinstance(value, str if name in WORDS else (int, float)) and _fits({name: value}):
            known[name] = value
    return Context(**known)


def _fits(field: Mapping[str, Any]) -> bool:
    try:
        Context(**field)
    except ContextError:
        return False
    return True


def recommended(
    ticket: Ticket, champion: Champion, manifest: Manifest, answer: Recommendation
) -> Recommended:
    """The three flavours; best-sellers, and called so, where nobody is in the picture."""
    slate = choose_slate(manifest, answer)
    flavours = [manifest.flavours[index] for index in slate.flavours]
    shown = tuple(
        Shown(flavour.id, flavour.name(_LANGUAGE), round(chance, 6))
        for flavour, chance in zip(flavours, slate.probability, strict=True)
    )
    return Recommended(ticket, slate.source, shown, champion, answer.nobody, answer.inference_ms)
