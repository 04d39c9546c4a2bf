"""What a collector cannot do without, each by itself and as lean as it gets, in a process of its own.

Commands come as lines of JSON on standard input, answers go out the same way: microseconds of processor time
per frame, all threads counted.

receive   paho's own loop over TLS, QoS 1, PUBACK by hand
verify    wire_protocol: parse, signature, attachments' digests, the consent's two signatures
put       obstore, 64 puts at once, the same metadata and tags, the MD5 of the answer compared
rows      sqlite3, WAL, synchronous=FULL: 64 frames claimed in one transaction, finished in another
receipt   wire_protocol: encode and sign; paho: publish over TLS, QoS 0
"""

import argparse
import asyncio
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import uvloop
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.baselines.plain_collector import _send_at_once
from benchmarks.baselines.rows_sqlite import Rows
from benchmarks.baselines.senders import Senders
from benchmarks.cpu_clock import own_cpu_us
from cloud.broker.control import tls_context
from cloud.broker.rights import COLLECTOR
from cloud.collector import receipts
from cloud.collector.acceptance import object_key
from cloud.collector.object_storing import metadata_of
from cloud.collector.values import Offer, Row, State
from cloud.config import S3Config
from cloud.enrolment.pki_folder import PkiFolder
from cloud.objects.fast_store import FastStore
from cloud.objects.retention_class import retention_class
from cloud.objects.s3_store import S3Store
from cloud.service_keys import Purpose, ServiceKeyFolder
from wire_protocol import envelope
from wire_protocol.consent import verify_receipt
from wire_protocol.messages import FrameUp
from wire_protocol.topics import FRAMES_SHARE, Topic, Up

_AT_ONCE = 64
_QOS = 1


class Bare:
    """The primitives over one set of frames after another.

    Args:
        state_dir: The cloud's.
        s3: The store.
        tenant: The only one.
        port: The broker's listener for services.
    """

    def __init__(self, state_dir: Path, s3: S3Config, tenant: str, port: int) -> None:
        self._senders = Senders.read(state_dir / "cloud.sqlite3", tenant)
        self._key = ServiceKeyFolder(state_dir).load(tenant, Purpose.RECEIPTS)
        self._store = FastStore(s3, S3Store(s3))
        self._rows = Rows(sqlite3.connect(state_dir / "cloud.sqlite3", isolation_level=None))
        self._register = next(iter(self._senders.registers.values()))
        self._topic = Topic(self._register.identity, Up.FRAME)
        self._port = port
        self._files = PkiFolder(state_dir).service_files(COLLECTOR)
        self._payloads: list[bytes] = []
        self._offers: list[Offer] = []
        self._versions: list[str] = []

    def receive(self, count: int) -> float:
        """Costs of `count` messages that somebody publishes once this says `ready`."""
        begun: list[float] = []
        self._payloads = payloads = []

        def on_message(client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
            payloads.append(bytes(message.payload))
            client.ack(message.mid, _QOS)

        client = self._client()
        client.on_connect = lambda c, *_: c.subscribe(FRAMES_SHARE, _QOS)
        client.on_subscribe = lambda *_: begun.append(own_cpu_us())
        client.on_message = on_message
        while not begun:
            client.loop(1.0)
        _say({"ready": True})
        while len(payloads) < count:
            client.loop(1.0)
        cost_us = own_cpu_us() - begun[0]
        client.disconnect()
        client.loop(1.0)
        return cost_us / count

    def verify(self) -> float:
        """Of what was received."""
        keys, consent_keys = self._register.keys.get, self._senders.tenant.consent_keys.get
        begun = own_cpu_us()
        verified = []
        for payload in self._payloads:
            message = envelope.verify(envelope.parse(payload, self._topic), keys)
            verified.append((message, verify_receipt(message.attachments[0], keys, consent_keys)))
        cost_us = own_cpu_us() - begun
        now_ms = _now_ms()
        self._offers = [
            Offer(message, self._senders.tenant, self._register, now_ms, os.urandom(16), consent)
            for message, consent in verified
        ]
        return cost_us / len(verified)

    def put(self) -> float:
        """Of what was verified."""
        offers = [(offer, self._key_of(offer)) for offer in self._offers]
        tags = {
            "tenant": self._register.identity.tenant,
            "retention": retention_class(self._senders.tenant.retention_days),
        }

        async def one(pairs: Iterator[tuple[int, tuple[Offer, str]]]) -> None:
            for index, (offer, key) in pairs:
                self._versions[index] = await self._store.put(
                    key, offer.message.message, metadata_of(offer), tags
                )

        async def put_all() -> float:
            self._versions = [""] * len(offers)
            pairs = enumerate(offers)
            begun = own_cpu_us()
            await asyncio.gather(*(one(pairs) for _ in range(_AT_ONCE)))
            return own_cpu_us() - begun

        return uvloop.run(put_all()) / len(offers)

    def rows(self) -> float:
        """Of what was put."""
        now_ms = _now_ms()
        stored = [
            (offer, self._key_of(offer), version)
            for offer, version in zip(self._offers, self._versions, strict=True)
        ]
        begun = own_cpu_us()
        for start in range(0, len(stored), _AT_ONCE):
            batch = stored[start : start + _AT_ONCE]
            with self._rows.transaction():
                self._rows.claim([offer for offer, _, _ in batch], now_ms)
            with self._rows.transaction():
                self._rows.finish(batch, now_ms)
        return (own_cpu_us() - begun) / len(stored)

    def receipt(self) -> float:
        """Of what was put."""
        client = self._client()
        while not client.is_connected():
            client.loop(1.0)
        identity = self._register.identity
        topic = Topic(identity, receipts.KIND)
        begun = own_cpu_us()
        for offer, version in zip(self._offers, self._versions, strict=True):
            message = offer.message
            row = Row(
                identity.register,
                message.header.message_id,
                message.sha256,
                State.STORED,
                offer.received_at_ms,
                0,
                version=version,
            )
            client.publish(str(topic), receipts.sign(receipts.of_row(row), identity, self._key), 0)
            client.loop_write()
        while client.want_write():
            client.loop_write()
        cost_us = own_cpu_us() - begun
        client.disconnect()
        client.loop(1.0)
        return cost_us / len(self._offers)

    def _client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, manual_ack=True, reconnect_on_failure=False
        )
        client.tls_set_context(tls_context(self._files))
        client.on_socket_open = _send_at_once
        client.connect("127.0.0.1", self._port)
        return client

    def _key_of(self, offer: Offer) -> str:
        frame = offer.message.payload
        assert isinstance(frame, FrameUp)
        return object_key(self._register.identity.tenant, frame.interaction)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _say(words: object) -> None:
    print(json.dumps(words), flush=True)


def main() -> None:
    """Answer until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--s3", type=json.loads, required=True, help="fields of S3Config as JSON")
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    bare = Bare(args.state_dir, S3Config(**args.s3), args.tenant, args.port)
    steps: dict[str, Callable[..., float]] = {
        "receive": bare.receive,
        "verify": bare.verify,
        "put": bare.put,
        "rows": bare.rows,
        "receipt": bare.receipt,
    }
    for line in sys.stdin:
        asked = json.loads(line)
        arguments = [asked["count"]] if "count" in asked else []
        _say({"cpu_us": steps[asked["step"]](*arguments)})


if __name__ == "__main__":
    main()
