"""Rows of `repositories` and `releases`: the statements, each within a tenant's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from cloud.database.schema import releases, repositories
from cloud.database.tenancy import trusted_root
from cloud.releases.verification import (
    SignedRelease,
    VerifiedRepository,
    Versions,
    manifest_value,
    report_value,
)


@dataclass(frozen=True, slots=True)
class Repository:
    """A chain's repository, as it was found last; a row.

    Attributes:
        checked_at_ms: When it was looked at last, whatever came of it.
        problem: In plain words; None where the last look went well.
    """

    root: bytes
    trusted_at_ms: int
    versions: Versions
    checked_at_ms: int | None
    problem: str | None
    expires_at_ms: int | None
    minimum_release: int | None
    champion: int | None
    candidate: int | None


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """A release that was listed once; a row."""

    release: int
    name: str
    version: str
    digest: str
    size: int
    listed_at_ms: int
    withdrawn_at_ms: int | None
    withdrawn_reason: str | None


def write_root(connection: Connection, tenant: str, root: bytes, now_ms: int) -> None:
    """Trust a root; what was seen under another one is forgotten, releases stay as they were listed."""
    values = {
        "root": root,
        "trusted_at_ms": now_ms,
        "checked_at_ms": None,
        "problem": None,
        "root_version": None,
        "timestamp_version": None,
        "snapshot_version": None,
        "targets_version": None,
        "expires_at_ms": None,
    }
    if trusted_root(connection, tenant) is None:
        connection.execute(insert(repositories).values(tenant=tenant, **values))
    else:
        connection.execute(update(repositories).where(repositories.c.tenant == tenant).values(**values))


def repository(connection: Connection, tenant: str, *, lock: bool = False) -> Repository | None:
    """A chain's repository; None where no root is trusted.

    Args:
        connection: Of the tenant.
        tenant: Whose.
        lock: Nobody else writes it until this transaction ends.
    """
    statement = select(repositories).where(repositories.c.tenant == tenant)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        return None
    return Repository(
        bytes(row.root),
        row.trusted_at_ms,
        Versions(
            row.root_version or 0,
            row.timestamp_version or 0,
            row.snapshot_version or 0,
            row.targets_version or 0,
        ),
        row.checked_at_ms,
        row.problem,
        row.expires_at_ms,
        row.minimum_release,
        row.champion,
        row.candidate,
    )


def write_problem(connection: Connection, tenant: str, problem: str, now_ms: int) -> None:
    """Note what is wrong; what was verified before stays."""
    _set(connection, tenant, {"checked_at_ms": now_ms, "problem": problem[:500]})


def write_verified(connection: Connection, tenant: str, found: VerifiedRepository, now_ms: int) -> None:
    """Note what the repository says now."""
    _set(
        connection,
        tenant,
        {
            "checked_at_ms": now_ms,
            "problem": None,
            "root_version": found.versions.root,
            "timestamp_version": found.versions.timestamp,
            "snapshot_version": found.versions.snapshot,
            "targets_version": found.versions.targets,
            "expires_at_ms": found.expires_at_ms,
            "minimum_release": found.policy.minimum_release,
            "champion": found.policy.champion,
            "candidate": found.policy.candidate,
        },
    )


def _set(connection: Connection, tenant: str, values: Mapping[str, Any]) -> None:
    connection.execute(update(repositories).where(repositories.c.tenant == tenant).values(**values))


def listed(connection: Connection, tenant: str) -> dict[int, ListedRelease]:
    """Every release that was ever listed, by its number, in order."""
    row = releases.c
    statement = (
        select(
            row.release,
            row.name,
            row.version,
            row.digest,
            row.bytes,
            row.listed_at_ms,
            row.withdrawn_at_ms,
            row.withdrawn_reason,
        )
        .where(row.tenant == tenant)
        .order_by(row.release)
    )
    return {found.release: ListedRelease(*found) for found in connection.execute(statement)}


def add_release(connection: Connection, tenant: str, release: SignedRelease, now_ms: int) -> None:
    """A release that is listed for the first time."""
    manifest = release.manifest
    connection.execute(
        insert(releases).values(
            tenant=tenant,
            release=release.target.release,
            name=manifest.name,
            version=manifest.version,
            digest=release.digest,
            target=release.path,
            bytes=release.size,
            budget_p99_ms=manifest.latency_budget_ms.p99,
            minimum_agent=manifest.minimum_agent,
            manifest=manifest_value(release),
            report=report_value(release),
            listed_at_ms=now_ms,
        )
    )


def write_withdrawn(connection: Connection, tenant: str, release: int, reason: str, now_ms: int) -> None:
    """A release that is not to be used any more."""
    connection.execute(
        update(releases)
        .where(releases.c.tenant == tenant, releases.c.release == release)
        .values(withdrawn_at_ms=now_ms, withdrawn_reason=reason[:500])
    )


def write_listed_again(connection: Connection, tenant: str, release: int) -> None:
    """A release whose withdrawal the chain's keys took back."""
    connection.execute(
        update(releases)
        .where(releases.c.tenant == tenant, releases.c.release == release)
        .values(withdrawn_at_ms=None, withdrawn_reason=None)
    )
