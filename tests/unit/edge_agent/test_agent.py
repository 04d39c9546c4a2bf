import asyncio
import gc
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_agent.agent import OpenInteraction
from edge_agent.arms import ArmShares, draw_arm
from edge_agent.config import ArmsConfig, MenuConfig
from edge_agent.errors import (
    BadRequestError,
    ConflictError,
    ModelRefusedError,
    UnknownFlavourError,
    UnknownInteractionError,
)
from edge_agent.impression import Arm, Impression, Outcome, Reason, SoldLine, Source
from edge_agent.outcomes import Sale, receipt_hmac
from edge_agent.ports import CameraState
from tests.builders.records import interaction_id
from tests.builders.register import RECEIPT_KEY, Register
from tests.builders.tiny_model import build_model_dir

ONLY_MODEL = ArmsConfig(explore=0, bestsellers=0)
SALE = Sale("R-1", (SoldLine("mango", 1),))


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("model"), golden=False)


@pytest.fixture
def register(model_dir: Path) -> Register:
    return Register(model_dir, arms=ONLY_MODEL)


def flavours(impression: Impression) -> list[str]:
    return [offer.flavour for offer in impression.slate]


def test_who_stands_there_decides_about_the_slate(register: Register) -> None:
    for flavour in ("mango", "mint", "coffee"):
        register.somebody_likes(flavour)
        impression = register.agent.open_interaction()
        assert flavours(impression)[0] == flavour
        assert (impression.source, impression.reason, impression.arm) == (Source.MODEL, None, Arm.MODEL)


def test_the_record_has_all_that_measurement_needs(register: Register) -> None:
    register.somebody_likes("mango")
    register.clock.advance(40)
    impression = register.agent.open_interaction(OpenInteraction(temperature_c=31.5))
    assert register.journal.impressions == {impression.interaction_id: impression}
    assert impression.propensity == 1
    assert impression.frame_age_ms == 40
    assert impression.shown_at_ms == register.clock.ms
    assert impression.model_version == "2026.11.22"
    assert impression.model_digest == register.slot.current.digest  # type: ignore[union-attr]
    assert len(impression.scores or ()) == len(impression.in_stock) == 16
    assert dict(impression.context) == {"hour": 15.5, "weekday": 5, "temperature_c": 31.5, "shop": "beach"}
    assert impression.interaction_id.version == 7


def test_the_slate_is_told_to_whoever_listens(register: Register) -> None:
    register.somebody_likes("mango")
    impression = register.agent.open_interaction()
    (kind, data), *_ = register.events.heard
    assert kind == "recommendation"
    assert data["interaction_id"] == str(impression.interaction_id)
    assert data["top3"][0]["flavour"] == "mango"  # type: ignore[index]


def test_arms_are_those_of_the_draw_and_all_are_recorded_alike(model_dir: Path) -> None:
    """Model, exploration and control differ in the slate, in nothing that measurement needs."""
    arms = ArmsConfig(explore=0.3, bestsellers=0.3, seed="s")
    register = Register(model_dir, arms=arms)
    register.somebody_likes("coconut")
    seen = set()
    for _ in range(100):
        impression = register.agent.open_interaction()
        seen.add(impression.arm)
        assert impression.arm is draw_arm(impression.interaction_id, ArmShares(0.3, 0.3), seed="s")
        assert impression.scores is not None
        assert impression.nobody is not None
        assert impression.inference_ms is not None
        assert 0 < impression.propensity <= 1
        assert all(offer.probability is not None for offer in impression.slate)
        control = impression.arm is Arm.BESTSELLERS
        assert impression.source is (Source.BESTSELLERS if control else Source.MODEL)
        assert impression.reason is (Reason.CONTROL if control else None)
        if control:
            assert flavours(impression) == ["vanilla", "chocolate", "strawberry"]
    assert seen == set(Arm)


def test_nobody_there_gets_bestsellers_that_are_called_so(register: Register) -> None:
    register.nobody_is_there()
    impression = register.agent.open_interaction()
    assert flavours(impression) == ["vanilla", "chocolate", "strawberry"]
    assert (impression.source, impression.reason) == (Source.BESTSELLERS, Reason.NOBODY)
    assert impression.nobody is not None
    assert impression.nobody > 0.9
    assert impression.propensity == 1


