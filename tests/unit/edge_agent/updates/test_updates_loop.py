"""Updates round by round: a real agent with real models, an updater that does what the test says."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.errors import ConflictError
from edge_agent.updates import transitions
from edge_agent.updates.choice import BESTSELLERS, candidates
from edge_agent.updates.errand import Done, Failed, Job, Piece, PieceStatus, Progress
from edge_agent.updates.errors import NothingBeforeError, StateError
from edge_agent.updates.facts import Facts
from edge_agent.updates.steps import Step
from inference import BrokenAnswer
from tests.builders.update_register import PaperUpdates
from wire_protocol.fleet_messages import DesiredDown, Settings, UpdateReason, UpdateState


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[PaperUpdates]:
    paper = PaperUpdates(tmp_path)
    yield paper
    paper.close()


def state(paper: PaperUpdates) -> tuple[int | None, UpdateState | None, UpdateReason | None]:
    """What a report would say: release in use, state, reason."""
    found = paper.updates.figures()
    update = found.update
    return (found.release, None, None) if update is None else (found.release, update.state, update.reason)


def digest_in_memory(paper: PaperUpdates) -> str | None:
    return None if paper.register.slot.current is None else paper.register.slot.current.digest


async def test_a_release_is_tried_and_stays(paper: PaperUpdates) -> None:
    """All steps in their order; the events tell of the new model; the report attests what is in memory."""
    digest = paper.publish(1)
    await paper.bring(1)
    assert state(paper) == (1, UpdateState.TRIAL, None)
    assert digest_in_memory(paper) == digest
    assert "model" in paper.register.events.kinds()
    await paper.prove()
    assert state(paper) == (1, UpdateState.GOOD, None)
    assert [step for step in paper.steps if step is not Step.FETCHING] == [
        step for step in Step if step is not Step.FETCHING
    ]
    health = paper.updates.figures().health
    assert health is not None
    assert (health.recommendations, health.errors) == (3, 0)


async def test_nothing_is_done_before_the_order_is_durable(paper: PaperUpdates) -> None:
    """A disk that refuses: no updater, no change, and it goes on when there is room again."""
    paper.publish(1)
    paper.store.refuses = True
    paper.order(1)
    with pytest.raises(StateError):
        await paper.advance()
    assert (paper.jobs, paper.updates.facts.generation) == ([], 0)
    paper.store.refuses = False
    await paper.advance(2)
    assert state(paper)[0] == 1


async def test_a_disk_that_refuses_the_activation_keeps_the_model_before(paper: PaperUpdates) -> None:
    """Durable first: what is in use is never ahead of what the next start would use."""
    paper.publish(1)
    paper.order(1)
    await paper.advance()
    paper.store.refuses = True
    with pytest.raises(StateError):
        await paper.advance()
    assert paper.register.slot.directory == paper.installed


async def test_an_unchanged_desired_state_sends_nobody(paper: PaperUpdates) -> None:
    """Retained messages come with every connection; none but the first costs a request."""
    paper.publish(1)
    await paper.bring(1)
    await paper.prove()
    sent = len(paper.jobs)
    for _ in range(3):
        paper.order(1, again=True)
        paper.updates.connected()
        await paper.advance()
    assert len(paper.jobs) == sent == 1


async def test_a_model_that_degrades_goes_back_by_itself(
    paper: PaperUpdates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T10: staged and tried, and then no use at the till: three customers, and the one before is back."""
    before = paper.publish(1)
    await paper.bring(1)
    await paper.prove()
    paper.publish(2)
    await paper.bring(2)
    assert state(paper)[:2] == (2, UpdateState.TRIAL)

    def broken(*_: object) -> None:
        raise BrokenAnswer("the network's scores are no finite numbers", remedy="Go back.")

    monkeypatch.setattr(paper.register.slot.current, "recommend", broken)
    paper.customer(3)
    await paper.advance(2)
    assert state(paper) == (1, UpdateState.BAD, UpdateReason.ERRORS)
    assert digest_in_memory(paper) == before
    update = paper.updates.figures().update
    assert update is not None
    assert update.words == "3 of 3 answers were no use"
    assert {one.partition("-")[0] for one in paper.there} == {"1"}


