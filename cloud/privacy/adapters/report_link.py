"""The keeper's `Link` over MQTT 5: reports come in by a shared subscription, acknowledged by hand.

paho's thread carries bytes and reconnects; messages cross into the event loop one by one. The session ends
with the connection, so a dead keeper keeps no place in the share.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import Sequence
from typing import Any, Final, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from cloud.broker.control import tls_context
from cloud.broker.errors import BrokerAway
from cloud.collector.values import Delivery
from cloud.config import MqttConfig
from cloud.enrolment.pki_folder import CredentialFiles
from cloud.log_fields import fields
from wire_protocol.topics import KEEPER_SHARES, Topic

log = logging.getLogger(__name__)

IN_FLIGHT: Final = 20
"""Reports that the broker hands over before the first is acknowledged; it holds the rest."""
_QOS: Final = 1
_RECONNECT_MAX_S: Final = 30
_REMEDY: Final = "Check that mosquitto runs, that [mqtt] names its listener for services, and its rights."


class ReportLink:
    """A `Link`; connects on entering its `async with` block.

    Args:
        config: Where the broker's listener for services is.
        files: The keeper's certificate; None: plain MQTT, development only.

    Raises:
        BrokerAway: On entering: it does not answer, or does not let the keeper subscribe.
    """

    def __init__(self, config: MqttConfig, files: CredentialFiles | None) -> None:
        self._config = config
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._subscribed: asyncio.Future[str] = self._loop.create_future()
        self._connection = 0  # acknowledgements of an earlier connection mean nothing to the next
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{config.client_id_prefix}-keeper-{secrets.token_hex(6)}",
            protocol=mqtt.MQTTv5,
            manual_ack=True,
        )
        client.reconnect_delay_set(1, _RECONNECT_MAX_S)
        if config.username is not None:
            client.username_pw_set(config.username, config.password)
        if files is not None:
            client.tls_set_context(tls_context(files))
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    async def next(self) -> Delivery:
        """As `Link`."""
        return await self._arrived.get()

    def publish(self, topic: Topic, message: bytes) -> None:
        """As `Link`: while the connection is away, paho would queue; the repeat makes that needless."""
        if self._client.is_connected():
            self._client.publish(str(topic), message, _QOS)

    def acknowledge(self, delivery: Delivery) -> None:
        """As `Link`."""
        connection, message_number = delivery.ticket
        if connection == self._connection:
            self._client.ack(message_number, _QOS)

    async def __aenter__(self) -> Self:
        config, where = self._config, f"{self._config.host}:{self._config.port}"
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = IN_FLIGHT

        def connect() -> None:
            self._client.connect(
                config.host, config.port, config.keepalive_s, clean_start=True, properties=properties
            )

        try:
            await asyncio.to_thread(connect)
            self._client.loop_start()
            async with asyncio.timeout(_RECONNECT_MAX_S):
                trouble = await self._subscribed
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            await self._stop()
            raise BrokerAway(f"the broker at {where} cannot be reached: {error}", remedy=_REMEDY) from error
        if trouble:
            await self._stop()
            raise BrokerAway(f"the broker at {where} refuses the keeper: {trouble}", remedy=_REMEDY)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _stop(self) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    # ---- paho's thread ------------------------------------------------------------------------------------

    def _on_connect(
        self, client: mqtt.Client, _: Any, _flags: mqtt.ConnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        self._connection += 1
        if code.is_failure:
            self._settle(str(code))
        else:
            client.subscribe([(share, SubscribeOptions(qos=_QOS)) for share in KEEPER_SHARES])

    def _on_disconnect(
        self, _client: mqtt.Client, _: Any, _f: mqtt.DisconnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        log.warning("link.lost", extra=fields(reason=str(code)))

    def _on_subscribe(
        self, _client: mqtt.Client, _: Any, _mid: int, codes: Sequence[ReasonCode], _p: Properties | None
    ) -> None:
        denied = [str(code) for code in codes if code.is_failure]
        if denied:
            log.error("link.denied", extra=fields(reason=denied[0]))
        self._settle(denied[0] if denied else "")

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        delivery = Delivery(message.topic, bytes(message.payload), (self._connection, message.mid))
        self._in_loop(self._arrived.put_nowait, delivery)

    def _settle(self, trouble: str) -> None:
        def settle() -> None:
            if not self._subscribed.done():
                self._subscribed.set_result(trouble)

        self._in_loop(settle)

    def _in_loop(self, call: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop has ended, and with it whoever would have listened
            log.debug("link.closed")


def _send_at_once(_client: mqtt.Client, _: Any, connection: Any) -> None:
    """Without TCP_NODELAY each publish over TLS waits 44 ms for a delayed acknowledgement."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
