"""The durable facts while the agent runs: saved first, then true."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from edge_agent.backoff import Backoff
from edge_agent.updates.facts import Facts
from edge_agent.updates.parts import UpdatesParts
from edge_agent.updates.steps import Step

T = TypeVar("T")

RETRY: Final = Backoff(first_s=5.0, longest_s=600.0)
"""After an errand that came to nothing or a disk that refused; an order or a connection tries at once."""
NS_PER_S: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000


class Book:
    """Facts, the next try, and whether there is something to clear away."""

    def __init__(self, parts: UpdatesParts) -> None:
        self.parts = parts
        self.facts = parts.facts
        self._saved = parts.facts
        self.untidy = True
        self.retry_ns = 0
        self._failures = 0

    async def keep(self, facts: Facts) -> None:
        """Durable on return; raises StateError, and then nothing has changed."""
        if facts == self.facts and facts.listing == self.facts.listing:
            return
        await self.off_loop(self._save, facts)
        self.facts = facts

    def last_saved(self) -> Facts:
        """What the disk says, also where the loop was cancelled while it was written; waits for that."""
        self.parts.executor.submit(lambda: None).result()
        return self._saved

    def _save(self, facts: Facts) -> None:
        self.parts.store.save(facts)
        self._saved = facts

    def back_off(self) -> None:
        """Try again later, and later each time."""
        delay_s = RETRY.delay_s(self._failures, self.parts.chance())
        self._failures += 1
        self.retry_ns = self.parts.clock.monotonic_ns() + round(delay_s * NS_PER_S)

    def try_at_once(self) -> None:
        """Something is different now."""
        self._failures = self.retry_ns = 0

    def go_on(self) -> None:
        """Nothing to wait for; but what fails next fails once more, not for the first time."""
        self.retry_ns = 0

    def step(self, step: Step) -> None:
        """A step was done."""
        self.parts.stepped(step)

    def named(self) -> dict[str, object]:
        """What every log event about updates carries."""
        attempt = self.facts.attempt
        return {
            "generation": self.facts.generation,
            "transaction": None if attempt is None else attempt.transaction,
            "rollout_id": None if attempt is None else attempt.rollout,
        }

    @property
    def kept_folders(self) -> tuple[str, ...]:
        """Folders of releases that may be needed."""
        return tuple(one.directory for one in self.facts.slots if one.there)

    def monotonic_ms(self) -> int:
        """Milliseconds that only grow."""
        return self.parts.clock.monotonic_ns() // _NS_PER_MS

    async def off_loop(self, work: Callable[..., T], *arguments: object) -> T:
        """On the thread that yields to requests."""
        return await asyncio.get_running_loop().run_in_executor(self.parts.executor, work, *arguments)
