"""The few messages that are under way at a time; everything else stays in the spool."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from edge_agent.uplink.delivery_policy import DeliveryPolicy
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.spooled import Entry


@dataclass(slots=True)
class Flight:
    """One message on its way.

    Args:
        entry: What it is.
        due_ms: When to publish it (again).
        attempts: How often it was published on this connection.
        held: The time stands whatever happens to the connection: the cloud or the broker asked for it.
    """

    entry: Entry
    due_ms: int
    attempts: int = 0
    held: bool = False


class Window:
    """Flights by message id, with room for so many messages and bytes."""

    def __init__(self, policy: DeliveryPolicy) -> None:
        self._policy = policy
        self._flights: dict[bytes, Flight] = {}
        self._bytes = 0
        self._frames = 0
        self._frames_bytes = 0

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, message_id: bytes) -> bool:
        return message_id in self._flights

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._flights.values())

    @property
    def size_bytes(self) -> int:
        """Bytes of all messages under way."""
        return self._bytes

    def get(self, message_id: bytes) -> Flight | None:
        """The flight of a message."""
        return self._flights.get(message_id)

    def room_for(self, lane: Lane) -> int:
        """How many more messages of a lane may come in, their bytes apart."""
        room = self._policy.window_count - len(self._flights)
        return room if lane is not Lane.FRAMES else min(room, self._policy.frames_at_once - self._frames)

    def has_room(self, lane: Lane, size: int) -> bool:
        """Whether one more message of so many bytes may come in."""
        if self.room_for(lane) < 1 or self._bytes + size > self._policy.window_bytes:
            return False
        return lane is not Lane.FRAMES or self._frames_bytes + size <= self._policy.frames_bytes

    def add(self, entry: Entry, now_ms: int) -> None:
        """Take a message in, to be published at once."""
        self._flights[entry.message_id] = Flight(entry, now_ms)
        self._account(entry, 1)

    def remove(self, message_id: bytes) -> Entry | None:
        """Let a message go."""
        flight = self._flights.pop(message_id, None)
        if flight is None:
            return None
        self._account(flight.entry, -1)
        return flight.entry

    def remove_of(self, consents: Collection[bytes]) -> None:
        """Let every message go that lives by one of these consents."""
        for flight in list(self._flights.values()):
            if flight.entry.consent in consents:
                self.remove(flight.entry.message_id)

    def due(self, now_ms: int) -> list[Flight]:
        """What is to be published now: by lane, then by age."""
        ready = (flight for flight in self._flights.values() if flight.due_ms <= now_ms)
        return sorted(ready, key=lambda flight: (flight.entry.lane, flight.entry.position))

    def next_due_ms(self) -> int | None:
        """When the first of them is due."""
        return min((flight.due_ms for flight in self._flights.values()), default=None)

    def _account(self, entry: Entry, sign: int) -> None:
        self._bytes += sign * entry.size
        if entry.lane is Lane.FRAMES:
            self._frames += sign
            self._frames_bytes += sign * entry.size
