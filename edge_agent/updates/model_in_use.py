"""Which model the agent has: put in use, on trial, gone back from. Durable before it is done."""

import logging
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from daemon.log_fields import fields
from edge_agent.errors import ModelRefusedError
from edge_agent.ports import Model
from edge_agent.updates import transitions
from edge_agent.updates.book import Book
from edge_agent.updates.choice import Choice, Source, candidates, may_run
from edge_agent.updates.health import Health
from edge_agent.updates.shadow_loop import Shadow
from edge_agent.updates.slots import Slot, Verdict
from edge_agent.updates.steps import Step
from edge_agent.updates.trial import Passed, Rules, Trial
from edge_agent.updates.watch import Watch

log = logging.getLogger(__name__)


class ModelInUse:
    """The agent's model, as the facts want it.

    Args:
        book: The facts.
        model: What the start put in use.
    """

    def __init__(self, book: Book, model: Model | None) -> None:
        self._book = book
        self._parts = book.parts
        self.running = book.parts.running
        self.watch = Watch()
        self._installed = book.parts.places.installed
        self.refused_shadow: int | None = None
        """A release that is no use as a shadow; forgotten with the next order."""
        self._begin(model)

    @property
    def has_installed(self) -> bool:
        """Whether the register came with a model, and it can be used."""
        return self._installed is not None

    async def use(self, choice: Choice) -> bool:
        """Make it active: in memory first, then durable, then in use. Whether it came to that."""
        slot, book = choice.slot, self._book
        if slot is None:
            await book.keep(transitions.activated(book.facts, choice, self._parts.now_ms()))
            await self.settle()
            return True
        try:
            model = await self._load(slot)
        except ModelRefusedError as error:
            await self._spoiled(slot, error)
            book.back_off()
            return False
        book.step(Step.LOADED)
        await book.keep(transitions.activated(book.facts, choice, self._parts.now_ms()))
        book.step(Step.ACTIVATED)
        await self._put(choice, model, self._parts.releases.path(slot.directory))
        book.try_at_once()
        book.step(Step.SWAPPED)
        return True

    async def settle(self) -> None:
        """What is in use is what the choice says; where its files are no good, the next one."""
        while True:
            choice = next(
                one
                for one in candidates(self._book.facts)
                if one.source is not Source.INSTALLED or self._installed is not None
            )
            if (choice.source, choice.release) == (self.running.source, self.running.release):
                await self._note_active(choice)
                return
            slot, model, directory = choice.slot, None, None
            try:
                if slot is not None:
                    directory = self._parts.releases.path(slot.directory)
                    model = await self._load(slot)
                elif choice.source is Source.INSTALLED and self._installed is not None:
                    directory = self._installed
                    model = await self._book.off_loop(self._parts.models.load, directory)
            except ModelRefusedError as error:
                if slot is not None:
                    await self._spoiled(slot, error)
                else:
                    log.error("model.refused", extra=fields(error=str(error), remedy=error.remedy))  # noqa: TRY400 - no defect of ours
                    self._installed = None
                continue
            await self._note_active(choice)
            await self._put(choice, model, directory)
            return

    async def judge(self) -> None:
        """The verdict on a trial, if it is time for one, and what follows from it."""
        book, trial, model = self._book, self.watch.trial, self.watch.model
        if trial is None or model is None:
            return
        trial.rules = self._rules(model)
        verdict = trial.judge(book.monotonic_ms())
        if verdict is None:
            return
        book.step(Step.JUDGED)
        now_ms = self._parts.now_ms()
        if isinstance(verdict, Passed):
            await book.keep(transitions.passed(book.facts, now_ms))
            log.info(
                "trial.passed",
                extra=fields(**book.named(), release=self.running.release, answers=trial.answers),
            )
        else:
            await book.keep(transitions.failed(book.facts, verdict.reason, verdict.words, now_ms))
            log.error(
                "trial.failed",
                extra=fields(
                    **book.named(),
                    release=self.running.release,
                    reason=verdict.reason.value,
                    words=verdict.words,
                ),
            )
        self.watch.trial = None
        book.untidy = True
        book.step(Step.CONCLUDED)
        self._parts.changed()
        await self.settle()
        book.step(Step.SETTLED)

    async def mind_shadow(self) -> None:
        """The shadow that the cloud wants runs, and no other. Durable first: a death is blamed on it."""
        book, slot = self._book, self._wanted_shadow()
        present = self.watch.shadow
        release = None if slot is None else slot.release
        if (None if present is None else present.comparison.release) == release:
            return
        self.watch.shadow = None
        await book.keep(transitions.shadowed(book.facts, release))
        if slot is None:
            log.info("shadow.ended")
            return
        try:
            model = await self._load(slot)
        except ModelRefusedError as error:
            self.refused_shadow = slot.release
            await self._spoiled(slot, error)
            return
        self.watch.shadow = Shadow(slot.release, model, self._parts.shadow_executor)
        log.info("shadow.started", extra=fields(release=slot.release, digest=slot.digest))
        self._parts.changed()

    def _wanted_shadow(self) -> Slot | None:
        """The release to run beside what is active, if it may.

        None while a release is on trial: who ended the agent, or was slow, would be anybody's guess. None
        either where the agent died twice beside it: it is never worth a till.
        """
        facts = self._book.facts
        slot = facts.slot(None if facts.order is None else facts.order.settings.shadow)
        if slot is None or self.watch.trial is not None or not may_run(facts, slot):
            return None
        if slot.release in {self.running.release, self.refused_shadow}:
            return None
        if facts.shadow_deaths >= transitions.STARTS_MAX:
            self.refused_shadow = slot.release
            log.error("shadow.refused", extra=fields(release=slot.release, deaths=facts.shadow_deaths))
            return None
        return slot

    async def _load(self, slot: Slot) -> Model:
        """The network that was signed, and no other.

        Raises:
            ModelRefusedError: The files are not that.
        """
        directory = self._parts.releases.path(slot.directory)
        return await self._book.off_loop(load_signed, self._parts.models.load, slot, directory)

    async def _spoiled(self, slot: Slot, error: ModelRefusedError) -> None:
        log.error("release.damaged", extra=fields(release=slot.release, error=str(error)))
        book = self._book
        await book.keep(transitions.spoiled(book.facts, slot, str(error), self._parts.now_ms()))
        book.untidy = True
        self._parts.changed()

    async def _note_active(self, choice: Choice) -> None:
        book = self._book
        left = book.facts.active
        if left == choice.release:
            return
        await book.keep(transitions.settled_on(book.facts, choice, self._parts.now_ms()))
        book.untidy = True
        log.warning(
            "model.returned",
            extra=fields(**book.named(), left=left, to=choice.release or choice.source.value),
        )
        self._parts.changed()

    async def _put(self, choice: Choice, model: Model | None, directory: Path | None) -> None:
        """One assignment between two frames; the last model goes in a thread, as that takes a millisecond."""
        before, self.running = [self.watch.model], choice
        self._parts.models.use(model, directory)
        self._begin(model)
        log.info(
            "release.in_use",
            extra=fields(**self._book.named(), release=choice.release, source=choice.source.value),
        )
        await self._book.off_loop(before.clear)
        self._parts.changed()

    def _begin(self, model: Model | None) -> None:
        """Count anew; a release that is not proven is on trial."""
        watch, facts = self.watch, self._book.facts
        watch.model, watch.health, watch.trial = model, None, None
        if model is None:
            return
        watch.health = Health(self._parts.now_ms(), len(model.manifest.flavours))
        slot = None if self.running.slot is None else facts.slot(self.running.release)
        if slot is not None and slot.verdict is Verdict.TRIAL:
            watch.trial = Trial(self._rules(model), self._book.monotonic_ms())

    def _rules(self, model: Model) -> Rules:
        config, order = self._parts.config, self._book.facts.order
        settings = None if order is None else order.settings
        min_ms = None if settings is None else settings.trial_ms
        answers = None if settings is None else settings.trial_recommendations
        return Rules(
            round(config.trial_s * 1000) if min_ms is None else min_ms,
            config.trial_recommendations if answers is None else answers,
            model.manifest.latency_budget_ms.p99,
        )


def load_signed(load: Callable[[Path], Model], slot: Slot, directory: Path) -> Model:
    """Load a release as it was signed: its network, and the manifest that says what its answers mean.

    Raises:
        ModelRefusedError: It is another, or no use.
        ModelError: As `load` does.
    """
    model = load(directory)
    wrong = "network" if model.digest != slot.digest else None
    if slot.manifest is not None and _digest(directory / "manifest.json") != slot.manifest:
        wrong = "manifest"
    if wrong is not None:
        raise ModelRefusedError(
            f"{directory}: its {wrong} is another than the signed one",
            remedy="The release is fetched anew by itself, where it is wanted.",
        )
    return model


def _digest(file: Path) -> str | None:
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None
