"""What the journal recorded, in the words of the wire; and when a record is ready to go."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from edge_agent.impression import Impression, Outcome
from wire_protocol.fields import from_value, to_value
from wire_protocol.messages import (
    ContextEntry,
    InteractionArm,
    InteractionSource,
    InteractionUp,
    Offered,
    OutcomeUp,
    Sold,
)

_TEXT_MAX = 64
_REASON_MAX = 32


@dataclass(frozen=True, slots=True)
class JournalImpression:
    """A recorded slate at its place in the journal.

    Args:
        row: Grows with every record.
        bought: An outcome of it is recorded.
        displayed_at_ms: When the display said that it showed it.
    """

    row: int
    impression: Impression
    bought: bool
    displayed_at_ms: int | None


@dataclass(frozen=True, slots=True)
class JournalOutcome:
    """A recorded sale at its place in the journal."""

    row: int
    outcome_id: UUID
    outcome: Outcome
    stored_at_ms: int


@dataclass(frozen=True, slots=True)
class JournalDamage:
    """A record that a damaged disk made unreadable; it is passed over, or it would hold up all after it."""

    row: int
    error: str


@dataclass(frozen=True, slots=True)
class Cursors:
    """How far the journal was harvested; changes in the transaction that spools what was harvested."""

    impressions: int = 0
    outcomes: int = 0

    @classmethod
    def of(cls, settings: Mapping[str, str | None]) -> "Cursors":
        """From the spool's settings; what is unreadable begins anew, which repeats but never loses."""
        return cls(*(_number(settings.get(name)) for name in CURSOR_NAMES))

    def as_settings(self) -> dict[str, str]:
        """For the spool."""
        return dict(zip(CURSOR_NAMES, (str(self.impressions), str(self.outcomes)), strict=True))


CURSOR_NAMES = ("harvest.impressions", "harvest.outcomes")


def is_settled(record: JournalImpression, now_ms: int, lifetime_ms: int) -> bool:
    """Whether nothing more can happen to an interaction that belongs into its message.

    A time in the future was told by a clock that was set back since; nobody waits for it to come again.
    """
    age_ms = now_ms - record.impression.shown_at_ms
    return record.bought or age_ms >= lifetime_ms or age_ms < -lifetime_ms


def settled(
    records: tuple[JournalImpression | JournalDamage, ...], now_ms: int, lifetime_ms: int
) -> tuple[JournalImpression | JournalDamage, ...]:
    """The records that may go, in order: those before the first that is still open."""
    for at, record in enumerate(records):
        if isinstance(record, JournalImpression) and not is_settled(record, now_ms, lifetime_ms):
            return records[:at]
    return records


def interaction_payload(record: JournalImpression, store: str) -> InteractionUp:
    """A slate as it goes over the wire.

    Raises:
        RefusedMessage: The record does not fit the protocol's bounds; sending it would be refused.
    """
    shown = record.impression
    payload = InteractionUp(
        interaction=shown.interaction_id.bytes,
        store=store,
        shown_at=shown.shown_at_ms,
        slate=tuple(Offered(offer.flavour, offer.probability) for offer in shown.slate),
        arm=InteractionArm(shown.arm.value),
        source=InteractionSource(shown.source.value),
        propensity=shown.propensity,
        menu_version=shown.menu_version,
        in_stock=shown.in_stock,
        context=tuple(_entry(name, value) for name, value in shown.context),
        total_ms=shown.total_ms,
        displayed_at=record.displayed_at_ms,
        reason=None if shown.reason is None else shown.reason.value[:_REASON_MAX],
        model_digest=shown.model_digest,
        model_version=shown.model_version,
        nobody=shown.nobody,
        scores=shown.scores,
        frame_age_ms=shown.frame_age_ms,
        inference_ms=shown.inference_ms,
    )
    return from_value(InteractionUp, to_value(payload), "InteractionUp")


def outcome_payload(record: JournalOutcome, store: str) -> OutcomeUp:
    """A sale as it goes over the wire; raises as `interaction_payload`, and ValueError for a broken HMAC."""
    sold = record.outcome
    payload = OutcomeUp(
        outcome=record.outcome_id.bytes,
        store=store,
        sold_at=sold.at_ms,
        receipt_hmac=bytes.fromhex(sold.receipt_hmac),
        lines=tuple(Sold(line.flavour, line.quantity) for line in sold.lines),
        interaction=None if sold.interaction_id is None else sold.interaction_id.bytes,
        since_shown_ms=sold.since_shown_ms,
    )
    return from_value(OutcomeUp, to_value(payload), "OutcomeUp")


def _entry(name: str, value: float | str | None) -> ContextEntry:
    if isinstance(value, str):
        return ContextEntry(name, text=value[:_TEXT_MAX])
    return ContextEntry(name, number=None if value is None else float(value))


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() else 0
