"""Sessions, clients, providers and device grants: one suite over both databases."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from cloud.database.schema import api_sessions, device_grants
from cloud.identity.adapters.issuers import list_issuers, put_issuer, remove_issuer
from cloud.identity.values import Issuer
from cloud.public_api.adapters.api_clients import add_client, knows_client, list_clients, remove_client
from cloud.public_api.adapters.device_grants import (
    LIFE_S,
    Approved,
    Poll,
    answer_grant,
    begin_grant,
    poll_grant,
)
from cloud.public_api.adapters.sessions import (
    NewSession,
    end_session,
    end_sessions_of,
    find_session,
    open_session,
    saw_session,
)
from cloud.public_api.caller import CallerKind
from cloud.public_api.cookies import session_of
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.database.engine import Database
    from tests.builders.postgres import PostgresCluster

SOLE, NORD = "gelateria-sole", "eisdiele-nord"
ANNA, BERT, CARL = (bytes([one]) * 32 for one in (1, 2, 3))
ISSUER = Issuer("https://login.example", "client", None, "Club")
MINUTE_MS = 60_000
ALL = frozenset(CallerKind)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Shared by the module: each test has sessions of its own."""
    if request.param == "sqlite":
        with sqlite_database(tmp_path_factory.mktemp("sessions")) as made:
            add_tenants(made, SOLE, NORD)
            yield made
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.fresh_database() as postgres, postgres_service(postgres) as made:
        add_tenants(made, SOLE, NORD)
        yield made


def _open(
    database: Database,
    user: bytes = ANNA,
    kind: CallerKind = CallerKind.BROWSER,
    *,
    issuer: str | None = None,
    client: str | None = None,
    now_ms: int = NOW_MS,
) -> str:
    wanted = NewSession(user, kind, 10 * MINUTE_MS, issuer=issuer, client=client)
    with database.tenant(SOLE) as connection:
        return open_session(connection, SOLE, wanted, now_ms)


def _user(
    database: Database,
    secret: str,
    *,
    tenant: str = SOLE,
    kinds: frozenset[CallerKind] = ALL,
    at_ms: int = NOW_MS,
) -> bytes | None:
    with database.tenant(tenant, read_only=True) as connection:
        found = find_session(connection, tenant, secret, kinds, now_ms=at_ms, idle_ms=5 * MINUTE_MS)
    return None if found is None else found.caller.user


def test_a_session_is_found_by_its_secret_in_its_chain(database: Database) -> None:
    """T22: and by nothing that the database holds."""
    secret = _open(database)
    assert _user(database, secret) == ANNA
    assert _user(database, secret, tenant=NORD) is None
    assert _user(database, secret, kinds=frozenset({CallerKind.DEVICE})) is None
    stored = session_of(secret)
    assert stored is not None
    for other in ("", "x", stored.hex(), secret[:-1], secret + "A", secret.swapcase()):
        assert _user(database, other) is None


def test_a_session_ends_with_its_time_and_a_browsers_with_silence(database: Database) -> None:
    browser, device = _open(database), _open(database, kind=CallerKind.DEVICE)
    late = NOW_MS + 6 * MINUTE_MS
    assert _user(database, browser, at_ms=late) is None
    assert _user(database, device, at_ms=late) == ANNA
    session = session_of(browser)
    assert session is not None
    with database.tenant(SOLE) as connection:
        saw_session(connection, SOLE, session, NOW_MS + 4 * MINUTE_MS)
    assert _user(database, browser, at_ms=late) == ANNA
    assert _user(database, device, at_ms=NOW_MS + 10 * MINUTE_MS) is None


def test_sessions_end_one_by_one_and_all_of_a_person(database: Database) -> None:
    secrets = [_open(database, CARL) for _ in range(3)]
    anna = _open(database)
    session = session_of(secrets[0])
    assert session is not None
    with database.tenant(SOLE) as connection:
        end_session(connection, SOLE, session)
    assert [_user(database, one) for one in secrets] == [None, CARL, CARL]
    with database.tenant(SOLE) as connection:
        assert end_sessions_of(connection, SOLE, CARL) == 2
    assert [_user(database, one) for one in secrets] == [None] * 3
    assert _user(database, anna) == ANNA


