"""The public API's people after a restore: what they erased is erased again, what nobody answers for ends."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, case, delete, exists, false, insert, select, update

from cloud.database.consent_ties import IS_WITHDRAWN
from cloud.database.engine import Database
from cloud.database.schema import (
    api_sessions,
    consents,
    device_grants,
    handovers,
    jobs,
    recommendations,
    uploads,
    web_blanks,
    withdrawals,
)
from cloud.database.tills import PUBLIC_API
from cloud.errors import BackupError
from cloud.intake.values import UploadState
from cloud.objects.ports import ObjectStore
from cloud.privacy.erasure_plan import Source
from cloud.privacy.person_log import ROOT, PersonEntry, log_prefix, parse_entry, person_digest
from cloud.public_api.adapters.erasing import Order, erase_person, erase_upload
from wire_protocol.consent import Method

_MARGIN_MS: Final = 600_000
"""So long an erasure takes at most, from its entry in the log to its rows."""


def read_people(objects: ObjectStore) -> Iterator[PersonEntry]:
    """Every entry of every chain, those of one chain together.

    Raises:
        BackupError: Something in the log cannot be read; an erasure might be forgotten.
        ObjectsAway: The store does not answer.
    """
    for folder in objects.folders(f"{ROOT}/"):
        tenant = folder.rstrip("/").rpartition("/")[2]
        for version in objects.versions(log_prefix(tenant)):
            try:
                entry = parse_entry(objects.get(version.key, version.version).body)
            except ValueError as error:
                raise BackupError(
                    f"{version.key} of the erasure log cannot be read",
                    remedy="Nothing was restored; look at that object: it says whose data were erased.",
                ) from error
            if entry.tenant != tenant:
                raise BackupError(f"{version.key} of the erasure log names another chain")
            yield entry


def apply_people(
    database: Database, connection: Connection, entries: Iterable[PersonEntry], backup_made_at_ms: int
) -> int:
    """Erase again what was erased after the backup; how many erasures had rows in it.

    Args:
        database: Whose transaction it is.
        connection: Of `Database.system`; the caller commits.
        entries: Of `read_people`.
        backup_made_at_ms: What was erased before it is not in it; who came back meanwhile stays.
    """
    later = [entry for entry in entries if entry.at_ms >= backup_made_at_ms - _MARGIN_MS]
    found = 0
    for tenant, group in groupby(later, key=lambda entry: entry.tenant):
        database.enter(connection, tenant)
        found += sum(_erase(connection, entry) for entry in group)
    return found


def forget_ways_in(connection: Connection, tenant: str, now_ms: int) -> None:
    """Everybody logs in again; no URL of before is good, no blank that may have been taken since.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        now_ms: Now.
    """
    for table in (api_sessions, device_grants, web_blanks, jobs):
        connection.execute(delete(table).where(table.c.tenant == tenant))
    row = uploads.c
    connection.execute(
        update(uploads)
        .where(row.tenant == tenant, row.state.in_([UploadState.ISSUED.value, UploadState.ARRIVED.value]))
        .values(state=UploadState.EXPIRED.value, ended_at_ms=now_ms)
    )


def end_ownerless(connection: Connection, tenant: str, now_ms: int) -> int:
    """Give pictures that were kept after the backup back to their uploads, and end those that have none.

    Without its upload, or the answer to its register's code, nobody could take such a picture's consent back.
    How many were ended.
    """
    row = uploads.c
    connection.execute(
        update(uploads)
        .where(
            row.tenant == tenant,
            row.blank.is_(None),
            row.state != UploadState.ERASED.value,
            exists().where(
                consents.c.tenant == row.tenant,
                consents.c.register == PUBLIC_API,
                consents.c.interaction == row.request,
            ),
        )
        .values(
            blank=select(consents.c.consent)
            .where(
                consents.c.tenant == row.tenant,
                consents.c.register == PUBLIC_API,
                consents.c.interaction == row.request,
            )
            .scalar_subquery()
        )
    )
    uploaded = exists().where(row.tenant == consents.c.tenant, row.blank == consents.c.consent)
    answered = exists().where(
        handovers.c.tenant == consents.c.tenant,
        handovers.c.register == consents.c.register,
        handovers.c.interaction == consents.c.interaction,
    )
    ownerless_now = case(
        (consents.c.register == PUBLIC_API, ~uploaded),
        (consents.c.method == Method.PHONE.value, ~answered),
        else_=false(),
    )
    ended = exists().where(IS_WITHDRAWN)
    statement = select(consents.c.consent).where(consents.c.tenant == tenant, ownerless_now, ~ended)
    ownerless = connection.execute(statement).scalars().all()
    for consent in ownerless:
        connection.execute(
            insert(withdrawals).values(
                tenant=tenant,
                consent=consent,
                source=Source.OPERATOR.value,
                withdrawn_at_ms=now_ms,
                received_at_ms=now_ms,
            )
        )
    return len(ownerless)


def _erase(connection: Connection, entry: PersonEntry) -> bool:
    proof = bytes.fromhex(entry.proof)
    if entry.upload is not None:
        request = bytes.fromhex(entry.upload)
        owner = select(uploads.c.user).where(uploads.c.tenant == entry.tenant, uploads.c.request == request)
        user = connection.execute(owner).scalar()
        if user is None:
            return False
        erase_upload(connection, Order(entry.tenant, bytes(user), proof, entry.at_ms, 0), request)
        return True
    users = [
        user for user in _users(connection, entry.tenant) if person_digest(entry.tenant, user) == entry.person
    ]
    for user in users:
        erase_person(connection, Order(entry.tenant, user, proof, entry.at_ms, 0))
    return bool(users)


def _users(connection: Connection, tenant: str) -> Sequence[bytes]:
    found: set[bytes] = set()
    for table in (uploads, recommendations, handovers):
        statement = select(table.c.user).where(table.c.tenant == tenant).distinct()
        found |= {bytes(user) for user in connection.execute(statement).scalars()}
    return sorted(found)
