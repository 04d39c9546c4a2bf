"""One suite over both databases: what owners read of their recommendations, who is woken, what is over."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, event, func, insert, select, text

from cloud.database.engine import Database
from cloud.database.notifications import ANSWERS, notify_all
from cloud.database.schema import (
    api_sessions,
    consents,
    device_grants,
    jobs,
    recommendations,
    uploads,
    withdrawals,
)
from cloud.errors import DatabaseAway
from cloud.intake.values import UploadState
from cloud.outage_log import DatabaseOutage
from cloud.public_api.adapters import postgres_wakeups, sqlite_wakeups
from cloud.public_api.adapters.forgetting import (
    DEAD_JOB_KEPT_MS,
    GRANT_KEPT_MS,
    UPLOAD_KEPT_MS,
    forget_expired,
)
from cloud.public_api.adapters.looking import look, look_for_ever
from cloud.public_api.adapters.recommendations import find, page, record_outcome
from cloud.public_api.adapters.upload_states import states_of
from cloud.public_api.adapters.wakeups import wake
from cloud.public_api.answer_documents import Seen
from cloud.public_api.answers import ALL, ENDS, Answers
from cloud.public_api.caller import Caller, CallerKind
from cloud.public_api.cursors import Cursor
from cloud.public_api.waiting import until_ended
from tests.builders.cloud_database import NOW_MS, add_tenants, postgres_service, sqlite_database
from tests.builders.public_api import OTHER, TENANT, user_of
from tests.builders.recommendation_rows import (
    DAY_MS,
    add_recommended,
    add_upload,
    change_upload,
    recommend,
    recommendation_row,
    remove_upload,
    request_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.builders.postgres import PostgresCluster

ANNA = Caller(TENANT, user_of("anna"), CallerKind.DEVICE)
BEN = replace(ANNA, user=user_of("ben"))
ANNA_ELSEWHERE = replace(ANNA, tenant=OTHER)
_BOUND_S = 60
_USED = (uploads, recommendations, api_sessions, device_grants, jobs, consents, withdrawals)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Made once: a migration takes longer than all that a test does here."""
    if request.param == "sqlite":
        with sqlite_database(tmp_path_factory.mktemp("answers")) as database:
            add_tenants(database, TENANT, OTHER)
            yield database
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    with cluster.fresh_database() as fresh, postgres_service(fresh) as database:
        add_tenants(database, TENANT, OTHER)
        yield database


@pytest.fixture
def database(tables: Database) -> Database:
    for tenant in (TENANT, OTHER):
        with tables.tenant(tenant) as connection:
            for table in _USED:
                connection.execute(delete(table).where(table.c.tenant == tenant))
    return tables


def read(database: Database, caller: Caller, request: bytes) -> Seen | None:
    with database.tenant(caller.tenant, read_only=True) as connection:
        return find(connection, caller, request)


def count(database: Database, table: Any, tenant: str = TENANT) -> int:
    with database.tenant(tenant, read_only=True) as connection:
        found = connection.execute(select(func.count()).select_from(table).where(table.c.tenant == tenant))
        return int(found.scalar_one())


@contextlib.contextmanager
def statements(database: Database) -> Iterator[Counter[str]]:
    """Counts the statements about uploads, by their first line, while the block runs."""
    counted: Counter[str] = Counter()

    def before(_: Any, __: Any, statement: str, *___: Any) -> None:
        if "uploads" in statement:
            counted["join" if "JOIN" in statement else "look"] += 1

    event.listen(database._engine, "before_cursor_execute", before)
    try:
        yield counted
    finally:
        event.remove(database._engine, "before_cursor_execute", before)


# ---- what owners read -------------------------------------------------------------------------------------


