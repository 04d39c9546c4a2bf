"""What must never happen, asked at every step, by somebody who sees everything and believes no part of it.

The referee keeps its own books from what it saw with its own eyes: which bytes a till captured, which
consents were given and taken back, which versions were put, what rows said after each transaction.
"""

import functools
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from cloud.collector.values import Ending as ClaimEnding
from cloud.collector.values import Offer, Opening, Row, State
from cloud.privacy.erasure_plan import Step
from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.spooled import Outgoing, Write
from wire_protocol import cbor, cose, envelope
from wire_protocol.messages import ReceiptDown, Verdict, WithdrawalUp
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Identity, Kind, Topic, Up

Key = tuple[str, str, bytes]
"""Tenant, register, message id."""


@dataclass
class Captured:
    """A message that a till captured, and what is known to have become of it."""

    identity: Identity
    kind: Up
    sha256: bytes
    consent: bytes | None = None
    fate: Fate | None = None


@dataclass
class Permission:
    """A consent that a customer really gave."""

    identity: Identity
    interaction: bytes
    expires_at_ms: int


@dataclass
class Put:
    """A version in the bucket."""

    tenant: str
    register: str
    message_id: bytes
    sha256: bytes
    consent: bytes
    body: bytes


@dataclass
class Books:
    """All that the referee knows."""

    captured: dict[Key, Captured] = field(default_factory=dict)
    permissions: dict[bytes, Permission] = field(default_factory=dict)
    withdrawn: dict[bytes, str] = field(default_factory=dict)
    """Consents with a durable row in `withdrawals`, and their tenant."""
    open: dict[Identity, dict[bytes, Captured]] = field(default_factory=dict)
    """What each register still has to bring."""
    said_withdrawn: set[tuple[bytes | None, Identity]] = field(default_factory=set)
    """Consents that a register durably took back, or was told of; the row follows, or was there."""
    erased: set[bytes] = field(default_factory=set)
    """Their key's destruction was confirmed."""
    puts: dict[tuple[str, str], Put] = field(default_factory=dict)
    """Versions that exist, by key and id."""
    revoked: set[Identity] = field(default_factory=set)
    poisoned: set[bytes] = field(default_factory=set)
    """Messages that may end in quarantine."""


