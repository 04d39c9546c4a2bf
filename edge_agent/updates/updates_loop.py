"""Updates of the model: orders come in, the plan says what is next, this does it, one thing after the other.

Whatever is decided is durable before it is done. The updater is another process; nothing here waits for the
network, and a recommendation never waits for anything here.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from daemon.log_fields import fields
from edge_agent.ports import Frame, Model
from edge_agent.seen import Seen
from edge_agent.shelf import Shelf
from edge_agent.updates import transitions
from edge_agent.updates.book import NS_PER_S, Book
from edge_agent.updates.choice import Choice, previous
from edge_agent.updates.errand import Piece
from edge_agent.updates.errands import Errands
from edge_agent.updates.errors import StateError, nothing_before
from edge_agent.updates.facts import Facts, Order
from edge_agent.updates.figures import UpdateFigures, Watched, figures
from edge_agent.updates.model_in_use import ModelInUse
from edge_agent.updates.parts import UpdatesParts
from edge_agent.updates.plan import Fetch, Nothing, Settle, Use, plan
from edge_agent.updates.steps import Step
from inference import Context
from wire_protocol.fleet_messages import DesiredDown, UpdateReason, UpdateState

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 60.0


class Updates:
    """Runs until cancelled.

    Args:
        parts: What it needs.
        model: What the start put in use.
    """

    def __init__(self, parts: UpdatesParts, model: Model | None) -> None:
        self._parts = parts
        self._book = Book(parts)
        self._wake = asyncio.Event()
        self._model = ModelInUse(self._book, model)
        self._errands = Errands(self._book, self._wake.set)
        self._desired: DesiredDown | None = None
        self._returns: list[asyncio.Future[Choice]] = []
        self._disk_refuses = False

    # ---- what happens to us; on the loop's thread, at once ---------------------------------------------

    def desired(self, desired: DesiredDown) -> None:
        """The cloud's desired state came, verified."""
        self._desired = desired
        self._wake.set()

    def connected(self) -> None:
        """There is a connection: what waited for it may go on."""
        self._book.try_at_once()
        self._wake.set()

    def give(self, piece: Piece) -> None:
        """The answer to what an errand needed."""
        self._errands.give(piece)

    def watched(self, frame: Frame | None, context: Context, shelf: Shelf, seen: Seen) -> None:
        """A recommendation was made; takes microseconds."""
        watch = self._model.watch
        if watch.interaction(frame, context, shelf, seen) and watch.trial is not None:
            self._wake.set()

    async def go_back(self) -> Choice:
        """A person wants the model before, or best-sellers; it holds until the cloud's next order.

        Raises:
            NothingBeforeError: No release is in use.
            StateError: The disk refused.
        """
        future: asyncio.Future[Choice] = asyncio.get_running_loop().create_future()
        self._returns.append(future)
        self._wake.set()
        return await future

    # ---- how things are; asks no disk ------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """The durable ones."""
        return self._book.facts

    @property
    def running(self) -> Choice:
        """What is in use."""
        return self._model.running

    @property
    def errands(self) -> int:
        """How often an updater was sent since the start."""
        return self._errands.sent

    def figures(self) -> UpdateFigures:
        """What a report says, and a little more."""
        watch, facts = self._model.watch, self._book.facts
        watched = Watched(
            health=None if watch.health is None else watch.health.figures(facts.crashes),
            shadow=None if watch.shadow is None else watch.shadow.comparison.figures(),
            trial_progress=None if watch.trial is None else watch.trial.progress(self._book.monotonic_ms()),
        )
        if self._disk_refuses and facts.attempt is not None:
            words = "the register's disk refuses; nothing changes until it takes notes again"
            attempt = facts.attempt.moved(UpdateState.WAITING, self._parts.now_ms(), UpdateReason.DISK, words)
            facts = replace(facts, attempt=attempt)
        return figures(facts, self._model.running, self._errands.progress, watched)

    @property
    def report_every_s(self) -> float | None:
        """What the cloud wants, if it said so."""
        order = self._book.facts.order
        return None if order is None else order.settings.report_every_s

    # ---- the loop --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled; then the updater is gone."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.advance()
                    self._disk_refuses = False
                except StateError as error:
                    self._tell_of_disk(error)
                await self._sleep()
        finally:
            await self._errands.end()
            for future in self._returns:
                future.cancel()

    def end(self) -> None:
        """The agent ends in order; waits for the disk."""
        facts = transitions.ended(self._book.last_saved())
        if facts == Facts():
            return  # no release was ever heard of: nothing is written
        try:
            self._parts.store.save(facts)
        except StateError as error:
            log.warning("update.not_noted", extra=fields(error=str(error), remedy=error.remedy))

    async def advance(self) -> None:
        """One round: everything that can be done now. Raises StateError."""
        await self._take_order()
        await self._take_returns()
        await self._errands.take_result()
        await self._model.judge()
        await self._model.settle()
        await self._pursue()
        await self._model.mind_shadow()
        await self._clear()

    async def _sleep(self) -> None:
        """Until something happens; a trial with few customers looks at the camera by itself."""
        trial, now_ns = self._model.watch.trial, self._parts.clock.monotonic_ns()
        wait_s = LOOK_EVERY_S if trial is None else trial.rules.look_every_s
        if self._book.retry_ns > now_ns:
            wait_s = min(wait_s, (self._book.retry_ns - now_ns) / NS_PER_S)
        asked = 0 if trial is None else trial.answers + trial.errors
        try:
            await asyncio.wait_for(self._wake.wait(), wait_s)
        except TimeoutError:
            if trial is not None and trial.answers + trial.errors == asked:
                self._model.watch.look(self._parts.models.look())

    async def _take_order(self) -> None:
        desired, book = self._desired, self._book
        if desired is None:
            return
        order = Order.of(desired)
        facts = transitions.ordered(book.facts, order, self._parts.randomness(16).hex(), self._parts.now_ms())
        if facts is not None:
            await book.keep(facts)
        if self._desired is desired:
            self._desired = None
        if facts is None and transitions.is_too_far(book.facts, order):
            log.error(
                "order.refused",
                extra=fields(
                    generation=order.generation,
                    known=book.facts.generation,
                    remedy="Nobody orders so; replace the chain's `fleet` key.",
                ),
            )
            return
        if facts is None:
            log.debug("order.known", extra=fields(generation=order.generation))
            return
        log.info("order.accepted", extra=fields(**book.named(), wanted=order.release))
        book.try_at_once()
        book.untidy = True
        self._errands.refused_shadow = self._model.refused_shadow = None
        book.step(Step.ORDERED)
        self._parts.changed()

    async def _take_returns(self) -> None:
        book = self._book
        while self._returns:
            future = self._returns.pop()
            choice = previous(book.facts, installed=self._model.has_installed)
            if book.facts.active is None:
                _refuse(future, nothing_before())
                continue
            try:
                await book.keep(transitions.returned(book.facts, choice, self._parts.now_ms()))
            except StateError as error:
                _refuse(future, error)
                raise
            log.warning("model.returned", extra=fields(**book.named(), by="person"))
            await self._model.settle()
            self._parts.changed()
            if not future.done():
                future.set_result(self._model.running)

    async def _pursue(self) -> None:
        """Do what the plan says until there is nothing that can be done at once."""
        book = self._book
        while True:
            match plan(book.facts):
                case Use(choice):
                    if not await self._model.use(choice):
                        return
                case Settle(state, reason, words):
                    assert book.facts.attempt is not None, "only an attempt is settled"
                    attempt = book.facts.attempt.moved(state, self._parts.now_ms(), reason, words)
                    await book.keep(replace(book.facts, attempt=attempt))
                    log.info("update.settled", extra=fields(**book.named(), state=state.value, reason=reason))
                    self._parts.changed()
                case Fetch() as fetch:
                    await self._errands.send(fetch)
                    return
                case Nothing():
                    await self._errands.end()
                    return

    async def _clear(self) -> None:
        """Remove what nobody needs; never while an updater may be writing."""
        book = self._book
        if not book.untidy or self._errands.busy or self._model.watch.trial is not None:
            return
        await book.keep(transitions.cleared(book.facts))
        await book.off_loop(self._parts.releases.clear, book.kept_folders)
        book.untidy = False
        book.step(Step.CLEARED)

    def _tell_of_disk(self, error: StateError) -> None:
        if not self._disk_refuses:
            log.warning("update.disk_refused", extra=fields(error=str(error), remedy=error.remedy))
        self._disk_refuses = True
        self._book.back_off()


def _refuse(future: "asyncio.Future[Choice]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
