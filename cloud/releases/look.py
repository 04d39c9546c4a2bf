"""One look at a chain's repository: verify it, write down what is new. Only here rows of releases change."""

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.database.audit_log import write_audit
from cloud.database.engine import Database
from cloud.releases import rows
from cloud.releases.errors import NothingTrusted, NotVerified
from cloud.releases.ports import ReleaseFiles
from cloud.releases.verification import VerifiedRepository, verify_repository
from wire_protocol.errors import TopscoopError

ACTOR = "releases"
GONE = "no longer listed by the chain's keys"


@dataclass(frozen=True, slots=True)
class Look:
    """What came of it.

    Attributes:
        problem: In plain words with what to do; None where all is well. Rows are then as they were.
        listed: Releases that are new.
        withdrawn: Releases that are not to be used any more, since this look.
        again: Releases whose withdrawal was taken back.
    """

    tenant: str
    problem: str | None = None
    listed: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()
    again: tuple[int, ...] = ()


def look(database: Database, files: ReleaseFiles, tenant: str, now_ms: int) -> Look:
    """Look at a chain's repository now.

    Args:
        database: Of the cloud.
        files: Where repositories lie.
        tenant: The chain.
        now_ms: Now, for the rows; expiry is judged by the system's clock.

    Raises:
        NothingTrusted: The chain has no trusted root.
        DatabaseAway: Nothing was changed.
    """
    with database.tenant(tenant, read_only=True) as connection:
        known = rows.repository(connection, tenant)
    if known is None:
        raise NothingTrusted(
            f"{tenant} trusts no root of releases yet",
            remedy=f"`topscoop cloud tenant trust {tenant} 1.root.json`",
        )
    try:
        found = verify_repository(tenant, known.root, known.versions, files)
    except TopscoopError as error:
        return _write_problem(database, tenant, known, error, now_ms)
    with database.tenant(tenant) as connection:
        present = rows.repository(connection, tenant, lock=True)
        if present is None or _overtaken(present, known, found):
            return Look(tenant)  # somebody else looked meanwhile, and saw newer metadata
        try:
            return _write(connection, tenant, found, now_ms)
        except NotVerified as error:
            rows.write_problem(connection, tenant, words_of(error), now_ms)
            return Look(tenant, words_of(error))


def words_of(error: TopscoopError) -> str:
    """For people: what is wrong, and what to do; one line."""
    return " ".join(f"{error}. {error.remedy}".replace("..", ".").split())[:500]


def _overtaken(present: rows.Repository, known: rows.Repository, found: VerifiedRepository) -> bool:
    if present.root != known.root:
        return True
    return present.versions != known.versions and not found.versions.covers(present.versions)


def _write_problem(
    database: Database, tenant: str, known: rows.Repository, error: TopscoopError, now_ms: int
) -> Look:
    problem = words_of(error)
    with database.tenant(tenant) as connection:
        present = rows.repository(connection, tenant, lock=True)
        # What we saw while somebody else saw newer metadata says nothing of now.
        if present is not None and (present.root, present.versions) == (known.root, known.versions):
            rows.write_problem(connection, tenant, problem, now_ms)
    return Look(tenant, problem)


def _write(connection: Connection, tenant: str, found: VerifiedRepository, now_ms: int) -> Look:
    """Write what is new; raises NotVerified, before anything is written, for a number that is used twice."""
    before = rows.listed(connection, tenant)
    signed = {release.target.release: release for release in found.releases}
    for number, release in signed.items():
        old = before.get(number)
        if old is not None and old.digest != release.digest:
            raise NotVerified(
                f"release {number} was signed again with another network",
                remedy="A number is never used twice: withdraw it and publish the network under another.",
            )
    gone = {
        number: found.policy.withdrawn.get(number, GONE)
        for number, old in before.items()
        if number not in signed and old.withdrawn_at_ms is None
    }
    new = [number for number in signed if number not in before]
    again = [number for number in signed if number in before and before[number].withdrawn_at_ms is not None]
    for number in new:
        rows.add_release(connection, tenant, signed[number], now_ms)
    for number in again:
        rows.write_listed_again(connection, tenant, number)
    for number, reason in gone.items():
        rows.write_withdrawn(connection, tenant, number, reason, now_ms)
    rows.write_verified(connection, tenant, found, now_ms)
    for action, numbers in (
        ("release.listed", new),
        ("release.withdrawn", list(gone)),
        ("release.listed-again", again),
    ):
        for number in numbers:
            digest = signed[number].digest if number in signed else before[number].digest
            detail = {"digest": digest, **({"reason": gone[number]} if number in gone else {})}
            write_audit(
                connection, tenant, now_ms, actor=ACTOR, action=action, subject=str(number), detail=detail
            )
    return Look(tenant, None, tuple(new), tuple(gone), tuple(again))
