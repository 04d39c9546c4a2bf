"""What the register does, step by step: a trigger, a frame, scores, an arm, a slate, a record, an answer.

Everything here runs on the event loop's thread, so no step sees a half-changed menu or model. Recommending
never waits: no network, no disk, no other process. A picture is only ever looked at here; where customers are
asked for consent, `keep` gets it and decides what becomes of it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from daemon.log_fields import fields
from edge_agent.arms import draw_arm
from edge_agent.config import EdgeConfig
from edge_agent.errors import BadRequestError, ConflictError, UnknownInteractionError
from edge_agent.impression import Arm, Displayed, Impression, Outcome, StoredOutcome
from edge_agent.interactions import Event, Interactions, InvalidTransitionError, State
from edge_agent.menu import Menu
from edge_agent.model_slot import ModelSlot
from edge_agent.moment import Moment, as_event
from edge_agent.outcomes import Sale, check_sale, receipt_hmac
from edge_agent.ports import Camera, Clock, EventSink, Frame, Journal, Model, Randomness
from edge_agent.seen import Seen, look, policies
from edge_agent.shelf import Shelf
from edge_agent.slate import Slate, fallback
from edge_agent.status import ModelInfo, Status
from edge_agent.stock import Stock
from inference import Context, ContextError, InferenceError
from wire_protocol.identifiers import uuid7

log = logging.getLogger(__name__)

_NS_PER_MS = 1_000_000
_MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class OpenInteraction:
    """What the till knows; hour and weekday only where the register's own clock is not the shop's."""

    temperature_c: float | None = None
    hour: float | None = None
    weekday: int | None = None


NOTHING_KNOWN = OpenInteraction()
Watcher = Callable[[Frame | None, Context, Shelf, Seen], None]


class Agent:
    """One register.

    Args:
        config: What the agent was told.
        camera: Gives the newest picture.
        model_slot: Holds the model, if any.
        journal: Records slates and sales.
        clock: Tells the time.
        events: Hears of everything that happens.
        randomness: Makes interaction ids unique.
        receipt_key: The register's key for receipt ids, `outcomes.RECEIPT_KEY_BYTES` long.
        observe: Called with every impression, for metrics; must be quick and must not raise.
        keep: Called with every impression that a model made from a picture, and that very picture; as
            `observe`. None where nobody is asked for consent.
        watch: Called with every look that a recommendation was made from, after it; as `observe`.
        signed_only: Whether this register runs signed releases only, and no directory that a till names.
    """

    def __init__(
        self,
        *,
        config: EdgeConfig,
        camera: Camera,
        model_slot: ModelSlot,
        journal: Journal,
        clock: Clock,
        events: EventSink,
        randomness: Randomness,
        receipt_key: bytes,
        observe: Callable[[Impression], None] | None = None,
        keep: Callable[[Impression, Frame], None] | None = None,
        watch: Watcher | None = None,
        signed_only: Callable[[], bool] = lambda: False,
    ) -> None:
        self._config = config
        self._camera = camera
        self._slot = model_slot
        self._journal = journal
        self._clock = clock
        self._events = events
        self._randomness = randomness
        self._receipt_key = receipt_key
        self._observe = observe
        self._keep = keep
        self._watch = watch
        self._signed_only = signed_only
        self._stock = Stock(model_slot, journal, events, config.menu.bestsellers)
        self._shares = config.arms.shares
        self._interactions = Interactions(
            lifetime_ns=config.interaction.expire_after_s * _MS_PER_S * _NS_PER_MS
        )
        self._camera_state = camera.state()
        self._last: Impression | None = None
        self._model_failures = 0

    @property
    def shelf(self) -> Shelf:
        """Catalogue, stock and best-sellers of this moment."""
        return self._stock.shelf

    def open_interaction(self, request: OpenInteraction = NOTHING_KNOWN) -> Impression:
        """Recommend to whoever stands there now; the record is durable within 100 ms.

        Raises:
            BadRequestError: The context is impossible. Nothing else is raised: trouble with camera or model
                ends in best-sellers that are called so.
        """
        started_ns = self._clock.monotonic_ns()
        shown_at_ms = self._clock.now_ms()
        interaction_id = uuid7(shown_at_ms, self._randomness(10))
        context = self._context(request)
        shelf = self._stock.shelf
        frame = self._camera.latest()
        seen = self._look(frame, context, shelf, started_ns)
        arm = draw_arm(interaction_id, self._shares, seed=self._config.arms.seed)
        slate = self._choose(seen, shelf, arm, interaction_id)
        moment = Moment(interaction_id, shown_at_ms, context, shelf, seen, self._config.language)
        elapsed_ns = self._clock.monotonic_ns() - started_ns
        impression = moment.impression(arm, slate, total_ms=elapsed_ns / _NS_PER_MS)
        self._record(impression, started_ns)
        if self._keep is not None and frame is not None and seen.recommendation is not None:
            self._keep(impression, frame)
        if self._watch is not None:
            self._watch(frame, context, shelf, seen)
        return impression

    def warm_up(self) -> None:
        """Somebody is coming: bring the model back into the caches before the trigger."""
        if self._slot.current is not None:
            try:
                self._slot.current.warm_up()
            except InferenceError as error:
                self._count_failure(error)

    def somebody(self) -> bool | None:
        """Whether somebody stands there; None where camera or model cannot say. Records nothing."""
        seen = self.look()
        return None if seen.recommendation is None else seen.reason is None

    def look(self) -> Seen:
        """Ask the model about the newest picture. Records nothing, shows nothing."""
        context, frame = self._context(NOTHING_KNOWN), self._camera.latest()
        return self._look(frame, context, self._stock.shelf, self._clock.monotonic_ns())

    def displayed(self, interaction_id: UUID) -> None:
        """The customer's display shows the slate; may be said again.

        Raises:
            UnknownInteractionError: No such interaction was opened here.
            ConflictError: The interaction is over.
        """
        interaction = self._interactions.find(interaction_id)
        if interaction is None and not self._journal.knows(interaction_id):
            raise UnknownInteractionError(
                f"no interaction {interaction_id} was opened here",
                remedy="Send the interaction_id that POST /v1/interactions answered on this register.",
            )
        try:
            before = interaction.state if interaction else State.EXPIRED
            self._interactions.apply(interaction_id, Event.DISPLAY)
        except (KeyError, InvalidTransitionError):
            raise ConflictError(
                f"interaction {interaction_id} is over", remedy="Show the newest recommendation instead."
            ) from None
        if before is not State.DISPLAYED:
            self._journal.displayed(Displayed(interaction_id, self._clock.now_ms()))

    def close_interaction(self, interaction_id: UUID) -> None:
        """The customer left; a later purchase still counts. Unknown ids and repetitions do nothing."""
        interaction = self._interactions.find(interaction_id)
        if interaction is not None and interaction.state in {State.OPENED, State.DISPLAYED}:
            self._interactions.apply(interaction_id, Event.EXPIRE)
            self._announce_expired((interaction_id,))

    async def record_outcome(
        self, sale: Sale, *, idempotency_key: str, interaction_id: UUID | None = None
    ) -> StoredOutcome:
        """Store what was bought, durably, before the answer; the same key and content give the same answer.

        An interaction that this register does not remember is accepted: its record may have been lost with
        the power, the sale was not.

        Raises:
            BadRequestError: The sale is impossible.
            UnknownFlavourError: It names a flavour that the catalogue lacks.
            ConflictError: The key was used with other content.
            JournalError: The disk refused; nothing was stored, the till should try again.
        """
        check_sale(sale, idempotency_key, self._stock.sellable)
        interaction = self._interactions.find(interaction_id) if interaction_id else None
        elapsed_ns = self._clock.monotonic_ns() - interaction.opened_ns if interaction else None
        outcome = Outcome(
            idempotency_key=idempotency_key,
            interaction_id=interaction_id,
            receipt_hmac=receipt_hmac(self._receipt_key, sale.receipt_id),
            lines=sale.lines,
            at_ms=self._clock.now_ms(),
            since_shown_ms=None if elapsed_ns is None else elapsed_ns // _NS_PER_MS,
        )
        stored = await asyncio.to_thread(self._journal.outcome, outcome)
        if not stored.repeated:
            self._bought(outcome, stored)
        return stored

    @property
    def menu(self) -> Menu:
        """What is in stock."""
        return self._stock.shelf.menu

    async def set_menu(self, in_stock: Iterable[str], *, version: int | None = None) -> Menu:
        """Take over what the till says is in stock; raises as `Stock.change`."""
        return await self._stock.change(in_stock, version)

    async def swap_model(self, directory: Path) -> ModelInfo:
        """Use another model from the next interaction on; those under way finish with theirs.

        Raises:
            ModelRefusedError: The directory holds no usable model of this chain; the model before goes on.
            ConflictError: This register runs signed releases only.
        """
        if self._signed_only():
            raise ConflictError(
                "this register runs signed releases only",
                remedy="Publish the model as a release; `topscoop edge model list` says what runs.",
            )
        model = await self._slot.swap(directory)
        return self._announce(ModelInfo.of(model, directory))

    def use_model(self, model: Model | None, directory: Path | None) -> None:
        """Use this model, which `ModelSlot.load` gave, from the next interaction on; None: best-sellers."""
        if model is None or directory is None:
            self._slot.clear()
            log.warning("model.none", extra=fields(shown="best-sellers"))
            self._events.publish("model", {"name": None, "version": None, "digest": None})
            return
        self._slot.put(model, directory)
        self._announce(ModelInfo.of(model, directory))

    def tick(self) -> None:
        """What has to be looked at from time to time: old interactions, the camera; call it every second."""
        self._announce_expired(self._interactions.expire(self._clock.monotonic_ns()))
        state = self._camera.state()
        if state is not self._camera_state:
            self._camera_state = state
            self._events.publish("camera", {"state": state.value})

    def status(self) -> Status:
        """How the agent is; asks neither disk nor network."""
        frame = self._camera.latest()
        age_ns = None if frame is None else self._clock.monotonic_ns() - frame.captured_ns
        model = self._slot.current
        return Status(
            camera=self._camera.state(),
            frame_age_ms=None if age_ns is None else age_ns / _NS_PER_MS,
            model=None if model is None else ModelInfo.of(model, self._slot.directory),
            model_failures=self._model_failures,
            menu_version=self.menu.version,
            in_stock=len(self.shelf.in_stock),
            catalogue=len(self.shelf.flavours),
            open_interactions=self._interactions.open_count,
            journal=self._journal.counts(),
            last=self._last,
        )

    def _announce(self, info: ModelInfo) -> ModelInfo:
        log.info("model.swapped", extra=fields(model=info.name, version=info.version, digest=info.digest))
        self._events.publish("model", {"name": info.name, "version": info.version, "digest": info.digest})
        return info

    def _context(self, request: OpenInteraction) -> Context:
        hour, weekday = self._clock.local()
        try:
            return Context(
                hour=hour if request.hour is None else request.hour,
                weekday=weekday if request.weekday is None else request.weekday,
                temperature_c=request.temperature_c,
                shop=self._config.shop_kind,
            )
        except ContextError as error:
            raise BadRequestError(str(error), remedy=error.remedy) from error

    def _look(self, frame: Frame | None, context: Context, shelf: Shelf, now_ns: int) -> Seen:
        max_age_ms = self._config.camera.max_age_ms
        seen = look(frame, context, shelf, now_ns=now_ns, max_age_ms=max_age_ms)
        if seen.error is not None:
            self._count_failure(seen.error)
        return seen

    def _choose(self, seen: Seen, shelf: Shelf, arm: Arm, interaction_id: UUID) -> Slate:
        if shelf.empty_because is not None:
            return fallback((), shelf.empty_because)
        if seen.recommendation is None or seen.reason is not None:
            assert seen.reason is not None, "no recommendation without a reason"
            return fallback(shelf.bestsellers, seen.reason)
        chosen = policies(seen.recommendation, shelf)
        seed = self._config.arms.seed
        return chosen.choose(arm, self._shares, interaction_id=interaction_id, seed=seed)

    def _record(self, impression: Impression, now_ns: int) -> None:
        self._last = impression
        evicted = self._interactions.open(impression.interaction_id, now_ns)
        self._journal.impression(impression)
        self._events.publish("recommendation", as_event(impression))
        self._announce_expired(evicted)
        if self._observe is not None:
            self._observe(impression)

    def _bought(self, outcome: Outcome, stored: StoredOutcome) -> None:
        if outcome.interaction_id is not None and self._interactions.find(outcome.interaction_id):
            self._interactions.apply(outcome.interaction_id, Event.BUY)
        self._events.publish(
            "outcome",
            {
                "outcome_id": str(stored.outcome_id),
                "interaction_id": str(outcome.interaction_id) if outcome.interaction_id else None,
                "lines": [{"flavour": line.flavour, "quantity": line.quantity} for line in outcome.lines],
            },
        )

    def _announce_expired(self, interaction_ids: Iterable[UUID]) -> None:
        for interaction_id in interaction_ids:
            self._events.publish("expired", {"interaction_id": str(interaction_id)})

    def _count_failure(self, error: InferenceError) -> None:
        self._model_failures += 1
        if self._model_failures.bit_count() > 1:
            return  # a broken model fails at every look: told at the 1st, 2nd, 4th, 8th … failure
        log.error(
            "model.failed", extra=fields(error=str(error), remedy=error.remedy, failures=self._model_failures)
        )
