"""What goes into the spool and what it tells: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.uplink.accounting import Account, DropReason, Fate
from edge_agent.uplink.lanes import LANE_OF, Lane
from wire_protocol.topics import Up


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A signed message that is to be delivered.

    Args:
        message_id: 16 bytes; a second message of an id that is still spooled is ignored.
        kind: One of `lanes.LANE_OF`.
        message: The whole MQTT payload.
        sha256: Of `message`; the receipt must name it.
        at_ms: When it was captured, by the register's clock; frames are dropped by it when too old.
        consent: Of a frame: the consent that it was sealed to.
    """

    message_id: bytes
    kind: Up
    message: bytes
    sha256: bytes
    at_ms: int
    consent: bytes | None = None

    @property
    def lane(self) -> Lane:
        """Where it queues."""
        return LANE_OF[self.kind]


@dataclass(frozen=True, slots=True)
class Entry:
    """A spooled message without its bytes; `position` grows with every message and is never used again."""

    position: int
    message_id: bytes
    kind: Up
    size: int
    sha256: bytes
    consent: bytes | None = None

    @property
    def lane(self) -> Lane:
        """Where it queues."""
        return LANE_OF[self.kind]


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a spooled message; `reason` only with DROPPED."""

    message_id: bytes
    fate: Fate
    reason: DropReason | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Everything that one transaction of the spool does; either all of it is durable, or nothing.

    Args:
        messages: To be spooled, in this order; each counts as captured.
        endings: Messages that need no delivery any more; unknown ids are ignored.
        erase: Consents that ended: their frames are deleted and counted as gone, and so is every frame
            of theirs that is spooled later.
        count: Added to counters; see `accounting.never_spooled`.
        settings: Small settings by name, such as the harvest's cursor and the sampling's state.
    """

    messages: tuple[Outgoing, ...] = ()
    endings: tuple[Ending, ...] = ()
    erase: tuple[bytes, ...] = ()
    count: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LaneStats:
    """How much waits in a lane; `set_aside` of it cannot be delivered as things are, by reason."""

    account: Account
    size_bytes: int
    oldest_at_ms: int | None
    set_aside: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpoolStats:
    """The spool in figures.

    Args:
        lanes: Every lane.
        used_bytes: Of the file, without its free pages.
        blanks: Consent blanks that are not used, whether or not they are still usable.
        damaged_files: How many damaged files were set aside since the register was set up.
    """

    lanes: Mapping[Lane, LaneStats]
    used_bytes: int
    blanks: int
    damaged_files: int
