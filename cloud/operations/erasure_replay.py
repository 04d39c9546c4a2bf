"""Erasures that a restored database knows nothing of: the log in S3 tells it, before anybody serves it."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from sqlalchemy import Connection, insert, select, update

from cloud.database.engine import Database
from cloud.database.schema import withdrawals
from cloud.errors import BackupError
from cloud.objects.ports import ObjectStore
from cloud.privacy.erasure_log import ROOT, LogEntry, log_prefix, parse_entry


def read_log(objects: ObjectStore) -> Iterator[LogEntry]:
    """Every entry of every chain, those of one chain together.

    Raises:
        BackupError: Something in the log cannot be read; an erasure might be forgotten.
        ObjectsAway: The store does not answer.
    """
    for folder in objects.folders(f"{ROOT}/"):
        tenant = folder.rstrip("/").rpartition("/")[2]
        seen = set()
        for version in objects.versions(log_prefix(tenant)):
            try:
                entry = parse_entry(objects.get(version.key, version.version).body)
            except ValueError as error:
                raise BackupError(
                    f"{version.key} of the erasure log cannot be read",
                    remedy="Nothing was restored; look at that object: it says which consent ended.",
                ) from error
            if entry.tenant != tenant:
                raise BackupError(f"{version.key} of the erasure log names another chain")
            if entry.consent not in seen:
                seen.add(entry.consent)
                yield entry


def apply_log(
    database: Database, connection: Connection, entries: Iterable[LogEntry], *, again: bool
) -> dict[str, int]:
    """Mark every logged consent as withdrawn; the keeper then erases it, key and versions, once more.

    Args:
        database: Whose transaction it is.
        connection: Of `Database.system`; the caller commits.
        entries: Of `read_log`.
        again: Also reopen erasures that the rows call finished, because older consent keys came back.

    Returns:
        How many consents the keeper has to erase, by tenant.
    """
    due: dict[str, int] = {}
    for tenant, group in groupby(entries, key=lambda entry: entry.tenant):
        database.enter(connection, tenant)
        statement = select(withdrawals.c.consent, withdrawals.c.versions_deleted_at_ms).where(
            withdrawals.c.tenant == tenant
        )
        known = dict(connection.execute(statement).all())
        for entry in group:
            consent = bytes.fromhex(entry.consent)
            if consent not in known:
                connection.execute(insert(withdrawals).values(_tombstone(entry, consent)))
            elif again:
                connection.execute(
                    update(withdrawals)
                    .where(withdrawals.c.tenant == tenant, withdrawals.c.consent == consent)
                    .values(key_destroyed_at_ms=None, versions_deleted_at_ms=None, versions_deleted=None)
                )
            elif known[consent] is not None:
                continue
            due[tenant] = due.get(tenant, 0) + 1
    return due


def _tombstone(entry: LogEntry, consent: bytes) -> dict[str, object]:
    return {
        "tenant": entry.tenant,
        "consent": consent,
        "source": entry.source,
        "withdrawn_at_ms": entry.received_at_ms,
        "received_at_ms": entry.received_at_ms,
    }
