"""A repository behind HTTP, fetched over MQTT: both ends of the file service in one process, for conformance.

A register with keys of the moment asks with signed `file-request` messages and checks signed `file-block`s;
a relay on a connection of its own checks the requests, gets the file by HTTP once, and answers in pieces.
Between them is a real broker. It shows that a TUF client means the same over our messages, and is nothing to
run in a shop: there, the cloud's file service answers.
"""

import contextlib
import queue
import secrets
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.updater.adapters.http_source import HttpSource
from edge_agent.updater.adapters.pipe import PipeSource, now_ms
from edge_agent.updater.ports import Source
from edge_agent.updater.transfer import Budget, FetchFailed, FileMissing
from edge_agent.updates.errand import FromUpdater, Need, Piece, PieceStatus, Talk
from wire_protocol import envelope
from wire_protocol.envelope import Header, KeyRecord
from wire_protocol.errors import RefusedMessage, TopscoopError
from wire_protocol.fleet_messages import FileBlockDown, FileRequestUp, FileStatus
from wire_protocol.keys import SigningKey
from wire_protocol.limits import FILE_MAX_BYTES
from wire_protocol.messages import Payload
from wire_protocol.topics import Down, Identity, Topic, Up

CONNECT_WITHIN_S: Final = 10.0
_QOS: Final = 1


class BrokerUnusable(TopscoopError):
    """The broker of `--broker` cannot be used for this."""


@contextlib.contextmanager
def relayed(broker: str, bases: Mapping[str, str], budget: Budget) -> Iterator[Source]:
    """A source of whole addresses that begin with one of the bases.

    Args:
        broker: HOST:PORT, in the clear, open to anybody.
        bases: `metadata` and `targets` -> the address of that folder, with a slash at its end.
        budget: Of the register's side.

    Raises:
        BrokerUnusable: It cannot be reached.
    """
    host, colon, port = broker.rpartition(":")
    if not colon or not port.isdecimal():
        raise BrokerUnusable(f"{broker!r} is no HOST:PORT", remedy="Name it as in 127.0.0.1:1883.")
    register_key, files_key = SigningKey.generate(), SigningKey.generate()
    identity = Identity("conformance", f"till-{secrets.token_hex(4)}")
    with contextlib.ExitStack() as stack:
        relay = _Relay(identity, register_key, files_key, bases)
        stack.enter_context(_connected(host, int(port), str(Topic(identity, Up.FILE_REQUEST)), relay))
        register = _Register(identity, register_key, files_key)
        stack.enter_context(_connected(host, int(port), str(Topic(identity, Down.FILE_BLOCK)), register))
        yield _Addresses(PipeSource(register, budget), bases)


class _Addresses:
    """Whole addresses to paths of the repository, whose odd characters are escaped as HTTP would."""

    def __init__(self, source: Source, bases: Mapping[str, str]) -> None:
        self._source = source
        self._bases = bases

    def fetch(self, path: str, *, offset: int, total: int | None, longest: int) -> Iterator[bytes]:
        """As `Source.fetch`."""
        for folder, base in self._bases.items():
            if path.startswith(base):
                rest = quote(path.removeprefix(base), safe="/%").replace("~", "%7E")
                yield from self._source.fetch(f"{folder}/{rest}", offset=offset, total=total, longest=longest)
                return
        raise FetchFailed(f"{path} is not in the repository")


class _End(ABC):
    """One end: what it hears, and how it says something once it is connected."""

    def __init__(self, identity: Identity, ours: SigningKey, theirs: SigningKey, kind: Up | Down) -> None:
        self._topic = Topic(identity, kind)
        self._key = ours
        self._theirs = {theirs.kid: KeyRecord(theirs.verification_key)}.get
        self._sequence = 0
        self.client: Client | None = None

    def publish(self, payload: Payload, attached: tuple[bytes, ...]) -> bytes:
        """Sign and send; gives the message's id."""
        assert self.client is not None
        self._sequence += 1
        header = Header(self._topic, secrets.token_bytes(16), self._sequence, int(time.time() * 1000))
        self.client.publish(str(self._topic), envelope.make(header, payload, attached, self._key), qos=_QOS)
        return header.message_id

    def opened(self, message: MQTTMessage) -> envelope.VerifiedMessage:
        """Verify. Raises RefusedMessage."""
        return envelope.verify(
            envelope.parse(bytes(message.payload), Topic.parse(message.topic)), self._theirs
        )

    @abstractmethod
    def heard(self, message: MQTTMessage) -> None:
        """In paho's thread."""


