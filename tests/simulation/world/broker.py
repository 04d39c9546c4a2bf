"""An MQTT broker and the network around it, as bad as measured ones: it loses, repeats, reorders and lies.

What holds of a real one holds here: PUBACK says nothing about delivery, a shared subscription hands each
message to one of its members, what a member had not acknowledged when it went may or may not be handed on,
sessions end with their connection, and a crash loses every queue.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.world.loop import VirtualLoop

NOT_DELIVERED = 0x10
"""MQTT 5: no matching subscribers."""


@dataclass
class Weather:
    """How bad the network is just now; all zero is a sunny day. Shares of messages, seconds of delay."""

    lose: float = 0.0
    repeat: float = 0.0
    lie: float = 0.0
    """PUBACK, and yet nothing is handed on: an overflowing queue, a wiped session."""
    cut: float = 0.0
    """The connection breaks instead."""
    delay_s: float = 0.005


@dataclass
class Session:
    """One connected client. `on_message` gets (topic, payload, acknowledge)."""

    client: str
    on_message: Callable[[str, bytes, Callable[[], None]], None]
    on_close: Callable[[], None]
    tell: Callable[[Callable[[], None]], None]
    """Runs something in the client's own context, so that it dies with the client."""
    groups: tuple[str, ...] = ()
    """Share groups it belongs to; an empty string stands for the topics of `mine`."""
    mine: tuple[str, ...] = ()
    open: bool = True
    unacknowledged: dict[int, tuple[str, str, bytes]] = field(default_factory=dict)


class Broker:
    """Sessions, share groups, and queues that do not survive a crash.

    Args:
        group_of: The share group that a topic is for; None for topics that are delivered by name.
        allowed: Whether a client may publish to a topic; what is not allowed is denied (0x87) and dropped.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        chance: random.Random,
        group_of: Callable[[str], str | None],
        bite: Counter[str],
    ) -> None:
        self.weather = Weather()
        self.up = True
        self.loop = loop
        self._chance = chance
        self._group_of = group_of
        self._bite = bite
        self._sessions: list[Session] = []
        self._epoch = 0
        self._packets = 0
        self.wire: list[tuple[str, bytes]] = []
        """Everything that was ever published: what somebody who listens has."""

    def connect(self, session: Session) -> bool:
        """Whether the broker took it; a client's older session is closed, as a broker does."""
        if not self.up:
            return False
        for other in [other for other in self._sessions if other.client == session.client]:
            self.close(other)
        self._sessions.append(session)
        return True

    def close(self, session: Session) -> None:
        """End a connection; what it had not acknowledged goes to another member, or nowhere."""
        if not session.open:
            return
        session.open = False
        if session in self._sessions:
            self._sessions.remove(session)
        session.tell(session.on_close)
        for group, topic, payload in session.unacknowledged.values():
            if group and self._chance.random() < 0.5:
                self._later(lambda g=group, t=topic, p=payload: self._hand_over(g, t, p))  # type: ignore[misc]
            else:
                self._bite["unacknowledged lost"] += 1
        session.unacknowledged.clear()

    def crash(self) -> None:
        """Kill -9: every queue and every connection is gone."""
        self._epoch += 1
        for session in self._sessions[:]:
            session.unacknowledged.clear()
            self.close(session)

    def session_of(self, client: str) -> Session | None:
        """The client's connection."""
        return next((session for session in self._sessions if session.client == client), None)

    def publish(
        self, session: Session, topic: str, payload: bytes, acknowledged: Callable[[int], None]
    ) -> None:
        """A client sends with QoS 1; `acknowledged` gets the reason code of a PUBACK, if one ever comes."""
        if not session.open:
            return
        self.wire.append((topic, payload))
        if self._strikes("cut", self.weather.cut):
            self._later(lambda: self.close(session))
            return
        if self._strikes("lose", self.weather.lose):
            # TCP loses nothing but connections: what is lost takes its connection along, a little later.
            self._later(lambda: self.close(session), 5.0)
            return
        self._later(lambda: self._arrive(session, topic, payload, acknowledged))

    def _arrive(
        self, session: Session, topic: str, payload: bytes, acknowledged: Callable[[int], None]
    ) -> None:
        group = self._group_of(topic)
        has_reader = any(
            (group in other.groups) if group else (topic in other.mine) for other in self._sessions
        )
        if has_reader and self._strikes("lie", self.weather.lie):
            copies = 0
        else:
            copies = (2 if self._strikes("repeat", self.weather.repeat) else 1) if has_reader else 0
        if not has_reader:
            self._bite["no subscriber"] += 1
        code = 0 if has_reader else NOT_DELIVERED
        if session.open and not self._strikes("lose", self.weather.lose):
            self._later(lambda: session.tell(lambda: acknowledged(code)) if session.open else None)
        for _ in range(copies):
            self._later(lambda: self._hand_over(group, topic, payload))

    def _hand_over(self, group: str | None, topic: str, payload: bytes) -> None:
        if group:
            readers = [session for session in self._sessions if group in session.groups]
        else:
            readers = [session for session in self._sessions if topic in session.mine]
        if not readers:
            self._bite["queue lost"] += 1
            return
        session = self._chance.choice(readers)
        self._packets += 1
        packet = self._packets
        session.unacknowledged[packet] = (group or "", topic, payload)

        def acknowledge() -> None:
            session.unacknowledged.pop(packet, None)

        session.tell(lambda: session.on_message(topic, payload, acknowledge))

    def _later(self, what: Callable[[], None], longest_s: float | None = None) -> None:
        """In a while, unless the broker crashes before; random delays are what reorders."""
        epoch = self._epoch
        delay_s = self._chance.random() * (self.weather.delay_s if longest_s is None else longest_s)
        if self.weather.delay_s > 1:
            self._bite["delay"] += 1

        def unless_crashed() -> None:
            if epoch == self._epoch:
                what()
            else:
                self._bite["lost in crash"] += 1

        self.loop.call_later(delay_s, unless_crashed, context=self.loop.world)

    def _strikes(self, name: str, share: float) -> bool:
        if share and self._chance.random() < share:
            self._bite[name] += 1
            return True
        return False
