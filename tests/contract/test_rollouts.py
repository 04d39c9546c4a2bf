"""Rollouts over a real database: SQLite, and PostgreSQL with its row-level security."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from cloud.database.engine import Database, open_database
from cloud.database.schema import metadata, releases, rollout_events, rollouts
from cloud.principal import NotAllowed
from cloud.rollout.decide import decide
from cloud.rollout.errors import (
    NotNow,
    PlanError,
    RolloutConflict,
    SecondPersonNeeded,
    UnknownRelease,
    UnknownRollout,
    UnreadableRollout,
)
from cloud.rollout.outbox import publish_again
from cloud.rollout.plan_values import DEFAULT_PLAN
from cloud.rollout.rows import read_policy
from cloud.rollout.shops import list_groups, list_stores, opening_from, set_group, set_store
from cloud.rollout.tick import tick
from cloud.rollout.values import MemberState, Outcome, Stage, State
from cloud.rollout.withdrawals import read_away, read_barred, write_away
from tests.builders.cloud_database import postgres_service, sqlite_database
from tests.builders.postgres import PostgresCluster
from tests.builders.rollout_stage import (
    ANNA,
    BRUNO,
    CHIARA,
    DARIO,
    MINUTE_MS,
    NOW_MS,
    QUICK,
    TENANT,
    RolloutStage,
    digest_of,
    good,
    health,
)
from wire_protocol.fleet_messages import UpdateReason, UpdateState
from wire_protocol.limits import COUNT_MAX, GENERATION_FREE
from wire_protocol.messages import StatusUp
from wire_protocol.reasons import Reason
from wire_protocol.topics import Up

GOOD, TOLD, WAITING = MemberState.GOOD, MemberState.TOLD, MemberState.WAITING


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set-up file without rows; each test works on a copy."""
    with sqlite_database(tmp_path_factory.mktemp("template")) as database:
        database.scrub()
        assert database.file is not None
        return database.file


@pytest.fixture(scope="module")
def postgres_emptied(postgres_cluster: PostgresCluster) -> Iterator[tuple[Database, Callable[[], None]]]:
    """One database for all tests, and what empties its tables: setting one up takes longer than a test."""
    with postgres_cluster.fresh_database() as fresh, postgres_service(fresh) as database:
        tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)

        def empty() -> None:
            with postgres_cluster.connect(fresh.name) as connection:
                connection.execute(f"TRUNCATE {tables}")

        yield database, empty


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "postgres":
        database, empty = request.getfixturevalue("postgres_emptied")
        empty()
        yield database
        return
    template = request.getfixturevalue("sqlite_template")
    copied = shutil.copy(template, tmp_path / "cloud.sqlite3")
    with open_database(f"sqlite:///{copied}") as opened:
        yield opened


@pytest.fixture
def stage(database: Database) -> RolloutStage:
    return RolloutStage(database)


def test_a_good_release_goes_from_one_register_to_all(stage: RolloutStage) -> None:
    """T28: told, good by what it attests, on to the next stage, done; the timeline tells each step."""
    rollout = stage.rolled_out()
    assert stage.tick().told == 1
    [(first, order)] = stage.published
    assert (order.release, order.digest, order.generation, order.rollout) == (1, digest_of(1), 1, rollout)
    assert stage.states(rollout)[first] is TOLD
    stage.all_do(UpdateState.TRIAL)
    stage.tick(1)
    assert stage.desk.rollout(DARIO, rollout).rollout.stage == 0
    stage.all_do()
    stage.tick(1)
    view = stage.desk.rollout(DARIO, rollout)
    assert (view.rollout.stage, view.stages[0].counts) == (1, {GOOD: 1})
    stage.tick()
    assert {name for name, _ in stage.published} == set(stage.names)
    stage.all_do()
    stage.tick(1)
    view = stage.desk.rollout(DARIO, rollout)
    assert (view.rollout.state, set(stage.states(rollout).values())) == (State.DONE, {GOOD})
    kinds = {entry.kind for entry in view.timeline}
    assert {"planned", "started", "told", "stage", "done"} <= kinds
    assert "p99 3.1 of 10 ms" in next(entry.words for entry in view.timeline if entry.kind == "done")
    assert stage.tick(1).told == 0


