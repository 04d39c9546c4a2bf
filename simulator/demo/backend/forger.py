"""Somebody who can read and write at the broker, and has no register's key: sends a forged frame."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric import ed25519
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from simulator.demo.backend.settings import HOST
from simulator.demo.errors import ServiceFailedError
from wire_protocol import envelope
from wire_protocol.fields import decode_payload
from wire_protocol.keys import SigningKey
from wire_protocol.messages import FrameUp
from wire_protocol.topics import Identity, Topic, Up

GIVES_UP_AFTER_S = 60.0
_QOS = 1


class Pretender(SigningKey):
    """Signs with a key of its own under the name of another's."""

    def __init__(self, kid: bytes) -> None:
        super().__init__(ed25519.Ed25519PrivateKey.generate())
        self._kid = kid

    @property
    def kid(self) -> bytes:
        """The id of the key that it does not have."""
        return self._kid


def forged(genuine: bytes, topic: Topic) -> tuple[bytes, bytes]:
    """A frame that looks like the register's next one: its key's id, a real consent, a sealed picture.

    Args:
        genuine: A frame of the register, as everybody at the broker can read it.
        topic: Where it went.

    Returns:
        The message's id, and the message.
    """
    seen = envelope.parse(genuine, topic)
    payload = decode_payload(FrameUp, seen.sign1.payload)
    header = envelope.Header(
        topic, secrets.token_bytes(envelope.MESSAGE_ID_BYTES), seen.header.sequence + 1, seen.header.at_ms
    )
    return header.message_id, envelope.make(header, payload, seen.attachments, Pretender(seen.kid))


async def forge(port: int, identity: Identity) -> bytes:
    """Wait for a frame of a register, send a forged one in its name, and return its id.

    Args:
        port: Of the broker's listener for services.
        identity: The register.

    Raises:
        ServiceFailedError: The broker was away, or the register sent no frame.
    """
    loop = asyncio.get_running_loop()
    topic = Topic(identity, Up.FRAME)
    sent: asyncio.Future[bytes] = loop.create_future()
    state: dict[str, bytes] = {}

    def on_connect(client: mqtt.Client, *_: Any) -> None:
        client.subscribe(str(topic), _QOS)

    def on_message(client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        if "id" not in state:
            state["id"], forgery = forged(bytes(message.payload), topic)
            client.publish(str(topic), forgery, _QOS)

    def on_publish(*_: Any) -> None:
        loop.call_soon_threadsafe(sent.set_result, state["id"])

    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"demo-forger-{secrets.token_hex(6)}",
        protocol=MQTTProtocolVersion.MQTTv5,
    )
    client.on_connect, client.on_message, client.on_publish = on_connect, on_message, on_publish
    try:
        await asyncio.to_thread(client.connect, HOST, port)
        client.loop_start()
        async with asyncio.timeout(GIVES_UP_AFTER_S):
            return await sent
    except (OSError, TimeoutError) as error:  # TimeoutError is one, too
        raise ServiceFailedError(
            f"no frame could be forged at the broker: {error or f'{identity} sent none to learn from'}"
        ) from error
    finally:
        client.disconnect()
        client.loop_stop()
