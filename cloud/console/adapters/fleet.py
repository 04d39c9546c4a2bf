"""Reads the fleet: four statements a page at most, whatever the size of the fleet."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, case, false, func, literal, null, or_, select

from cloud.console.views.attention import (
    BLANKS_FEW,
    CERTIFICATE_WARN_MS,
    SILENT_AFTER_MS,
    SPOOL_MANY,
)
from cloud.console.views.fleet import (
    ANY,
    PAGE,
    TEXT_SORTS,
    Attention,
    FleetCounts,
    FleetPage,
    FleetQuery,
    FleetRow,
    Place,
    Presence,
    Sort,
)
from cloud.database.schema import desired_states, register_health, registers, releases
from cloud.database.tills import IS_TILL
from cloud.principal import Principal
from wire_protocol.fleet_messages import UpdateState

_REG: Final = registers.c
_HEALTH: Final = register_health.c
_DESIRED: Final = desired_states.c
_SAME_HEALTH: Final = and_(_HEALTH.tenant == _REG.tenant, _HEALTH.register == _REG.register)
_SAME_DESIRED: Final = and_(_DESIRED.tenant == _REG.tenant, _DESIRED.register == _REG.register)
_REPORTED: Final = registers.outerjoin(register_health, _SAME_HEALTH)
JOINED: Final = _REPORTED.outerjoin(desired_states, _SAME_DESIRED)
_ENROLLED: Final = _REG.state == "enrolled"
CHUNK: Final = 1000
"""Rows of a transaction of a download."""

# What is not known sorts before everything that is.
_SORTS: Final[dict[Sort, ColumnElement[Any]]] = {
    Sort.REGISTER: _REG.register,
    Sort.STORE: _REG.store,
    Sort.SEEN: func.coalesce(_HEALTH.received_at_ms, -1),
    Sort.MODEL: func.coalesce(_HEALTH.running_release, -1),
    Sort.P99: func.coalesce(_HEALTH.p99_ms, -1.0),
    Sort.SPOOL: func.coalesce(_HEALTH.spooled_messages, -1),
    Sort.BLANKS: func.coalesce(_HEALTH.blanks_left, -1),
    Sort.CERTIFICATE: func.coalesce(_HEALTH.certificate_until_ms, -1),
}


def read_fleet(
    connection: Connection, principal: Principal, query: FleetQuery, now_ms: int, counts: FleetCounts
) -> FleetPage:
    """One page of a chain's registers; `counts` are of the whole chain, and may be a moment old."""
    tenant = principal.tenant
    budgets = _budgets(connection, tenant)
    # One row more than is shown tells whether there is a next page.
    found = [_row(*one, budgets) for one in _page(connection, tenant, query, now_ms, PAGE + 1)]
    more, found = len(found) > PAGE, found[:PAGE]
    backwards = query.before is not None
    if backwards:
        found.reverse()
    matching = counts.registers
    if query.narrowed() or query.store:
        matching = connection.execute(_narrowed(select(func.count()), tenant, query, now_ms)).scalar_one()
    earlier = found and (more if backwards else query.after is not None)
    later = found and (True if backwards else more)
    return FleetPage(
        rows=tuple(found),
        matching=matching,
        counts=counts,
        releases=tuple(sorted(budgets, reverse=True)),
        earlier=found[0].place if earlier else None,
        later=found[-1].place if later else None,
    )


def read_chunk(
    connection: Connection, principal: Principal, query: FleetQuery, now_ms: int
) -> list[FleetRow]:
    """The next registers that the filters let through, up to CHUNK, in the page's order."""
    budgets = _budgets(connection, principal.tenant)
    return [_row(*one, budgets) for one in _page(connection, principal.tenant, query, now_ms, CHUNK)]


def attention_tests(now_ms: int) -> dict[Attention, ColumnElement[bool]]:
    """What of an enrolled register deserves a look, as conditions."""
    ends = _HEALTH.certificate_until_ms
    return {
        Attention.CERTIFICATE_EXPIRED: ends <= now_ms,
        Attention.UPDATE_FAILED: _HEALTH.update_state.in_((UpdateState.BAD.value, UpdateState.REFUSED.value)),
        Attention.SILENT: _HEALTH.received_at_ms < now_ms - SILENT_AFTER_MS,
        Attention.NEVER: _HEALTH.received_at_ms.is_(None),
        Attention.CERTIFICATE: and_(ends > now_ms, ends <= now_ms + CERTIFICATE_WARN_MS),
        Attention.METADATA: _HEALTH.metadata_expires_at_ms <= now_ms,
        Attention.BLANKS: _HEALTH.blanks_left < BLANKS_FEW,
        Attention.SPOOL: _HEALTH.spooled_messages > SPOOL_MANY,
    }


def presence_of(now_ms: int) -> ColumnElement[str]:
    """A register's presence, as `Presence`."""
    return case(
        (_REG.state == "revoked", Presence.REVOKED.value),
        (_REG.state == "invited", Presence.INVITED.value),
        (_HEALTH.received_at_ms.is_(None), Presence.NEVER.value),
        (func.coalesce(_HEALTH.online, false()).is_(False), Presence.OFFLINE.value),
        (_HEALTH.received_at_ms < now_ms - SILENT_AFTER_MS, Presence.SILENT.value),
        else_=Presence.ONLINE.value,
    )


