"""The ledger in memory, for simulations and tests: the same contract, nothing durable."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloud.collector.acceptance import day_of
from cloud.collector.ports import Decide
from cloud.collector.rows import json_body, row_after, row_ended, row_failed, row_released, set_aside
from cloud.collector.values import (
    Claim,
    Condemned,
    ConsentFact,
    Ending,
    Facts,
    Failure,
    Offer,
    Opening,
    RefusalCount,
    Refuse,
    Row,
    Ruling,
    State,
    Store,
)
from cloud.objects.ports import Version
from wire_protocol.messages import ConsentUp, FrameUp, InteractionUp, OutcomeUp, WithdrawalUp
from wire_protocol.reasons import Reason

Key = tuple[str, bytes]
"""Tenant and id."""


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A row of `frames`."""

    consent: bytes
    object_key: str
    version: str
    expires_at_ms: int


class MemoryLedger:
    """Every table that the collector writes, as a dictionary; tests read and alter them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, bytes], Row] = {}
        self.frames: dict[tuple[str, str, bytes], FrameRow] = {}
        self.consents: dict[Key, ConsentFact] = {}
        self.withdrawals: dict[Key, int] = {}
        self.interactions: dict[Key, tuple[str, object]] = {}
        self.outcomes: dict[Key, tuple[str, object]] = {}
        self.late: set[tuple[str, str, bytes]] = set()
        self.quarantine: dict[tuple[str, str, bytes], Failure] = {}
        self.refusals: Counter[tuple[str, RefusalCount]] = Counter()
        self.usage: dict[tuple[str, str], tuple[int, int]] = {}
        self.reviews: list[tuple[str, str, bytes]] = []

    async def open(
        self, tenant: str, offers: Sequence[Offer], decide: Decide, now_ms: int
    ) -> Sequence[Opening]:
        """As the port says: all is decided before anything is written."""
        facts = [self._facts(tenant, offer, now_ms) for offer in offers]
        rulings = [decide(offer, fact) for offer, fact in zip(offers, facts, strict=True)]
        return [
            self._settle(tenant, offer, fact, ruling)
            for offer, fact, ruling in zip(offers, facts, rulings, strict=True)
        ]

    def _settle(self, tenant: str, offer: Offer, facts: Facts, ruling: Ruling) -> Opening:
        ruling = self._write(tenant, offer, ruling)
        row = row_after(offer, ruling, facts.row)
        if row is not None:
            self.rows[tenant, row.register, row.message_id] = row
        return Opening(ruling, row)

    def _facts(self, tenant: str, offer: Offer, now_ms: int) -> Facts:
        consent_id = offer.consent.consent_id if offer.consent else b""
        frames, size = self.usage.get((tenant, day_of(now_ms)), (0, 0))
        header = offer.message.header
        return Facts(
            row=self.rows.get((tenant, offer.message.identity.register, header.message_id)),
            consent=self.consents.get((tenant, consent_id)),
            withdrawn_at_ms=self.withdrawals.get((tenant, consent_id)),
            frames_today=frames,
            bytes_today=size,
        )

    def _write(self, tenant: str, offer: Offer, ruling: Ruling) -> Ruling:
        """What the ruling brings beside the message's row; another ruling where that cannot be."""
        register = offer.message.identity.register
        match offer.message.payload:
            case (FrameUp() | ConsentUp()) as payload if isinstance(ruling, Claim | Store):
                fact = ConsentFact(register, payload.interaction, offer.message.attachments[0])
                self.consents.setdefault((tenant, payload.consent), fact)
            case WithdrawalUp() as withdrawal if isinstance(ruling, Store):
                if ruling.review:
                    self.reviews.append((tenant, register, withdrawal.consent))
                else:
                    self.withdrawals.setdefault((tenant, withdrawal.consent), withdrawal.withdrawn_at)
            case InteractionUp() as interaction if isinstance(ruling, Store):
                known = self.interactions.setdefault(
                    (tenant, interaction.interaction), (register, json_body(interaction))
                )
                if known[0] != register:
                    return Refuse(Reason.CONFLICT, "another register has sent this interaction")
            case OutcomeUp() as outcome if isinstance(ruling, Store):
                known = self.outcomes.setdefault((tenant, outcome.outcome), (register, json_body(outcome)))
                if known[0] != register:
                    return Refuse(Reason.CONFLICT, "another register has sent this outcome")
        if isinstance(ruling, Store) and ruling.late:
            self.late.add((tenant, register, offer.message.header.message_id))
        return ruling

    async def finish(self, tenant: str, endings: Sequence[Ending], now_ms: int) -> Sequence[Row | None]:
        """As the port says."""
        return [self._finish(tenant, ending, now_ms) for ending in endings]

    def _finish(self, tenant: str, ending: Ending, now_ms: int) -> Row | None:
        offer = ending.offer
        key = (tenant, offer.message.identity.register, offer.message.header.message_id)
        row = self.rows.get(key)
        if row is None or row.state is not State.CLAIMED or row.token != offer.token:
            return None
        assert offer.consent is not None, "frames have consents"
        consent = offer.consent.consent_id
        row = row_ended(row, ending, withdrawn=(tenant, consent) in self.withdrawals)
        self.rows[key] = row
        if row.state is State.STORED and row.version is not None:
            claim = ending.claim
            self.frames[key] = FrameRow(consent, claim.object_key, row.version, claim.expires_at_ms)
            frames, size = self.usage.get((tenant, day_of(now_ms)), (0, 0))
            self.usage[tenant, day_of(now_ms)] = (frames + 1, size + len(offer.message.message))
        return row

    async def row(self, tenant: str, register: str, message_id: bytes) -> Row | None:
        """As the port says."""
        return self.rows.get((tenant, register, message_id))

    async def fail(self, tenant: str, failure: Failure, now_ms: int) -> Row:
        """As the port says."""
        key = (tenant, failure.identity.register, failure.message_id)
        before = self.rows.get(key)
        row = row_failed(failure, before, now_ms)
        if row is not before:
            self.rows[key] = row
        if set_aside(failure, row):
            self.quarantine.setdefault(key, failure)
        return row

    async def count_refusals(self, tenant: str, counts: Sequence[RefusalCount]) -> None:
        """As the port says."""
        for count in counts:
            self.refusals[tenant, RefusalCount(count.register, count.reason, count.day, 1)] += count.count

    async def without_frame(self, tenant: str, versions: Sequence[Version]) -> Sequence[Version]:
        """As the port says."""
        known = {(row.object_key, row.version) for row in self._frames_of(tenant)}
        return [version for version in versions if (version.key, version.version) not in known]

    def _frames_of(self, tenant: str) -> Iterable[FrameRow]:
        return (row for (owner, _, _), row in self.frames.items() if owner == tenant)

    async def condemn(self, tenant: str, version: Condemned, now_ms: int) -> bool:
        """As the port says."""
        key = (tenant, version.register, version.message_id)
        row = self.rows.get(key)
        if row is None or row.state is not State.CLAIMED:
            return row is None or row.version != version.version
        if row.token is not None and (row.lease_until_ms or 0) > now_ms:
            return False
        self.rows[key] = row_released(row)
        return True
