"""What the keeper does about people's own erasures beside erasing consents: late ones, proofs, the log."""

from collections.abc import Callable

from cloud.database.engine import Database
from cloud.objects.ports import ObjectMissing, ObjectStore, StoreRefused
from cloud.privacy.blank_issue import DAY_MS
from cloud.privacy.erasure_plan import BACKUP_KEPT_MS, Source
from cloud.privacy.keeper import BATCH
from cloud.privacy.person_log import log_prefix, parse_entry
from cloud.privacy.person_records import forget_handovers, is_waiting, late_consents, settle_proofs
from cloud.privacy.records import Records

LOG_KEPT_MS = BACKUP_KEPT_MS + DAY_MS
"""No backup is left then that an entry of the log would have to correct."""


class PersonCare:
    """Every method may be called again, by this keeper or another one, after dying anywhere in it.

    Args:
        database: The cloud's.
        objects: The bucket with the log.
        clock: Milliseconds since 1970.
    """

    def __init__(self, database: Database, objects: ObjectStore, clock: Callable[[], int]) -> None:
        self._database = database
        self._records = Records(database)
        self._objects = objects
        self._clock = clock

    def erasures(self, tenant: str) -> int:
        """End consents that came after their hand-over was taken back, and settle proofs; how many.

        Raises:
            DatabaseAway: It is done again.
        """
        now_ms = self._clock()
        with self._database.tenant(tenant, read_only=True) as connection:
            if not is_waiting(connection, tenant):
                return 0  # nearly always: no reason to make writers wait
            late = late_consents(connection, tenant, BATCH)
        for consent in late:
            self._records.withdraw(tenant, consent, Source.CUSTOMER, now_ms, actor="customer")
        with self._database.tenant(tenant) as connection:
            forget_handovers(connection, tenant, now_ms)
            return len(late) + settle_proofs(connection, tenant, now_ms, BATCH)

    def log(self, tenant: str) -> int:
        """End entries of the log that no backup needs any more; how many.

        Raises:
            ObjectsAway: It is done again.
            StoreRefused: An entry cannot be read; a person has to look.
        """
        before_ms = self._clock() - LOG_KEPT_MS
        ended = 0
        for version in self._objects.versions(log_prefix(tenant)):
            if version.stored_at_ms >= before_ms:
                continue  # stored when it was made: nothing is read before its time
            try:
                entry = parse_entry(self._objects.get(version.key, version.version).body)
            except ObjectMissing:
                continue
            except ValueError as error:
                raise StoreRefused(
                    f"{version.key} of the erasure log cannot be read",
                    remedy="Look at that object: a restore stops there.",
                ) from error
            if entry.at_ms < before_ms:
                self._objects.delete(version.key, version.version)
                ended += 1
        return ended
