"""What the collector's rules speak of: plain values, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wire_protocol.consent import VerifiedConsent
from wire_protocol.envelope import KeyRecord, VerifiedMessage
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Identity, Up


@dataclass(frozen=True, slots=True)
class Delivery:
    """One MQTT message as it came."""

    topic: str
    payload: bytes
    ticket: Any
    """What its link needs to acknowledge it."""


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """What a tenant may do, and the keys that sign its consent blanks."""

    tenant: str
    frames_per_day: int
    bytes_per_day: int
    messages_per_minute: int
    retention_days: int
    consent_keys: Mapping[bytes, KeyRecord]


@dataclass(frozen=True, slots=True)
class RegisterRecord:
    """A register and every key it ever had."""

    identity: Identity
    store: str
    revoked: bool
    keys: Mapping[bytes, KeyRecord]


class State(StrEnum):
    """Of a row of `messages`."""

    CLAIMED = "claimed"
    STORED = "stored"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of `messages`, as far as rules need it."""

    register: str
    message_id: bytes
    sha256: bytes
    state: State
    received_at_ms: int
    attempts: int
    reason: Reason | None = None
    version: str | None = None
    token: bytes | None = None
    lease_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A verified message that asks to be taken, with its verified consent where its kind has one."""

    message: VerifiedMessage
    tenant: TenantRecord
    register: RegisterRecord
    received_at_ms: int
    token: bytes
    """16 random bytes: who claims with them may finish."""
    consent: VerifiedConsent | None = None


@dataclass(frozen=True, slots=True)
class ConsentFact:
    """A consent that is known already."""

    register: str
    interaction: bytes
    receipt: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows that bears on one offer."""

    row: Row | None = None
    consent: ConsentFact | None = None
    withdrawn_at_ms: int | None = None
    frames_today: int = 0
    bytes_today: int = 0


# ---- rulings: what shall become of an offer ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """A frame: reserve it, then put its object."""

    object_key: str
    lease_until_ms: int
    expires_at_ms: int
    takeover: bool
    """Its row is there, of a claim that ran out: look for a version before another is put."""
    seen_token: bytes | None = None
    """Of the row that is taken over."""


@dataclass(frozen=True, slots=True)
class Store:
    """A small kind: write its rows."""

    late: bool
    review: bool = False
    """A withdrawal from a revoked register: audited, for a person to carry out."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not accepted, finally."""

    reason: Reason
    detail: str
    durable: bool = True
    """Whether the message's row says so from now on; no where another message has that row."""


@dataclass(frozen=True, slots=True)
class Vanish:
    """Its consent was withdrawn: `gone`."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """It was settled before: answer from the row."""

    row: Row


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing is wrong with it; `retry`."""

    retry_after_ms: int
    why: str
    """A label of the counter: `busy`, `quota`, `rate`, `queue`, `database`, `objects`, `failed`."""


Ruling = Claim | Store | Refuse | Vanish | Repeat | Later


@dataclass(frozen=True, slots=True)
class Opening:
    """What was decided on an offer, and written down where it had to be."""

    ruling: Ruling
    row: Row | None
    """None for `Later` and for refusals without a row."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a claim ends: with a version, or given back (None) for another attempt."""

    offer: Offer
    claim: Claim
    version: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt at a message that ended in an unexpected error."""

    identity: Identity
    message_id: bytes
    kind: str
    sha256: bytes
    message: bytes
    error: str
    attempts_max: int
    """So many failures, and it is set aside."""

    @property
    def refusable(self) -> bool:
        """Whether it may be refused for our own failure; a register drops what is refused.

        A withdrawal never: nobody would erase. It is heard again and again until it is carried out.
        """
        return self.kind != Up.WITHDRAWAL


@dataclass(frozen=True, slots=True)
class RefusalCount:
    """So many refusals of one register on one day (UTC, `2026-11-22`)."""

    register: str
    reason: Reason
    day: str
    count: int


@dataclass(frozen=True, slots=True)
class Condemned:
    """A version that no frame has, with what its metadata says."""

    key: str
    version: str
    register: str
    message_id: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a message, for logs and counters."""

    topic: str
    size: int
    message_id: bytes | None
    verdict: Verdict | None
    """None: nobody could be answered."""
    took_ms: int
    """From receipt to answer."""
    reason: Reason | None = None
    detail: str = ""
    """Of a refusal: what was found; of `retry`: why, the label of its counter."""
    repeated: bool = False
    lag_ms: int | None = None
    """Of what was stored: from the sender's time to our receipt."""
