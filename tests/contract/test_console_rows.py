"""The console's rows over both databases: sessions, operators, the fleet's questions, groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud.console.adapters.fleet import read_chunk, read_counts, read_fleet
from cloud.console.adapters.operators import (
    chains_of,
    find_operator,
    list_operators,
    put_operator,
    remove_operator,
    set_role,
)
from cloud.console.adapters.register import GROUPS_MAX, join_group, leave_group, read_register
from cloud.console.adapters.releases import read_release, read_releases, read_repository
from cloud.console.adapters.sessions import Sessions
from cloud.console.errors import BadQuery, NotFound
from cloud.console.views.fleet import PAGE, FleetCounts, FleetQuery, Presence, Sort
from cloud.principal import NotAllowed, Principal, Role
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.fleet_rows import add_fleet, add_releases, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.console.adapters.operators import Operator
    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresCluster

HOUR_MS = 3_600_000
VIEWER = Principal("sole", b"", "Vera", Role.VIEWER)
OPERATOR = Principal("sole", b"", "Otto", Role.OPERATOR)
REGISTERS = 130
NOTHING = FleetCounts(0, 0, 0, 0, 0, None, 0)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two chains, one with a fleet; the tests of this file leave each other's rows alone."""
    if request.param == "postgres":
        cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
        with cluster.fresh_database() as made, postgres_service(made) as opened:
            _fill(opened)
            yield opened
    else:
        with sqlite_database(tmp_path_factory.mktemp("console")) as opened:
            _fill(opened)
            yield opened


def _fill(database: Database) -> None:
    add_tenants(database, "sole", "other")
    add_releases(database, "sole", NOW_MS, 6, 7, 8, withdrawn=6)
    add_fleet(database, "sole", NOW_MS, REGISTERS)
    add_fleet(database, "other", NOW_MS, 3)


def _operator(database: Database, tenant: str, subject: str, role: Role = Role.VIEWER) -> Operator:
    with database.tenant(tenant) as connection:
        return put_operator(
            connection, tenant, NOW_MS, issuer="i", subject=subject, name=subject, role=role, actor="test"
        )


# ---- operators and sessions -------------------------------------------------------------------------------


def test_an_operator_comes_changes_and_goes(database: Database) -> None:
    """A role holds from the next request on; who is removed is out at once, everywhere."""
    sessions = Sessions(database, 12 * HOUR_MS, HOUR_MS, lambda: NOW_MS)
    added = _operator(database, "sole", "otto")
    cookie = sessions.open(added).text()
    visit = sessions.find(cookie)
    assert visit is not None
    assert (visit.principal.role, visit.principal.tenant, visit.chain) == (Role.VIEWER, "sole", "Sole")
    with database.tenant("sole") as connection:
        set_role(connection, added, Role.ADMIN, NOW_MS, actor="test")
    visit = sessions.find(cookie)
    assert visit is not None
    assert visit.principal.role is Role.ADMIN
    with database.tenant("sole") as connection:
        remove_operator(connection, added, NOW_MS, actor="test")
        assert find_operator(connection, "sole", "i", "otto") is None
    assert sessions.find(cookie) is None
    back = _operator(database, "sole", "otto", Role.OPERATOR)
    assert (back.operator, back.role) == (added.operator, Role.OPERATOR)
    assert sessions.find(cookie) is None, "the old session stays ended"


def test_a_person_may_be_operator_of_several_chains(database: Database) -> None:
    _operator(database, "sole", "anna", Role.ADMIN)
    _operator(database, "other", "anna")
    assert [(one.tenant, one.role) for one in chains_of(database, "i", "anna")] == [
        ("other", Role.VIEWER),
        ("sole", Role.ADMIN),
    ]
    assert chains_of(database, "another issuer", "anna") == []
    with database.tenant("other", read_only=True) as connection:
        assert [one.subject for one in list_operators(connection, "other")] == ["anna"]


