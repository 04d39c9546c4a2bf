"""Reads a chain's releases and what is known of its signed repository."""

from typing import Any, Final

from sqlalchemy import Connection, func, select

from cloud.console.errors import NotFound
from cloud.console.views.releases import Course, Release, Repository
from cloud.database.schema import desired_states, register_health, releases, repositories, rollouts
from cloud.principal import Principal

RELEASES_MAX: Final = 200
"""The newest; a chain that had more looks them up by number."""
_COURSES_MAX: Final = 20
_FIELDS: Final = (
    "release",
    "name",
    "version",
    "digest",
    "target",
    "bytes",
    "budget_p99_ms",
    "minimum_agent",
    "manifest",
    "report",
    "listed_at_ms",
    "withdrawn_at_ms",
    "withdrawn_reason",
)


def read_repository(connection: Connection, principal: Principal) -> Repository | None:
    """The chain's signed repository; None where its root is not trusted yet."""
    columns = [repositories.c[name] for name in Repository.__dataclass_fields__]
    row = connection.execute(select(*columns).where(repositories.c.tenant == principal.tenant)).first()
    return None if row is None else Repository(*row)


def read_releases(connection: Connection, principal: Principal) -> list[Release]:
    """The chain's releases, the newest first, with how many registers run and shall run each."""
    running, desired = _running(connection, principal.tenant), _desired(connection, principal.tenant)
    statement = (
        select(*(releases.c[name] for name in _FIELDS))
        .where(releases.c.tenant == principal.tenant)
        .order_by(releases.c.release.desc())
        .limit(RELEASES_MAX)
    )
    return [_release(row, running, desired) for row in connection.execute(statement)]


def read_release(connection: Connection, principal: Principal, release: int) -> Release:
    """One of them.

    Raises:
        NotFound: The chain never listed it.
    """
    tenant = principal.tenant
    statement = select(*(releases.c[name] for name in _FIELDS)).where(
        releases.c.tenant == tenant, releases.c.release == release
    )
    row = connection.execute(statement).first()
    if row is None:
        raise NotFound(
            f"release {release} was never listed in this chain", remedy="The releases page has them all."
        )
    return _release(row, _running(connection, tenant), _desired(connection, tenant))


def read_courses(connection: Connection, principal: Principal, release: int) -> list[Course]:
    """The rollouts of a release, the newest first."""
    row = rollouts.c
    columns = [row[name] for name in Course.__dataclass_fields__]
    statement = (
        select(*columns)
        .where(row.tenant == principal.tenant, row.release == release)
        .order_by(row.created_at_ms.desc())
        .limit(_COURSES_MAX)
    )
    return [Course(*one) for one in connection.execute(statement)]


def _running(connection: Connection, tenant: str) -> dict[int, int]:
    row = register_health.c
    statement = (
        select(row.running_release, func.count())
        .where(row.tenant == tenant, row.running_release.is_not(None))
        .group_by(row.running_release)
    )
    return dict(connection.execute(statement).all())


def _desired(connection: Connection, tenant: str) -> dict[int, int]:
    row = desired_states.c
    statement = (
        select(row.release, func.count())
        .where(row.tenant == tenant, row.release.is_not(None))
        .group_by(row.release)
    )
    return dict(connection.execute(statement).all())


def _release(row: Any, running: dict[int, int], desired: dict[int, int]) -> Release:
    values = dict(zip(_FIELDS, row, strict=True))
    number = values["release"]
    return Release(**values, running=running.get(number, 0), desired=desired.get(number, 0))
