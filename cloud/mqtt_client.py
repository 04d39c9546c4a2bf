"""The services' MQTT 5 client: paho's packets on asyncio's sockets, without a thread of its own.

Clean start and session expiry 0: what is not acknowledged when a connection ends goes to another member of
the share at once. A connection has a client object of its own, and a number: acknowledging a message of an
earlier one would acknowledge a stranger. What is published goes out at QoS 0, before any acknowledgement
that follows it on the same connection; the register's resending makes up for the rest.
"""

import asyncio
import contextlib
import logging
import random
import secrets
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud.ack_order import AckOrder
from cloud.broker.control import tls_context
from cloud.broker.errors import BrokerAway
from cloud.collector.values import Delivery
from cloud.config import MqttConfig
from cloud.enrolment.pki_folder import CredentialFiles
from daemon.errors import ConfigError
from daemon.log_fields import fields
from wire_protocol.topics import Topic

log = logging.getLogger(__name__)

RECEIVE_QOS: Final = 1
_NO_PACKET: Final = 0
"""The packet identifier that paho gives a message at QoS 0, which has none."""
_CONNECT_TIMEOUT_S: Final = 10.0
_PAUSE_FIRST_S: Final = 0.5
_PAUSE_LONGEST_S: Final = 30.0
_TICK_S: Final = 1.0
_DENIED: Final = frozenset({0x86, 0x87, 0x8A})
"""Bad user name or password, not authorized, banned: trying again mends nothing."""


