"""What the uplink asks of the world: a spool that outlives power cuts, and a link to a broker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import LinkEvent
from edge_agent.uplink.spooled import Entry, SpoolStats, Write


class Spool(Protocol):
    """Messages until their receipts come, with everything that must change in the same transaction.

    Safe to call from any thread; every call may wait for the disk, so call it off the event loop.
    Every method but `count` and `close` raises SpoolError when the disk refuses: then nothing of the call
    happened, and it may be repeated. A damaged file is replaced on the way.
    """

    def next_sequence(self) -> int:
        """A number above every number given before, whatever happened to file and clock; gaps are normal."""

    def write(self, write: Write) -> tuple[bool, ...]:
        """Do all of it, durable on return; tells of each message whether it is in the spool now.

        A frame may have been thinned out, or its consent ended. Raises SpoolFullError: no room for an event.
        """

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter with the next transaction; never waits, never raises, a crash forgets it."""

    def flush(self) -> None:
        """Write what was counted, and do what can wait; to be called while nobody waits for the disk."""

    def candidates(self, lane: Lane, after: int, limit: int) -> tuple[Entry, ...]:
        """The next messages of a lane behind a position, oldest first, without those set aside."""

    def load(self, message_id: bytes) -> bytes | None:
        """The message; None when it is gone. What is damaged is dropped, counted and gone."""

    def set_aside(self, message_id: bytes, reason: str) -> None:
        """Keep a message out of `candidates`; unknown ids are ignored."""

    def release(self, at_most_bytes: int | None = None) -> int:
        """Offer what was set aside again (if it is not larger than this); returns how many messages."""

    def expire(self, captured_before_ms: int) -> int:
        """Drop the frames captured before this, but after `spool_rules.FIRST_MS`; returns how many."""

    def purge(self, lane: Lane, *, only_set_aside: bool = False) -> int:
        """Drop all of a lane, for a person who asked for it; returns how many messages."""

    def setting(self, name: str) -> str | None:
        """What `write` kept under this name."""

    def add_blanks(self, blanks: Sequence["SpooledBlank"]) -> int:
        """Keep consent blanks; returns how many are new. One that was used before stays used."""

    def take_blank(self, now_ms: int) -> "SpooledBlank | None":
        """A usable blank, which nobody ever gets again; None when there is none."""

    def blanks_left(self, now_ms: int) -> int:
        """How many can still be taken."""

    def stats(self) -> SpoolStats:
        """The spool in figures; `accounting.Account` per lane."""

    def close(self) -> None:
        """Flush and close; may be called twice."""


@dataclass(frozen=True, slots=True)
class SpooledBlank:
    """A verified consent blank: `blank` is its id, `signed` the COSE_Sign1."""

    blank: bytes
    signed: bytes
    usable_until_ms: int


class Link(Protocol):
    """A connection to the broker, one at a time; calls return at once and never raise.

    What happens is told to the listener, in order, from any thread: each `connect` gets one Disconnected in
    the end.
    """

    def listen(self, listener: Callable[[LinkEvent], None]) -> None:
        """Who is told; called once, before anything else."""

    def connect(self) -> None:
        """Try to connect: Connected, or Disconnected. Clean start, session expiry 0."""

    def publish(self, message_id: bytes, topic: str, message: bytes) -> None:
        """Hand a message over, QoS 1: PubAcked or BrokerRefused, or a Disconnected that leaves it open."""

    def disconnect(self) -> None:
        """End the connection or the attempt; Disconnected follows if there was one."""