def test_an_owner_finds_their_upload_from_its_ticket_to_its_recommendation(database: Database) -> None:
    """Each state as it is; the recommendation comes with the state `done` in one statement."""
    request = add_upload(database, 1)
    found = read(database, ANNA, request)
    assert found is not None
    assert (found.state, found.recommendation, found.ended) == (UploadState.ISSUED, None, False)
    recommend(database, request)
    with statements(database) as counted:
        found = read(database, ANNA, request)
    assert counted.total() == 1
    assert found is not None
    assert found.state is UploadState.DONE
    assert found.recommendation is not None
    assert found.recommendation.picture_sha256 == bytes(range(32))
    assert (found.recommendation.outcome, found.recommendation.outcome_at_ms) == (None, None)


def test_others_find_nothing(database: Database) -> None:
    """Another person of the chain, and the same pseudonym at another chain, find no such upload."""
    request = add_recommended(database, 1)
    assert read(database, ANNA, request) is not None
    assert read(database, BEN, request) is None
    assert read(database, ANNA_ELSEWHERE, request) is None


def test_the_list_has_ones_own_that_are_not_over(database: Database) -> None:
    """Newest first; none of others, none past its time."""
    mine = [add_recommended(database, number, created_at_ms=NOW_MS + number) for number in (1, 2, 3)]
    add_recommended(database, 4, expires_at_ms=NOW_MS + 500)
    add_recommended(database, 5, "ben")
    add_recommended(database, 6, tenant=OTHER)
    with database.tenant(TENANT, read_only=True) as connection:
        found = page(connection, ANNA, NOW_MS + 500, None, 10)
    assert [one.request for one in found] == mine[::-1]


def test_pages_go_on_where_they_ended_while_new_ones_come(database: Database) -> None:
    """Every one that was there at the first page is seen once; many of the same instant, too."""
    times = [NOW_MS, NOW_MS, NOW_MS, NOW_MS + 1, NOW_MS + 1, NOW_MS + 2, NOW_MS + 2]
    there = {add_recommended(database, n, created_at_ms=at_ms) for n, at_ms in enumerate(times)}
    numbers = itertools.count(100)
    seen: list[bytes] = []
    after: Cursor | None = None
    while True:
        with database.tenant(TENANT, read_only=True) as connection:
            found = page(connection, ANNA, NOW_MS, after, 2)
        if not found:
            break
        seen += [one.request for one in found]
        after = Cursor(found[-1].created_at_ms, found[-1].request)
        add_recommended(database, next(numbers), created_at_ms=NOW_MS + 3)
        if len(seen) == 4:  # one that was seen goes: the rest moves up, and nothing is skipped
            with database.tenant(TENANT) as connection:
                row = recommendations.c
                connection.execute(
                    delete(recommendations).where(row.tenant == TENANT, row.request == seen[0])
                )
    assert len(seen) == len(set(seen))
    assert set(seen) == there


def test_one_outcome_stands(database: Database) -> None:
    """The first is kept; a second, another's and one for what is not there change nothing."""
    request = add_recommended(database, 1, outcome=None)
    first, second = ({"lines": [{"flavour": flavour, "quantity": 1}]} for flavour in ("lemon", "pistachio"))

    def record(caller: Caller, outcome: dict[str, Any]) -> bool:
        with database.tenant(caller.tenant) as connection:
            return record_outcome(connection, caller, request, outcome, NOW_MS + 900)

    assert not record(BEN, second)
    assert not record(ANNA_ELSEWHERE, second)
    assert [record(ANNA, first), record(ANNA, second)] == [True, False]
    found = read(database, ANNA, request)
    assert found is not None
    assert found.recommendation is not None
    assert (found.recommendation.outcome, found.recommendation.outcome_at_ms) == (first, NOW_MS + 900)


