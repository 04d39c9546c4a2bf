"""Erasing consents: log, key, versions, proof, register; every step may be repeated after a crash.

The order is the point. The log in S3 comes first, so that no restore can undo what follows. The key comes
before the versions, so that from then on no copy opens, also one that is on its way.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, Protocol

from cloud.objects.ports import ObjectMissing, ObjectStore
from cloud.privacy.erasure_log import LogEntry, entry_bytes, entry_key
from cloud.privacy.erasure_plan import Proof, Step, Withdrawal, whose_versions
from cloud.privacy.frame_object import consent_named_by
from cloud.privacy.ports import KeyVault
from daemon.log_fields import fields
from wire_protocol.topics import Identity

log = logging.getLogger(__name__)

LOG_TAGS: Final = {"retention": "erasure-log"}
"""The life cycle of S3 leaves these objects alone."""


class ErasureRecords(Protocol):
    """What erasing asks of the database; `cloud.privacy.records.Records` is the real one."""

    def mark_key_destroyed(self, tenant: str, consent: bytes, now_ms: int) -> None:
        """The first time counts."""

    def object_keys(self, tenant: str, consent: bytes) -> Sequence[str]:
        """Where frames of the consent lie."""

    def versions_of(self, tenant: str, key: str) -> Mapping[str, bytes]:
        """Version -> consent."""

    def mark_erased(self, tenant: str, consent: bytes, versions_deleted: int, now_ms: int) -> Proof:
        """With the proof."""


class Eraser:
    """Carries out what rows of `withdrawals` ask for.

    Args:
        records: Of the database.
        vault: Of the keys.
        objects: The bucket of frames.
        clock: Milliseconds since 1970.
    """

    def __init__(
        self,
        records: ErasureRecords,
        vault: KeyVault,
        objects: ObjectStore,
        clock: Callable[[], int],
    ) -> None:
        self._records = records
        self._vault = vault
        self._objects = objects
        self._clock = clock

    def erase(self, tenant: str, rows: Sequence[Withdrawal]) -> Iterator[tuple[Step, bytes]]:
        """Erase these consents of one tenant; yields each step after it was done.

        Who stops iterating, or dies, between two steps starts again with the rows as they are then.

        Raises:
            TopscoopError: A store is away; nothing that was yielded is undone.
        """
        keys_due = [row for row in rows if row.key_destroyed_at_ms is None]
        # 1. The log, before anything is destroyed.
        for row in keys_due:
            self._write_log(row)
            yield Step.LOGGED, row.consent
        # 2. The keys, all at once: making them vanish from the files costs the same for one and for many.
        if keys_due:
            self._vault.destroy(tenant, [row.consent for row in keys_due])
        for row in keys_due:
            yield Step.KEY_DESTROYED, row.consent
            self._records.mark_key_destroyed(tenant, row.consent, self._clock())
            log.info("consent.key_destroyed", extra=fields(tenant=tenant))
            yield Step.KEY_MARKED, row.consent
        # 3. Every version, then the row and the proof.
        for row in rows:
            if row.erased:
                continue
            deleted = 0
            for key, version in self._versions(row):
                self._objects.delete(key, version)
                deleted += 1
                yield Step.VERSION_DELETED, row.consent
            self._records.mark_erased(tenant, row.consent, deleted, self._clock())
            log.info("consent.erased", extra=fields(tenant=tenant, versions=deleted))
            yield Step.ERASED, row.consent

    def _write_log(self, row: Withdrawal) -> None:
        entry = LogEntry(row.tenant, row.consent.hex(), row.source.value, row.received_at_ms)
        key = entry_key(entry)
        if not any(version.key == key for version in self._objects.versions(key)):
            self._objects.put(key, entry_bytes(entry), {}, LOG_TAGS)

    def _versions(self, row: Withdrawal) -> Iterator[tuple[str, str]]:
        """Key and version of all that lies under the consent, rows or not."""
        for key in self._records.object_keys(row.tenant, row.consent):
            listed = [found.version for found in self._objects.versions(key) if found.key == key]
            known = self._records.versions_of(row.tenant, key)
            ours, unknown = whose_versions(row.consent, listed, known)
            yield from ((key, version) for version in ours)
            # A version without a row was put a moment ago, or its collector died. Its bytes say whose it is;
            # one of another consent is left to that consent's collector, or to the sweeper.
            for version in unknown:
                try:
                    body = self._objects.get(key, version).body
                except ObjectMissing:
                    continue
                if consent_named_by(body) == row.consent:
                    yield key, version


def identities_of(told: Sequence[tuple[str, Withdrawal]]) -> Iterator[tuple[Identity, list[Withdrawal]]]:
    """Withdrawals by the register that must be told of them."""
    by_register = sorted(told, key=lambda pair: (pair[1].tenant, pair[0]))
    for (tenant, register), pairs in groupby(by_register, key=lambda pair: (pair[1].tenant, pair[0])):
        yield Identity(tenant, register), [row for _, row in pairs]
