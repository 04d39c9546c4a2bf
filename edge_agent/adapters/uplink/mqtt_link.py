"""The `Link` over MQTT 5: paho carries bytes, and keeps nothing that matters.

Every connection has a client object and a thread of its own: nothing of the last one is sent again behind
the delivery's back, and a renewed certificate is used by the next connection without ado.
"""

import logging
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from daemon.log_fields import fields
from edge_agent.adapters.cameras.thread_priority import yield_to_requests
from edge_agent.uplink.link_events import (
    BrokerRefused,
    Connected,
    Disconnected,
    LinkEvent,
    PubAcked,
    Received,
)
from wire_protocol.topics import Up

log = logging.getLogger(__name__)

KEEPALIVE_S: Final = 30
CONNECT_TIMEOUT_S: Final = 10.0
POLL_S: Final = 1.0
"""How long the thread sleeps at most; whatever comes or is to be sent wakes it at once."""
_GOODBYE_POLLS: Final = 3
_QOS: Final = 1
_MOST_PACKET_BYTES: Final = 268_435_455
"""What the protocol allows where the broker names no limit (MQTT 5, section 3.2.2.3.6)."""
_BROKER_IN_FLIGHT: Final = 65_535
_RETAINED: Final = f"/up/{Up.STATUS}"
_REFUSED_FROM: Final = 0x10
"""From here on, a PUBACK's reason code means that the message went nowhere; 0x10: nobody subscribes."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and who we are there.

    Args:
        host: As its certificate has it.
        client_id: Ours alone; the broker may put the certificate's name in its place.
        subscriptions: What to listen to.
        tls: Makes the context of each connection from the files as they are now; None speaks in the clear,
            which only tests do.
    """

    host: str
    port: int
    client_id: str
    subscriptions: Sequence[str]
    tls: Callable[[], ssl.SSLContext] | None


Will = Callable[[], tuple[str, bytes]]
"""Topic and message that the broker shall publish when the connection breaks."""


class MqttLink:
    """One connection at a time."""

    def __init__(self, address: Address, will: Will) -> None:
        self._address = address
        self._will = will
        self._tell: Callable[[LinkEvent], None] = _to_nobody
        self._guard = threading.Lock()
        self._current: _Connection | None = None

    def listen(self, listener: Callable[[LinkEvent], None]) -> None:
        """As `Link.listen`."""
        self._tell = listener

    def connect(self) -> None:
        """As `Link.connect`."""
        with self._guard:
            before, self._current = self._current, _Connection(self._address, self._will, self._tell)
            if before is not None:
                before.close()
            self._current.start(after=before)

    def publish(self, message_id: bytes, topic: str, message: bytes) -> None:
        """As `Link.publish`."""
        with self._guard:
            current = self._current
        if current is not None:
            current.publish(message_id, topic, message)

    def disconnect(self) -> None:
        """As `Link.disconnect`; the broker publishes the will, so the cloud sees the register go."""
        with self._guard:
            current = self._current
        if current is not None:
            current.close()

    def wait_closed(self, timeout_s: float) -> None:
        """Wait until the connection's thread has ended; for the end of the agent."""
        with self._guard:
            current = self._current
        if current is not None:
            current.join(timeout_s)


