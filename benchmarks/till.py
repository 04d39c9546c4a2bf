"""A register's connection that publishes prepared frames, so many under way at once, and counts receipts."""

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.cloud_stack import CloudStack
from benchmarks.processes import ProgramError
from cloud.broker.control import tls_context
from cloud.collector.verification import claimed_id
from tests.builders.frame_sender import Sender, Sent
from wire_protocol import envelope
from wire_protocol.envelope import KeyRecord
from wire_protocol.messages import ReceiptDown, Verdict
from wire_protocol.topics import Down, Topic

PICTURE_BYTES = 30_000
"""Of a sealed picture."""
_SEALING_BYTES = 48
_TIMEOUT_S = 120.0
_CONNECT_TIMEOUT_S = 20.0


def frames(sender: Sender, count: int) -> list[Sent]:
    """Frames of 30 KB, each with a consent of its own, signed now; what is sealed in them is noise."""
    sender.now_ms = time.time_ns() // 1_000_000
    return [sender.frame(sealed=os.urandom(PICTURE_BYTES + _SEALING_BYTES)) for _ in range(count)]


class Till:
    """One connection over TLS; runs inside a `with` block."""

    def __init__(self, cloud: CloudStack, sender: Sender) -> None:
        self.sender = sender
        self._topic = Topic(sender.identity, Down.RECEIPT)
        key = cloud.receipts_key(sender.tenant)
        self._keys = {key.kid: KeyRecord(key.verification_key)}
        self._answered = threading.Condition()
        self._receipts: dict[bytes, bytes] = {}
        self._acknowledged = 0
        ready = threading.Event()
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(10_000)
        client.tls_set_context(tls_context(cloud.broker.register_files(sender.identity.common_name)))
        client.on_connect = lambda c, *_: c.subscribe(str(self._topic), 1)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = _send_at_once
        client.connect("127.0.0.1", cloud.broker.registers_port)
        client.loop_start()
        if not ready.wait(_CONNECT_TIMEOUT_S):
            raise ProgramError("the broker did not let the register in")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def deliver(self, messages: Sequence[Sent], *, window: int) -> float:
        """Publish all, at most `window` without receipts; seconds until the last receipt.

        Raises:
            ProgramError: A message was not stored, or nothing came for two minutes.
        """
        self._receipts.clear()
        waiting = deque(messages)
        begun = time.perf_counter()
        published = 0
        while len(self._receipts) < len(messages):
            while waiting and published - len(self._receipts) < window:
                sent = waiting.popleft()
                published += 1
                self._client.publish(str(sent.topic), sent.payload, 1)
            # With nothing left to publish, only the last receipt is worth waking up for.
            self._wait_receipts(published - window + 1 if waiting else len(messages))
        took_s = time.perf_counter() - begun
        self._check(messages)
        return took_s

    def publish(self, messages: Sequence[Sent], *, window: int) -> None:
        """Publish all at QoS 1, at most `window` without PUBACK; returns after the last PUBACK."""
        self._acknowledged = 0
        for index, sent in enumerate(messages):
            self._wait_acknowledged(index - window + 1)
            self._client.publish(str(sent.topic), sent.payload, 1)
        self._wait_acknowledged(len(messages))

    def _wait_receipts(self, count: int) -> None:
        with self._answered:
            if not self._answered.wait_for(lambda: len(self._receipts) >= count, _TIMEOUT_S):
                raise ProgramError(f"{len(self._receipts)} receipts came, {count} were expected")

    def _wait_acknowledged(self, count: int) -> None:
        with self._answered:
            if not self._answered.wait_for(lambda: self._acknowledged >= count, _TIMEOUT_S):
                raise ProgramError(f"the broker acknowledged {self._acknowledged} messages of {count}")

    def _check(self, messages: Sequence[Sent]) -> None:
        for sent in messages:
            message = self._receipts[sent.message_id]
            receipt = envelope.verify(envelope.parse(message, self._topic), self._keys.get).payload
            if not isinstance(receipt, ReceiptDown) or receipt.verdict is not Verdict.STORED:
                raise ProgramError(f"a frame was not stored: {receipt}")

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        message_id = claimed_id(payload)
        if message_id is not None:
            with self._answered:
                self._receipts[message_id] = payload
                self._answered.notify()

    def _on_publish(self, *_: Any) -> None:
        with self._answered:
            self._acknowledged += 1
            self._answered.notify()


def _send_at_once(_client: mqtt.Client, _: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
