"""The events of an upload's stream, by what a client has seen of it. Pure."""

from typing import Final

from cloud.intake.values import UploadState
from cloud.public_api.answer_documents import Seen, written
from cloud.public_api.answers import ENDS
from cloud.public_api.times import rfc3339

ENDED: Final = frozenset(str(one) for one in ENDS)
"""Ids of last events."""


def events_after(found: Seen, last: str | None, now_ms: int) -> list[tuple[str, bytes]]:
    """Name, which is the id too, and document of each event that comes after `last`, in order.

    Args:
        found: The upload as it is.
        last: Id of the newest event that the client has; what is none counts as nothing.
        now_ms: A recommendation that is over now ends as `erased`.
    """
    events = [(UploadState.ISSUED, found.issued_at_ms)]
    if found.arrived_at_ms is not None:
        events.append((UploadState.ARRIVED, found.arrived_at_ms))
    told = [(str(name), written({"state": name, "at": rfc3339(at_ms)})) for name, at_ms in events]
    if found.ended:
        told.append(_end(found, now_ms))
    names = [name for name, _ in told]
    return told[names.index(last) + 1 :] if last in names else told


def _end(found: Seen, now_ms: int) -> tuple[str, bytes]:
    refused = found.refusal(now_ms)
    if refused is None:
        assert found.recommendation is not None, "an end without a refusal has one"
        return str(UploadState.DONE), written(found.recommendation.document())
    name = UploadState.ERASED if found.state == UploadState.DONE else found.state
    return str(name), written(refused.document())
