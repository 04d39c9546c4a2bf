"""What erasing a person, or one upload, does to the rows; within one transaction of the tenant.

The uploads' rows go first: who promotes or ends one at this moment waits for them, or is waited for, and
finds nothing afterwards. Then consents are locked; nobody who holds a consent waits for an upload
(`cloud.intake.adapters.promotions`). Jobs that a worker ends at this moment are left to it: without an upload
it writes nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.audit_log import write_audit
from cloud.database.consent_lock import lock_to_withdraw
from cloud.database.consent_ties import CAME_BY_PHONE, IS_WITHDRAWN
from cloud.database.notifications import ANSWERS, notify_all
from cloud.database.schema import (
    api_sessions,
    consents,
    device_grants,
    erasure_proofs,
    handovers,
    jobs,
    recommendations,
    uploads,
    web_blanks,
    withdrawals,
)
from cloud.intake.values import UploadState
from cloud.privacy.erasure_plan import Source

NOBODY: Final = bytes(32)
"""The user of a hand-over whose person is gone, until its consent has come and was erased."""
ACTOR: Final = "customer"
_CHUNK: Final = 500
"""Values of one statement; SQLite takes so many in every build."""
_upload, _handover = uploads.c, handovers.c


@dataclass(slots=True)
class Erased:
    """What went.

    Attributes:
        keys: Of objects that may still lie in the intake bucket.
        consents: That were withdrawn now.
        handovers: That were withdrawn before their consent came.
    """

    uploads: int = 0
    recommendations: int = 0
    outcomes: int = 0
    sessions: int = 0
    keys: list[str] = field(default_factory=list)
    consents: list[bytes] = field(default_factory=list)
    handovers: list[bytes] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """For the proof."""
        return {
            "uploads": self.uploads,
            "recommendations": self.recommendations,
            "outcomes": self.outcomes,
            "consents": len(self.consents) + len(self.handovers),
            "sessions": self.sessions,
        }


@dataclass(frozen=True, slots=True)
class Order:
    """One erasure.

    Attributes:
        plaintext_ms: So long a picture may lie in the intake bucket, whatever happens.
    """

    tenant: str
    user: bytes
    proof: bytes
    now_ms: int
    plaintext_ms: int


def erase_person(connection: Connection, order: Order) -> Erased:
    """Erase everything that the public API has of a person, and leave the proof."""
    tenant, user = order.tenant, order.user
    done = Erased()
    # 1. Uploads, whatever their state.
    gone = connection.execute(
        delete(uploads)
        .where(_upload.tenant == tenant, _upload.user == user)
        .returning(_upload.request, _upload.object_key, _upload.blank, _upload.deleted_at_ms)
    ).all()
    done.uploads = len(gone)
    # 2. Recommendations, also those whose upload was forgotten before.
    _erase_recommendations(
        connection, done, recommendations.c.tenant == tenant, recommendations.c.user == user
    )
    # 3. Jobs, and blanks with what was sealed to them.
    blanks = _follow_uploads(connection, tenant, gone, done)
    # 4. Consents: of pictures from phones, and of hand-overs.
    given = _handed_over(connection, tenant, _handover.user == user)
    _withdraw(connection, tenant, {*blanks, *given.values()}, order.now_ms, done)
    waiting = _end_handovers(connection, tenant, _handover.user == user, set(given))
    done.handovers += waiting
    # 5. Every way in.
    for table in (api_sessions, device_grants):
        statement = delete(table).where(table.c.tenant == tenant, table.c.user == user)
        done.sessions += int(connection.execute(statement).rowcount)
    _leave_proof(connection, order, done)
    return done


def erase_upload(connection: Connection, order: Order, request: bytes) -> Erased | None:
    """Erase one upload with its recommendation and consent; its emptied ticket says so from now on.

    Returns:
        None where this person has no such upload. A second time nothing is left to do.
    """
    done, tenant = Erased(), order.tenant
    mine = (_upload.tenant == tenant, _upload.request == request, _upload.user == order.user)
    found = connection.execute(
        select(_upload.request, _upload.object_key, _upload.blank, _upload.deleted_at_ms, _upload.state)
        .where(*mine)
        .with_for_update()
    ).all()
    if not found:
        return None
    if found[0].state == UploadState.ERASED.value:
        return done
    done.uploads = 1
    connection.execute(
        update(uploads)
        .where(*mine)
        .values(
            state=UploadState.ERASED.value,
            context={},
            sha256=bytes(32),
            content_length=0,
            fingerprint=None,
            ended_at_ms=order.now_ms,
            problem=None,
            detail=None,
            consent=None,
            blank=None,
        )
    )
    row = recommendations.c
    _erase_recommendations(connection, done, row.tenant == tenant, row.request == request)
    _withdraw(connection, tenant, _follow_uploads(connection, tenant, found, done), order.now_ms, done)
    _leave_proof(connection, order, done)
    return done


def _erase_recommendations(connection: Connection, done: Erased, *where: Any) -> None:
    row = recommendations.c
    counts = select(func.count(), func.count(row.outcome_at_ms)).where(*where)
    recommended, bought = connection.execute(counts).one()
    connection.execute(delete(recommendations).where(*where))
    done.recommendations += recommended
    done.outcomes += bought


def _follow_uploads(connection: Connection, tenant: str, gone: Sequence[Any], done: Erased) -> set[bytes]:
    """What hangs on uploads; returns the consents that they took."""
    requests = [row.request for row in gone]
    done.keys += [row.object_key for row in gone if row.deleted_at_ms is None]
    taken = {bytes(row.blank) for row in gone if row.blank is not None}
    for some in _pieces(requests):
        free = (
            select(jobs.c.job)
            .where(jobs.c.tenant == tenant, jobs.c.job.in_(some))
            .with_for_update(skip_locked=True)
        )
        mine = connection.execute(free).scalars().all()
        connection.execute(delete(jobs).where(jobs.c.tenant == tenant, jobs.c.job.in_(mine)))
        blanks = delete(web_blanks).where(web_blanks.c.tenant == tenant, web_blanks.c.request.in_(some))
        taken |= set(connection.execute(blanks.returning(web_blanks.c.blank)).scalars())
        told = [f"{tenant}/{request.hex()}/{UploadState.ERASED.value}" for request in some]
        notify_all(connection, ANSWERS, told)
    return taken


def _handed_over(connection: Connection, tenant: str, which: Any) -> dict[bytes, bytes]:
    """Hand-over -> the consent that its register made of it, as far as it has come and has not ended."""
    ended = select(withdrawals.c.consent).where(IS_WITHDRAWN)
    statement = (
        select(_handover.handover, consents.c.consent)
        .join(consents, CAME_BY_PHONE)
        .where(_handover.tenant == tenant, which, ~ended.exists())
    )
    return {bytes(handover): bytes(consent) for handover, consent in connection.execute(statement)}


def _end_handovers(connection: Connection, tenant: str, which: Any, come: set[bytes]) -> list[bytes]:
    """Forget hand-overs whose consent came; the others wait for it, without their person."""
    mine = (_handover.tenant == tenant, which)
    rows = connection.execute(select(_handover.handover, _handover.state).where(*mine)).all()
    waiting = [bytes(row.handover) for row in rows if bytes(row.handover) not in come]
    for some in _pieces(sorted(come)):
        connection.execute(delete(handovers).where(*mine, _handover.handover.in_(some)))
    connection.execute(update(handovers).where(*mine).values(state="withdrawn", user=NOBODY))
    return waiting


def _withdraw(
    connection: Connection, tenant: str, ending: Iterable[bytes], now_ms: int, done: Erased
) -> None:
    """As `cloud.privacy.records.Records.withdraw`, for many in the transaction of what they belong to."""
    wanted = sorted(ending)
    lock_to_withdraw(connection, tenant, wanted)
    for consent in wanted:
        row = {
            "tenant": tenant,
            "consent": consent,
            "source": Source.CUSTOMER.value,
            "withdrawn_at_ms": now_ms,
            "received_at_ms": now_ms,
        }
        if _insert_once(connection, withdrawals, row):
            write_audit(
                connection,
                tenant,
                now_ms,
                actor=ACTOR,
                action="consent.ended",
                subject=consent.hex(),
                detail={"source": Source.CUSTOMER.value, "purpose": ""},
            )
        done.consents.append(consent)


def _leave_proof(connection: Connection, order: Order, done: Erased) -> None:
    pending = {
        "consents": [consent.hex() for consent in done.consents],
        "handovers": [one.hex() for one in done.handovers],
    }
    row = {
        "tenant": order.tenant,
        "proof": order.proof,
        "at_ms": order.now_ms,
        "detail": {
            "counts": done.counts(),
            "plaintext_until_ms": order.now_ms + (order.plaintext_ms if done.keys else 0),
        },
        "pending": pending if any(pending.values()) else None,
        "settled": False,
    }
    _insert_once(connection, erasure_proofs, row)


def _insert_once(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    new: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = new(table).values(row).on_conflict_do_nothing().returning(table.c.tenant)
    return connection.execute(statement).first() is not None


def _pieces(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(items)
    while some := list(islice(rest, _CHUNK)):
        yield some
