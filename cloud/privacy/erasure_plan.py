"""What erasing one consent consists of, and the proof that is left of it."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from wire_protocol.identifiers import uuid7

BACKUP_KEPT_MS: Final = 35 * 24 * 3600 * 1000
"""A backup is kept so long at most (docs/privacy.md); keys are in none, so what it holds is ciphertext."""
TELL_AGAIN_MS: Final = 15 * 60 * 1000
"""A register that reports is told again, not more often than this."""
TELL_FOR_MS: Final = 31 * 24 * 3600 * 1000
"""Then its spool has dropped the frame by age."""


class Source(StrEnum):
    """Who ended a consent."""

    REGISTER = "register"
    OPERATOR = "operator"
    CUSTOMER = "customer"
    RETENTION = "retention"


class Step(StrEnum):
    """One thing that was done, in this order; each may be repeated."""

    LOGGED = "logged"  # the erasure log in S3 has it
    KEY_DESTROYED = "key-destroyed"
    KEY_MARKED = "key-marked"  # the row says so
    VERSION_DELETED = "version-deleted"  # once a version
    ERASED = "erased"  # the row says so, and the proof is in the audit log
    TOLD = "told"  # the register


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A row of `withdrawals`."""

    tenant: str
    consent: bytes
    source: Source
    withdrawn_at_ms: int
    received_at_ms: int
    key_destroyed_at_ms: int | None = None
    versions_deleted_at_ms: int | None = None
    versions_deleted: int | None = None
    told_register_at_ms: int | None = None

    @property
    def erased(self) -> bool:
        """Whether key and versions are gone."""
        return self.versions_deleted_at_ms is not None


@dataclass(frozen=True, slots=True)
class Proof:
    """What can be shown of an erasure; nothing in it is about a person.

    Attributes:
        nobody_opens_since_ms: The key was destroyed: no copy anywhere opens from here on.
        online_copies_gone_ms: Every version was deleted from S3.
        last_backup_gone_ms: The last backup that holds a row or ciphertext of it has ended by then.
        versions_deleted: At least so many; a repeated step counts what was left for it.
    """

    tenant: str
    consent: str
    source: str
    received_at_ms: int
    nobody_opens_since_ms: int
    online_copies_gone_ms: int
    last_backup_gone_ms: int
    versions_deleted: int

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def proof_of(row: Withdrawal) -> Proof:
    """The proof of a finished erasure.

    Raises:
        ValueError: It is not finished.
    """
    if row.key_destroyed_at_ms is None or row.versions_deleted_at_ms is None:
        raise ValueError(f"consent {row.consent.hex()} is not erased yet")
    return Proof(
        tenant=row.tenant,
        consent=row.consent.hex(),
        source=row.source.value,
        received_at_ms=row.received_at_ms,
        nobody_opens_since_ms=row.key_destroyed_at_ms,
        online_copies_gone_ms=row.versions_deleted_at_ms,
        last_backup_gone_ms=row.versions_deleted_at_ms + BACKUP_KEPT_MS,
        versions_deleted=row.versions_deleted or 0,
    )


def proof_entry_id(row: Withdrawal) -> bytes:
    """The audit entry's id: the same for one erasure, however often its last step is repeated."""
    digest = hashlib.sha256(b"topscoop/erasure-proof\0" + row.tenant.encode() + b"\0" + row.consent).digest()
    return uuid7(row.received_at_ms, digest[:10]).bytes


def whose_versions(
    consent: bytes, versions: Iterable[str], rows: Mapping[str, bytes]
) -> tuple[list[str], list[str]]:
    """Sort the versions of one object: those of this consent, and those that only their bytes can tell.

    Args:
        consent: That ends.
        versions: All that S3 lists for the object's key.
        rows: Version -> consent, of the frames that are stored under this key.
    """
    listed = list(versions)
    ours = [version for version in listed if rows.get(version) == consent]
    unknown = [version for version in listed if version not in rows]
    return ours, unknown
