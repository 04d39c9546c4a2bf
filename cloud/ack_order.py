"""In which order messages may be acknowledged: that of their arrival, whatever was finished first. Pure.

MQTT 5 demands it (section 4.6, MQTT-4.6.0-2). mosquitto does not mind; other brokers end the connection.
"""

from collections import deque


class AckOrder:
    """The messages of one connection that are not acknowledged yet."""

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._finished: set[int] = set()

    def arrived(self, packet: int) -> None:
        """A message came with this packet identifier."""
        self._open.append(packet)

    def finished(self, packet: int) -> list[int]:
        """Which packets may be acknowledged now that this one may: it, once all before it may."""
        self._finished.add(packet)
        due = []
        while self._open and self._open[0] in self._finished:
            self._finished.remove(self._open[0])
            due.append(self._open.popleft())
        return due
