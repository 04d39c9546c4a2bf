"""The collector as a process over a real broker and store, and registers that resend until answered."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from cloud.collector.adapters.sql_directory import SqlDirectory
from cloud.collector.adapters.sql_ledger import SqlLedger
from cloud.collector.sweep_loop import Sweeper, Swept
from cloud.config import S3Config
from cloud.database.engine import Database, open_database
from cloud.objects.coroutines import InThreads
from cloud.objects.s3_store import S3Store
from cloud.objects.setup import prepare_bucket
from cloud.service_keys import Purpose, ServiceKeyFolder
from tests.builders.daemon import last_lines
from tests.builders.ledgers import enrol
from wire_protocol import envelope
from wire_protocol.envelope import KeyRecord
from wire_protocol.messages import ReceiptDown, Verdict
from wire_protocol.topics import Down, Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.frame_sender import Sender, Sent
    from tests.builders.mosquitto import Mosquitto
    from wire_protocol.keys import SigningKey

_WAIT_S = 60.0


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = _WAIT_S) -> None:
    """Return once it holds; fail with its name."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)


class CollectorStack:
    """State folder, SQLite, bucket and configuration of a collector; `start` runs it as users do."""

    def __init__(self, folder: Path, broker: Mosquitto, s3: CephS3, **collector: Any) -> None:
        self.folder = folder
        self.broker = broker
        self.state_dir = folder / "state"
        self.state_dir.mkdir(mode=0o700, parents=True)
        self.s3 = S3Config(
            endpoint_url=s3.endpoint_url,
            bucket=f"test-{uuid.uuid4()}",
            access_key=s3.access_key,
            secret_key=s3.secret_key,
            connect_timeout_s=1,
            request_timeout_s=3,
        )
        prepare_bucket(self.s3)
        self.database: Database = open_database(f"sqlite:///{self.state_dir}/cloud.sqlite3")
        self.database.migrate()
        self.store = S3Store(self.s3)
        self.collector: dict[str, Any] = {"health_port": _free_port(), "retry_after_s": 1} | collector
        self.log = folder / "collector.log"
        self._process: subprocess.Popen[bytes] | None = None

    def enrol(self, *senders: Sender, **how: Any) -> None:
        """Make registers known, and the key that signs their tenants' receipts."""
        enrol(self.database, *senders, **how)
        for sender in senders:
            self.receipts_key(sender.tenant)

    def receipts_key(self, tenant: str) -> SigningKey:
        return ServiceKeyFolder(self.state_dir).make(tenant, Purpose.RECEIPTS)

    def start(self) -> None:
        """Run the command; returns when it says that it is ready."""
        sections: Mapping[str, Mapping[str, Any]] = {
            "s3": {
                name: getattr(self.s3, name)
                for name in (
                    "endpoint_url",
                    "bucket",
                    "access_key",
                    "secret_key",
                    "connect_timeout_s",
                    "request_timeout_s",
                )
            },
            "mqtt": {"host": "127.0.0.1", "port": self.broker.port, "tls": False, "keepalive_s": 5},
            "collector": self.collector,
            "log": {"format": "json", "level": "info"},
        }
        lines = [f'environment = "development"\nstate_dir = "{self.state_dir}"\n']
        for name, values in sections.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
        config = self.folder / "cloud.toml"
        config.write_text("\n".join(lines) + "\n")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "topscoop", "cloud", "collector", "run", "--config", str(config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        wait_for(lambda: self.ready() or not self.running(), "the collector is ready")
        assert self.running(), last_lines(self.log)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ready(self) -> bool:
        try:
            return urllib.request.urlopen(self._url("readyz"), timeout=2).status == 200
        except OSError:
            return False

    def metrics(self) -> dict[str, float]:
        """Every sample, by its name with labels."""
        text = urllib.request.urlopen(self._url("metrics"), timeout=5).read().decode()
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def _url(self, page: str) -> str:
        return f"http://127.0.0.1:{self.collector['health_port']}/{page}"

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(40)

    def events(self) -> list[dict[str, Any]]:
        """The log, line by line."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def versions(self, tenant: str) -> list[tuple[str, str]]:
        return [(one.key, one.version) for one in self.store.versions(f"frames/{tenant}/")]

    def rows(self, table: Any, tenant: str) -> list[Any]:
        with self.database.tenant(tenant, read_only=True) as connection:
            return list(connection.execute(table.select().where(table.c.tenant == tenant)))

    def beside(self, folder: Path) -> CollectorStack:
        """Another collector over the same state, bucket and broker."""
        other = copy.copy(self)
        folder.mkdir()
        other.folder = folder
        other.log = folder / "collector.log"
        other.collector = self.collector | {"health_port": _free_port()}
        other._process = None
        other.database = open_database(f"sqlite:///{self.state_dir}/cloud.sqlite3")
        return other

    def sweep(self, after_ms: int) -> Swept:
        """What the sweeper does by itself, this much later."""
        ledger = SqlLedger(self.database)
        later = SimpleNamespace(now_ms=lambda: now_ms() + after_ms)
        watch = SimpleNamespace(swept=lambda _: None)
        sweeper = Sweeper(
            ledger,
            InThreads(self.store),
            SqlDirectory(self.database),
            later,
            watch,  # type: ignore[arg-type]
            sweep_after_ms=600_000,
        )
        try:
            return asyncio.run(sweeper.sweep())
        finally:
            ledger.close()

    def stop(self) -> None:
        if self.running():
            self.kill()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Register:
    """Publishes at QoS 1 and believes signed receipts only; what has none is sent again."""

    sender: Sender
    port: int
    receipts_key: SigningKey
    resend_s: float = 2.0
    unanswered: dict[bytes, Sent] = field(default_factory=dict)
    receipts: dict[bytes, list[ReceiptDown]] = field(default_factory=dict)
    _sent_at: dict[bytes, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_sending, name="register", daemon=True)
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.sender.identity.common_name,
            protocol=mqtt.MQTTv5,
        )
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_socket_open = _send_at_once
        client.connect("127.0.0.1", self.port, keepalive=5)
        client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, *messages: Sent) -> None:
        with self._lock:
            self.unanswered.update({sent.message_id: sent for sent in messages})

    def cut(self) -> None:
        """Break its connection without a goodbye; it connects again."""
        if (connection := self._client.socket()) is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def publish_raw(self, topic: str, payload: bytes) -> None:
        """Past all bookkeeping, as an attacker would."""
        self._client.publish(topic, payload, qos=1)

    def answers(self, *messages: Sent, timeout_s: float = _WAIT_S) -> list[ReceiptDown]:
        """The final receipts of these messages, waiting for them."""
        ids = [sent.message_id for sent in messages]
        wait_for(
            lambda: not any(one in self.unanswered for one in ids),
            "receipts for all messages",
            timeout_s,
        )
        # A duplicate that crossed the first may be answered `retry` after it.
        return [
            next(answer for answer in reversed(self.receipts[one]) if answer.verdict is not Verdict.RETRY)
            for one in ids
        ]

    def _keep_sending(self) -> None:
        while not self._ended.wait(0.02):
            now = time.monotonic()
            with self._lock:
                due = [
                    sent
                    for sent in self.unanswered.values()
                    if now - self._sent_at.get(sent.message_id, -1e9) > self.resend_s
                ]
                for sent in due[:50]:
                    self._sent_at[sent.message_id] = now
            if self._client.is_connected():
                for sent in due[:50]:
                    self._client.publish(str(sent.topic), sent.payload, qos=1)

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe(str(Topic(self.sender.identity, Down.RECEIPT)), qos=1)

    def _on_message(self, _client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:
        topic = Topic.parse(message.topic)
        key = self.receipts_key
        keys = {key.kid: KeyRecord(key.verification_key)}.get
        receipt = envelope.verify(envelope.parse(bytes(message.payload), topic), keys).payload
        assert isinstance(receipt, ReceiptDown)
        with self._lock:
            self.receipts.setdefault(receipt.message, []).append(receipt)
            sent = self.unanswered.get(receipt.message)
            if sent is None or sent.sha256 != receipt.sha256:
                return
            if receipt.verdict is Verdict.RETRY:
                pause_s = (receipt.retry_after_ms or 0) / 1000
                self._sent_at[receipt.message] = time.monotonic() + pause_s - self.resend_s
            else:
                del self.unanswered[receipt.message]


def registers(stack: CollectorStack, senders: Iterable[Sender]) -> list[Register]:
    """One for each sender."""
    return [Register(sender, stack.broker.port, stack.receipts_key(sender.tenant)) for sender in senders]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _send_at_once(_client: mqtt.Client, _: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