@pytest.mark.parametrize("age_ms", [None, 1001, 60_000])
def test_without_a_fresh_picture_the_model_is_not_asked(register: Register, age_ms: int | None) -> None:
    if age_ms is not None:
        register.somebody_likes("mango")
        register.clock.advance(age_ms)
    impression = register.agent.open_interaction()
    assert (impression.source, impression.reason) == (Source.BESTSELLERS, Reason.CAMERA_AWAY)
    assert impression.scores is impression.inference_ms is None
    assert impression.frame_age_ms == age_ms


@pytest.mark.parametrize(
    "shape", [(720, 1280, 3), (120, 160, 3), (1080, 608, 3), (480, 640), (480, 640, 4), (1, 1, 3)]
)
def test_a_camera_may_change_its_pictures_size_mid_stream(register: Register, shape: tuple[int, ...]) -> None:
    """After a reconnect another format may come; the next customer gets a recommendation all the same."""
    register.somebody_likes("mango")
    before = register.agent.open_interaction()
    register.camera.show(np.full(shape, 200, np.uint8), register.clock.ns)
    assert register.agent.open_interaction().source is Source.MODEL
    register.somebody_likes("mango")
    assert flavours(register.agent.open_interaction()) == flavours(before)


def test_a_picture_at_the_limit_is_fresh(register: Register) -> None:
    register.somebody_likes("mango")
    register.clock.advance(1000)
    assert register.agent.open_interaction().source is Source.MODEL


def test_a_broken_model_is_counted_and_the_customer_gets_bestsellers(tmp_path: Path) -> None:
    register = Register(build_model_dir(tmp_path, golden=False, nan_scores=True), arms=ONLY_MODEL)
    register.somebody_likes("mango")
    impression = register.agent.open_interaction()
    assert (impression.source, impression.reason) == (Source.BESTSELLERS, Reason.MODEL_FAILED)
    assert len(impression.slate) == 3
    assert register.agent.status().model_failures == 1


def test_without_a_model_the_configured_bestsellers_are_shown() -> None:
    register = Register(None, menu=MenuConfig(bestsellers=("vanilla", "dark-chocolate")))
    impression = register.agent.open_interaction()
    assert [(offer.flavour, offer.name) for offer in impression.slate] == [
        ("vanilla", "Vanilla"),
        ("dark-chocolate", "Dark chocolate"),
    ]
    assert impression.reason is Reason.NO_MODEL


def test_without_model_and_configuration_the_empty_slate_says_why() -> None:
    impression = Register(None).agent.open_interaction()
    assert (impression.slate, impression.reason) == ((), Reason.NO_CATALOGUE)


async def test_an_empty_menu_gives_an_empty_slate_that_says_why(register: Register) -> None:
    register.somebody_likes("mango")
    await register.agent.set_menu([])
    impression = register.agent.open_interaction()
    assert (impression.slate, impression.reason) == ((), Reason.NOTHING_IN_STOCK)
    assert impression.propensity == 1


async def test_what_is_sold_out_is_in_no_slate_of_any_arm(model_dir: Path) -> None:
    register = Register(model_dir, arms=ArmsConfig(explore=0.4, bestsellers=0.3))
    register.somebody_likes("mango")
    await register.agent.set_menu(["coffee", "cherry"])
    for _ in range(50):
        impression = register.agent.open_interaction()
        assert sorted(flavours(impression)) == ["cherry", "coffee"]
        assert impression.in_stock == ("coffee", "cherry")
        assert impression.menu_version == 1


async def test_the_menu_survives_a_restart(register: Register) -> None:
    await register.agent.set_menu(["mango"], version=7)
    agent = register.restarted()
    assert agent.menu.version == 7
    assert agent.shelf.in_stock == ("mango",)


def test_an_impossible_context_is_refused_before_anything_is_recorded(register: Register) -> None:
    with pytest.raises(BadRequestError, match="temperature_c is 900"):
        register.agent.open_interaction(OpenInteraction(temperature_c=900))
    assert register.journal.impressions == {}


async def test_an_outcome_is_stored_with_its_time_to_purchase(register: Register) -> None:
    impression = register.agent.open_interaction()
    register.clock.advance(8000)
    stored = await register.agent.record_outcome(
        SALE, idempotency_key="k", interaction_id=impression.interaction_id
    )
    outcome, _ = register.journal.outcomes["k"]
    assert not stored.repeated
    assert outcome.since_shown_ms == 8000
    assert outcome.receipt_hmac == receipt_hmac(RECEIPT_KEY, "R-1")
    assert register.events.kinds() == ["recommendation", "outcome"]
    assert register.agent.status().open_interactions == 0