async def test_few_customers_are_no_reason_to_wait(paper: PaperUpdates) -> None:
    """The trial looks at the camera by itself: recorded nowhere, shown to nobody, no figure of health."""
    paper.publish(1)
    await paper.bring(1)
    paper.register.nobody_is_there()
    before = dict(paper.register.journal.counts())
    paper.register.clock.advance(1000)
    running = asyncio.create_task(paper.updates.run())
    async with asyncio.timeout(20):
        while state(paper)[1] is not UpdateState.GOOD:  # noqa: ASYNC110 - the memory tells nobody
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert dict(paper.register.journal.counts()) == before
    health = paper.updates.figures().health
    assert health is not None
    assert health.recommendations == 0


async def test_a_camera_that_is_away_leaves_it_on_trial(paper: PaperUpdates) -> None:
    """No answers, no verdict."""
    paper.publish(1)
    await paper.bring(1)
    paper.register.clock.advance(10**9)
    await paper.advance(3)
    assert state(paper)[1] is UpdateState.TRIAL


async def test_a_withdrawn_release_leaves_with_the_next_listing(paper: PaperUpdates) -> None:
    """To the one before; and where that may not run either, to best-sellers, called so (T9)."""
    for release in (1, 2):
        paper.publish(release)
        await paper.bring(release)
        await paper.prove()
    paper.withdrawn = (2,)
    paper.order(2, report_every_s=60)
    await paper.advance(2)
    assert state(paper) == (1, UpdateState.BAD, UpdateReason.WITHDRAWN)
    paper.withdrawn, paper.floor = (1, 2), 1
    paper.order(2, report_every_s=61)
    await paper.advance(2)
    assert state(paper)[0] is None
    assert paper.register.slot.current is None
    impression = paper.register.agent.open_interaction()
    assert (impression.source.value, impression.reason) == ("bestsellers", "no-model")
    assert len(impression.slate) == 3, "the catalogue of the model before is still what the shop sells"


async def test_the_cloud_returns_to_a_release_that_is_here_at_once(paper: PaperUpdates) -> None:
    """Without a fetch and without a trial; only then it looks at the metadata."""
    for release in (1, 2):
        paper.publish(release)
        await paper.bring(release)
        await paper.prove()
    paper.slow = True
    paper.order(1)
    await paper.advance()
    assert state(paper) == (1, UpdateState.GOOD, None)
    assert paper.jobs[-1].release is None


async def test_a_person_goes_back_until_the_next_order(paper: PaperUpdates) -> None:
    """Reported as `returned`; kept over restarts; the next generation decides anew."""
    for release in (1, 2):
        paper.publish(release)
        await paper.bring(release)
        await paper.prove()
    going = asyncio.create_task(paper.updates.go_back())
    await asyncio.sleep(0)
    await paper.advance()
    assert (await going).release == 1
    assert state(paper) == (1, UpdateState.BAD, UpdateReason.RETURNED)
    await paper.advance(2)
    assert state(paper)[0] == 1
    assert paper.store.load().is_held
    await paper.bring(2)
    assert state(paper)[:2] == (2, UpdateState.GOOD)


async def test_a_person_never_goes_back_to_what_the_chain_has_left(paper: PaperUpdates) -> None:
    """T9: after a return by the cloud from 2 to 1, and with a floor: best-sellers; kept over restarts."""
    for release in (1, 2):
        paper.publish(release)
        await paper.bring(release)
        await paper.prove()
    await paper.bring(1)
    assert state(paper)[:2] == (1, UpdateState.GOOD)
    paper.floor = 1
    paper.order(1)
    await paper.advance(2)
    going = asyncio.create_task(paper.updates.go_back())
    await asyncio.sleep(0)
    await paper.advance(2)
    assert await going == BESTSELLERS
    assert paper.updates.running == BESTSELLERS
    assert candidates(paper.store.load()) == (BESTSELLERS,)
    await paper.bring(2)
    assert state(paper)[:2] == (2, UpdateState.GOOD)