def test_old_sessions_go_with_new_ones(database: Database) -> None:
    """Their rows cannot pile up: each new one takes a hundred with it."""
    for _ in range(5):
        _open(database, BERT, now_ms=NOW_MS - 3600_000)
    _open(database, BERT)
    row = api_sessions.c
    statement = select(func.count()).where(row.tenant == SOLE, row.ends_at_ms <= NOW_MS)
    with database.tenant(SOLE, read_only=True) as connection:
        assert connection.execute(statement).scalar_one() == 0


def test_a_provider_that_is_removed_takes_its_sessions_along(database: Database) -> None:
    with database.tenant(SOLE) as connection:
        put_issuer(connection, SOLE, ISSUER, NOW_MS, actor="test")
        put_issuer(connection, SOLE, ISSUER, NOW_MS, actor="test")
    with database.tenant(SOLE, read_only=True) as connection:
        assert list_issuers(connection, SOLE) == [ISSUER]
    with database.tenant(NORD, read_only=True) as connection:
        assert list_issuers(connection, NORD) == []
    secret, other = _open(database, issuer=ISSUER.issuer), _open(database)
    assert _user(database, secret) == ANNA
    with database.tenant(SOLE) as connection:
        assert remove_issuer(connection, SOLE, ISSUER.issuer, NOW_MS, actor="test")
        assert not remove_issuer(connection, SOLE, ISSUER.issuer, NOW_MS, actor="test")
    # One that a login made at the very same moment is found by nobody either.
    raced = _open(database, issuer=ISSUER.issuer)
    assert [_user(database, one) for one in (secret, raced, other)] == [None, None, ANNA]


def test_a_client_is_known_by_its_secret_alone(database: Database) -> None:
    with database.tenant(SOLE) as connection:
        made, secret = add_client(connection, SOLE, "Partner", NOW_MS, actor="test")
        assert list_clients(connection, SOLE) == [made]
        assert knows_client(connection, SOLE, made.client, secret)
        assert not knows_client(connection, SOLE, made.client, secret[:-1])
        assert not knows_client(connection, SOLE, "nobody", secret)
    with database.tenant(NORD, read_only=True) as connection:
        assert not knows_client(connection, NORD, made.client, secret)
    token = _open(database, kind=CallerKind.MACHINE, client=made.client)
    assert _user(database, token) == ANNA
    with database.tenant(SOLE) as connection:
        assert remove_client(connection, SOLE, made.client, NOW_MS, actor="test")
        assert not knows_client(connection, SOLE, made.client, secret)
    assert _user(database, token) is None


def test_many_who_poll_at_once_get_one_token(database: Database) -> None:
    """RFC 8628, 3.5: an approval is spent once, however often and however fast a device asks."""
    with database.tenant(SOLE) as connection:
        device_code, code = begin_grant(connection, SOLE, NOW_MS)
        assert poll_grant(connection, SOLE, device_code, NOW_MS) is Poll.PENDING
        assert answer_grant(connection, SOLE, code, Approved(ANNA, None), NOW_MS)
        assert not answer_grant(connection, SOLE, code, None, NOW_MS), "it was answered"
    start = threading.Barrier(8)
    got: list[Approved | Poll] = []

    def poll() -> None:
        start.wait(30)
        with database.tenant(SOLE) as connection:
            got.append(poll_grant(connection, SOLE, device_code, NOW_MS))

    threads = [threading.Thread(target=poll) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, got)) == sorted([*[str(Poll.UNKNOWN)] * 7, str(Approved(ANNA, None))])


def test_grants_that_are_over_go_with_new_ones(database: Database) -> None:
    with database.tenant(SOLE) as connection:
        old, _ = begin_grant(connection, SOLE, NOW_MS - LIFE_S * 1000)
        assert poll_grant(connection, SOLE, old, NOW_MS) is Poll.EXPIRED
        begin_grant(connection, SOLE, NOW_MS)
        assert poll_grant(connection, SOLE, old, NOW_MS) is Poll.UNKNOWN
        over = select(func.count()).where(device_grants.c.expires_at_ms <= NOW_MS)
        assert connection.execute(over).scalar_one() == 0
    with database.tenant(NORD) as connection:
        assert poll_grant(connection, NORD, old, NOW_MS) is Poll.UNKNOWN