def test_a_bad_release_stops_and_its_registers_return(stage: RolloutStage) -> None:
    """T28: a refusal stops the rollout; what was told gets the release of before, with a newer generation."""
    stage.rolled_out(1)
    stage.until_done(1)
    rollout = stage.rolled_out(2)
    stage.tick(1)
    [(name, _)] = [one for one in stage.published if one[1].release == 2]
    progress = replace(good(2, 2)["update"], state=UpdateState.REFUSED, reason=UpdateReason.TOO_SLOW)
    stage.take(stage.report(name, **{**good(1, 2), "update": progress}))
    stage.tick(1)
    view = stage.desk.rollout(DARIO, rollout)
    assert view.rollout.state is State.RETURNING
    assert "1 of 1 register failed" in (view.rollout.reason or "")
    assert "too slow on this till" in (view.rollout.reason or "")
    assert next(gate for gate in view.gates if gate.kind == "install").outcome is Outcome.FAIL
    assert stage.desired()[name] == (3, 1)
    assert stage.published[-1][1].release == 1
    stage.take(stage.report(name, **good(1, 3)))
    stage.tick(1)
    assert stage.desk.rollout(DARIO, rollout).rollout.state is State.RETURNED
    assert {release for _, release in stage.desired().values()} == {1}


def test_a_release_of_before_that_was_withdrawn_is_not_returned_to(stage: RolloutStage) -> None:
    """T8: back to what the register was installed with, or to best-sellers."""
    stage.rolled_out(1)
    stage.until_done(1)
    rollout = stage.rolled_out(2)
    stage.tick(1)
    stage.withdraw(1)
    stage.desk.return_(ANNA, rollout, "it is worse")
    stage.tick(1)
    [(name, order)] = [one for one in stage.published if one[1].generation == 3]
    assert (order.release, order.digest) == (None, None)
    assert stage.desired()[name] == (3, None)


def test_a_release_that_is_withdrawn_on_its_way_returns(stage: RolloutStage) -> None:
    """T9: what the chain's keys withdrew goes no further, whatever the gates say."""
    rollout = stage.rolled_out(1)
    stage.tick()
    stage.withdraw(1)
    stage.tick(1)
    view = stage.desk.rollout(DARIO, rollout).rollout
    assert (view.state, view.reason) == (State.RETURNING, "release 1 was withdrawn: wrong labels")
    assert stage.audited().count("release.ordered-away") == 0, "the rollout brings them back itself"


def test_a_withdrawal_alone_reaches_every_till_of_a_rollout_that_is_done(stage: RolloutStage) -> None:
    """T9: whoever runs or is ordered the release is ordered the one before, once, in a frozen chain, too."""
    stage.rolled_out(1)
    stage.until_done(1)
    stage.rolled_out(2)
    stage.until_done(2)
    stage.desk.freeze(CHIARA, "the summer party")
    assert stage.tick(1).told == 0
    stage.withdraw(2)
    assert stage.tick(1).told == 4
    assert set(stage.desired().values()) == {(3, 1)}
    assert {order.digest for _, order in stage.published[-4:]} == {digest_of(1)}
    assert stage.audited().count("release.ordered-away") == 1
    stage.now_ms += 24 * 60 * MINUTE_MS
    assert stage.tick(1).told == 0, "they were not heard since: their order waits for them"
    assert stage.take(stage.report(stage.names[0], **good(2, 2))).again == 1, "it lost its order"
    stage.all_do(release=1)
    assert stage.tick(1).told == 0
    assert stage.audited().count("release.ordered-away") == 1


def test_a_till_below_the_minimum_or_without_an_order_is_told_where_its_shop_was_served(
    stage: RolloutStage,
) -> None:
    """T9: the newest release that was done in its shop; else the installed model."""
    stage.rolled_out(1, replace(QUICK, stores=("shop-0",)))
    stage.until_done(1)
    stage.add_release(3)
    stage.withdraw(2)
    stage.take(*(stage.report(name, **good(2, 1)) for name in stage.names))
    stage.tick(1)
    assert stage.desired() == {"till-0": (2, 1), "till-1": (2, None), "till-2": (2, 1), "till-3": (2, None)}
    stage.set_floor(3)
    stage.tick(1)
    assert {name: stage.desired()[name] for name in ("till-0", "till-1")} == {
        "till-0": (3, None),
        "till-1": (2, None),
    }


