"""Delivery, sans I/O: told what happened, it says what to do next.

Each message goes from the spool into a small window, is published, and leaves both when a signed receipt
names its id and the SHA-256 of its bytes. A PUBACK changes nothing: brokers acknowledge what they lose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edge_agent.uplink.accounting import Fate
from edge_agent.uplink.connection import Connection, State, Step
from edge_agent.uplink.delivery_events import (
    Action,
    Connect,
    Disconnect,
    End,
    Erase,
    EraseCame,
    Event,
    Found,
    Ignore,
    Look,
    Missing,
    Publish,
    ReceiptCame,
    Release,
    SetAside,
    SpoolAgain,
    SpoolChanged,
    Tick,
    WakeAt,
)
from edge_agent.uplink.delivery_policy import PACKET_OVERHEAD_BYTES, DeliveryPolicy
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.link_events import BrokerRefused, Connected, Disconnected, PubAcked
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.window import Window
from wire_protocol.messages import ReceiptDown, Verdict

TOO_LARGE: Final = "larger-than-broker-takes"
_HOPELESS: Final = frozenset({0x90, 0x95, 0x99})
"""Reason codes that will not change: topic name invalid, packet too large, payload format invalid."""
_FATES: Final = {Verdict.STORED: Fate.STORED, Verdict.REFUSED: Fate.REFUSED, Verdict.GONE: Fate.GONE}


@dataclass(slots=True)
class _Cursor:
    """How far a lane was read."""

    after: int = 0
    asked: int = 0
    """The limit of the Look that waits for its Found; 0 when none does."""
    exhausted: bool = False
    changed: bool = False
    """Something was spooled while a Look was under way, which may not have seen it."""
    next_bytes: int = 0
    """Size of the next message, where the window had no room for its bytes."""


class Delivery:
    """Brings spooled messages to the collector, each until its receipt; holds no more than the window.

    Args:
        policy: Bounds and delays.
        chance: Uniform random numbers, 0 <= x < 1, for jitter.
    """

    def __init__(self, policy: DeliveryPolicy, chance: Callable[[], float]) -> None:
        self._policy = policy
        self._chance = chance
        self._connection = Connection(policy, chance)
        self._window = Window(policy)
        self._pace = Pace(policy.per_s, policy.burst)
        self._cursors = {lane: _Cursor() for lane in Lane}
        self._max_packet_bytes = 0
        self._paced_until_ms: int | None = None

    @property
    def state(self) -> State:
        """Of the connection."""
        return self._connection.state

    @property
    def under_way(self) -> int:
        """How many messages are in the window."""
        return len(self._window)

    @property
    def under_way_bytes(self) -> int:
        """Their bytes."""
        return self._window.size_bytes

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """What to do now, in this order.

        Args:
            event: What happened; the first one is a Tick.
            now_ms: Monotonic milliseconds; steps of the wall clock do not matter here.

        Raises:
            ValueError: The link told something that cannot follow what it told before.
        """
        actions = self._take_in(event, now_ms)
        actions += self._pass_time(now_ms)
        if self._connection.state is State.ONLINE:
            actions += self._publish(now_ms)
            actions += self._look()
        wake_at_ms = self._wake_at_ms()
        if wake_at_ms is not None:
            actions.append(WakeAt(wake_at_ms))
        return actions

    def _take_in(self, event: Event, now_ms: int) -> list[Action]:
        actions: list[Action] = []
        match event:
            case Connected() | Disconnected() | PubAcked() | BrokerRefused():
                actions = self._link_told(event, now_ms)
            case Found():
                actions = self._found(event, now_ms)
            case ReceiptCame(receipt):
                actions = self._receipt(receipt, now_ms)
            case EraseCame(consents):
                self._window.remove_of(consents)
                actions = [Erase(consents)]
            case Missing(message_id):
                self._window.remove(message_id)
            case SpoolChanged(lane):
                self._cursors[lane].exhausted, self._cursors[lane].changed = False, True
            case SpoolAgain():
                self._rewind()
            case Tick():
                pass  # what time brings comes after every event
        return actions

    def _link_told(
        self, event: Connected | Disconnected | PubAcked | BrokerRefused, now_ms: int
    ) -> list[Action]:
        match event:
            case Connected(max_packet_bytes):
                return self._connected(max_packet_bytes, now_ms)
            case Disconnected():
                self._connection.step(Step.DISCONNECTED, now_ms)
            case BrokerRefused(message_id, code):
                return self._broker_refused(message_id, code, now_ms)
            case PubAcked():
                pass  # proves nothing
        return []

    def _pass_time(self, now_ms: int) -> list[Action]:
        step = self._connection.overdue(now_ms)
        if step is None:
            return []
        self._connection.step(step, now_ms)
        return [Connect() if step is Step.DUE else Disconnect()]

    def _connected(self, max_packet_bytes: int, now_ms: int) -> list[Action]:
        if self._connection.step(Step.CONNECTED, now_ms) is not State.ONLINE:
            return []
        self._max_packet_bytes = max_packet_bytes
        # Receipts that were sent while we were away are lost (session expiry 0): what was published counts as
        # not published, and the collector answers a repetition with the same receipt.
        for flight in self._window:
            flight.attempts = 0
            if not flight.held:
                flight.due_ms = now_ms
        actions: list[Action] = []
        for flight in list(self._window):
            if self._too_large(flight.entry.size):
                self._window.remove(flight.entry.message_id)
                actions.append(SetAside(flight.entry, TOO_LARGE))
        self._rewind()
        return [*actions, Release(max_packet_bytes - PACKET_OVERHEAD_BYTES)]

    def _receipt(self, receipt: ReceiptDown, now_ms: int) -> list[Action]:
        flight = self._window.get(receipt.message)
        if flight is None:
            return [Ignore(receipt.message, "not-under-way")]
        if flight.entry.sha256 != receipt.sha256:
            return [Ignore(receipt.message, "other-bytes")]
        if receipt.verdict is Verdict.RETRY:
            after_ms = receipt.retry_after_ms or 0
            flight.due_ms = now_ms + after_ms + round(self._chance() * after_ms / 4)
            flight.held = True
            return []
        self._window.remove(receipt.message)
        return [End(flight.entry, _FATES[receipt.verdict], receipt.reason)]

    def _broker_refused(self, message_id: bytes, code: int, now_ms: int) -> list[Action]:
        flight = self._window.get(message_id)
        if flight is None:
            return []
        if code in _HOPELESS:
            self._window.remove(message_id)
            return [SetAside(flight.entry, f"broker-refused-{code:#04x}")]
        flight.due_ms = now_ms + self._policy.resend_ms(max(0, flight.attempts - 1), self._chance())
        flight.held = True
        return []

    def _found(self, found: Found, now_ms: int) -> list[Action]:
        cursor = self._cursors[found.lane]
        if not cursor.asked or cursor.after != found.after:
            return []  # an answer to what was asked before the spool was replaced
        limit, cursor.asked, cursor.next_bytes = cursor.asked, 0, 0
        actions: list[Action] = []
        for entry in found.entries:
            if entry.message_id in self._window:
                pass
            elif self._too_large(entry.size):
                actions.append(SetAside(entry, TOO_LARGE))
            elif self._window.has_room(entry.lane, entry.size):
                self._window.add(entry, now_ms)
            else:
                cursor.next_bytes = entry.size
                return actions
            cursor.after = entry.position
        cursor.exhausted = len(found.entries) < limit and not cursor.changed
        return actions

    def _publish(self, now_ms: int) -> list[Action]:
        actions: list[Action] = []
        self._paced_until_ms = None
        for flight in self._window.due(now_ms):
            if not self._pace.take(now_ms):
                self._paced_until_ms = self._pace.next_ms(now_ms)
                break
            flight.due_ms = now_ms + self._policy.resend_ms(flight.attempts, self._chance())
            flight.attempts += 1
            flight.held = False
            actions.append(Publish(flight.entry))
        return actions

    def _look(self) -> list[Action]:
        """Ask for more of the first lane that may have more; the lanes behind it wait."""
        for lane, cursor in self._cursors.items():
            if cursor.asked:
                return []
            if cursor.exhausted:
                continue
            if not self._window.has_room(lane, cursor.next_bytes):
                return []
            room = self._window.room_for(lane)
            cursor.asked, cursor.changed = room, False
            return [Look(lane, cursor.after, room)]
        return []

    def _rewind(self) -> None:
        for lane in Lane:
            self._cursors[lane] = _Cursor()

    def _too_large(self, size: int) -> bool:
        return size + PACKET_OVERHEAD_BYTES > self._max_packet_bytes

    def _wake_at_ms(self) -> int | None:
        if self._connection.state is not State.ONLINE:
            return self._connection.deadline_ms
        return self._window.next_due_ms() if self._paced_until_ms is None else self._paced_until_ms
