"""A rollout's timeline: what happened, who did it, and why in plain words; and ids that are new."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert

from cloud.database.schema import rollout_events
from wire_protocol.identifiers import uuid7

CONTROLLER = "controller"
"""The actor of what no person asked for."""
_WORDS_MAX = 500


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry of a timeline.

    Attributes:
        kind: A stable name such as `started`, `stage`, `failed`.
        stage: Index of the stage at that moment.
        words: For people.
        detail: Further values as JSON has them.
    """

    actor: str
    kind: str
    stage: int
    words: str
    detail: Mapping[str, object] = field(default_factory=dict)


def new_id(now_ms: int) -> bytes:
    """A UUID version 7, as 16 bytes."""
    return uuid7(now_ms, secrets.token_bytes(10)).bytes


def write_events(
    connection: Connection, tenant: str, rollout: bytes, now_ms: int, happened: Sequence[Happened]
) -> None:
    """Add entries, within the transaction of what they tell, in their order."""
    if not happened:
        return
    entries = sorted(new_id(now_ms) for _ in happened)  # of one millisecond, and all the same in order
    rows = [
        {
            "tenant": tenant,
            "rollout": rollout,
            "entry": entry,
            "at_ms": now_ms,
            "actor": one.actor[:200],
            "kind": one.kind,
            "stage": one.stage,
            "words": one.words[:_WORDS_MAX],
            "detail": dict(one.detail),
        }
        for entry, one in zip(entries, happened, strict=True)
    ]
    connection.execute(insert(rollout_events), rows)