def test_a_till_that_runs_a_withdrawn_release_against_its_order_looks_again(stage: RolloutStage) -> None:
    """T9: its order stays and gets a new generation; again only after a while."""
    stage.rolled_out(1)
    stage.until_done(1)
    name = stage.names[0]
    stage.take(stage.report(name, **good(2, 1)))
    stage.now_ms += MINUTE_MS
    stage.withdraw(2)
    assert (stage.tick().told, stage.desired()[name]) == (1, (2, 1))
    stage.take(stage.report(name, **good(2, 2)))
    assert stage.tick(59).told == 0
    assert (stage.tick(1).told, stage.desired()[name]) == (1, (3, 1))
    assert {stage.desired()[other] for other in stage.names[1:]} == {(1, 1)}


def test_a_withdrawn_release_with_the_bytes_of_a_good_one_is_left_once(stage: RolloutStage) -> None:
    """By what it is ordered; what it attests is allowed."""
    with stage.database.tenant(TENANT) as connection:
        connection.execute(update(releases).where(releases.c.release == 2).values(digest=digest_of(1)))
    stage.rolled_out(1)
    stage.until_done(1)
    stage.withdraw(2)
    assert stage.tick(120).told == 0


def test_a_shadow_beside_a_withdrawn_release_goes_on(stage: RolloutStage) -> None:
    """T9: only what it runs is ordered away; the rollout that watches the shadow loses nothing."""
    stage.rolled_out(1)
    stage.until_done(1)
    plan = replace(QUICK, shadow_first=True, gates=replace(QUICK.gates, shadow_agreement=0.5))
    rollout = stage.rolled_out(2, plan)
    stage.tick(1)
    [name] = [name for name, state in stage.states(rollout).items() if state is MemberState.SHADOW]
    stage.withdraw(1)
    stage.tick(1)
    [order] = [order for till, order in stage.published if till == name and order.generation == 3]
    assert (order.release, order.rollout, order.settings.shadow) == (None, rollout, 2)
    assert stage.states(rollout)[name] is MemberState.SHADOW


def test_of_two_controllers_one_orders_away(stage: RolloutStage) -> None:
    """T28: what both read is written once, and an order that came between stays."""
    stage.rolled_out(1)
    stage.until_done(1)
    stage.withdraw(1)
    with stage.database.tenant(TENANT, read_only=True) as connection:
        barred = read_barred(connection, TENANT)
        away = read_away(connection, TENANT, barred, {1: digest_of(1), 2: digest_of(2)}, stage.now_ms)
    for written in (4, 0):
        with stage.database.tenant(TENANT) as connection:
            assert write_away(connection, TENANT, away, barred, stage.now_ms) == written
    assert stage.audited().count("release.ordered-away") == 1


def test_a_release_with_the_bytes_of_the_one_before_returns(stage: RolloutStage) -> None:
    """T28: its registers are back when they know the order and attest what it names."""
    with stage.database.tenant(TENANT) as connection:
        connection.execute(update(releases).where(releases.c.release == 2).values(digest=digest_of(1)))
    stage.rolled_out(1)
    stage.until_done(1)
    rollout = stage.rolled_out(2)
    stage.tick(1)
    [(name, _)] = [one for one in stage.published if one[1].release == 2]
    stage.desk.return_(ANNA, rollout, "it is worse")
    stage.tick(1)
    stage.take(stage.report(name, **{**good(1, 2), "update": good(2, 2)["update"]}))
    stage.tick(1)
    assert stage.desk.rollout(DARIO, rollout).rollout.state is State.RETURNING
    stage.take(stage.report(name, **good(1, 3)))
    stage.tick(1)
    assert stage.desk.rollout(DARIO, rollout).rollout.state is State.RETURNED


def test_two_controllers_at_once_tell_each_register_once(stage: RolloutStage) -> None:
    """T28: both read, both decide, one writes; no generation is used up in vain, nothing is told twice."""
    rollout = stage.rolled_out()
    barrier = threading.Barrier(2)
    ticked = []

    def controller() -> None:
        barrier.wait()
        ticked.append(tick(stage.database, TENANT, stage.now_ms))

    threads = [threading.Thread(target=controller) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.told for one in ticked) == 1
    assert sorted(stage.desired().values()) == [(1, 1)]
    assert [member.generation for member in stage.members(rollout) if member.state == "told"] == [1]


