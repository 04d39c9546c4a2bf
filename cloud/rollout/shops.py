"""Shops and groups of registers: what plans refer to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.database.schema import register_groups, registers, stores
from cloud.database.tenancy import read_tenant
from cloud.database.tills import IS_TILL
from cloud.errors import UnknownTenant
from cloud.rollout.desk_rows import insert_once
from cloud.rollout.errors import PlanError
from cloud.rollout.plan_values import windows_from, windows_to
from cloud.rollout.rows import read_groups, store_clock
from cloud.rollout.values import Window
from wire_protocol.identifiers import is_name

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OPEN: Final = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?:(\d\d:\d\d)-(\d\d:\d\d)\Z")
_NAME_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Shop:
    """A store as rollouts see it."""

    store: str
    name: str
    timezone: str
    opening: tuple[Window, ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        opening = windows_to(self.opening)
        return {"store": self.store, "name": self.name, "timezone": self.timezone, "opening": opening}

    def words(self) -> str:
        """One line."""
        hours = ", ".join(
            f"{'/'.join(_DAYS[day] for day in one['days'])} {one['from']}-{one['to']}"
            for one in windows_to(self.opening)
        )
        return f"{self.store:<32}  {self.name}, {self.timezone}, {hours or 'hours not known'}"


def opening_from(texts: Sequence[str]) -> tuple[Window, ...]:
    """Hours as people type them: `mon-fri:09:00-19:30`, `sun:10:00-18:00`. Raises PlanError."""
    values, problems = [], []
    for text in texts:
        match = _OPEN.match(text.lower())
        first, last = (match[1], match[2] or match[1]) if match else ("", "")
        if match is None or first not in _DAYS or last not in _DAYS:
            problems.append(f"{text[:60]!r} is no time such as mon-fri:09:00-19:30")
            continue
        start, end = _DAYS.index(first), _DAYS.index(last)
        days = [day % 7 for day in range(start, (end if end >= start else end + 7) + 1)]
        values.append({"days": days, "from": match[3], "to": match[4]})
    if problems:
        raise PlanError(tuple(problems))
    return windows_from(values, "opening")


def set_store(
    database: Database,
    tenant: str,
    store: str,
    *,
    name: str | None,
    timezone: str | None,
    opening: tuple[Window, ...] | None,
    actor: str,
    now_ms: int,
) -> Shop:
    """Describe a shop; what is None stays as it was.

    Raises:
        UnknownTenant: No such chain.
        PlanError: The store's name or time zone cannot be, or the time zone is missing the first time.
    """
    problems = []
    if not is_name(store):
        problems.append(f"{store[:40]!r} cannot be the id of a store: 1 to 32 of a-z, 0-9, inner hyphens")
    if name is not None and not (0 < len(name) <= _NAME_MAX and name.isprintable()):
        problems.append(f"a name has 1 to {_NAME_MAX} printable characters")
    if timezone is not None and store_clock(timezone, [], now_ms) is None:
        problems.append(f"{timezone[:60]!r} is no time zone such as Europe/Rome")
    if problems:
        raise PlanError(tuple(problems))
    with database.tenant(tenant) as connection:
        _check_tenant(connection, tenant)
        before = _read_store(connection, tenant, store)
        if before is None and timezone is None:
            raise PlanError((f"the time zone of {store} is not known yet: give --timezone",))
        shop = Shop(
            store,
            name or (before.name if before else store),
            timezone or (before.timezone if before else ""),
            opening if opening is not None else (before.opening if before else ()),
        )
        values = {"name": shop.name, "timezone": shop.timezone, "opening": windows_to(shop.opening)}
        insert_once(connection, stores, {"tenant": tenant, "store": store, **values})
        connection.execute(
            update(stores).where(stores.c.tenant == tenant, stores.c.store == store).values(values)
        )
        write_audit(connection, tenant, now_ms, actor=actor, action="store.set", subject=store, detail=values)
    return shop


def list_stores(database: Database, tenant: str) -> list[Shop]:
    """Every shop that was described. Raises UnknownTenant."""
    with database.tenant(tenant, read_only=True) as connection:
        _check_tenant(connection, tenant)
        found = select(stores).where(stores.c.tenant == tenant).order_by(stores.c.store)
        return [_shop(row) for row in connection.execute(found)]


def set_group(
    database: Database, tenant: str, group: str, names: Sequence[str], *, actor: str, now_ms: int
) -> list[str]:
    """Say which registers are in a group, all of them; none deletes it. Returns them, sorted.

    Raises:
        UnknownTenant: No such chain.
        PlanError: The group's name cannot be, or a register is not the chain's.
    """
    wanted = sorted(set(names))
    with database.tenant(tenant) as connection:
        _check_tenant(connection, tenant)
        known = set(
            connection.execute(
                select(registers.c.register).where(registers.c.tenant == tenant, IS_TILL)
            ).scalars()
        )
        problems = [f"there is no register {name[:40]!r} in {tenant}" for name in wanted if name not in known]
        if not is_name(group):
            problems.append(f"{group[:40]!r} cannot be a group's name: 1 to 32 of a-z, 0-9, inner hyphens")
        if problems:
            raise PlanError(tuple(problems))
        mine = (register_groups.c.tenant == tenant, register_groups.c.group == group)
        connection.execute(delete(register_groups).where(*mine))
        if wanted:
            rows = [{"tenant": tenant, "group": group, "register": name} for name in wanted]
            connection.execute(insert(register_groups), rows)
        detail = {"registers": wanted[:100], "count": len(wanted)}
        write_audit(connection, tenant, now_ms, actor=actor, action="group.set", subject=group, detail=detail)
    return wanted


def list_groups(database: Database, tenant: str) -> dict[str, list[str]]:
    """Every group with its registers. Raises UnknownTenant."""
    with database.tenant(tenant, read_only=True) as connection:
        _check_tenant(connection, tenant)
        groups = read_groups(connection, tenant)
    return {name: sorted(groups[name]) for name in sorted(groups)}


def _check_tenant(connection: Connection, tenant: str) -> None:
    if read_tenant(connection, tenant) is None:
        raise UnknownTenant(
            f"there is no chain {tenant!r}", remedy="`topscoop cloud tenant list` shows them."
        )


def _read_store(connection: Connection, tenant: str, store: str) -> Shop | None:
    row = connection.execute(select(stores).where(stores.c.tenant == tenant, stores.c.store == store)).first()
    return None if row is None else _shop(row)


def _shop(row: Any) -> Shop:
    return Shop(row.store, row.name, row.timezone, windows_from(row.opening, "opening"))
