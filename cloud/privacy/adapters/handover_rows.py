"""The keeper's statements about yeses from phones, and about what registers ask; one transaction each."""

from typing import Any

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.consent_ties import CAME_BY_PHONE, IS_WITHDRAWN
from cloud.database.engine import Database
from cloud.database.schema import consents, handovers, register_notices
from cloud.privacy.handover_values import NOTICES_MAX, GivenState, PendingHandover
from wire_protocol.notices import Notice
from wire_protocol.purposes import Purpose
from wire_protocol.topics import Identity

_row = handovers.c


class HandoverRows:
    """Rows of `handovers` and `register_notices`; each method raises DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_notice(self, register: Identity, notice: Notice, now_ms: int) -> None:
        """A register shows this text; the oldest go where it has said too many."""
        dialect: Any = sqlite if self._database.is_sqlite else postgresql
        table, row = register_notices, register_notices.c
        add = dialect.insert(table).values(
            tenant=register.tenant,
            register=register.register,
            language=notice.language,
            sha256=notice.sha256,
            text=notice.text,
            purposes=list(notice.purposes),
            valid_days=notice.valid_days,
            heard_at_ms=now_ms,
        )
        again = add.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={
                "purposes": add.excluded.purposes,
                "valid_days": add.excluded.valid_days,
                "heard_at_ms": add.excluded.heard_at_ms,
            },
        )
        of_register = and_(row.tenant == register.tenant, row.register == register.register)
        oldest = (
            select(row.language, row.sha256)
            .where(of_register)
            .order_by(row.heard_at_ms.desc(), row.sha256)
            .offset(NOTICES_MAX)
        )
        with self._database.tenant(register.tenant) as connection:
            connection.execute(again)
            for language, sha256 in connection.execute(oldest).all():
                connection.execute(
                    delete(table).where(of_register, row.language == language, row.sha256 == sha256)
                )

    def pending(self, tenant: str, now_ms: int, *, sent_until_ms: int, limit: int) -> list[PendingHandover]:
        """Yeses whose codes are not over, whose consents have not come, and that were not sent lately."""
        found = (
            select(handovers)
            .where(
                _row.tenant == tenant,
                _row.state.in_([GivenState.GIVEN.value, GivenState.SENT.value]),
                _row.expires_at_ms > now_ms,
                or_(_row.sent_at_ms.is_(None), _row.sent_at_ms <= sent_until_ms),
                ~exists().where(CAME_BY_PHONE),
            )
            .order_by(_row.granted_at_ms)
            .limit(limit)
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return [
                PendingHandover(
                    handover=row.handover,
                    register=row.register,
                    interaction=row.interaction,
                    purposes=tuple(Purpose(purpose) for purpose in row.purposes),
                    notice=row.notice,
                    language=row.language,
                    granted_at_ms=row.granted_at_ms,
                    expires_at_ms=row.expires_at_ms,
                )
                for row in connection.execute(found)
            ]

    def claim(self, tenant: str, handover: bytes, now_ms: int, *, sent_until_ms: int) -> bool:
        """Write down that it is sent now; False where another keeper does, or its person took it back."""
        mark = (
            update(handovers)
            .where(
                _row.tenant == tenant,
                _row.handover == handover,
                _row.state.in_([GivenState.GIVEN.value, GivenState.SENT.value]),
                or_(_row.sent_at_ms.is_(None), _row.sent_at_ms <= sent_until_ms),
            )
            .values(state=GivenState.SENT.value, sent_at_ms=now_ms)
            .returning(_row.handover)
        )
        with self._database.tenant(tenant) as connection:
            return connection.execute(mark).first() is not None

    def taken_back(self, tenant: str, consent: bytes) -> bool:
        """Whether a consent's person has taken the yes back on the phone."""
        found = (
            select(_row.handover)
            .join(consents, CAME_BY_PHONE)
            .where(
                _row.tenant == tenant,
                consents.c.consent == consent,
                _row.state == GivenState.WITHDRAWN.value,
            )
            .limit(1)
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return connection.execute(found).first() is not None

    def forget(self, tenant: str, over_until_ms: int, limit: int) -> int:
        """Delete yeses whose codes were over by then and that have no live consent; how many.

        Those that were taken back are `cloud.privacy.person_records`' business.
        """
        live = exists().where(CAME_BY_PHONE, ~exists().where(IS_WITHDRAWN))
        oldest = (
            select(_row.handover)
            .where(
                _row.tenant == tenant,
                _row.state.in_([GivenState.GIVEN.value, GivenState.SENT.value]),
                _row.expires_at_ms <= over_until_ms,
                ~live,
            )
            .limit(limit)
        )
        gone = delete(handovers).where(_row.tenant == tenant, _row.handover.in_(oldest))
        with self._database.tenant(tenant) as connection:
            return int(connection.execute(gone).rowcount)