async def test_there_is_no_way_back_to_nothing(paper: PaperUpdates) -> None:
    """From the installed model, or where nothing else may run: refused, with what to do."""
    going = asyncio.create_task(paper.updates.go_back())
    await asyncio.sleep(0)
    await paper.advance()
    with pytest.raises(NothingBeforeError) as refusal:
        await going
    assert refusal.value.remedy


async def test_trouble_that_may_pass_is_tried_again_later_and_at_once_with_a_connection(
    paper: PaperUpdates,
) -> None:
    """WAITING with the reason; the next try after seconds, not at once; expired metadata stops nothing."""
    paper.publish(1)
    await paper.bring(1)
    await paper.prove()
    paper.publish(2)
    paper.failure = Failed(UpdateReason.METADATA_EXPIRED, "it ended an hour ago", passing=True)
    await paper.bring(2)
    assert state(paper) == (1, UpdateState.WAITING, UpdateReason.METADATA_EXPIRED)
    assert digest_in_memory(paper) == paper.digest(1), "what runs goes on"
    sent = len(paper.jobs)
    await paper.advance(3)
    assert len(paper.jobs) == sent
    paper.failure = None
    paper.updates.connected()
    await paper.advance(2)
    assert state(paper)[:2] == (2, UpdateState.TRIAL)


async def test_a_final_refusal_is_told_and_not_tried_again(paper: PaperUpdates) -> None:
    """REFUSED: it never ran."""
    paper.publish(1)
    paper.failure = Failed(UpdateReason.NOT_A_MODEL, "it has a custom operator", passing=False)
    await paper.bring(1)
    assert state(paper) == (None, UpdateState.REFUSED, UpdateReason.NOT_A_MODEL)
    paper.register.clock.advance(10**7)
    paper.updates.connected()
    await paper.advance(2)
    assert [job.release for job in paper.jobs].count(1) == 1


async def test_a_new_order_ends_the_errand_for_the_old_one(paper: PaperUpdates) -> None:
    """One updater at a time, and never for what nobody wants any more."""
    paper.publish(1)
    paper.publish(2)
    paper.slow = True
    await paper.bring(1)
    assert paper.progress is not None
    paper.progress(Progress(UpdateState.FETCHING, 5, 10))
    found = paper.updates.figures().update
    assert found is not None
    assert (found.state, found.fetched_bytes, found.total_bytes) == (UpdateState.FETCHING, 5, 10)
    paper.updates.give(Piece(1, PieceStatus.AWAY))
    assert len(paper.errands[0].pieces) == 1
    paper.slow = False
    await paper.bring(2)
    assert [job.release for job in paper.jobs] == [1, 2]
    assert paper.ended == 2
    assert state(paper)[0] == 2


async def test_an_order_is_not_judged_by_the_errand_for_the_one_before(paper: PaperUpdates) -> None:
    """T28: an errand that failed for good in the moment in which the next order came speaks for its own."""
    paper.publish(1)
    paper.publish(2)
    paper.failure = Failed(UpdateReason.NOT_A_MODEL, "it has a custom operator", passing=False)
    paper.order(1)
    await paper.advance()
    paper.failure = None
    paper.order(2)
    await paper.advance(2)
    assert state(paper)[:2] == (2, UpdateState.TRIAL)


async def test_what_comes_again_and_again_and_cannot_be_loaded_is_asked_for_ever_more_rarely(
    paper: PaperUpdates,
) -> None:
    """T8: a release that passes every check and still does not load here costs no link and no processor."""
    paper.publish(1)
    paper.order(1)
    network = paper.models[1] / "model.onnx"
    await paper.advance()
    network.write_bytes(bytes(network.stat().st_size))
    for _ in range(100):
        paper.register.clock.advance(10_000)
        await paper.advance()
    assert 5 <= len(paper.jobs) <= 12, "of a hundred times ten seconds"