async def test_a_clock_that_steps_back_changes_no_time_to_purchase(register: Register) -> None:
    """The wall clock orders nothing and measures nothing here (T15)."""
    first = register.agent.open_interaction()
    register.clock.advance(3000)
    register.clock.ms -= 86_400_000
    second = register.agent.open_interaction()
    assert second.shown_at_ms < first.shown_at_ms
    register.clock.advance(1000)
    for impression, since_ms in ((first, 4000), (second, 1000)):
        key = str(impression.interaction_id)
        await register.agent.record_outcome(
            SALE, idempotency_key=key, interaction_id=impression.interaction_id
        )
        assert register.journal.outcomes[key][0].since_shown_ms == since_ms
    assert len(register.journal.impressions) == 2


async def test_a_repeated_outcome_is_answered_and_told_nobody(register: Register) -> None:
    first = await register.agent.record_outcome(SALE, idempotency_key="k")
    again = await register.agent.record_outcome(SALE, idempotency_key="k")
    assert (again.outcome_id, again.repeated) == (first.outcome_id, True)
    assert register.events.kinds() == ["outcome"]


async def test_an_outcome_of_an_interaction_that_nobody_remembers_is_accepted(register: Register) -> None:
    stored = await register.agent.record_outcome(SALE, idempotency_key="k", interaction_id=interaction_id(99))
    assert not stored.repeated
    assert register.journal.outcomes["k"][0].since_shown_ms is None


