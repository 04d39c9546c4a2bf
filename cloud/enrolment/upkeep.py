"""What the enrolment service sees to beside its requests: certificates, revoked ones, rights, alarms."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cloud.broker.configuration import copy_certificates
from cloud.broker.ports import BrokerRights
from cloud.database.engine import Database
from cloud.enrolment import register_rows
from cloud.enrolment.expiry import Alarm, Ending, Expiring, Urgency, alarms
from cloud.enrolment.pki_folder import REVOCATION_LIST, SERVER, PkiFolder
from cloud.enrolment.registers import all_enrolled, all_revoked
from daemon.log_fields import fields

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one round found.

    Attributes:
        endings: Everything that expires.
        alarms: Those that end within 30 days.
        server_renewed: The server's certificate is a new one: load it.
    """

    endings: Sequence[Ending]
    alarms: Sequence[Alarm]
    server_renewed: bool


@dataclass(slots=True)
class Upkeep:
    """One round after the other; a round that fails is as if it had not been.

    Args:
        broker_folder: The broker's configuration, where it lies on this machine.
        hosts: Of the server's certificate.
    """

    database: Database
    pki: PkiFolder
    broker: BrokerRights
    broker_folder: Path
    hosts: Sequence[str]
    _told: dict[tuple[Expiring, str], Urgency] = field(default_factory=dict)

    def keep_certificates(self, now_ms: int) -> Seen:
        """Renew what is due, write the list of revoked registers where it changed, raise alarms.

        Raises:
            DatabaseAway: The database does not answer.
            PkiError: The folder cannot be read or written.
        """
        written = self.pki.prepare(self.hosts, now_ms)
        if self._list_revoked(now_ms):
            written.append(REVOCATION_LIST)
        if self.broker_folder.exists():
            copy_certificates(self.broker_folder, self.pki)
        for name in written:
            log.info("certificate.written", extra=fields(file=name))
        endings = [*self.pki.endings(), *self._registers()]
        found = alarms(endings, now_ms)
        self._tell(found)
        return Seen(endings, found, f"{SERVER}.crt" in written)

    def keep_rights(self) -> None:
        """Make the broker's rights those of the database.

        Raises:
            BrokerAway, BrokerRefused: As `BrokerRights`.
            DatabaseAway: The database does not answer.
        """
        enrolled = all_enrolled(self.database)
        while True:
            for change in self.broker.sync(enrolled).changes:
                log.info("rights.changed", extra=fields(change=change))
            before, enrolled = enrolled, all_enrolled(self.database)
            # Who was let in or put out meanwhile has the rights of before: compare once more.
            if enrolled == before:
                return

    def _list_revoked(self, now_ms: int) -> bool:
        """Write the list where it is not what the database says; whether it was written."""
        written = False
        while True:
            # The file first: what it says was in the database before, so a list is never made shorter
            # by a reading from before a revocation. And once more after writing, for the same reason.
            listed = self.pki.revoked_serials()
            revoked = all_revoked(self.database, now_ms)
            if {serial for serial, _ in revoked} == listed:
                return written
            self.pki.write_revocation_list(revoked, now_ms)
            written = True

    def _registers(self) -> list[Ending]:
        found = []
        for tenant in self.database.tenants():
            with self.database.tenant(tenant, read_only=True) as connection:
                for name, life in register_rows.newest_certificates(connection, tenant):
                    place = f"{tenant}/{name}"
                    found.append(Ending(Expiring.REGISTER, place, life.not_before_ms, life.not_after_ms))
        return found

    def _tell(self, found: Sequence[Alarm]) -> None:
        """Log each alarm once for each degree of urgency."""
        now = {(alarm.kind, alarm.name): alarm.urgency for alarm in found}
        for alarm in found:
            if self._told.get((alarm.kind, alarm.name)) is not alarm.urgency:
                level = logging.WARNING if alarm.urgency in {Urgency.SOON, Urgency.NEAR} else logging.ERROR
                log.log(
                    level,
                    "certificate.ending",
                    extra=fields(
                        kind=str(alarm.kind),
                        name=alarm.name,
                        urgency=str(alarm.urgency),
                        days_left=alarm.days_left,
                    ),
                )
        self._told = now