class Referee:
    """Watches; a violation ends the seed.

    Args:
        now_ms: The cloud's true time.
        row_of: The ledger's row of a message, read past all faults.
        has_key: Whether the vault could still open a consent.
        is_withdrawn: Whether a consent has a row in `withdrawals`.
    """

    def __init__(
        self,
        now_ms: Callable[[], int],
        row_of: Callable[[str, str, bytes], Row | None],
        has_key: Callable[[str, bytes], bool],
        is_withdrawn: Callable[[str, bytes], bool],
    ) -> None:
        self.books = Books()
        self.violations: list[str] = []
        self.events: deque[str] = deque(maxlen=60)
        self.counts: Counter[str] = Counter()
        self._settled: dict[Key, Row] = {}
        self._now_ms = now_ms
        self._row_of = row_of
        self._has_key = has_key
        self._is_withdrawn = is_withdrawn

    def note(self, event: str) -> None:
        """Remember an event for the story that a failure tells."""
        self.events.append(f"{self._now_ms() % 100_000_000 / 1000:10.3f}  {event}")

    def violated(self, what: str) -> None:
        """Something happened that must never happen."""
        self.note(f"VIOLATION {what}")
        self.violations.append(what)

    # ---- the register --------------------------------------------------------------------------------------

    def was_written(self, identity: Identity, write: Write, held: Mapping[bytes, Outgoing]) -> None:
        """A transaction of a spool is durable: what was captured is there, or has a fate that is true.

        Args:
            identity: Whose spool.
            write: What was asked for; empty after a power cut.
            held: What the spool has now, by message id.
        """
        books = self.books
        mine = books.open.setdefault(identity, {})
        for consent in write.erase:
            by_till = any(outgoing.kind is Up.WITHDRAWAL for outgoing in write.messages)
            known = consent in books.withdrawn or (consent, identity) in books.said_withdrawn
            if not by_till and not known:
                self.violated(f"lost: {identity} erased {consent.hex()[:8]}, and nobody withdrew it")
            books.said_withdrawn.add((consent, identity))
        for outgoing in write.messages:
            if outgoing.message_id not in mine:
                key = (identity.tenant, identity.register, outgoing.message_id)
                captured = Captured(identity, outgoing.kind, outgoing.sha256, outgoing.consent)
                if key not in books.captured:
                    books.captured[key] = mine[outgoing.message_id] = captured
                    self.counts[f"captured {outgoing.kind}"] += 1
        fates = {ending.message_id: ending.fate for ending in write.endings}
        for message_id in [message_id for message_id in mine if message_id not in held]:
            captured = mine.pop(message_id)
            self._ended(captured, message_id, fates.get(message_id))
        if strange := [message_id for message_id in held if message_id not in mine]:
            self.violated(f"accounting: {identity} holds {strange[0].hex()[:8]}, which nobody captured")

    def _ended(self, captured: Captured, message_id: bytes, fate: Fate | None) -> None:
        """A message left a spool; without a receipt's fate its consent ended, or there was no room for it."""
        identity = captured.identity
        ended = {(captured.consent, identity)} & self.books.said_withdrawn
        if fate is None:
            fate = Fate.GONE if ended else Fate.DROPPED
        captured.fate = fate
        self.counts[f"ended {fate}"] += 1
        self.note(f"{identity} {captured.kind} {message_id.hex()[:8]} ended: {fate}")
        row = self._row_of(identity.tenant, identity.register, message_id)
        name = f"{identity} {captured.kind} {message_id.hex()[:8]}"
        match fate:
            case Fate.STORED if row is None or row.state not in {State.STORED, State.GONE}:
                self.violated(f"lost: {name} was deleted from the spool, the cloud has {_told(row)}")
            case Fate.STORED if row is not None and row.sha256 != captured.sha256:
                self.violated(f"lost: {name} was deleted from the spool, the cloud has other bytes")
            case Fate.GONE if not ended and captured.consent not in self.books.withdrawn:
                self.violated(f"lost: {name} was given up as gone, and nobody withdrew its consent")
            case Fate.REFUSED if not self._may_be_refused(captured, row):
                self.violated(f"lost: {name} was refused, the cloud has {_told(row)}")
            case Fate.DROPPED if captured.kind is not Up.FRAME:
                self.violated(f"lost: {name} was dropped, and only frames may be")

    def _may_be_refused(self, captured: Captured, row: Row | None) -> bool:
        if captured.identity in self.books.revoked:
            return True
        if row is None or row.state is not State.REFUSED:
            return False
        if row.reason is Reason.CONSENT_WITHDRAWN:
            return True
        if row.reason is Reason.POISON:
            # A withdrawal never: the register would drop it, and nobody would erase.
            return row.message_id in self.books.poisoned and captured.kind is not Up.WITHDRAWAL
        return row.reason in {Reason.TOO_OLD, Reason.CONSENT_EXPIRED}

    def adds_up(self, identity: Identity, lane: Lane, lost: int) -> None:
        """T4: captured = stored + refused + gone + dropped + spooled + without consent."""
        if lost:
            self.violated(f"accounting: {identity} {lane.label} is off by {lost}")

    # ---- the bucket ----------------------------------------------------------------------------------------

    def was_put(self, key: str, version: str, body: bytes) -> None:
        """A version is in the bucket: it must be a captured frame's, under a consent that holds."""
        self.counts["puts"] += 1
        topic, message_id, payload, *_ = opened(body)
        where = f"{key} of {topic.identity}"
        if key.split("/")[:2] != ["frames", topic.identity.tenant]:
            self.violated(f"isolation: {where} lies in another tenant's folder")
        self.books.puts[key, version] = Put(
            topic.identity.tenant,
            topic.identity.register,
            message_id,
            hashlib.sha256(body).digest(),
            payload["consent"],
            body,
        )
        known = self.books.captured.get((topic.identity.tenant, topic.identity.register, message_id))
        permission = self.books.permissions.get(payload["consent"])
        if permission is None or permission != Permission(
            topic.identity, payload["interaction"], permission.expires_at_ms
        ):
            self.violated(f"unconsented: {where} was put without a consent that holds")
        elif self._now_ms() >= permission.expires_at_ms + 60_000:
            self.violated(f"unconsented: {where} was put after its consent ended")
        if known is None or known.sha256 != hashlib.sha256(body).digest() or topic.kind is not Up.FRAME:
            self.violated(f"unverified: {where} is not what a till captured")

    def will_be_deleted(self, key: str, version: str) -> None:
        """A version goes: it may not be one that a stored frame has, unless its consent was withdrawn."""
        put = self.books.puts.pop((key, version), None)
        if put is None:
            return
        self.counts["deleted versions"] += 1
        row = self._row_of(put.tenant, put.register, put.message_id)
        stored = row is not None and row.state is State.STORED and row.version == version
        if stored and put.consent not in self.books.withdrawn:
            self.violated(f"lost: {key} {version} is deleted, and a stored frame has it")

    # ---- the ledger ----------------------------------------------------------------------------------------

    def opened(self, tenant: str, offers: Sequence[Offer], openings: Sequence[Opening]) -> None:
        """A transaction of offers is durable."""
        for offer, opening in zip(offers, openings, strict=True):
            if offer.message.identity.tenant != tenant:
                self.violated(f"isolation: {offer.message.identity} in a transaction of {tenant}")
            row = self._row_of(tenant, offer.message.identity.register, offer.message.header.message_id)
            self.counts[f"ruled {type(opening.ruling).__name__}"] += 1
            self._stays(tenant, row)
            if isinstance(offer.message.payload, WithdrawalUp) and row is not None:
                self._withdrawal_came(tenant, offer.message.payload.consent)
            if offer.message.kind is Up.FRAME and row is not None and row.state is State.CLAIMED:
                self._must_not_be_withdrawn(offer, row, "claimed")

    def finished(self, tenant: str, endings: Sequence[ClaimEnding], rows: Sequence[Row | None]) -> None:
        """Claims ended durably: a stored frame has its version, and nobody had withdrawn it."""
        for ending, answer in zip(endings, rows, strict=True):
            offer = ending.offer
            row = self._row_of(tenant, offer.message.identity.register, offer.message.header.message_id)
            self._stays(tenant, row)
            if answer is None or row is None or row.state is not State.STORED:
                continue
            self._must_not_be_withdrawn(offer, row, "stored")
            put = self.books.puts.get((ending.claim.object_key, row.version or ""))
            if put is None or put.sha256 != row.sha256:
                self.violated(f"receipt before object: row {row.message_id.hex()[:8]} has no such version")

    def _stays(self, tenant: str, row: Row | None) -> None:
        """What is settled never changes, but for a stored frame whose consent ends: that is `gone`."""
        if row is None or row.state is State.CLAIMED:
            return
        key = (tenant, row.register, row.message_id)
        before = self._settled.setdefault(key, row)
        captured = self.books.captured.get(key)
        if (
            before.state is State.STORED
            and row == replace(before, state=State.GONE, version=None)
            and captured is not None
            and captured.consent in self.books.withdrawn
        ):
            self._settled[key] = row
        elif before != row:
            self.violated(f"twice: row {row.message_id.hex()[:8]} was settled again, as another")

    def _withdrawal_came(self, tenant: str, consent: bytes) -> None:
        if self._is_withdrawn(tenant, consent):
            self.was_withdrawn(tenant, consent)

    def _must_not_be_withdrawn(self, offer: Offer, row: Row, state: str) -> None:
        consent = offer.consent.consent_id if offer.consent else b""
        if consent in self.books.withdrawn and row.received_at_ms == offer.received_at_ms:
            self.violated(f"erasure: frame {row.message_id.hex()[:8]} was {state} after its consent ended")

    def answered(self, topic: Topic, message: bytes) -> bytes:
        """A receipt leaves a collector: what it says must be durable already. Returns the message's id."""
        # The register takes the same bytes apart the same way, so this costs nothing.
        claimed = envelope.parse(message, topic)
        receipt = envelope.decode_payload(ReceiptDown, claimed.sign1.payload)
        identity = topic.identity
        self.counts[f"receipt {receipt.verdict}"] += 1
        if topic.kind is not Down.RECEIPT or claimed.header.message_id != receipt.message:
            self.violated(f"isolation: a receipt for {claimed.header.topic} was sent to {topic}")
        row = self._row_of(identity.tenant, identity.register, receipt.message)
        name = f"{identity} {receipt.message.hex()[:8]} {receipt.verdict}"
        fits = row is not None and row.sha256 == receipt.sha256
        match receipt.verdict:
            case Verdict.STORED:
                if row is None or not fits or row.state not in {State.STORED, State.GONE}:
                    self.violated(f"receipt before row: {name}, the ledger has {_told(row)}")
                elif row.state is State.STORED and (row.version, row.received_at_ms) != (
                    receipt.version,
                    receipt.received_at,
                ):
                    self.violated(f"receipt is no function of its row: {name}")
            case Verdict.GONE:
                if row is None or not fits or row.state is not State.GONE:
                    self.violated(f"receipt before row: {name}, the ledger has {_told(row)}")
            case Verdict.REFUSED:
                captured = self.books.captured.get((identity.tenant, identity.register, receipt.message))
                durable = fits and row is not None and row.state is State.REFUSED
                genuine = captured is not None and captured.sha256 == receipt.sha256
                if genuine and not durable and identity not in self.books.revoked:
                    self.violated(f"receipt before row: {name} ({receipt.reason}) has no row")
                self.counts[f"refused {receipt.reason}"] += 1
        return receipt.message

    def acknowledged_unanswered(self, topic: str) -> None:
        """A PUBACK before any answer: whoever sent it may forget it now, and nobody has it."""
        self.violated(f"acknowledged before it was durable: {topic}")

    # ---- erasure -------------------------------------------------------------------------------------------

    def was_withdrawn(self, tenant: str, consent: bytes) -> None:
        """A row of `withdrawals` is durable."""
        if consent not in self.books.withdrawn:
            self.books.withdrawn[consent] = tenant
            self.counts["withdrawn"] += 1

    def erasing(self, tenant: str, consent: bytes, step: Step) -> None:
        """A step of an erasure was done."""
        self.note(f"erasure {consent.hex()[:8]}: {step}")
        self.counts[f"erasure {step}"] += 1
        if step in {Step.KEY_DESTROYED, Step.KEY_MARKED, Step.ERASED}:
            self.key_is_destroyed(tenant, consent)

    def key_is_destroyed(self, tenant: str, consent: bytes) -> None:
        """The row says that the key is destroyed: nobody opens any copy, wherever it lies, from here on."""
        self.books.erased.add(consent)
        if self._has_key(tenant, consent):
            self.violated(f"erasure: the key of {consent.hex()[:8]} is called destroyed, and opens")

    def nothing_opens(self, tenant: str) -> None:
        """No erased consent has a key (again)."""
        for consent in self.books.erased:
            if self.books.withdrawn.get(consent) == tenant and self._has_key(tenant, consent):
                self.violated(f"erasure: {consent.hex()[:8]} can be opened again")


def _told(row: Row | None) -> str:
    return "no row" if row is None else f"a row {row.state}"


class Opened(NamedTuple):
    """What a message claims."""

    topic: Topic
    message_id: bytes
    payload: dict[str, Any]
    sequence: int
    at_ms: int
    kid: bytes
    attached: tuple[bytes, ...]


@functools.lru_cache(maxsize=2048)
def opened(message: bytes) -> Opened:
    """What a message claims, unverified; for the referee's own books."""
    signed, *attached = cbor.decode(message)
    sign1 = cose.cose_parse(signed)
    claims = sign1.protected
    kind = claims[cose.HEADER_CONTENT_TYPE].removeprefix("application/vnd.topscoop.").removesuffix("+cbor")
    return Opened(
        topic=Topic(Identity(claims["tenant"], claims["register"]), _KINDS[kind]),
        message_id=claims["id"],
        payload=cbor.decode(sign1.payload),
        sequence=claims["seq"],
        at_ms=claims["at"],
        kid=claims[cose.HEADER_KEY_ID],
        attached=tuple(attached),
    )


_KINDS: dict[str, Kind] = {str(kind): kind for kind in (*Up, *Down)}