async def test_an_outcome_is_stored_off_the_event_loop(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow disk must not hold up the next customer."""
    store, threads = register.journal.outcome, []

    def stored_by(outcome: Outcome) -> object:
        threads.append(threading.current_thread())
        return store(outcome)

    monkeypatch.setattr(register.journal, "outcome", stored_by)
    await register.agent.record_outcome(SALE, idempotency_key="k")
    assert threads
    assert threads[0] is not threading.current_thread()


async def test_a_sale_of_something_unknown_is_refused(register: Register) -> None:
    with pytest.raises(UnknownFlavourError):
        await register.agent.record_outcome(
            replace(SALE, lines=(SoldLine("spinach", 1),)), idempotency_key="k"
        )
    assert register.journal.outcomes == {}


def test_the_display_confirms_once(register: Register) -> None:
    impression = register.agent.open_interaction()
    register.clock.advance(30)
    shown_at = register.clock.ms
    register.agent.displayed(impression.interaction_id)
    register.clock.advance(30)
    register.agent.displayed(impression.interaction_id)
    assert register.journal.shown[impression.interaction_id].at_ms == shown_at


def test_the_display_cannot_confirm_what_never_was(register: Register) -> None:
    with pytest.raises(UnknownInteractionError, match="was opened here"):
        register.agent.displayed(interaction_id(5))


def test_the_display_cannot_confirm_what_is_over(register: Register) -> None:
    """Whether it is still in memory or only in the journal."""
    impression = register.agent.open_interaction()
    register.agent.close_interaction(impression.interaction_id)
    for agent in (register.agent, register.restarted()):
        with pytest.raises(ConflictError, match="is over"):
            agent.displayed(impression.interaction_id)


def test_who_leaves_is_announced_once(register: Register) -> None:
    impression = register.agent.open_interaction()
    register.agent.close_interaction(impression.interaction_id)
    register.agent.close_interaction(impression.interaction_id)
    register.agent.close_interaction(interaction_id(99))
    assert register.events.kinds() == ["recommendation", "expired"]


def test_time_lets_interactions_expire(register: Register) -> None:
    register.agent.open_interaction()
    register.clock.advance(599_999)
    register.agent.tick()
    assert register.agent.status().open_interactions == 1
    register.clock.advance(1)
    register.agent.tick()
    assert register.agent.status().open_interactions == 0
    assert register.events.kinds() == ["recommendation", "expired"]


def test_a_change_of_the_camera_is_announced_once(register: Register) -> None:
    register.camera.now_state = CameraState.AWAY
    register.agent.tick()
    register.agent.tick()
    assert register.events.heard == [("camera", {"state": "away"})]
    assert register.agent.status().camera is CameraState.AWAY


def test_somebody_is_seen_without_a_record(register: Register) -> None:
    assert register.agent.somebody() is None
    register.nobody_is_there()
    assert register.agent.somebody() is False
    register.somebody_likes("mango")
    assert register.agent.somebody() is True
    assert register.journal.impressions == {}


def test_warming_up_records_nothing(register: Register) -> None:
    register.agent.warm_up()
    Register(None).agent.warm_up()
    assert register.journal.impressions == {}
    assert register.agent.status().model_failures == 0


async def test_a_swapped_model_serves_the_next_interaction(register: Register, tmp_path: Path) -> None:
    """With its own catalogue, and over the same menu."""
    await register.agent.set_menu(["mango", "vanilla", "cherry", "lemon"])
    register.somebody_likes("mango")
    old = weakref.ref(register.slot.current)
    smaller = build_model_dir(tmp_path, version="2026.12.1", flavours=8, golden=False)
    info = await register.agent.swap_model(smaller)
    impression = register.agent.open_interaction()
    assert impression.model_version == info.version == "2026.12.1"
    assert impression.in_stock == ("vanilla", "lemon", "mango")
    assert register.events.kinds() == ["menu", "model", "recommendation"]
    gc.collect()
    assert old() is None, "the old model is freed"


async def test_what_the_model_before_offered_can_still_be_sold(register: Register, tmp_path: Path) -> None:
    """The customer ordered while the models were exchanged; a refused sale would be lost."""
    register.somebody_likes("cherry")
    offered = register.agent.open_interaction()
    assert flavours(offered)[0] == "cherry"
    await register.agent.swap_model(build_model_dir(tmp_path, version="2", flavours=8, golden=False))
    sale = replace(SALE, lines=(SoldLine("cherry", 1),))
    stored = await register.agent.record_outcome(
        sale, idempotency_key="k", interaction_id=offered.interaction_id
    )
    assert not stored.repeated


async def test_without_a_model_everything_can_be_sold() -> None:
    """The configured best-sellers are what is shown, not all that the shop has."""
    register = Register(None, menu=MenuConfig(bestsellers=("vanilla",)))
    await register.agent.record_outcome(SALE, idempotency_key="k")
    assert list(register.journal.outcomes) == ["k"]


async def test_recommendations_go_on_while_models_are_swapped(register: Register, tmp_path: Path) -> None:
    """No request fails, each is answered by one model as a whole, and never by the old one again."""
    register.somebody_likes("mango")
    smaller = build_model_dir(tmp_path, version="2", flavours=8, golden=False)
    swap = asyncio.create_task(register.agent.swap_model(smaller))
    versions = []
    while not swap.done():
        impression = register.agent.open_interaction()
        versions.append(impression.model_version)
        assert len(impression.scores or ()) == {"2026.11.22": 16, "2": 8}[versions[-1] or ""]
        await asyncio.sleep(0)
    await swap
    versions.append(register.agent.open_interaction().model_version)
    assert (versions[0], versions[-1]) == ("2026.11.22", "2")
    assert versions == sorted(versions, reverse=True), "old, then new"


def test_a_model_that_fails_at_every_look_does_not_fill_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register = Register(build_model_dir(tmp_path, golden=False, nan_scores=True))
    register.somebody_likes("mango")
    for _ in range(100):
        register.agent.somebody()
    assert register.agent.status().model_failures == 100
    assert caplog.messages.count("model.failed") == 7


@pytest.mark.parametrize("tenant", ["polar-scoop", None])
async def test_a_model_that_cannot_be_used_changes_nothing(
    register: Register, tmp_path: Path, tenant: str | None
) -> None:
    """Another chain's, or none at all."""
    if tenant is not None:
        build_model_dir(tmp_path, tenant=tenant, golden=False)
    before = register.slot.current
    with pytest.raises(ModelRefusedError) as refusal:
        await register.agent.swap_model(tmp_path)
    assert refusal.value.remedy
    assert register.slot.current is before
    assert register.events.heard == []


async def test_a_model_arrives_where_there_was_none(model_dir: Path) -> None:
    register = Register(None, arms=ONLY_MODEL)
    await register.agent.set_menu(["mango", "gone-for-good"])
    await register.agent.swap_model(model_dir)
    register.somebody_likes("mango")
    assert flavours(register.agent.open_interaction()) == ["mango"]


def test_status_tells_the_last_impression(register: Register) -> None:
    register.somebody_likes("mango")
    impression = register.agent.open_interaction()
    status = register.agent.status()
    assert status.last is impression
    assert status.model is not None
    assert status.model.version == "2026.11.22"
    assert (status.in_stock, status.catalogue, status.menu_version) == (16, 16, 0)
    assert status.journal["impressions"] == 1
    assert status.frame_age_ms == 0
