"""The collector that one writes in an afternoon: everything in paho's callback, one frame after the other.

verify → boto3 put → rows and commit → signed receipt → PUBACK. It checks signatures, consent and attachments
with the product's own functions, puts with the product's boto3 adapter, writes the same three rows, and sends
the same receipts. It has no claims, no takeover, no quotas, no withdrawals, no counters.
"""

import argparse
import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.baselines.rows_sqlite import Rows
from benchmarks.baselines.senders import Senders
from cloud.broker.control import tls_context
from cloud.broker.rights import COLLECTOR
from cloud.collector import receipts
from cloud.collector.acceptance import object_key
from cloud.collector.object_storing import metadata_of
from cloud.collector.values import Delivery, Offer, Row, State
from cloud.collector.verification import ConsentCache, topic_of, verify
from cloud.config import S3Config
from cloud.enrolment.pki_folder import PkiFolder
from cloud.objects.retention_class import retention_class
from cloud.objects.s3_store import S3Store
from cloud.service_keys import Purpose, ServiceKeyFolder
from wire_protocol.messages import FrameUp
from wire_protocol.topics import FRAMES_SHARE, Topic

_QOS = 1


class PlainCollector:
    """One connection, one thread.

    Args:
        state_dir: The cloud's.
        s3: The store.
        tenant: The only one that it knows.
        port: The broker's listener for services.
    """

    def __init__(self, state_dir: Path, s3: S3Config, tenant: str, port: int) -> None:
        self._senders = Senders.read(state_dir / "cloud.sqlite3", tenant)
        self._key = ServiceKeyFolder(state_dir).load(tenant, Purpose.RECEIPTS)
        self._store = S3Store(s3)
        self._rows = Rows(sqlite3.connect(state_dir / "cloud.sqlite3", isolation_level=None))
        self._consents = ConsentCache()
        files = PkiFolder(state_dir).service_files(COLLECTOR)
        self.client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, manual_ack=True, reconnect_on_failure=False
        )
        client.tls_set_context(tls_context(files))
        client.on_socket_open = _send_at_once
        client.on_message = self._on_message
        client.connect("127.0.0.1", port)

    def _on_message(self, client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        now_ms = time.time_ns() // 1_000_000
        payload = bytes(message.payload)
        topic = topic_of(message.topic)
        offer = verify(
            Delivery(message.topic, payload, None),
            topic,
            self._senders.tenant,
            self._senders.registers,
            self._consents,
            received_at_ms=now_ms,
            token=os.urandom(16),
        )
        if not isinstance(offer, Offer):
            raise SystemExit(f"a frame of the benchmark is refused: {offer}")
        frame = offer.message.payload
        assert isinstance(frame, FrameUp)
        key = object_key(topic.identity.tenant, frame.interaction)
        tags = {
            "tenant": topic.identity.tenant,
            "retention": retention_class(offer.tenant.retention_days),
        }
        version = self._store.put(key, payload, metadata_of(offer), tags)
        with self._rows.transaction():
            self._rows.store([(offer, key, version)], now_ms)
        row = Row(
            register=topic.identity.register,
            message_id=offer.message.header.message_id,
            sha256=offer.message.sha256,
            state=State.STORED,
            received_at_ms=now_ms,
            attempts=0,
            version=version,
        )
        receipt = receipts.sign(receipts.of_row(row), topic.identity, self._key)
        client.publish(str(Topic(topic.identity, receipts.KIND)), receipt, 0)
        client.ack(message.mid, _QOS)


def _send_at_once(_client: mqtt.Client, _: Any, connection: Any) -> None:
    import socket

    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main() -> None:
    """Collect until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--s3", type=json.loads, required=True, help="fields of S3Config as JSON")
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--announce", type=Path, required=True)
    args = parser.parse_args()
    collector = PlainCollector(args.state_dir, S3Config(**args.s3), args.tenant, args.port)
    client = collector.client
    client.on_connect = lambda c, *_: c.subscribe(FRAMES_SHARE, _QOS)
    client.on_subscribe = lambda *_: args.announce.write_text("{}", encoding="utf-8")
    client.loop_forever()


if __name__ == "__main__":
    main()