def _narrowed(statement: Select[Any], tenant: str, query: FleetQuery, now_ms: int) -> Select[Any]:
    """The statement over the registers that the filters let through."""
    tests = attention_tests(now_ms)
    statement = statement.select_from(_REPORTED).where(_REG.tenant == tenant, IS_TILL)
    if query.search:
        # The names hold a-z, 0-9 and hyphens; what else is typed matches nothing, and `%` is not a wildcard.
        statement = statement.where(
            or_(
                _REG.register.contains(query.search, autoescape=True),
                _REG.store.contains(query.search, autoescape=True),
            )
        )
    if query.store:
        statement = statement.where(_REG.store == query.store)
    if query.presence is not None:
        statement = statement.where(presence_of(now_ms) == query.presence.value)
    if query.release is not None:
        wanted = null() if query.release == 0 else literal(query.release)
        statement = statement.where(_HEALTH.running_release.is_not_distinct_from(wanted))
    if query.attention:
        test = or_(*tests.values()) if query.attention == ANY else tests[Attention(query.attention)]
        statement = statement.where(_ENROLLED, test)
    return statement


def _page(
    connection: Connection, tenant: str, query: FleetQuery, now_ms: int, limit: int
) -> list[tuple[Any, Any]]:
    """Rows and their sort values: which registers first, then what is shown of them."""
    value = _SORTS[query.sort]
    edge = query.after or query.before
    downwards = query.descending is (query.before is None)
    picked = _narrowed(select(_REG.register, value.label("sort_value")), tenant, query, now_ms)
    if edge is not None:
        at = str(edge.value) if query.sort in TEXT_SORTS else float(edge.value)
        beyond = (value < at) if downwards else (value > at)
        next_to = (_REG.register < edge.register) if downwards else (_REG.register > edge.register)
        picked = picked.where(or_(beyond, and_(value == at, next_to)))
    order = (value.desc(), _REG.register.desc()) if downwards else (value.asc(), _REG.register.asc())
    keys = connection.execute(picked.order_by(*order).limit(limit)).all()
    names = [register for register, _ in keys]
    # Each table is asked for these names itself: a planner without statistics joins by the chain alone, which
    # looks at every register for every row.
    statement = (
        select(*_columns(now_ms))
        .select_from(
            registers.outerjoin(register_health, and_(_SAME_HEALTH, _HEALTH.register.in_(names))).outerjoin(
                desired_states, and_(_SAME_DESIRED, _DESIRED.register.in_(names))
            )
        )
        .where(_REG.tenant == tenant, _REG.register.in_(names))
    )
    found = {row.register: row for row in connection.execute(statement)} if names else {}
    return [(found[register], sort_value) for register, sort_value in keys]


def _columns(now_ms: int) -> tuple[ColumnElement[Any], ...]:
    return (
        _REG.register,
        _REG.store,
        presence_of(now_ms).label("presence"),
        (_REG.state == "enrolled").label("enrolled"),
        *(test.label(f"is_{one}") for one, test in attention_tests(now_ms).items()),
        _HEALTH.received_at_ms,
        _HEALTH.agent_version,
        _HEALTH.running_release,
        _HEALTH.running_digest,
        _DESIRED.generation.is_not(None).label("desired_known"),
        _DESIRED.release.label("desired_release"),
        _DESIRED.digest.label("desired_digest"),
        _HEALTH.update_release,
        _HEALTH.update_state,
        _HEALTH.update_reason,
        _HEALTH.p50_ms,
        _HEALTH.p99_ms,
        _HEALTH.spooled_messages,
        _HEALTH.blanks_left,
        _HEALTH.certificate_until_ms,
    )


def _row(row: Any, sort_value: Any, budgets: dict[int, float]) -> FleetRow:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's name for it
    raised = [one for one in Attention if values["enrolled"] and values[f"is_{one}"]]
    return FleetRow(
        presence=Presence(values["presence"]),
        attention=tuple(raised),
        place=Place(sort_value, values["register"]),
        desired_known=bool(values["desired_known"]),
        budget_p99_ms=budgets.get(values["running_release"]),
        **{name: values[name] for name in _SAME},
    )


_SAME: Final = (
    "register",
    "store",
    "received_at_ms",
    "agent_version",
    "running_release",
    "running_digest",
    "desired_release",
    "desired_digest",
    "update_release",
    "update_state",
    "update_reason",
    "p50_ms",
    "p99_ms",
    "spooled_messages",
    "blanks_left",
    "certificate_until_ms",
)


def _budgets(connection: Connection, tenant: str) -> dict[int, float]:
    """p99 that each listed release may take, by its number."""
    statement = select(releases.c.release, releases.c.budget_p99_ms).where(releases.c.tenant == tenant)
    return dict(connection.execute(statement).all())


def read_counts(connection: Connection, principal: Principal, now_ms: int) -> FleetCounts:
    """A chain's fleet in figures: one look at every row."""

    def how_many(test: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((test, 1), else_=0)), 0)

    statement = (
        select(
            func.count(),
            how_many(presence_of(now_ms) == Presence.ONLINE.value),
            how_many(and_(_ENROLLED, or_(*attention_tests(now_ms).values()))),
            how_many(and_(_DESIRED.digest.is_not(None), _HEALTH.running_digest == _DESIRED.digest)),
            how_many(_DESIRED.digest.is_not(None)),
            func.max(_HEALTH.p99_ms),
            func.coalesce(func.sum(_HEALTH.spooled_messages), 0),
        )
        .select_from(JOINED)
        .where(_REG.tenant == principal.tenant, _REG.state != "revoked", IS_TILL)
    )
    row = connection.execute(statement).one()
    return FleetCounts(row[0], int(row[1]), int(row[2]), int(row[3]), int(row[4]), row[5], int(row[6]))
