"""A journal that forgets: for replays, benchmarks and tests. Held to the same contract as the real one."""

import threading
from collections.abc import Mapping
from uuid import UUID

from edge_agent.errors import ConflictError
from edge_agent.impression import Displayed, Impression, Outcome, StoredOutcome
from edge_agent.outcomes import content_digest
from edge_agent.ports import Clock, Randomness
from wire_protocol.identifiers import uuid7


class MemoryJournal:
    """Everything in dictionaries, for as long as the process lives."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._guard = threading.Lock()
        self.impressions: dict[UUID, Impression] = {}
        self.shown: dict[UUID, Displayed] = {}
        self.outcomes: dict[str, tuple[Outcome, StoredOutcome]] = {}
        self._settings: dict[str, str] = {}

    def impression(self, impression: Impression) -> None:
        """Keep a record; the first of an id counts."""
        with self._guard:
            self.impressions.setdefault(impression.interaction_id, impression)

    def displayed(self, displayed: Displayed) -> None:
        """Keep when a slate was first displayed."""
        with self._guard:
            self.shown.setdefault(displayed.interaction_id, displayed)

    def outcome(self, outcome: Outcome) -> StoredOutcome:
        """As `Journal.outcome`, without the durability."""
        with self._guard:
            before = self.outcomes.get(outcome.idempotency_key)
            if before is None:
                now_ms = self._clock.now_ms()
                stored = StoredOutcome(uuid7(now_ms, self._randomness(10)), now_ms, repeated=False)
                self.outcomes[outcome.idempotency_key] = outcome, stored
                return stored
            first, stored = before
        if content_digest(first) != content_digest(outcome):
            raise key_conflict(outcome.idempotency_key)
        return StoredOutcome(stored.outcome_id, stored.stored_at_ms, repeated=True)

    def knows(self, interaction_id: UUID) -> bool:
        """Whether an impression of this id was kept."""
        return interaction_id in self.impressions

    def save_setting(self, name: str, value: str) -> None:
        """Keep a small setting."""
        self._settings[name] = value

    def setting(self, name: str) -> str | None:
        """The kept setting, or None."""
        return self._settings.get(name)

    def counts(self) -> Mapping[str, int]:
        """As `Journal.counts`; nothing is ever dropped."""
        with self._guard:
            bound = sum(outcome.interaction_id is not None for outcome, _ in self.outcomes.values())
            return {
                "impressions": len(self.impressions),
                "outcomes": bound,
                "sales": len(self.outcomes) - bound,
                "dropped": 0,
            }

    def close(self) -> None:
        """Nothing to write."""


def key_conflict(idempotency_key: str) -> ConflictError:
    """The error for a key that was used with other content; every journal says it in the same words."""
    return ConflictError(
        f"Idempotency-Key {idempotency_key!r} was used for another sale",
        remedy="Send a new key with each sale, and the same key only to repeat one unchanged.",
    )
