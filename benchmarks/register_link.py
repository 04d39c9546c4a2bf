"""The register's own link to the broker, with a clock at every event."""

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.cloud_stack import CloudStack
from benchmarks.processes import ProgramError
from edge_agent.adapters.uplink.mqtt_link import Address, MqttLink, pinned_context
from edge_agent.uplink.link_events import Connected, LinkEvent, PubAcked, Received
from tests.builders.frame_sender import Sender, Sent
from wire_protocol.topics import Topic, Up, register_may_subscribe

_TIMEOUT_S = 30.0
_NS_PER_MS = 1e6


class TimedLink:
    """Publishes one message at a time and waits for what it asked for."""

    def __init__(self, link: MqttLink) -> None:
        self._link = link
        self._events: queue.SimpleQueue[tuple[int, LinkEvent]] = queue.SimpleQueue()
        link.listen(lambda event: self._events.put((time.perf_counter_ns(), event)))

    def connect(self) -> None:
        """Raise ProgramError where the broker does not let the register in."""
        self._link.connect()
        self._until(lambda event: isinstance(event, Connected))

    def acknowledged_after_ms(self, sent: Sent) -> float:
        """From the call of `publish` to the PUBACK, which the link's thread tells."""
        begun = self._publish(sent)
        at = self._until(lambda event: isinstance(event, PubAcked) and event.message_id == sent.message_id)
        return (at - begun) / _NS_PER_MS

    def answered_after_ms(self, sent: Sent) -> tuple[float, Received]:
        """From the call of `publish` to the next message that comes down, and that message."""
        begun = self._publish(sent)
        came: list[Received] = []

        def is_answer(event: LinkEvent) -> bool:
            if isinstance(event, Received):
                came.append(event)
            return bool(came)

        at = self._until(is_answer)
        return (at - begun) / _NS_PER_MS, came[0]

    def _publish(self, sent: Sent) -> int:
        while not self._events.empty():
            self._events.get()
        begun = time.perf_counter_ns()
        self._link.publish(sent.message_id, str(sent.topic), sent.payload)
        return begun

    def _until(self, wanted: Callable[[LinkEvent], bool]) -> int:
        while True:
            try:
                at, event = self._events.get(timeout=_TIMEOUT_S)
            except queue.Empty:
                raise ProgramError("the broker or the collector does not answer") from None
            if wanted(event):
                return at


@contextlib.contextmanager
def linked(cloud: CloudStack, sender: Sender) -> Iterator[TimedLink]:
    """A register that is connected over TLS, as the agent connects."""
    files = cloud.broker.register_files(sender.identity.common_name)
    address = Address(
        "localhost",
        cloud.broker.registers_port,
        f"{sender.tenant}.{sender.register}",
        register_may_subscribe(sender.identity),
        partial(pinned_context, str(files.ca), str(files.certificate), str(files.key)),
    )
    link = MqttLink(address, lambda: (str(Topic(sender.identity, Up.STATUS)), b"gone"))
    timed = TimedLink(link)
    timed.connect()
    try:
        yield timed
    finally:
        link.disconnect()
        link.wait_closed(_TIMEOUT_S)