async def test_an_errand_that_brings_too_little_is_no_tight_loop(
    paper: PaperUpdates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More releases than a listing carries, say: the updater takes it, and the listing does not name it."""
    paper.publish(1)
    honest = paper.result

    def unlisted(job: Job) -> Done | Failed:
        done = honest(job)
        assert isinstance(done, Done)
        return replace(done, verified=replace(done.verified, listed=b""))

    monkeypatch.setattr(paper, "result", unlisted)
    await paper.bring(1)
    await paper.advance(20)
    assert len(paper.jobs) == 1


async def test_a_damaged_release_is_fetched_anew(paper: PaperUpdates) -> None:
    """Found when it is to be used: the one in use goes on, and the files come again."""
    paper.publish(1)
    paper.order(1)
    await paper.advance()
    network = paper.models[1] / "model.onnx"
    whole = network.read_bytes()
    network.write_bytes(bytes(len(whole)))
    await paper.advance()
    assert state(paper) == (None, UpdateState.WAITING, UpdateReason.DIGEST_MISMATCH)
    assert digest_in_memory(paper) is not None
    network.write_bytes(whole)
    paper.updates.connected()
    await paper.advance(2)
    assert state(paper)[:2] == (1, UpdateState.TRIAL)


async def test_labels_that_changed_on_the_disk_are_not_shown(paper: PaperUpdates) -> None:
    """T10, T14: the network is the signed one, but not the manifest that says what its answers mean."""
    paper.publish(1)
    paper.order(1)
    await paper.advance()
    manifest = paper.models[1] / "manifest.json"
    signed = manifest.read_text("utf-8")
    manifest.write_text(signed.replace("2026.1.1", "2026.1.2"), "utf-8")
    await paper.advance()
    assert state(paper) == (None, UpdateState.WAITING, UpdateReason.DIGEST_MISMATCH)
    manifest.write_text(signed, "utf-8")
    paper.updates.connected()
    await paper.advance(2)
    assert state(paper)[:2] == (1, UpdateState.TRIAL)


async def test_a_shadow_sees_the_same_pictures_and_is_never_shown(paper: PaperUpdates) -> None:
    """It agrees with itself; its answers stand in no slate; it leaves when nobody wants it."""
    paper.publish(1)
    paper.publish(2, version="2027.1.1")
    await paper.bring(1)
    await paper.prove()
    paper.order(1, shadow=2)
    await paper.advance(4)
    for _ in range(4):
        paper.customer()
        shown = list(paper.register.journal.impressions.values())[-1]
        assert shown.model_digest == paper.digest(1)
        await asyncio.get_running_loop().run_in_executor(paper.executor, lambda: None)
        await asyncio.sleep(0)
    shadow = paper.updates.figures().shadow
    assert shadow is not None
    assert (shadow.release, shadow.errors) == (2, 0)
    assert 0 < shadow.compared == shadow.same_first <= 4
    paper.order(1)
    await paper.advance(3)
    assert paper.updates.figures().shadow is None


async def test_no_shadow_runs_beside_a_trial_or_after_two_deaths(paper: PaperUpdates) -> None:
    """T10: a shadow costs no till more than two starts, and nobody else is blamed for them."""
    paper.publish(1)
    paper.publish(2, version="2027.1.1")
    paper.publish(3, version="2027.1.2")
    await paper.bring(1)
    await paper.prove()
    paper.order(1, shadow=2)
    await paper.advance(4)
    assert paper.updates.figures().shadow is not None
    assert paper.store.load().shadow == 2, "durable, before it can do anything"
    paper.order(3, shadow=2)
    await paper.advance(4)
    assert state(paper)[1] is UpdateState.TRIAL
    assert (paper.updates.figures().shadow, paper.store.load().shadow) == (None, None)
    await paper.prove()
    await paper.advance(2)
    assert paper.updates.figures().shadow is not None
    register = PaperUpdates(paper.folder / "again", facts=replace(paper.store.load(), shadow_deaths=1))
    register.models, register.there = paper.models, paper.there
    await register.advance(3)
    assert register.updates.facts.shadow_deaths == transitions.STARTS_MAX
    assert (state(register)[0], register.updates.figures().shadow) == (3, None)
    register.updates.desired(DesiredDown(99, Settings(shadow=2), 3, paper.digest(3), b"r" * 16))
    await register.advance(3)
    assert register.updates.figures().shadow is not None, "another rollout wants it all the same"
    register.close()


async def test_a_register_without_root_or_switched_off_says_so(tmp_path: Path) -> None:
    """WAITING, untrusted: nothing is fetched that nobody could verify."""
    paper = PaperUpdates(tmp_path, enabled=False)
    paper.publish(1)
    await paper.bring(1)
    assert (state(paper), paper.jobs) == ((None, UpdateState.WAITING, UpdateReason.UNTRUSTED), [])
    paper.close()
    other = PaperUpdates(tmp_path / "other")
    other.root.unlink()
    other.publish(1)
    await other.bring(1)
    assert (state(other)[2], other.jobs) == (UpdateReason.UNTRUSTED, [])
    other.close()


async def test_the_clouds_settings_take_effect(paper: PaperUpdates) -> None:
    """Trial and reports as the cloud wants them, over the configuration."""
    paper.publish(1)
    await paper.bring(1, trial_ms=5000, trial_recommendations=2, report_every_s=7)
    assert paper.updates.report_every_s == 7
    paper.customer(2)
    paper.register.clock.advance(1000)
    await paper.advance()
    assert state(paper)[1] is UpdateState.TRIAL
    paper.register.clock.advance(4000)
    await paper.advance()
    assert state(paper)[1] is UpdateState.GOOD


async def test_a_defect_of_an_errand_ends_no_agent(
    paper: PaperUpdates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a reason, and tried again."""
    paper.publish(1)

    def defect(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(paper, "result", defect)
    await paper.bring(1)
    assert state(paper) == (None, UpdateState.WAITING, UpdateReason.CRASHED)


async def test_where_no_release_was_heard_of_nothing_is_written(paper: PaperUpdates) -> None:
    """A register of a chain that signs none is as it ever was."""
    await paper.advance(3)
    paper.updates.end()
    assert (paper.store.saved, paper.jobs) == ([], [])


async def test_an_end_amid_a_write_loses_nothing_of_it(
    paper: PaperUpdates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T8: a floor that reached the disk while the loop was cancelled is still there after the orderly end."""
    paper.publish(2)
    paper.floor = 2
    paper.order(2)
    await paper.advance()
    writing, go_on, save = threading.Event(), threading.Event(), paper.store.save

    def slowly(facts: Facts) -> None:
        writing.set()
        assert go_on.wait(20)
        save(facts)

    monkeypatch.setattr(paper.store, "save", slowly)
    round_ = asyncio.create_task(paper.updates.advance())
    assert await asyncio.to_thread(writing.wait, 20)
    round_.cancel()
    await asyncio.gather(round_, return_exceptions=True)
    assert paper.updates.facts.floor == 0
    go_on.set()
    await asyncio.to_thread(paper.updates.end)
    assert (paper.store.load().floor, paper.store.load().open) == (2, False)


async def test_an_orderly_end_is_noted(paper: PaperUpdates) -> None:
    """The next start blames nobody."""
    paper.publish(1)
    await paper.bring(1)
    assert paper.store.load().open
    paper.updates.end()
    assert not paper.store.load().open
    assert issubclass(NothingBeforeError, ConflictError)


async def test_health_says_from_when_on_it_counts(paper: PaperUpdates) -> None:
    """T28: after a restart counts begin anew, and so does what they are said to be since."""
    paper.publish(1)
    await paper.bring(1)
    await paper.prove()
    again = PaperUpdates(paper.folder / "again", facts=transitions.ended(paper.store.load()))
    again.models, again.there = paper.models, paper.there
    again.register.clock.advance(5_000)
    await again.advance()
    health = again.updates.figures().health
    assert health is not None
    assert (health.since, health.recommendations) == (again.register.clock.now_ms(), 0)
    again.close()
