"""Sessions in the database: any instance of the console knows them, and ending one ends it everywhere."""

import secrets
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import delete, insert, or_, select, update

from cloud.console.adapters.operators import Operator
from cloud.console.cookies import SECRET_BYTES, SessionCookie, new_cookie, parse_cookie
from cloud.console.values import Visit
from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.schema import console_sessions, operators, rollout_policies, tenants
from cloud.identity.encoding import base64url
from cloud.identity.values import Identity
from cloud.principal import Principal, Role

SEEN_EVERY_MS: Final = 60_000
"""How exactly the time of the newest request is kept: not every request writes."""
_ROW = console_sessions.c
_POLICY: Final = tuple(
    rollout_policies.c[f"{what}_{part}"]
    for what in ("frozen", "stopped")
    for part in ("at_ms", "by", "reason")
)


class Sessions:
    """Opens, finds and ends sessions.

    Args:
        database: Of the cloud.
        life_ms: From login to the end, whatever is done meanwhile.
        idle_ms: From the newest request to the end.
        now_ms: The clock.
    """

    def __init__(self, database: Database, life_ms: int, idle_ms: int, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._life_ms = life_ms
        self._idle_ms = idle_ms
        self._now_ms = now_ms

    def open(self, operator: Operator, *, instead_of: str | None = None) -> SessionCookie:
        """A new session with a new id, whatever the browser held before (no fixation).

        Args:
            operator: Who has just proved to be it.
            instead_of: The cookie that the browser sent; its session ends.

        Raises:
            DatabaseAway: The database does not answer.
        """
        now_ms = self._now_ms()
        if instead_of:
            self.close(instead_of)
        cookie = new_cookie(operator.tenant, secrets.token_bytes(SECRET_BYTES))
        with self._database.tenant(operator.tenant) as connection:
            connection.execute(
                delete(console_sessions).where(
                    _ROW.tenant == operator.tenant,
                    or_(_ROW.ends_at_ms <= now_ms, _ROW.seen_at_ms <= now_ms - self._idle_ms),
                )
            )
            connection.execute(
                insert(console_sessions).values(
                    tenant=operator.tenant,
                    session=cookie.session,
                    operator=operator.operator,
                    csrf=secrets.token_bytes(32),
                    created_at_ms=now_ms,
                    seen_at_ms=now_ms,
                    ends_at_ms=now_ms + self._life_ms,
                )
            )
            write_audit(
                connection,
                operator.tenant,
                now_ms,
                actor=f"operator:{operator.name}",
                action="operator.logged_in",
                subject=operator.operator.hex(),
            )
        return cookie

    def find(self, text: str, *, touch: bool = True) -> Visit | None:
        """Whose cookie this is; None where the session has ended or never was, or the operator was removed.

        Args:
            text: The cookie, as the browser sent it.
            touch: Somebody is there: the idle time begins anew. A live page by itself is nobody.

        Raises:
            DatabaseAway: The database does not answer.
        """
        cookie = parse_cookie(text)
        if cookie is None:
            return None
        now_ms = self._now_ms()
        statement = (
            select(_ROW.csrf, _ROW.seen_at_ms, operators.c.operator, operators.c.name, operators.c.role)
            .add_columns(tenants.c.name.label("chain"), *_POLICY)
            .join(
                operators,
                (operators.c.tenant == _ROW.tenant) & (operators.c.operator == _ROW.operator),
            )
            .join(tenants, tenants.c.tenant == _ROW.tenant)
            .outerjoin(rollout_policies, rollout_policies.c.tenant == _ROW.tenant)
            .where(
                _ROW.tenant == cookie.tenant,
                _ROW.session == cookie.session,
                _ROW.ends_at_ms > now_ms,
                _ROW.seen_at_ms > now_ms - self._idle_ms,
                operators.c.removed_at_ms.is_(None),
            )
        )
        with self._database.tenant(cookie.tenant, read_only=True) as connection:
            row = connection.execute(statement).first()
        if row is None:
            return None
        if touch and now_ms - row.seen_at_ms >= SEEN_EVERY_MS:
            self._saw(cookie, now_ms)
        principal = Principal(cookie.tenant, row.operator, row.name, Role(row.role))
        return Visit(principal, cookie.session, base64url(row.csrf), row.chain, *_alarms(row))

    def identity(self, visit: Visit) -> Identity:
        """What the identity provider calls this session's operator.

        Raises:
            DatabaseAway: The database does not answer.
        """
        tenant = visit.principal.tenant
        statement = select(operators.c.issuer, operators.c.subject, operators.c.name).where(
            operators.c.tenant == tenant, operators.c.operator == visit.principal.operator
        )
        with self._database.tenant(tenant, read_only=True) as connection:
            return Identity(*connection.execute(statement).one())

    def close(self, text: str) -> None:
        """End a session; one that is gone stays gone.

        Raises:
            DatabaseAway: The database does not answer.
        """
        cookie = parse_cookie(text)
        if cookie is not None:
            with self._database.tenant(cookie.tenant) as connection:
                connection.execute(
                    delete(console_sessions).where(
                        _ROW.tenant == cookie.tenant, _ROW.session == cookie.session
                    )
                )

    def _saw(self, cookie: SessionCookie, now_ms: int) -> None:
        with self._database.tenant(cookie.tenant) as connection:
            connection.execute(
                update(console_sessions)
                .where(_ROW.tenant == cookie.tenant, _ROW.session == cookie.session)
                .values(seen_at_ms=now_ms)
            )


def _alarms(row: Any) -> tuple[str | None, str | None]:
    """Who froze, and who stopped, all of the chain's rollouts, and why: every page says so."""
    return (
        None if row.frozen_at_ms is None else f"{row.frozen_by}: {row.frozen_reason}",
        None if row.stopped_at_ms is None else f"{row.stopped_by}: {row.stopped_reason}",
    )
