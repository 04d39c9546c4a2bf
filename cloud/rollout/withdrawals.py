"""Registers that run, or are ordered, a release that may not run any more: each gets a new order.

A register looks at the signed list of releases with each new order, so that without one it would never hear
of a withdrawal. Which they are is one statement; the orders are others, by sets. A rollout of such a release
that still runs brings its registers back itself (`decide`), and its orders are left to it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud.database.audit_log import write_audit
from cloud.database.schema import desired_states, register_health, registers, releases, repositories, rollouts
from cloud.database.timeline import CONTROLLER
from cloud.rollout import rows
from cloud.rollout.outbox import BELIEVED
from cloud.rollout.values import Rollout, State

AGAIN_MS: Final = 3_600_000
"""A register that knows a later order and still attests such a release read an older list: it looks again."""
_CHUNK: Final = 500
_REASON_MAX: Final = 300
_NAMED: Final = 20
"""Registers that an entry in the audit log names; it counts all."""


@dataclass(frozen=True, slots=True)
class Barred:
    """A release that may not run any more.

    Attributes:
        since_ms: When it was seen to be withdrawn; None: it was not.
        below: Whether it is below the signed minimum; nobody knows since when.
        words: After "release 7 …".
    """

    release: int
    digest: str
    since_ms: int | None
    below: bool
    words: str


@dataclass(frozen=True, slots=True)
class Away:
    """A register's new order, away from a release that may not run.

    Attributes:
        barred: What it runs, or is ordered.
        generation: Beyond its order's, and beyond what it knows.
        release: What it is ordered now; None: the model that it was installed with, or best-sellers.
        rollout: Whose order this is; None: that of no rollout.
    """

    register: str
    barred: int
    generation: int
    release: int | None
    digest: str | None
    settings: Mapping[str, Any]
    rollout: bytes | None


def read_barred(connection: Connection, tenant: str) -> dict[int, Barred]:
    """The releases that were withdrawn, or are below the signed minimum."""
    floor = connection.execute(
        select(repositories.c.minimum_release).where(repositories.c.tenant == tenant)
    ).scalar()
    one = releases.c
    found = select(one.release, one.digest, one.withdrawn_at_ms, one.withdrawn_reason).where(
        one.tenant == tenant, or_(one.withdrawn_at_ms.is_not(None), one.release < (floor or 0))
    )
    barred = {}
    for release, digest, since_ms, reason in connection.execute(found):
        words = f"is below the signed minimum, {floor}"
        if since_ms is not None:
            words = f"was withdrawn: {(reason or 'without a reason')[:_REASON_MAX]}"
        barred[release] = Barred(release, digest, since_ms, release < (floor or 0), words)
    return barred


def read_away(
    connection: Connection,
    tenant: str,
    barred: Mapping[int, Barred],
    digests: Mapping[int, str],
    now_ms: int,
) -> list[Away]:
    """Who is to be ordered anew, and what; () for registers whose newer order only has to arrive.

    Args:
        connection: Of the tenant.
        tenant: The chain.
        barred: Releases that may not run.
        digests: Release -> its network's, of all.
        now_ms: Now.
    """
    if not barred:
        return []
    good = {digest for release, digest in digests.items() if release not in barred}
    by_digest = {one.digest: one for one in barred.values() if one.digest not in good}
    found = list(connection.execute(_affected(tenant, barred, by_digest, now_ms)))
    if not found:
        return []
    done = rows.read_rollouts(connection, tenant, states=[State.DONE])
    done = [one for one in done if one.release not in barred]
    done.sort(key=lambda one: one.started_at_ms or 0, reverse=True)
    away = []
    for row in found:
        known = row.known if row.known is not None and row.known < BELIEVED else 0
        generation = max(row.generation or 0, known) + 1
        if row.release in barred or row.generation is None:
            why = barred[row.release] if row.release in barred else by_digest[row.running_digest]
            release = _best(done, row.store)
            digest = None if release is None else digests[release]
            shadows = row.state is not None and "shadow" in row.settings
            kept = (row.settings, row.rollout) if shadows else ({}, None)
        else:  # its order is right: it only has to look
            why, release, digest = by_digest[row.running_digest], row.release, row.digest
            kept = row.settings, row.rollout
        away.append(Away(row.register, why.release, generation, release, digest, *kept))
    return away


def _affected(tenant: str, barred: Mapping[int, Barred], by_digest: Mapping[str, Barred], now_ms: int) -> Any:
    till, order, health = registers.c, desired_states.c, register_health.c
    leaving = [State.RUNNING.value, State.PAUSED.value]
    ordered = and_(
        order.release.in_(list(barred)),
        # A rollout of the release itself is stopped by its own decision, which brings them back.
        or_(
            rollouts.c.state.is_(None), rollouts.c.release != order.release, rollouts.c.state.not_in(leaving)
        ),
    )
    stale = [
        and_(health.running_digest == digest, order.set_at_ms < one.since_ms)
        for digest, one in by_digest.items()
        if one.since_ms is not None
    ]
    # An installed model is left for a minimum alone: without one, looking again would change nothing.
    below = [digest for digest, one in by_digest.items() if one.below]
    again = and_(
        order.set_at_ms <= now_ms - AGAIN_MS,
        or_(order.release.is_not(None), health.running_digest.in_(below)),
    )
    attests = and_(
        health.running_digest.in_(list(by_digest)),
        or_(
            order.generation.is_(None),
            and_(
                or_(order.release.is_(None), order.release.not_in(list(barred))),
                health.generation >= order.generation,
                or_(again, *stale),
            ),
        ),
    )
    return (
        select(
            till.register,
            till.store,
            order.generation,
            order.release,
            order.digest,
            order.settings,
            order.rollout,
            health.generation.label("known"),
            health.running_digest,
            rollouts.c.state,
        )
        .select_from(registers)
        .outerjoin(desired_states, and_(order.tenant == till.tenant, order.register == till.register))
        .outerjoin(register_health, and_(health.tenant == till.tenant, health.register == till.register))
        .outerjoin(
            rollouts,
            and_(
                rollouts.c.tenant == order.tenant,
                rollouts.c.rollout == order.rollout,
                rollouts.c.state.in_(leaving),
            ),
        )
        .where(till.tenant == tenant, till.state == rows.ENROLLED, or_(ordered, attests))
        .order_by(till.register)
    )


def _best(done: Sequence[Rollout], store: str) -> int | None:
    """The release of the newest rollout that was done in this shop."""
    here = (one.release for one in done if not one.plan.stores or store in one.plan.stores)
    return next(here, None)


def write_away(
    connection: Connection, tenant: str, away: Sequence[Away], barred: Mapping[int, Barred], now_ms: int
) -> int:
    """Write the orders, and one entry for each release in the audit log; how many orders were written.

    An order that somebody else wrote meanwhile stays: it is looked at anew.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    written = 0
    changed = ("generation", "release", "digest", "settings", "rollout", "set_at_ms", "published_generation")
    for some in _alike(away):
        values = [
            {
                "tenant": tenant,
                "register": one.register,
                "generation": one.generation,
                "release": one.release,
                "digest": one.digest,
                "settings": dict(one.settings),
                "rollout": one.rollout,
                "set_at_ms": now_ms,
                "published_generation": 0,
            }
            for one in some
        ]
        statement = dialect.insert(desired_states).values(values)
        new = statement.excluded
        upsert = statement.on_conflict_do_update(
            index_elements=[desired_states.c.tenant, desired_states.c.register],
            set_={name: new[name] for name in changed},
            where=desired_states.c.generation < new.generation,
        )
        ordered = set(connection.execute(upsert.returning(desired_states.c.register)).scalars())
        if ordered:
            theirs = [one for one in some if one.register in ordered]
            _note(connection, tenant, barred[some[0].barred], theirs, now_ms)
        written += len(ordered)
    return written


def _note(connection: Connection, tenant: str, why: Barred, ordered: Sequence[Away], now_ms: int) -> None:
    to = Counter("installed" if one.release is None else str(one.release) for one in ordered)
    write_audit(
        connection,
        tenant,
        now_ms,
        actor=CONTROLLER,
        action="release.ordered-away",
        subject=str(why.release),
        detail={
            "words": f"release {why.release} {why.words}",
            "ordered": len(ordered),
            "to": dict(to),
            "registers": [one.register for one in ordered[:_NAMED]],
        },
    )


def _alike(away: Sequence[Away]) -> Iterator[list[Away]]:
    """Those away from the same release, in pieces that fit one statement."""
    by_release: dict[int, list[Away]] = {}
    for one in away:
        by_release.setdefault(one.barred, []).append(one)
    for some in by_release.values():
        for start in range(0, len(some), _CHUNK):
            yield some[start : start + _CHUNK]
