"""What a person who erased something can hold in hand: counts and instants, nothing about them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloud.privacy.erasure_plan import BACKUP_KEPT_MS


@dataclass(frozen=True, slots=True)
class ConsentEnd:
    """How far the erasure of one consent is."""

    key_destroyed_at_ms: int | None
    versions_deleted_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an erasure is.

    Attributes:
        nobody_opens_since_ms: No picture of it opens from here on, wherever a copy lies; None: not yet.
        online_copies_gone_ms: No copy is left on a running system; None: not yet.
        last_backup_gone_ms: Nor in a backup, by then.
        waiting: Consents that are not erased yet.
    """

    nobody_opens_since_ms: int | None
    online_copies_gone_ms: int | None
    last_backup_gone_ms: int | None
    waiting: int

    @property
    def done(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.online_copies_gone_ms is not None


def progress_of(
    at_ms: int, detail: Mapping[str, Any], ends: Iterable[ConsentEnd], handovers: int, now_ms: int
) -> Progress:
    """How far an erasure is.

    Args:
        at_ms: When it was asked for; the rows went at that moment.
        detail: Of the proof.
        ends: Of its consents.
        handovers: Hand-overs that wait for what their register sends.
        now_ms: Now.
    """
    known = list(ends)
    keys = [one.key_destroyed_at_ms for one in known]
    versions = [one.versions_deleted_at_ms for one in known]
    waiting = sum(at is None for at in versions) + handovers
    plaintext_until_ms = int(detail["plaintext_until_ms"])
    closed = None if None in keys or handovers else max([at_ms, *filter(None, keys)])
    gone = None
    if not waiting and now_ms >= plaintext_until_ms:
        gone = max([at_ms, plaintext_until_ms, *filter(None, versions)])
    return Progress(closed, gone, None if gone is None else gone + BACKUP_KEPT_MS, waiting)