# ---- who is woken -----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def waking(answers: Answers, database: Database) -> AsyncIterator[None]:
    """What the process does beside serving."""
    task = asyncio.create_task(wake(answers, database, DatabaseOutage()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_BOUND_S):
        while not condition():  # noqa: ASYNC110 - neither the places nor the log tell anybody
            await asyncio.sleep(0.002)


async def end_of(answers: Answers, database: Database, request: bytes) -> Seen:
    async def once() -> Seen:
        found = await asyncio.to_thread(read, database, ANNA, request)
        assert found is not None
        return found

    found, _ = await until_ended(answers, (TENANT, request), once, _BOUND_S)
    return found


def test_states_are_read_in_one_statement_of_a_tenant(database: Database) -> None:
    """Of all who wait, whichever chain they are of; what is not there is told as gone."""
    here, there = add_upload(database, 1), add_recommended(database, 2, tenant=OTHER)
    with statements(database) as counted:
        found = states_of(database, {TENANT: [here, request_of(9)], OTHER: [there, here]})
    assert found == {
        (TENANT, here): UploadState.ISSUED,
        (TENANT, request_of(9)): None,
        (OTHER, there): UploadState.DONE,
        (OTHER, here): None,
    }
    assert counted.total() == (1 if database.is_sqlite else 2)
    assert states_of(database, {}) == {}


def test_a_thousand_waiting_clients_are_woken_once_each(database: Database) -> None:
    """T27: one look to begin with and one after the news for each; beside them one look for all at a time."""
    many = 1000
    with database.tenant(TENANT) as connection:
        row = _ticket()
        connection.execute(
            insert(uploads), [row | {"request": request_of(n), "object_key": str(n)} for n in range(many)]
        )

    def finish() -> None:
        requests = [request_of(n) for n in range(many)]
        with database.tenant(TENANT) as connection:
            connection.execute(insert(recommendations), [recommendation_row(one) for one in requests])
            connection.execute(text("UPDATE uploads SET state = 'done', arrived_at_ms = 1"))
            notify_all(connection, ANSWERS, [f"{TENANT}/{one.hex()}" for one in requests])

    async def scenario() -> tuple[list[Seen], float]:
        answers = Answers()
        began_s = time.monotonic()
        async with waking(answers, database), asyncio.timeout(_BOUND_S):
            clients = [asyncio.create_task(end_of(answers, database, request_of(n))) for n in range(many)]
            await until(lambda: counted["join"] >= many)  # every client has looked
            assert len(answers.waited_for()[TENANT]) == many
            await asyncio.to_thread(finish)
            found = await asyncio.gather(*clients)
        assert dict(answers.waited_for()) == {}
        return found, time.monotonic() - began_s

    with statements(database) as counted:
        found, took_s = asyncio.run(scenario())
    assert {one.state for one in found} == {UploadState.DONE}
    # A client that looked for the first time after the end was written needed no second look.
    assert many < counted["join"] <= 2 * many
    # However many wait, and however slow the machine is: that many looks fit into the time at most.
    assert counted["look"] <= took_s / sqlite_wakeups.EVERY_S + 3


def _ticket() -> dict[str, Any]:
    return {
        "tenant": TENANT,
        "user": user_of("anna"),
        "state": "issued",
        "purpose": "recommend",
        "content_type": "image/jpeg",
        "content_length": 1,
        "sha256": bytes(32),
        "context": {},
        "issued_at_ms": NOW_MS,
        "expires_at_ms": NOW_MS + 60_000,
    }


def test_a_lost_notification_is_found_by_looking(database: Database) -> None:
    """The recommendation was written and nobody told: the client is woken all the same."""
    request = add_upload(database, 1)

    async def scenario() -> Seen:
        answers = Answers()
        async with waking(answers, database), asyncio.timeout(_BOUND_S):
            client = asyncio.create_task(end_of(answers, database, request))
            await until(lambda: bool(answers.waited_for()))
            await asyncio.to_thread(recommend, database, request, told=False)
            return await client

    assert asyncio.run(scenario()).state is UploadState.DONE


def test_a_notification_wakes_before_any_look(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """PostgreSQL's looks are an hour apart here, and the client is woken; SQLite has only its looks."""
    monkeypatch.setattr(postgres_wakeups, "EVERY_S", 3600)
    monkeypatch.setattr(postgres_wakeups, "DEAF_S", 3600)
    request = add_upload(database, 1)
    caplog.set_level("INFO")

    async def scenario() -> Seen:
        answers = Answers()
        async with waking(answers, database), asyncio.timeout(_BOUND_S):
            client = asyncio.create_task(end_of(answers, database, request))
            await until(lambda: database.is_sqlite or "notifications.heard" in caplog.messages)
            await until(lambda: bool(answers.waited_for()))
            await asyncio.to_thread(recommend, database, request)
            return await client

    assert asyncio.run(scenario()).state is UploadState.DONE


def test_the_process_sees_what_another_wrote(database: Database) -> None:
    """A stream hears of the picture's arrival, and of a ticket that is gone."""
    request = add_upload(database, 1)

    async def scenario() -> None:
        answers = Answers()
        with answers.watch((TENANT, request), ALL) as watch:
            watch.knows(UploadState.ISSUED)
            await look(answers, database)
            assert not await watch.news(0)
            change_upload(database, request, state="arrived")
            await look(answers, database)
            assert await watch.news(_BOUND_S)
            watch.knows(UploadState.ARRIVED)
            await look(answers, database)
            assert not await watch.news(0)
            remove_upload(database, request)
            await look(answers, database)
            assert await watch.news(_BOUND_S)

    asyncio.run(scenario())


def test_nobody_waits_and_nothing_is_looked_at(database: Database) -> None:
    """No statement without a client, and none after the last one has gone."""

    async def scenario() -> None:
        answers, asked = Answers(), 0

        def every_s() -> float:
            nonlocal asked
            asked += 1
            return 0

        task = asyncio.create_task(look_for_ever(answers, database, every_s, DatabaseOutage()))
        await asyncio.sleep(0.05)
        assert asked == 0
        with answers.watch((TENANT, request_of(1)), ENDS) as watch:
            assert await watch.news(_BOUND_S)  # there is no such upload: told as gone
        counted.clear()
        await asyncio.sleep(0.05)
        assert counted.total() <= 1  # the one that was on its way
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])

    with statements(database) as counted:
        asyncio.run(scenario())


