"""The updater from the agent's side: sent for what the plan wants, one at a time, its result noted."""

import asyncio
import logging
from collections.abc import Callable

from daemon.log_fields import fields
from edge_agent.updates import transitions
from edge_agent.updates.book import Book
from edge_agent.updates.errand import Done, Failed, Job, Piece, Progress
from edge_agent.updates.errors import StateError
from edge_agent.updates.facts import Facts
from edge_agent.updates.plan import Fetch, plan
from edge_agent.updates.ports import Errand
from edge_agent.updates.steps import Step
from wire_protocol.fleet_messages import UpdateReason

log = logging.getLogger(__name__)


class Errands:
    """At most one updater runs.

    Args:
        book: The facts.
        wake: Told when one has ended.
    """

    def __init__(self, book: Book, wake: Callable[[], None]) -> None:
        self._book = book
        self._parts = book.parts
        self._wake = wake
        self._errand: Errand | None = None
        self._task: asyncio.Task[Done | Failed] | None = None
        self._fetch: Fetch | None = None
        self._generation = 0
        self._progress: Progress | None = None
        self.refused_shadow: int | None = None
        """A release that is no use as a shadow; forgotten with the next order."""
        self.sent = 0
        """Since the start."""

    @property
    def busy(self) -> bool:
        """Whether an updater may be writing."""
        return self._task is not None

    @property
    def progress(self) -> Progress | None:
        """Of the errand for the present attempt."""
        fetch = self._fetch
        return None if fetch is None or fetch.release is None or fetch.shadow else self._progress

    def give(self, piece: Piece) -> None:
        """The answer to what it needed."""
        if self._errand is not None:
            self._errand.give(piece)

    async def send(self, fetch: Fetch) -> None:
        """Send for this, unless it is under way, or it is too early to try again."""
        book, parts = self._book, self._parts
        if self._task is not None and self._fetch == fetch:
            return
        await self.end()
        refused = fetch.shadow and fetch.release == self.refused_shadow
        if refused or parts.clock.monotonic_ns() < book.retry_ns:
            return
        self._fetch, self._generation = fetch, book.facts.generation
        if not parts.config.enabled or not await book.off_loop(parts.places.root.exists):
            await self._failed(_cannot(enabled=parts.config.enabled))
            return
        self._errand = parts.errand()
        self._task = asyncio.create_task(
            self._errand.run(self._job(fetch), parts.needs, self._progressed), name="updater"
        )
        self._task.add_done_callback(lambda _: self._wake())
        self.sent += 1
        log.info("updater.started", extra=fields(**book.named(), wanted=fetch.release))
        book.step(Step.SENT)

    async def take_result(self) -> None:
        """If it has ended: what it brought, or why it did not."""
        task, book = self._task, self._book
        if task is None or not task.done():
            return
        self._errand = self._task = None
        defect = task.exception()
        if defect is None:
            result = task.result()
        else:
            # Ours, and no reason to end the agent: what runs goes on, and the errand is tried again.
            log.error("updater.defect", exc_info=defect)
            result = Failed(UpdateReason.CRASHED, f"defect: {type(defect).__name__}", passing=True)
        if isinstance(result, Failed):
            await self._failed(result)
            return
        book.step(Step.STAGED)
        facts = transitions.looked(book.facts, result.verified, self._generation)
        if result.release is not None:
            facts = transitions.staged(facts, result, self._parts.now_ms())
        fetch, self._progress, self._fetch = self._fetch, None, None
        await self._keep(facts)
        if plan(facts) == fetch:
            book.back_off()  # it brought what was asked for, and that is not enough: never in a tight loop
        else:
            book.go_on()
        book.untidy = True
        log.info("updater.done", extra=fields(**book.named(), staged=result.release, floor=facts.floor))
        book.step(Step.NOTED)
        self._parts.changed()

    async def end(self) -> None:
        """Nobody wants it any more: it is killed."""
        task, self._task, self._errand = self._task, None, None
        self._progress = self._fetch = None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _job(self, fetch: Fetch) -> Job:
        parts, facts = self._parts, self._book.facts
        seen = None if facts.listing is None else facts.listing.metadata
        return Job(
            transaction=bytes(16) if facts.attempt is None else bytes.fromhex(facts.attempt.transaction),
            tenant=parts.tenant,
            agent_version=parts.agent_version,
            root_file=str(parts.places.root),
            metadata_dir=str(parts.places.metadata),
            staging_dir=str(parts.places.staging),
            releases_dir=str(parts.places.releases),
            source=parts.config.source,
            max_kbytes_per_s=parts.config.max_kbytes_per_s,
            floor=facts.floor,
            root_version=0 if seen is None else seen.root,
            targets_version=0 if seen is None else seen.targets,
            signed_ms=parts.signed_ms(),
            release=fetch.release,
            digest=fetch.digest,
        )

    def _progressed(self, progress: Progress) -> None:
        before, self._progress = self._progress, progress
        if before is None:
            self._book.step(Step.FETCHING)
        if before is None or before.state is not progress.state:
            self._parts.changed()

    async def _failed(self, failure: Failed) -> None:
        """It came to nothing: noted where it was for the order, tried again where the trouble may pass."""
        book, fetch = self._book, self._fetch
        self._progress = self._fetch = None
        facts = book.facts
        if failure.verified is not None:
            facts = transitions.looked(facts, failure.verified, self._generation)
        if fetch is not None and fetch.shadow:
            self.refused_shadow = None if failure.passing else fetch.release
        elif _is_about(fetch, facts):
            facts = transitions.refused(facts, failure, self._parts.now_ms())
        if fetch is None or fetch.release is None or fetch.shadow or _is_about(fetch, facts):
            book.back_off()
        log.warning(
            "updater.failed",
            extra=fields(
                **book.named(),
                wanted=None if fetch is None else fetch.release,
                reason=failure.reason.value,
                words=failure.words,
                passing=failure.passing,
            ),
        )
        await self._keep(facts)
        self._parts.changed()

    async def _keep(self, facts: Facts) -> None:
        """Where the disk refuses what an errand brought, the same errand finds it again."""
        try:
            await self._book.keep(facts)
        except StateError:
            self._book.back_off()
            raise


def _is_about(fetch: Fetch | None, facts: Facts) -> bool:
    """Whether this was for the present attempt; a later order is not judged by an earlier errand."""
    attempt = facts.attempt
    return (
        fetch is not None
        and attempt is not None
        and (fetch.release, fetch.digest) == (attempt.release, attempt.digest)
    )


def _cannot(*, enabled: bool) -> Failed:
    words = (
        "this register has no root of trust for releases yet; it comes with the certificate's renewal"
        if enabled
        else "this register takes no releases: `enabled` under [updates] is false"
    )
    return Failed(UpdateReason.UNTRUSTED, words, passing=True)