class _Connection:
    """From the attempt to its end; tells exactly one Disconnected."""

    def __init__(self, address: Address, will: Will, tell: Callable[[LinkEvent], None]) -> None:
        self._address = address
        self._will = will
        self._tell = tell
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._before: _Connection | None = None
        self._closing = threading.Event()
        self._client: Client | None = None
        self._guard = threading.Lock()
        self._awaiting: dict[int, bytes] = {}
        self._early: dict[int, ReasonCode] = {}
        self._max_packet_bytes = _MOST_PACKET_BYTES
        self._credit = 0
        self._waiting: deque[tuple[bytes, str, bytes]] = deque()
        self._reason = "the connection was lost"

    def start(self, after: "_Connection | None") -> None:
        self._before = after
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def close(self) -> None:
        self._reason = "disconnected by us"
        self._closing.set()

    def publish(self, message_id: bytes, topic: str, message: bytes) -> None:
        client = self._client
        if client is None or not client.is_connected():
            return  # its Disconnected was told, or is on the way
        with self._guard:
            if self._credit <= 0:
                self._waiting.append((message_id, topic, message))
                return
            self._credit -= 1
        self._send(message_id, topic, message)

    def _send(self, message_id: bytes, topic: str, message: bytes) -> None:
        client = self._client
        if client is None or not client.is_connected():
            return  # its Disconnected is on the way
        # Not under our lock: paho calls `_on_publish` while it holds one that publishing needs.
        try:
            info = client.publish(topic, message, _QOS, retain=topic.endswith(_RETAINED))
        except ValueError as error:
            # Longer than MQTT can carry, or no topic: the delivery's limits are far below.
            log.error("link.unsendable", extra=fields(topic=topic, error=str(error)))  # noqa: TRY400 - told whole
            return
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            return  # its Disconnected is on the way
        with self._guard:
            code = self._early.pop(info.mid, None)
            if code is None:
                self._awaiting[info.mid] = message_id
        if code is not None:
            self._acknowledged(message_id, code)

    def _run(self) -> None:
        yield_to_requests()
        if self._before is not None:
            self._before.join(CONNECT_TIMEOUT_S)
            self._before = None
        try:
            client = self._client = self._new_client()
            if not self._closing.is_set():
                self._talk(client)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self._reason = _words(error)
        except Exception as error:
            # What paho makes of bytes that are no MQTT; the next connection starts with nothing of it.
            log.exception("link.defect")
            self._reason = f"defect: {error}"
        finally:
            self._tell(Disconnected(self._reason))

    def _talk(self, client: Client) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        client.connect(
            self._address.host,
            self._address.port,
            KEEPALIVE_S,
            clean_start=True,
            properties=properties,
        )
        polls_left = _GOODBYE_POLLS
        while client.loop(POLL_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
            if self._closing.is_set():
                if polls_left == _GOODBYE_POLLS:
                    # With the will: to the cloud a register that stops looks like one that was cut off.
                    client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
                elif polls_left == 0 and (sock := client.socket()) is not None:
                    sock.close()  # nobody reads our goodbye
                polls_left -= 1

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            self._address.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        # Not paho's, but the broker's bound counts; it comes with CONNACK, too late for paho's own setting.
        client.max_inflight_messages_set(_BROKER_IN_FLIGHT)
        if self._address.tls is not None:
            client.tls_set_context(self._address.tls())
        topic, message = self._will()
        client.will_set(topic, message, _QOS, retain=True)
        client.on_socket_open = _without_delay
        # Whoever publishes leaves the writing to this connection's thread.
        client.on_socket_register_write = _nothing
        client.on_socket_unregister_write = _nothing
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _on_connect(
        self, client: Client, _: Any, __: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._reason = f"the broker refused the connection: {code}"
            client.disconnect()
            return
        self._max_packet_bytes = int(getattr(properties, "MaximumPacketSize", _MOST_PACKET_BYTES))
        with self._guard:
            self._credit = int(getattr(properties, "ReceiveMaximum", _BROKER_IN_FLIGHT))
        client.subscribe([(topic, _QOS) for topic in self._address.subscriptions])

    def _on_subscribe(
        self, client: Client, _: Any, __: int, codes: list[ReasonCode], ___: Properties | None
    ) -> None:
        if any(code.is_failure for code in codes):
            self._reason = f"the broker refused a subscription: {', '.join(map(str, codes))}"
            client.disconnect()
        elif not self._closing.is_set():
            # Only now: a message sent before would have its receipt sent to nobody.
            self._tell(Connected(self._max_packet_bytes))

    def _on_publish(self, _: Client, __: Any, mid: int, code: ReasonCode, ___: Properties | None) -> None:
        with self._guard:
            message_id = self._awaiting.pop(mid, None)
            if message_id is None:
                self._early[mid] = code
            following = self._waiting.popleft() if self._waiting else None
            self._credit += following is None
        if message_id is not None:
            self._acknowledged(message_id, code)
        if following is not None:
            self._send(*following)

    def _acknowledged(self, message_id: bytes, code: ReasonCode) -> None:
        if code.value >= _REFUSED_FROM:
            self._tell(BrokerRefused(message_id, code.value))
        else:
            self._tell(PubAcked(message_id))

    def _on_message(self, _: Client, __: Any, message: MQTTMessage) -> None:
        self._tell(Received(message.topic, bytes(message.payload)))

    def _on_disconnect(
        self, _: Client, __: Any, flags: DisconnectFlags, code: ReasonCode, ___: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._reason = f"the broker ended the connection: {code}"


def _without_delay(_: Client, __: Any, sock: Any) -> None:
    """Nagle's algorithm against delayed acknowledgements costs 44 ms a message over TLS."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _nothing(_: Client, __: Any, ___: Any) -> None:
    pass


def _to_nobody(_: LinkEvent) -> None:
    pass


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not believed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {error.reason or error}"
    return f"no connection: {error}"


def pinned_context(ca: str, certificate: str, key: str) -> ssl.SSLContext:
    """TLS that believes one authority, checks the host's name and shows this register's certificate.

    Raises:
        OSError: A file cannot be read, or is no certificate or key (ssl.SSLError).
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    return context