def test_a_session_ends_by_age_and_by_idleness(database: Database) -> None:
    """An open page is no activity: only a person's requests put the end off."""
    now = [NOW_MS]
    sessions = Sessions(database, 4 * HOUR_MS, HOUR_MS, lambda: now[0])
    cookie = sessions.open(_operator(database, "sole", "idle")).text()
    now[0] += HOUR_MS - 1
    assert sessions.find(cookie, touch=False)
    assert sessions.find(cookie)
    now[0] += HOUR_MS - 1
    assert sessions.find(cookie), "the request before put the end off"
    now[0] += HOUR_MS
    assert sessions.find(cookie) is None
    fresh = sessions.open(_operator(database, "sole", "idle")).text()
    for _ in range(4):
        assert sessions.find(fresh)
        now[0] += HOUR_MS - 1
    now[0] += 4
    assert sessions.find(fresh) is None, "twelve hours are twelve hours"


def test_a_new_login_has_a_new_session(database: Database) -> None:
    """T24: what the browser held before the login is worth nothing after it (fixation)."""
    sessions = Sessions(database, HOUR_MS, HOUR_MS, lambda: NOW_MS)
    operator = _operator(database, "sole", "fixed")
    planted = sessions.open(operator).text()
    mine = sessions.open(operator, instead_of=planted)
    assert mine.text() != planted
    assert sessions.find(planted) is None
    visit = sessions.find(mine.text())
    assert visit is not None
    sessions.close(mine.text())
    assert sessions.find(mine.text()) is None


def test_a_cookie_holds_for_its_own_chain_only(database: Database) -> None:
    """T7: the same secret under another chain's name opens nothing."""
    sessions = Sessions(database, HOUR_MS, HOUR_MS, lambda: NOW_MS)
    cookie = sessions.open(_operator(database, "sole", "cross"))
    assert sessions.find("other." + cookie.secret) is None
    for text in ("", "sole", "sole." + "a" * 43, "nobody-at-all." + cookie.secret):
        assert sessions.find(text) is None


# ---- the fleet --------------------------------------------------------------------------------------------


def _all(database: Database, query: FleetQuery) -> list[str]:
    found: list[str] = []
    while True:
        with database.tenant("sole", read_only=True) as connection:
            page = read_fleet(connection, VIEWER, query, NOW_MS, NOTHING)
        found += [row.register for row in page.rows]
        if page.later is None:
            return found
        query = FleetQuery.parse({**_values(query), "after": page.later.text()})


def _values(query: FleetQuery) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(query.first().href().partition("?")[2]))


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("sort", list(Sort))
def test_pages_hold_each_register_once_in_order(database: Database, sort: Sort, descending: bool) -> None:  # noqa: FBT001
    """Whatever the column, equal and unknown values included, and the way back is the same pages."""
    query = FleetQuery(sort=sort, descending=descending)
    names = _all(database, query)
    assert len(names) == len(set(names)) == REGISTERS
    with database.tenant("sole", read_only=True) as connection:
        first = read_fleet(connection, VIEWER, query, NOW_MS, NOTHING)
        assert first.earlier is None
        assert first.later is not None
        second = read_fleet(
            connection,
            VIEWER,
            FleetQuery.parse({**_values(query), "after": first.later.text()}),
            NOW_MS,
            NOTHING,
        )
        assert second.earlier is not None
        back = read_fleet(
            connection,
            VIEWER,
            FleetQuery.parse({**_values(query), "before": second.earlier.text()}),
            NOW_MS,
            NOTHING,
        )
        values = [row.place.value for row in (*first.rows, *second.rows)]
    assert [row.register for row in back.rows] == [row.register for row in first.rows] == names[:PAGE]
    assert back.earlier is None
    assert values == sorted(values, reverse=descending)


def test_filters_narrow(database: Database) -> None:
    with database.tenant("sole", read_only=True) as connection:
        whole = read_chunk(connection, VIEWER, FleetQuery(), NOW_MS)
        for presence in Presence:
            found = read_chunk(connection, VIEWER, FleetQuery(presence=presence), NOW_MS)
            assert {row.register for row in found} == {
                row.register for row in whole if row.presence is presence
            }
        looked = read_chunk(connection, VIEWER, FleetQuery(attention="any"), NOW_MS)
        assert {row.register for row in looked} == {row.register for row in whole if row.attention}
        assert looked
        for release in (7, 0):
            found = read_chunk(connection, VIEWER, FleetQuery(release=release), NOW_MS)
            assert {row.register for row in found} == {
                row.register for row in whole if (row.running_release or 0) == release
            }
        store = read_chunk(connection, VIEWER, FleetQuery(store="store-0002"), NOW_MS)
        assert [row.register for row in store] == [f"till-{index:05d}" for index in range(5, 9)]
        page = read_fleet(connection, VIEWER, FleetQuery(search="00012"), NOW_MS, NOTHING)
        assert ([row.register for row in page.rows], page.matching) == (["till-00012"], 1)
        assert read_chunk(connection, VIEWER, FleetQuery(search="%"), NOW_MS) == []
        assert read_chunk(connection, VIEWER, FleetQuery(search="_"), NOW_MS) == []