class MqttClient:
    """One service at the broker. `run` keeps it connected; the rest may be called at any time.

    Args:
        config: Where the listener for services is.
        credentials: Its certificate; None: plain MQTT, in development only.
        service: What it is, for its client id.
        filters: What it subscribes to, at QoS 1.
        receive_maximum: Messages that the broker may send before the first is acknowledged.
    """

    def __init__(
        self,
        config: MqttConfig,
        credentials: CredentialFiles | None,
        *,
        service: str,
        filters: Sequence[str],
        receive_maximum: int,
    ) -> None:
        self._config = config
        self._credentials = credentials
        self._client_id = f"{config.client_id_prefix}-{service}-{secrets.token_hex(6)}"
        self._filters = list(filters)
        self._receive_maximum = receive_maximum
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        self._connection = 0
        self._order = AckOrder()
        self._client: mqtt.Client | None = None
        self._socket: Any = None
        self._subscribed: asyncio.Future[None] | None = None
        self._lost = asyncio.Event()
        self._ready = asyncio.Event()
        self._was_connected = False
        self._write_soon = False
        self._flushed = asyncio.Event()
        self._flushed.set()

    # ---- for the service ----

    @property
    def connected(self) -> bool:
        """Whether it is subscribed now."""
        return self._ready.is_set()

    async def ready(self) -> None:
        """Wait until it is subscribed."""
        await self._ready.wait()

    async def next(self) -> Delivery:
        """The next message of the present connection; those of earlier ones come again, here or elsewhere."""
        while True:
            delivery = await self._arrived.get()
            if delivery.ticket[0] == self._connection:
                return delivery

    def publish(self, topic: Topic, message: bytes) -> None:
        """Send once, or lose it where the broker is away."""
        if self._client is not None and self.connected:
            self._flushed.clear()
            self._client.publish(str(topic), message, qos=0)

    def retain(self, topic: Topic, message: bytes) -> bool:
        """As `publish`, and the broker keeps it for those who subscribe later; whether it was handed over."""
        if self._client is None or not self.connected:
            return False
        self._client.publish(str(topic), message, qos=0, retain=True)
        return True

    async def flushed(self) -> None:
        """Wait until what was published went out, or was lost with its connection.

        Who publishes much waits here, so that a slow broker does not fill our memory.
        """
        await self._flushed.wait()

    def acknowledge(self, delivery: Delivery) -> None:
        """PUBACK, on the connection that brought it, and after those of the messages that came before."""
        connection, number = delivery.ticket
        # A message at QoS 0 has no number; a PUBACK of number 0 would end the connection.
        if self._client is not None and connection == self._connection and number != _NO_PACKET:
            for due in self._order.finished(number):
                self._client.ack(due, RECEIVE_QOS)

    def stop_receiving(self) -> None:
        """Leave the shares; what is in work may still be acknowledged."""
        if self._client is not None and self.connected and self._filters:
            self._client.unsubscribe(self._filters)

    async def run(self) -> None:
        """Stay connected until cancelled, and then say goodbye.

        Raises:
            ConfigError: The broker refuses the certificate or the subscription, and never let it in before.
        """
        ticking = asyncio.get_running_loop().create_task(self._tick(), name="mqtt tick")
        pause_s = _PAUSE_FIRST_S
        try:
            while True:
                try:
                    await self._connect()
                except BrokerAway as error:
                    self._drop()
                    log.warning("broker.away", extra=fields(error=str(error), again_in_s=pause_s))
                    await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311 - jitter
                    pause_s = min(_PAUSE_LONGEST_S, 2 * pause_s)
                    continue
                pause_s = _PAUSE_FIRST_S
                log.info("broker.connected", extra=fields(host=self._config.host, port=self._config.port))
                await self._lost.wait()
                log.warning("broker.lost", extra=fields(host=self._config.host, port=self._config.port))
        finally:
            ticking.cancel()
            self._goodbye()

    # ---- one connection ----

    async def _connect(self) -> None:
        self._connection += 1
        self._order = AckOrder()
        self._lost.clear()
        self._subscribed = asyncio.get_running_loop().create_future()
        client = self._client = self._new_client()
        where = f"{self._config.host}:{self._config.port}"
        try:
            # Name resolution, TCP and TLS block; nothing else uses this client meanwhile.
            await asyncio.to_thread(self._open_connection, client)
            self._attach(client)
            async with asyncio.timeout(_CONNECT_TIMEOUT_S):
                await self._subscribed
        except ssl.SSLCertVerificationError as error:
            raise BrokerAway(
                f"the broker's certificate at {where} does not verify: {error.reason}"
            ) from error
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise BrokerAway(f"the broker at {where} cannot be reached: {error or 'no answer'}") from error
        self._was_connected = True
        self._ready.set()

    def _new_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        if self._config.username is not None:
            client.username_pw_set(self._config.username, self._config.password)
        if self._credentials is not None:
            client.tls_set_context(tls_context(self._credentials))  # read anew: certificates are renewed
        client.on_socket_open = _send_at_once
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_want_write
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _open_connection(self, client: mqtt.Client) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = min(self._receive_maximum, 65_535)
        client.connect(
            self._config.host,
            self._config.port,
            self._config.keepalive_s,
            clean_start=True,
            properties=properties,
        )

    def _attach(self, client: mqtt.Client) -> None:
        self._socket = client.socket()
        if self._socket is None:
            raise BrokerAway("the broker closed the connection at once")
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        self._write()

    def _drop(self) -> None:
        """End a connection that came to nothing."""
        client, self._client = self._client, None
        if client is not None:
            client.on_disconnect = None
            client.disconnect()
            if client.socket() is not None:
                client.loop_write()
                client._sock_close()  # noqa: SLF001 - paho closes it only inside its own loop
        self._ready.clear()

    def _goodbye(self) -> None:
        with contextlib.suppress(OSError):
            self._drop()

    async def _tick(self) -> None:
        """Pings, and the end of connections that do not answer them."""
        while True:
            await asyncio.sleep(_TICK_S)
            if self._client is not None and self._socket is not None:
                self._client.loop_misc()

    # ---- the socket ----

    def _read(self) -> None:
        client, connection = self._client, self._socket
        if client is None:
            return
        client.loop_read()
        # TLS may have decrypted more than was asked for; no event would tell of it.
        while isinstance(connection, ssl.SSLSocket) and self._socket is connection and connection.pending():
            client.loop_read()

    def _on_want_write(self, _client: mqtt.Client, _: Any, __: Any) -> None:
        if self._socket is not None and not self._write_soon:  # while it connects, `_attach` will write
            self._write_soon = True
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        self._write_soon = False
        client, connection = self._client, self._socket
        if client is None or connection is None:
            return
        client.loop_write()
        if self._socket is not connection:
            return  # lost while writing
        loop = asyncio.get_running_loop()
        self._write_soon = client.want_write()
        if self._write_soon:
            loop.add_writer(connection, self._write)
        else:
            loop.remove_writer(connection)
            self._flushed.set()

    def _on_socket_close(self, _client: mqtt.Client, _: Any, connection: Any) -> None:
        if self._socket is connection:
            loop = asyncio.get_running_loop()
            loop.remove_reader(connection)
            loop.remove_writer(connection)
            self._socket = None
            self._write_soon = False
            self._flushed.set()

    # ---- paho's callbacks ----

    def _on_connect(self, client: mqtt.Client, _: Any, __: Any, reason: ReasonCode, ___: Any) -> None:
        if reason.is_failure:
            self._refused(f"refuses the connection of {self._client_id}: {reason}", reason.value)
        elif self._filters:
            client.subscribe([(name, SubscribeOptions(RECEIVE_QOS)) for name in self._filters])
        else:
            self._settle(None)

    def _on_subscribe(self, _c: Any, _: Any, __: int, reasons: list[ReasonCode], ___: Any) -> None:
        for name, reason in zip(self._filters, reasons, strict=True):
            if reason.is_failure:
                self._refused(f"refuses the subscription to {name}: {reason}", reason.value)
                return
        self._settle(None)

    def _on_disconnect(self, _c: Any, _: Any, __: Any, reason: ReasonCode, ___: Any) -> None:
        self._ready.clear()
        self._settle(BrokerAway(f"the broker ended the connection: {reason}"))
        self._lost.set()

    def _on_message(self, _c: Any, _: Any, message: mqtt.MQTTMessage) -> None:
        if message.qos:
            self._order.arrived(message.mid)
        elif self._arrived.qsize() >= self._receive_maximum:
            # Who publishes at QoS 0 is not held back by what we acknowledge; our memory has a bound.
            log.warning("message.dropped", extra=fields(topic=message.topic[:120], qos=message.qos))
            return
        ticket = (self._connection, message.mid)
        self._arrived.put_nowait(Delivery(message.topic, bytes(message.payload), ticket))

    def _refused(self, what: str, code: int) -> None:
        words = f"the broker at {self._config.host}:{self._config.port} {what}"
        remedy = "Run `topscoop cloud broker sync`; it writes the rights of services and registers."
        if code in _DENIED and not self._was_connected:
            self._settle(ConfigError(words, remedy=remedy))
        else:
            self._settle(BrokerAway(words, remedy=remedy))

    def _settle(self, error: Exception | None) -> None:
        if self._subscribed is None or self._subscribed.done():
            return
        if error is None:
            self._subscribed.set_result(None)
        else:
            self._subscribed.set_exception(error)


def _send_at_once(_client: mqtt.Client, _: Any, connection: Any) -> None:
    """Without TCP_NODELAY each publish over TLS waits 44 ms for a delayed acknowledgement."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