def test_a_database_that_is_away_is_asked_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Those who wait go on waiting, and the log tells its absence and its return."""
    request = add_recommended(database, 1)
    monkeypatch.setattr("cloud.public_api.adapters.looking.AWAY_PAUSE_S", 0.01)
    asked = itertools.count()

    def sometimes(*arguments: Any) -> Any:
        if next(asked) < 2:
            raise DatabaseAway("the database does not answer")
        return states_of(*arguments)

    monkeypatch.setattr("cloud.public_api.adapters.looking.states_of", sometimes)

    async def scenario() -> None:
        answers = Answers()
        task = asyncio.create_task(look_for_ever(answers, database, lambda: 0.001, DatabaseOutage()))
        with answers.watch((TENANT, request), ENDS) as watch:
            assert await watch.news(_BOUND_S)
            await until(lambda: "database.back" in caplog.messages)
        task.cancel()
        await asyncio.wait([task])

    caplog.set_level("INFO")
    asyncio.run(scenario())
    assert caplog.messages.count("database.away") == 1


# ---- what is forgotten ------------------------------------------------------------------------------------


def forget(database: Database, now_ms: int, limit: int = 100, tenant: str = TENANT) -> int:
    with database.tenant(tenant) as connection:
        return forget_expired(connection, tenant, now_ms, limit)


def test_a_recommendation_goes_with_its_ticket_when_its_time_is_over(database: Database) -> None:
    """Not a millisecond before, and no other's."""
    request = add_recommended(database, 1)
    add_recommended(database, 2, expires_at_ms=NOW_MS + 4 * DAY_MS)
    add_recommended(database, 3, tenant=OTHER)
    assert forget(database, NOW_MS + 3 * DAY_MS - 1) == 0
    assert forget(database, NOW_MS + 3 * DAY_MS) == 1
    assert read(database, ANNA, request) is None
    assert (count(database, recommendations), count(database, uploads)) == (1, 1)
    assert count(database, recommendations, OTHER) == 1