def test_the_figures_are_those_of_the_rows(database: Database) -> None:
    with database.tenant("sole", read_only=True) as connection:
        rows = read_chunk(connection, VIEWER, FleetQuery(), NOW_MS)
        counts = read_counts(connection, VIEWER, NOW_MS)
    assert counts.registers == len(rows)
    assert counts.online == sum(row.presence is Presence.ONLINE for row in rows)
    assert counts.attention == sum(bool(row.attention) for row in rows)
    assert counts.as_desired == sum(row.running_digest == digest_of(8) for row in rows)
    assert counts.spooled == sum(row.spooled_messages or 0 for row in rows)
    assert counts.slowest_ms == max(row.p99_ms or 0 for row in rows)


def test_no_chain_sees_another(database: Database) -> None:
    """T7: the same names in another chain are other registers."""
    other = Principal("other", b"", "Olga", Role.ADMIN)
    with database.tenant("other", read_only=True) as connection:
        assert len(read_chunk(connection, other, FleetQuery(), NOW_MS)) == 3
        assert read_releases(connection, other) == []
        assert read_repository(connection, other) is None
        with pytest.raises(NotFound):
            read_register(connection, other, "till-00050", NOW_MS)
        with pytest.raises(NotFound):
            read_release(connection, other, 7)


# ---- one register, releases -------------------------------------------------------------------------------


def test_one_register_has_all_that_it_reported(database: Database) -> None:
    with database.tenant("sole", read_only=True) as connection:
        facts = read_register(connection, VIEWER, "till-00002", NOW_MS)
    assert (facts.store, facts.presence, facts.desired_release) == ("store-0001", Presence.ONLINE, 8)
    assert facts.report["health"]["recommendations"] > 0
    assert len(facts.certificates) == 1
    assert facts.flavours[0] == "Vanilla"
    for name in ("till-99999", "x\0y", "TILL", ""):
        with database.tenant("sole", read_only=True) as connection, pytest.raises(NotFound):
            read_register(connection, VIEWER, name, NOW_MS)


def test_groups_are_joined_and_left_by_operators(database: Database) -> None:
    def groups() -> tuple[str, ...]:
        with database.tenant("sole", read_only=True) as connection:
            return read_register(connection, VIEWER, "till-00003", NOW_MS).groups

    def join(principal: Principal, group: str, register: str = "till-00003") -> None:
        with database.tenant("sole") as connection:
            join_group(connection, principal, register, group, NOW_MS)

    with pytest.raises(NotAllowed):
        join(VIEWER, "pilot")
    for _ in range(2):
        join(OPERATOR, "pilot")
    assert groups() == ("pilot",)
    with pytest.raises(NotFound):
        join(OPERATOR, "pilot", "till-99999")
    for wrong in ("", "Pilot", "a b", "<script>", "a" * 33):
        with pytest.raises(BadQuery):
            join(OPERATOR, wrong)
    for index in range(GROUPS_MAX - 1):
        join(OPERATOR, f"g{index}")
    with pytest.raises(BadQuery, match="at most"):
        join(OPERATOR, "one-more")
    for group in groups():
        with database.tenant("sole") as connection:
            leave_group(connection, OPERATOR, "till-00003", group, NOW_MS)
    assert groups() == ()


def test_releases_say_who_runs_them(database: Database) -> None:
    with database.tenant("sole", read_only=True) as connection:
        found = read_releases(connection, VIEWER)
        rows = read_chunk(connection, VIEWER, FleetQuery(), NOW_MS)
        repository = read_repository(connection, VIEWER)
    assert [one.release for one in found] == [8, 7, 6]
    assert found[0].running == sum(row.running_release == 8 for row in rows)
    assert found[0].desired == sum(row.desired_release == 8 for row in rows)
    assert found[2].withdrawn_reason == "wrong labels in its data"
    assert repository is not None
    assert (repository.champion, repository.minimum_release) == (8, 6)