def test_a_decision_that_was_overtaken_is_not_written(
    stage: RolloutStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's pause, or a freeze, that comes between reading and writing wins."""
    rollout = stage.rolled_out()
    meanwhile = [
        lambda: stage.desk.pause(ANNA, rollout, "wait"),
        lambda: stage.desk.freeze(CHIARA, "heat wave"),
    ]
    for act in meanwhile:

        def overtaken(*arguments: object, act: object = act) -> object:
            done = threading.Thread(target=act)  # type: ignore[arg-type]
            done.start()
            done.join()
            return decide(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr("cloud.rollout.tick.decide", overtaken)
        ticked = stage.tick()
        assert (ticked.told, ticked.lost) == (0, 1)
        monkeypatch.setattr("cloud.rollout.tick.decide", decide)
        if stage.desk.rollout(DARIO, rollout).rollout.state is State.PAUSED:
            assert stage.tick().told == 0
            stage.desk.resume(ANNA, rollout, "go on")
    assert stage.desired() == {}


def test_reports_do_not_end_a_pause_and_a_person_does(stage: RolloutStage) -> None:
    """T28: whatever comes, late or twice."""
    rollout = stage.rolled_out()
    stage.tick()
    stage.desk.pause(ANNA, rollout, "wait for the weekend")
    for _ in range(3):
        stage.all_do()
        stage.tick(60)
    view = stage.desk.rollout(DARIO, rollout)
    assert (view.rollout.state, view.rollout.stage) == (State.PAUSED, 0)
    assert view.waiting == ("paused: wait for the weekend",)
    stage.desk.resume(BRUNO, rollout, "weekend")
    stage.tick(1)
    assert stage.desk.rollout(DARIO, rollout).rollout.stage == 1


def test_no_evidence_holds_until_a_person_promotes(stage: RolloutStage) -> None:
    """T28: a good register that answered nobody says nothing about the release."""
    rollout = stage.rolled_out()
    stage.tick()
    [(name, _)] = stage.published
    stage.take(stage.report(name, **{**good(1, 1), "health": None}))
    for _ in range(3):
        stage.tick(100_000)
    view = stage.desk.rollout(DARIO, rollout)
    assert (view.rollout.state, view.rollout.stage) == (State.RUNNING, 0)
    assert "waiting for 10 more answers" in view.waiting
    stage.desk.promote(ANNA, rollout, "a quiet week, I looked at it")
    assert stage.desk.rollout(DARIO, rollout).rollout.stage == 1


def test_an_older_report_never_replaces_a_newer_one(stage: RolloutStage) -> None:
    """T28: in one batch or in two, in whichever order."""
    older, newer = (
        stage.report("till-0", **good(1, 1, state=UpdateState.TRIAL)),
        stage.report("till-0", **good(1, 1)),
    )
    rollout = stage.rolled_out(1, replace(QUICK, stages=(Stage("all", share=1.0),)))
    stage.tick()
    for batch in ([newer], [older], [newer, older], [older, newer, newer]):
        assert stage.take(*batch).reports == len(batch)
        stage.tick()
        assert stage.states(rollout)["till-0"] is GOOD


def test_the_running_release_is_what_its_digest_says(stage: RolloutStage) -> None:
    """T28: a register that says good and attests another network is no success, and fails in its time."""
    rollout = stage.rolled_out()
    stage.tick()
    [(name, _)] = stage.published
    stage.online(name)
    lie = {**good(1, 1), "model_digest": digest_of(2)}
    stage.take(stage.report(name, **lie))
    stage.tick(1)
    assert stage.states(rollout)[name] is TOLD
    stage.tick(20)
    view = stage.desk.rollout(DARIO, rollout)
    assert view.rollout.state is State.RETURNING
    assert "lying" in (view.rollout.reason or "")


def test_a_connected_register_that_says_nothing_fails_and_an_absent_one_waits(stage: RolloutStage) -> None:
    """T28: silence counts against the release only where somebody is there to be silent."""
    rollout = stage.rolled_out(1, replace(QUICK, stages=(Stage("all", share=1.0),)))
    stage.online("till-0")
    stage.tick()
    stage.tick(20)
    assert stage.states(rollout)["till-0"] is MemberState.RETURNING
    assert "silent: connected for 20 minutes" in (stage.desk.rollout(DARIO, rollout).rollout.reason or "")


def test_a_register_that_reports_an_older_generation_is_told_again(stage: RolloutStage) -> None:
    """A retained message that was lost on its way is published again, not at once, and once."""
    stage.rolled_out()
    stage.tick()
    [(name, order)] = stage.published
    crossed = stage.report(name, generation=0)
    assert stage.take(crossed).again == 0
    stage.now_ms += MINUTE_MS
    assert stage.take(stage.report(name, generation=0)).again == 1
    assert stage.take(stage.report(name, generation=0)).again == 0
    stage.tick()
    assert stage.published == [(name, order), (name, order)]
    assert stage.take(stage.report(name, generation=1)).again == 0
    with stage.database.tenant(TENANT) as connection:
        assert publish_again(connection, TENANT, [("till-99", 0)], stage.now_ms) == 0


def test_generations_stay_ahead_of_what_a_register_knows(stage: RolloutStage) -> None:
    """After a restored backup the next order is newer than any that the register ever saw."""
    stage.take(*(stage.report(name, generation=41) for name in stage.names))
    stage.rolled_out()
    stage.tick()
    assert [order.generation for _, order in stage.published] == [42]


def test_a_register_that_knows_a_newer_order_than_the_database_is_told_beyond_it(stage: RolloutStage) -> None:
    """The database is of an earlier time; what the register says of its own order is no outcome of ours."""
    rollout = stage.rolled_out()
    stage.tick()
    [(name, order)] = stage.published
    stage.now_ms += MINUTE_MS
    assert stage.take(stage.report(name, **good(1, 41))).again == 1
    stage.tick()
    assert stage.published[1:] == [(name, replace(order, generation=42))]
    assert stage.states(rollout)[name] is TOLD
    assert stage.take(stage.report(name, **good(1, 42))).again == 0
    stage.tick()
    assert stage.states(rollout)[name] is GOOD


def test_a_thiefs_generation_is_overtaken_however_far_ahead(stage: RolloutStage) -> None:
    """T9: who stole the `fleet` key locks us out of no register: the next order is one above his."""
    stage.rolled_out()
    stage.tick()
    [(name, order)] = stage.published
    stage.now_ms += MINUTE_MS
    assert stage.take(stage.report(name, generation=GENERATION_FREE)).again == 1
    stage.tick()
    assert stage.published[1:] == [(name, replace(order, generation=GENERATION_FREE + 1))]


@pytest.mark.parametrize("first", [True, False], ids=["before the first order", "after it"])
def test_a_generation_far_beyond_ours_is_not_believed(stage: RolloutStage, *, first: bool) -> None:
    """T28: a lying register cannot use up the numbers, nor end the controller by one that no field holds."""
    lies = [stage.report(name, generation=COUNT_MAX) for name in stage.names]
    if first:
        stage.take(*lies)
    stage.rolled_out()
    stage.tick()
    assert stage.take(*lies).again == 0
    stage.tick()
    assert [order.generation for _, order in stage.published] == [1]


def test_a_frozen_chain_repeats_only_what_brings_registers_back(stage: RolloutStage) -> None:
    """T28: no register is told anything new; an order to return that was lost is still said again."""
    rollout = stage.rolled_out()
    stage.tick()
    [(name, _)] = stage.published
    stage.desk.freeze(CHIARA, "the summer party")
    stage.now_ms += MINUTE_MS
    assert stage.take(stage.report(name, generation=0)).again == 0
    stage.desk.return_(ANNA, rollout, "not this one")
    stage.tick()
    stage.now_ms += MINUTE_MS
    assert stage.take(stage.report(name, generation=1)).again == 1


def test_what_is_not_verified_is_refused_with_its_reason(stage: RolloutStage) -> None:
    """T4: strangers, the revoked, foreign topics and rubbish change nothing."""
    message = stage.report("till-0", **good(1, 1))
    stage.revoke("till-1")
    refused = stage.take(
        replace(message, topic=message.topic.replace("till-0", "till-2")),
        replace(message, topic=message.topic.replace("report", "frame")),
        replace(message, payload=message.payload[:-1] + b"\0"),
        stage.report("till-77"),
        stage.report("till-1"),
    ).refused
    assert sorted(reason for _, reason in refused) == sorted(
        [
            Reason.IDENTITY_MISMATCH,
            Reason.BAD_TOPIC,
            Reason.BAD_SIGNATURE,
            Reason.UNKNOWN_REGISTER,
            Reason.REVOKED,
        ]
    )


def test_a_status_says_since_when_and_its_repetition_changes_nothing(stage: RolloutStage) -> None:
    """The broker retains it, so a controller that starts again sees it again."""
    status = stage.says("till-0", StatusUp(online=True, since=NOW_MS, agent_version="0.3.0"), Up.STATUS)
    stage.take(status)
    stage.now_ms += MINUTE_MS
    stage.take(status)
    rollout = stage.rolled_out(1, replace(QUICK, stages=(Stage("all", share=1.0),)))
    from cloud.rollout.rows import read_members

    with stage.database.tenant(TENANT, read_only=True) as connection:
        _, evidence = read_members(connection, TENANT, rollout)
    assert (evidence["till-0"].online, evidence["till-0"].since_ms) == (True, NOW_MS)
    gone = stage.says("till-0", StatusUp(online=False, since=NOW_MS, agent_version="0.3.0"), Up.STATUS)
    stage.take(gone)
    with stage.database.tenant(TENANT, read_only=True) as connection:
        _, evidence = read_members(connection, TENANT, rollout)
    assert (evidence["till-0"].online, evidence["till-0"].since_ms) == (False, stage.now_ms)


def test_late_joiners_join_by_their_place_and_get_the_present_release(stage: RolloutStage) -> None:
    """In a running rollout the stage of their hash; after one that is done, its release."""
    rollout = stage.rolled_out()
    stage.tick()
    stage.add_register("till-9", "shop-9")
    stage.tick()
    assert stage.states(rollout)["till-9"] is WAITING
    stage.until_done()
    assert stage.desk.rollout(DARIO, rollout).rollout.state is State.DONE
    assert stage.states(rollout)["till-9"] is GOOD
    stage.add_register("till-10", "shop-9")
    stage.tick()
    stage.tick()
    assert stage.desired()["till-10"] == (1, 1)
    stage.all_do()
    stage.tick()
    assert stage.states(rollout)["till-10"] is GOOD


def test_two_rollouts_that_want_the_same_register(stage: RolloutStage) -> None:
    """The second is refused with both named; other shops are free."""
    first = stage.rolled_out(1, replace(QUICK, stores=("shop-0",)))
    second = stage.desk.plan(BRUNO, 2, QUICK)
    assert [one.rollout for one in stage.desk.preview(BRUNO, 2, QUICK).conflicts] == [first]
    with pytest.raises(RolloutConflict) as refused:
        stage.desk.start(BRUNO, second)
    assert first.hex() in str(refused.value)
    assert second.hex() in str(refused.value)
    assert stage.desk.rollout(DARIO, second).rollout.state is State.DRAFT
    third = stage.desk.plan(BRUNO, 2, replace(QUICK, stores=("shop-1",)))
    stage.desk.start(BRUNO, third)


def test_of_two_starts_at_once_one_gets_the_registers(stage: RolloutStage) -> None:
    """T28: no register is in two open rollouts."""
    drafts = [stage.desk.plan(ANNA, release, QUICK) for release in (1, 2)]
    barrier, refused = threading.Barrier(2), []

    def start(rollout: bytes) -> None:
        barrier.wait()
        try:
            stage.desk.start(ANNA, rollout)
        except RolloutConflict as error:
            refused.append(error)

    threads = [threading.Thread(target=start, args=(rollout,)) for rollout in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    running = [one for one in stage.desk.rollouts(DARIO) if one.state is State.RUNNING]
    assert len(running) == 1


def test_a_second_person_approves_where_the_chain_wants_it(stage: RolloutStage) -> None:
    """Who planned it cannot approve it, and nobody starts it before."""
    stage.desk.require_approval(CHIARA, wanted=True)
    rollout = stage.desk.plan(ANNA, 1, QUICK)
    with pytest.raises(SecondPersonNeeded):
        stage.desk.start(ANNA, rollout)
    with pytest.raises(SecondPersonNeeded):
        stage.desk.approve(replace(ANNA, name="another name"), rollout, "looks good to me")
    stage.desk.approve(BRUNO, rollout, "looks good")
    stage.desk.start(ANNA, rollout)
    assert stage.desk.rollout(DARIO, rollout).rollout.approved_by == "bruno"


def test_the_second_person_is_another_by_id_not_by_name(stage: RolloutStage) -> None:
    """T24: a name is no proof of another person, nor is a timeline that names nobody."""
    rollout = stage.desk.plan(ANNA, 1, QUICK)
    with pytest.raises(SecondPersonNeeded):
        stage.desk.approve(replace(ANNA, name="bruno"), rollout, "looks good")
    view = stage.desk.rollout(DARIO, rollout)
    assert not view.may_approve(ANNA.operator)
    assert view.may_approve(BRUNO.operator)
    with stage.database.tenant(TENANT) as connection:
        connection.execute(delete(rollout_events).where(rollout_events.c.tenant == TENANT))
    assert not stage.desk.rollout(DARIO, rollout).may_approve(BRUNO.operator)
    with pytest.raises(SecondPersonNeeded):
        stage.desk.approve(BRUNO, rollout, "looks good")
    namesake = stage.desk.plan(ANNA, 1, QUICK)
    stage.desk.approve(replace(BRUNO, name="anna"), namesake, "looks good")
    assert stage.desk.rollout(DARIO, namesake).rollout.approved_by == "anna"


def test_freeze_and_emergency_stop(stage: RolloutStage) -> None:
    """A freeze tells nobody anything new; a stop brings everybody back; both say who and why."""
    rollout = stage.rolled_out()
    stage.desk.freeze(CHIARA, "heat wave")
    assert stage.tick().told == 0
    assert stage.desk.rollout(DARIO, rollout).waiting[0] == "the chain is frozen by chiara: heat wave"
    with pytest.raises(NotNow):
        stage.desk.promote(ANNA, rollout, "I want to")
    with pytest.raises(NotNow):
        stage.desk.freeze(CHIARA, "again")
    stage.desk.unfreeze(CHIARA, "cooler")
    assert stage.tick().told == 1
    stage.desk.stop(CHIARA, "wrong prices on every till")
    stage.tick(1)
    view = stage.desk.rollout(DARIO, rollout)
    assert "emergency stop by chiara: wrong prices" in (view.rollout.reason or "")
    assert view.rollout.state in {State.RETURNING, State.RETURNED}
    with pytest.raises(NotNow):
        stage.desk.start(ANNA, stage.desk.plan(ANNA, 2, QUICK))
    stage.desk.unstop(CHIARA, "mended")
    assert stage.desk.policy(DARIO).stopped is None
    assert {"rollouts.frozen", "rollouts.unfrozen", "rollouts.stopped", "rollout.started"} <= set(
        stage.audited()
    )


def test_an_emergency_stop_comes_through_while_controllers_write(stage: RolloutStage) -> None:
    """T28: it waits for the decision that is being written, is not lost, and nothing is told after it."""
    rollout = stage.rolled_out()
    stopping = threading.Thread(target=stage.desk.stop, args=(CHIARA, "it recommends only vanilla"))
    with stage.database.tenant(TENANT) as connection:  # as a controller that writes
        read_policy(connection, TENANT, hold=True)
        stopping.start()
    stopping.join(60)
    assert not stopping.is_alive()
    stage.tick()
    assert stage.desk.rollout(DARIO, rollout).rollout.state is State.RETURNING
    assert stage.published == []


def test_roles_and_chains(stage: RolloutStage) -> None:
    """T2: a viewer reads, an operator plans, an admin freezes; another chain's rollout is not there."""
    rollout = stage.rolled_out()
    for forbidden in (
        lambda: stage.desk.plan(DARIO, 1, QUICK),
        lambda: stage.desk.pause(DARIO, rollout, "why not"),
        lambda: stage.desk.freeze(ANNA, "I am no admin"),
    ):
        with pytest.raises(NotAllowed):
            forbidden()
    stranger = replace(CHIARA, tenant="other")
    with pytest.raises(UnknownRollout):
        stage.desk.rollout(stranger, rollout)
    with pytest.raises(UnknownRollout):
        stage.desk.return_(stranger, rollout, "not mine")
    assert stage.desk.rollouts(stranger) == ()


def test_a_rollout_that_cannot_be_read_holds(stage: RolloutStage) -> None:
    """T28: an unparsable threshold is no threshold that passes; nothing of its chain is told."""
    stage.rolled_out()
    plan = {"stages": [{"name": "all", "share": 1.0}], "gates": {"error_share": "a lot"}}
    with stage.database.tenant(TENANT) as connection:
        connection.execute(update(rollouts).where(rollouts.c.tenant == TENANT).values(plan=plan))
    with pytest.raises(UnreadableRollout, match=r"gates\.error_share"):
        stage.tick()
    assert stage.published == []


def test_what_cannot_be_planned_or_started_says_why(stage: RolloutStage) -> None:
    """Unknown, withdrawn or too old releases, unknown groups and shops, a missing reason."""
    with pytest.raises(UnknownRelease, match="no release 9"):
        stage.desk.plan(ANNA, 9, QUICK)
    with pytest.raises(PlanError, match="no group 'pilots'"):
        stage.desk.plan(ANNA, 1, replace(QUICK, stages=(Stage("pilots", group="pilots"),)))
    with pytest.raises(PlanError, match="no store 'nowhere'"):
        stage.desk.plan(ANNA, 1, replace(QUICK, stores=("nowhere",)))
    rollout = stage.desk.plan(ANNA, 1, QUICK)
    with pytest.raises(NotNow, match="a reason is missing"):
        stage.desk.return_(ANNA, rollout, "  ")
    with pytest.raises(NotNow, match="pause is not possible"):
        stage.desk.pause(ANNA, rollout, "it does not run")
    stage.withdraw(1)
    with pytest.raises(UnknownRelease, match="withdrawn: wrong labels"):
        stage.desk.start(ANNA, rollout)
    stage.set_floor(3)
    with pytest.raises(UnknownRelease, match="below the chain's signed minimum"):
        stage.desk.plan(ANNA, 2, QUICK)
    with pytest.raises(UnknownRollout):
        stage.desk.start(ANNA, bytes(16))


def test_a_done_rollout_is_taken_back_unless_a_later_one_holds_its_registers(stage: RolloutStage) -> None:
    first = stage.rolled_out(1)
    stage.until_done(1)
    stage.now_ms += MINUTE_MS
    second = stage.rolled_out(2)
    stage.until_done(2)
    with pytest.raises(RolloutConflict, match=second.hex()):
        stage.desk.return_(ANNA, first, "the wrong one")
    stage.desk.return_(ANNA, second, "sales fell")
    stage.tick(1)
    assert {release for _, release in stage.desired().values()} == {1}


def test_a_preview_says_how_many_registers_and_shops(stage: RolloutStage) -> None:
    """The very ones that a start takes, and what would make it wait."""
    preview = stage.desk.preview(ANNA, 1, DEFAULT_PLAN)
    assert preview.words == "would reach 4 registers in 2 stores"
    assert [(one.registers, one.stores) for one in preview.stages] == [(1, 1), (0, 0), (3, 2)]
    assert any("nothing to be compared with" in words for words in preview.warnings)
    for name in stage.names:
        counts = health(recommendations=200, confidence=(20,) * 10, labels=(50,) * 4)
        stage.take(stage.report(name, **{**good(2, 0), "health": counts}))
    assert stage.desk.preview(ANNA, 1, DEFAULT_PLAN).warnings == ()
    rollout = stage.rolled_out(1, DEFAULT_PLAN)
    found = stage.desk.rollout(DARIO, rollout)
    assert found.rollout.baseline == {"confidence": (80,) * 10, "labels": (200,) * 4}
    assert found.rollout.previous == 2


def test_shops_and_groups(stage: RolloutStage) -> None:
    """Time zones, hours and groups are said once, and a maintenance window follows them."""
    with pytest.raises(PlanError, match="no time zone"):
        set_store(stage.database, TENANT, "shop-0", **_shop(timezone="Europe/Atlantis"))
    with pytest.raises(PlanError, match="give --timezone"):
        set_store(stage.database, TENANT, "shop-0", **_shop(timezone=None))
    set_store(stage.database, TENANT, "shop-0", **_shop(opening=opening_from(["mon-sun:09:00-19:30"])))
    set_store(stage.database, TENANT, "shop-0", **_shop(timezone=None, name="Harbour"))
    [shop] = list_stores(stage.database, TENANT)
    assert (shop.name, shop.timezone, shop.document()["opening"][0]["to"]) == (
        "Harbour",
        "Europe/Rome",
        "19:30",
    )
    with pytest.raises(PlanError, match="no register 'till-99'"):
        set_group(stage.database, TENANT, "pilots", ["till-99"], actor="a", now_ms=NOW_MS)
    set_group(stage.database, TENANT, "pilots", ["till-2", "till-0"], actor="a", now_ms=NOW_MS)
    assert list_groups(stage.database, TENANT) == {"pilots": ["till-0", "till-2"]}
    plan = replace(QUICK, stages=(Stage("pilots", group="pilots"), *QUICK.stages[1:]), outside_opening=True)
    rollout = stage.rolled_out(1, plan)
    stage.now_ms = 1_795_050_000_000 - 1_795_050_000_000 % 86_400_000 + 12 * 3_600_000  # noon in Rome
    assert stage.tick().told == 0
    assert any("maintenance window" in words for words in stage.desk.rollout(DARIO, rollout).waiting)
    stage.now_ms += 10 * 3_600_000  # the shop is closed; the other one's time nobody knows
    set_store(stage.database, TENANT, "shop-1", **_shop())
    assert stage.tick().told == 2
    set_group(stage.database, TENANT, "pilots", [], actor="a", now_ms=NOW_MS)
    assert list_groups(stage.database, TENANT) == {}


def _shop(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"name": None, "timezone": "Europe/Rome", "opening": None, "actor": "a"}
    usual["now_ms"] = NOW_MS
    return {**usual, **changes}