def test_a_call_is_bounded_and_the_next_goes_on(database: Database) -> None:
    """So many rows a call, the oldest first."""
    for number in range(5):
        add_recommended(database, number, expires_at_ms=NOW_MS + number)
    later_ms = NOW_MS + 10
    assert [forget(database, later_ms, 2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("state", ["failed", "expired", "erased"])
def test_a_ticket_without_recommendation_is_kept_for_a_day(database: Database, state: str) -> None:
    """So long its owner learns why; one that has not ended stays."""
    add_upload(database, 1, state=state)
    add_upload(database, 2)
    add_upload(database, 3, state="arrived")
    over_ms = NOW_MS + 60_000 + UPLOAD_KEPT_MS
    assert forget(database, over_ms - 1) == 0
    assert forget(database, over_ms) == 1
    assert count(database, uploads) == 2


def test_a_ticket_stays_as_long_as_the_consent_that_keeps_its_picture(database: Database) -> None:
    """It is how its owner finds the consent; after the consent's end, or its withdrawal, it goes."""
    held, ended, withdrawn = (add_recommended(database, number) for number in (1, 2, 3))
    for request in (held, ended, withdrawn):
        change_upload(database, request, blank=request)
    with database.tenant(TENANT) as connection:
        for request, until_ms in ((held, NOW_MS + 99 * DAY_MS), (ended, NOW_MS + 9 * DAY_MS)):
            connection.execute(insert(consents).values(_consent(request, until_ms)))
        connection.execute(
            insert(withdrawals).values(
                tenant=TENANT,
                consent=withdrawn,
                source="customer",
                withdrawn_at_ms=NOW_MS,
                received_at_ms=NOW_MS,
                versions_deleted_at_ms=NOW_MS,
            )
        )
    assert forget(database, NOW_MS + 3 * DAY_MS) == 4  # three recommendations and the withdrawn one's ticket
    assert {read(database, ANNA, one) is None for one in (held, ended)} == {False}
    assert forget(database, NOW_MS + 9 * DAY_MS) == 1
    assert read(database, ANNA, held) is not None


def _consent(consent: bytes, until_ms: int) -> dict[str, Any]:
    return {
        "tenant": TENANT,
        "consent": consent,
        "register": "public-api",
        "interaction": consent,
        "purposes": ["training"],
        "notice": bytes(32),
        "language": "en",
        "method": "touch",
        "granted_at_ms": NOW_MS,
        "expires_at_ms": until_ms,
        "withdrawal": bytes(32),
        "receipt": b"",
        "received_at_ms": NOW_MS,
    }


def test_a_job_that_was_set_aside_keeps_its_ticket_for_a_week(database: Database) -> None:
    """Operators see why; then nothing of a person stays behind a picture that is long gone."""
    request = add_upload(database, 1, state="failed")
    with database.tenant(TENANT) as connection:
        connection.execute(
            insert(jobs).values(
                tenant=TENANT,
                job=request,
                queue="recommend",
                state="dead",
                attempts=3,
                enqueued_at_ms=NOW_MS,
                ready_at_ms=NOW_MS,
            )
        )
    assert forget(database, NOW_MS + DEAD_JOB_KEPT_MS - 1) == 0
    assert count(database, uploads) == 1
    assert forget(database, NOW_MS + DEAD_JOB_KEPT_MS) == 2
    assert count(database, uploads) == count(database, jobs) == 0


def test_sessions_and_device_grants_that_are_over_go(database: Database) -> None:
    """A grant is known a little longer, so that a device that still asks learns that it is over."""
    with database.tenant(TENANT) as connection:
        for number, ends_at_ms in enumerate((NOW_MS, NOW_MS + 1)):
            connection.execute(
                insert(api_sessions).values(
                    tenant=TENANT,
                    session=bytes([number]) * 32,
                    kind="device",
                    user=bytes(32),
                    created_at_ms=0,
                    seen_at_ms=0,
                    ends_at_ms=ends_at_ms,
                )
            )
            connection.execute(
                insert(device_grants).values(
                    tenant=TENANT,
                    device_code=bytes([number]) * 32,
                    user_code=bytes([number]) * 32,
                    state="waiting",
                    expires_at_ms=ends_at_ms - GRANT_KEPT_MS,
                )
            )
    assert forget(database, NOW_MS) == 2
    assert (count(database, api_sessions), count(database, device_grants)) == (1, 1)