class _Relay(_End):
    """Answers requests with what HTTP gives."""

    def __init__(
        self, identity: Identity, register: SigningKey, files: SigningKey, bases: Mapping[str, str]
    ) -> None:
        super().__init__(identity, files, register, Down.FILE_BLOCK)
        self._bases = bases
        self._kept: dict[str, bytes | None] = {}
        self._source = HttpSource("", Budget(1 << 40, 1 << 40))

    def heard(self, message: MQTTMessage) -> None:
        """Answer; what nobody signed is not answered."""
        with contextlib.suppress(RefusedMessage):
            verified = self.opened(message)
            request = verified.payload
            assert isinstance(request, FileRequestUp)
            self.publish(*self._answer(verified.header.message_id, request))

    def _answer(self, request_id: bytes, request: FileRequestUp) -> tuple[FileBlockDown, tuple[bytes, ...]]:
        try:
            content = self._content(request.path)
        except FetchFailed:
            return FileBlockDown(request_id, FileStatus.BUSY, retry_after_ms=200), (b"",)
        if content is None:
            return FileBlockDown(request_id, FileStatus.MISSING), (b"",)
        if request.offset > len(content):
            return FileBlockDown(request_id, FileStatus.BEYOND, total=len(content)), (b"",)
        data = content[request.offset : request.offset + request.length]
        return FileBlockDown(request_id, FileStatus.OK, request.offset, len(content)), (data,)

    def _content(self, path: str) -> bytes | None:
        """The file, got once; None where there is none."""
        if path not in self._kept:
            folder, _, rest = path.partition("/")
            try:
                pieces = self._source.fetch(
                    self._bases[folder] + rest, offset=0, total=None, longest=FILE_MAX_BYTES
                )
                self._kept[path] = b"".join(pieces)
            except FileMissing:
                self._kept[path] = None
        return self._kept[path]


class _Register(_End):
    """Asks as a register does; `PipeSource` talks to it as to the agent."""

    def __init__(self, identity: Identity, register: SigningKey, files: SigningKey) -> None:
        super().__init__(identity, register, files, Up.FILE_REQUEST)
        self._asked: dict[bytes, int] = {}
        self._came: queue.SimpleQueue[Piece] = queue.SimpleQueue()
        self._guard = threading.Lock()

    def say(self, value: FromUpdater) -> None:
        """Ask for a piece."""
        if isinstance(value, Need):
            with self._guard:
                message_id = self.publish(FileRequestUp(value.path, value.offset, value.length), ())
                self._asked[message_id] = value.id

    def hear(self, until_ms: int) -> list[Talk]:
        """The next answer, or nothing until then."""
        try:
            return [self._came.get(timeout=max(0.0, (until_ms - now_ms()) / 1000))]
        except queue.Empty:
            return []

    def heard(self, message: MQTTMessage) -> None:
        """An answer; one that nobody signed, or that nobody asked for, is dropped."""
        with contextlib.suppress(RefusedMessage):
            verified = self.opened(message)
            block = verified.payload
            assert isinstance(block, FileBlockDown)
            with self._guard:
                number = self._asked.pop(block.request, None)
            if number is not None:
                self._came.put(
                    Piece(
                        number,
                        PieceStatus(block.status.value),
                        block.offset,
                        block.total,
                        block.retry_after_ms,
                        verified.header.at_ms,
                        verified.attachments[0],
                        block.unpacked,
                    )
                )


@contextlib.contextmanager
def _connected(host: str, port: int, subscription: str, end: _End) -> Iterator[None]:
    ready = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_socket_open = _no_delay
    client.on_connect = _subscribes(subscription)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _client, _data, message: end.heard(message)
    end.client = client
    try:
        try:
            client.connect(host, port)
        except OSError as error:
            raise _unusable(host, port, str(error)) from error
        client.loop_start()
        if not ready.wait(CONNECT_WITHIN_S):
            raise _unusable(host, port, "it takes no subscription")
        yield
    finally:
        client.disconnect()
        client.loop_stop()


def _subscribes(subscription: str) -> Any:
    def on_connect(client: Client, *_: object) -> None:
        client.subscribe(subscription, qos=_QOS)

    return on_connect


def _unusable(host: str, port: int, why: str) -> BrokerUnusable:
    return BrokerUnusable(
        f"the broker {host}:{port} cannot be used: {why}", remedy="Start one that lets anybody in."
    )


def _no_delay(_client: Client, _data: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
