"""What the keeper and the public API read and write of erasures that people asked for."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, or_, select, update

from cloud.database.consent_ties import CAME_BY_PHONE, IS_WITHDRAWN
from cloud.database.schema import consents, erasure_proofs, handovers, withdrawals
from cloud.privacy.blank_issue import DAY_MS
from cloud.privacy.person_proof import ConsentEnd, Progress, progress_of
from wire_protocol.limits import FRAME_MAX_AGE_MS

HANDOVER_KEPT_MS: Final = FRAME_MAX_AGE_MS + DAY_MS
"""A register that was offline sends a consent no later: it has dropped the picture by age."""
_proof, _handover = erasure_proofs.c, handovers.c


@dataclass(frozen=True, slots=True)
class PersonProof:
    """A proof and how far its erasure is."""

    proof: bytes
    at_ms: int
    counts: dict[str, int]
    progress: Progress


def read_proof(connection: Connection, tenant: str, proof: bytes, now_ms: int) -> PersonProof | None:
    """A proof; None where there is none."""
    row = connection.execute(
        select(erasure_proofs).where(_proof.tenant == tenant, _proof.proof == proof)
    ).first()
    if row is None:
        return None
    return PersonProof(
        bytes(row.proof), row.at_ms, dict(row.detail["counts"]), _progress(connection, row, now_ms)
    )


def settle_proofs(connection: Connection, tenant: str, now_ms: int, limit: int) -> int:
    """Write the instants of finished erasures, and forget which consents they were; how many."""
    waiting = (
        select(erasure_proofs)
        .where(_proof.tenant == tenant, _proof.settled.is_(False))
        .order_by(_proof.at_ms)
        .limit(limit)
    )
    settled = 0
    for row in connection.execute(waiting).all():
        progress = _progress(connection, row, now_ms)
        if not progress.done:
            continue
        instants = {
            "nobody_opens_since_ms": progress.nobody_opens_since_ms,
            "online_copies_gone_ms": progress.online_copies_gone_ms,
        }
        connection.execute(
            update(erasure_proofs)
            .where(_proof.tenant == tenant, _proof.proof == row.proof)
            .values(detail={**row.detail, **instants}, pending=None, settled=True)
        )
        settled += 1
    return settled


def is_waiting(connection: Connection, tenant: str) -> bool:
    """Whether an erasure is not settled, or a hand-over that was taken back waits for its consent."""
    proofs = select(_proof.proof).where(_proof.tenant == tenant, _proof.settled.is_(False))
    taken_back = select(_handover.handover).where(_handover.tenant == tenant, _handover.state == "withdrawn")
    return bool(connection.execute(select(or_(proofs.exists(), taken_back.exists()))).scalar_one())


def late_consents(connection: Connection, tenant: str, limit: int) -> list[bytes]:
    """Consents that came after their person had taken the hand-over back; they are to be withdrawn."""
    statement = (
        select(consents.c.consent)
        .join(handovers, CAME_BY_PHONE)
        .where(
            _handover.tenant == tenant,
            _handover.state == "withdrawn",
            ~select(withdrawals.c.consent).where(IS_WITHDRAWN).exists(),
        )
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def forget_handovers(connection: Connection, tenant: str, now_ms: int) -> int:
    """Forget what was taken back, once its consent was erased or comes no more; how many."""
    erased = (
        select(consents.c.consent)
        .join(withdrawals, IS_WITHDRAWN)
        .where(CAME_BY_PHONE, withdrawals.c.versions_deleted_at_ms.is_not(None))
        .exists()
    )
    old = _handover.expires_at_ms < now_ms - HANDOVER_KEPT_MS
    over = delete(handovers).where(
        _handover.tenant == tenant, _handover.state == "withdrawn", or_(old, erased)
    )
    return int(connection.execute(over).rowcount)


def _progress(connection: Connection, row: Any, now_ms: int) -> Progress:
    if row.settled:
        opens, online = row.detail["nobody_opens_since_ms"], row.detail["online_copies_gone_ms"]
        return progress_of(
            row.at_ms,
            {"plaintext_until_ms": online},
            [ConsentEnd(opens, online)],
            0,
            now_ms=max(now_ms, online),
        )
    pending = row.pending or {"consents": [], "handovers": []}
    wanted = [bytes.fromhex(one) for one in pending["consents"]]
    found: dict[bytes, ConsentEnd] = {}
    for start in range(0, len(wanted), 500):
        some = select(
            withdrawals.c.consent, withdrawals.c.key_destroyed_at_ms, withdrawals.c.versions_deleted_at_ms
        ).where(withdrawals.c.tenant == row.tenant, withdrawals.c.consent.in_(wanted[start : start + 500]))
        found |= {bytes(one): ConsentEnd(key, gone) for one, key, gone in connection.execute(some)}
    ends = [found.get(one, ConsentEnd(None, None)) for one in wanted]
    left = 0
    if pending["handovers"]:
        ids = [bytes.fromhex(one) for one in pending["handovers"]]
        rows = select(_handover.handover).where(_handover.tenant == row.tenant, _handover.handover.in_(ids))
        left = len(connection.execute(rows).all())
    return progress_of(row.at_ms, row.detail, ends, left, now_ms)
