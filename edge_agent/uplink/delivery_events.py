"""What the delivery is told, and what it wants done. Times are monotonic milliseconds."""

from dataclasses import dataclass

from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import BrokerRefused, Connected, Disconnected, PubAcked
from edge_agent.uplink.spooled import Entry
from wire_protocol.messages import ReceiptDown
from wire_protocol.reasons import Reason

# ---- told: also Connected, Disconnected, PubAcked and BrokerRefused of the link ----------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed; send one at the start and at every WakeAt."""


@dataclass(frozen=True, slots=True)
class SpoolChanged:
    """Something was spooled in this lane."""

    lane: Lane


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to Look: `entries` as `Spool.candidates` gave them."""

    lane: Lane
    after: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """`Spool.load` had nothing for a Publish: it was dropped or erased meanwhile."""

    message_id: bytes


@dataclass(frozen=True, slots=True)
class ReceiptCame:
    """A receipt whose signature holds."""

    receipt: ReceiptDown


@dataclass(frozen=True, slots=True)
class EraseCame:
    """An erasure whose signature holds, or a withdrawal at this register."""

    consents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SpoolAgain:
    """The spool refused an End or a SetAside, or was replaced, or released messages: look from its start."""


Event = (
    Tick
    | SpoolChanged
    | Found
    | Missing
    | ReceiptCame
    | EraseCame
    | SpoolAgain
    | Connected
    | Disconnected
    | PubAcked
    | BrokerRefused
)

# ---- wanted ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connect:
    """`Link.connect`."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """`Link.disconnect`: no answer to Connect came in time."""


@dataclass(frozen=True, slots=True)
class Look:
    """`Spool.candidates(lane, after, limit)`, then tell Found."""

    lane: Lane
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class Publish:
    """`Spool.load`, then `Link.publish`, or tell Missing."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class End:
    """`Spool.write` an Ending; if that fails, tell SpoolAgain later."""

    entry: Entry
    fate: Fate
    reason: Reason | None = None
    """Of a refusal, for counter and log."""


@dataclass(frozen=True, slots=True)
class Erase:
    """`Spool.write` an erasure; repeat it until it succeeds."""

    consents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """`Spool.set_aside`: delivering this now would fail for ever."""

    entry: Entry
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """`Spool.release(at_most_bytes)`, then tell SpoolAgain if it released anything."""

    at_most_bytes: int


@dataclass(frozen=True, slots=True)
class Ignore:
    """A receipt that ends nothing; `why` is for counter and log."""

    message_id: bytes
    why: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Tell Tick at this time, unless a later WakeAt names another."""

    at_ms: int


Action = Connect | Disconnect | Look | Publish | End | Erase | SetAside | Release | Ignore | WakeAt
