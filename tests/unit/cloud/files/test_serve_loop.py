"""The flow, with a broker and a store of paper: who is believed, what they get, and nobody gets another's."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cloud.collector.values import Delivery
from cloud.errors import ServiceKeyMissing
from cloud.files.ports import World
from cloud.files.serve_loop import LANE_AT_ONCE, LANE_WAITING, FileDesk
from cloud.releases.adapters.memory_files import MemoryFiles
from cloud.releases.cached_files import CachedFiles
from cloud.releases.ports import Piece
from tests.builders.frame_sender import DAY_MS, Sender
from tests.builders.paper_collector import NOW, PaperDirectory
from wire_protocol import envelope
from wire_protocol.envelope import Header, KeyRecord, VerifiedMessage
from wire_protocol.fleet_messages import FileBlockDown, FileRequestUp, FileStatus
from wire_protocol.keys import SigningKey
from wire_protocol.limits import FILE_MAX_BYTES
from wire_protocol.packing import unpack
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Topic, Up

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cloud.collector.values import TenantRecord
    from wire_protocol.errors import RefusedMessage, TopscoopError

_MODEL = bytes(range(256)) * 1000
_PATH = f"targets/releases/7/{hashlib.sha256(_MODEL).hexdigest()}.model.onnx"
_TIMESTAMP = "metadata/timestamp.json"


class _Link:
    def __init__(self) -> None:
        self.incoming: asyncio.Queue[Delivery] = asyncio.Queue()
        self.outgoing: asyncio.Queue[tuple[Topic, bytes]] = asyncio.Queue()
        self.acknowledged: asyncio.Queue[Any] = asyncio.Queue()
        self.open = asyncio.Event()
        self.open.set()

    async def next(self) -> Delivery:
        return await self.incoming.get()

    def publish(self, topic: Topic, message: bytes) -> None:
        self.outgoing.put_nowait((topic, message))

    async def flushed(self) -> None:
        await self.open.wait()

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.put_nowait(delivery.ticket)


class _Watch:
    def __init__(self) -> None:
        self.refusals: list[Reason] = []
        self.waiting: list[str] = []
        self.failures: list[Exception] = []
        self.answers: list[FileStatus] = []

    def answered(self, status: FileStatus, size: int, took_ms: int) -> None:
        self.answers.append(status)

    def refused(self, topic: str, error: RefusedMessage) -> None:
        self.refusals.append(error.reason)

    def waits(self, what: str, error: TopscoopError) -> None:
        self.waiting.append(what)

    def failed(self, topic: str, error: Exception) -> None:
        self.failures.append(error)


class _Directory(PaperDirectory):
    """One that does not answer for some chains until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.slow: set[str] = set()
        self.go = asyncio.Event()

    async def tenant(self, tenant: str) -> TenantRecord | None:
        if tenant in self.slow:
            await self.go.wait()
        return await super().tenant(tenant)


class _Stage:
    def __init__(self, bytes_per_s: int = 100_000_000) -> None:
        self.now = NOW
        self.link, self.watch, self.directory = _Link(), _Watch(), _Directory()
        self.files = MemoryFiles()
        self.store = CachedFiles(self.files, 4_000_000, lambda: self.now / 1000)
        self.keys: dict[str, SigningKey] = {}
        world = World(
            self.link,
            self.store,
            self.directory,
            self._signer,
            self,
            self.watch,
            lambda: os.urandom(16),
        )
        self.desk = FileDesk(world, bytes_per_s)
        self._tickets = itertools.count()

    def now_ms(self) -> int:
        return self.now

    def _signer(self, tenant: str) -> SigningKey:
        if tenant not in self.keys:
            raise ServiceKeyMissing("missing", remedy="topscoop cloud tenant keys")
        return self.keys[tenant]

    def enrol(self, sender: Sender, *, revoked: bool = False) -> Sender:
        self.directory.tenant_records[sender.tenant] = sender.tenant_record()
        self.directory.register_records[sender.tenant, sender.register] = sender.register_record(
            revoked=revoked
        )
        self.keys.setdefault(sender.tenant, SigningKey.generate())
        return sender

    def message(
        self,
        sender: Sender,
        path: str = _PATH,
        offset: int = 0,
        length: int = 100_000,
        *,
        deflate: bool | None = None,
        **header: Any,
    ) -> tuple[bytes, bytes]:
        """Id and bytes of a request."""
        head = Header(Topic(sender.identity, Up.FILE_REQUEST), os.urandom(16), 1, self.now)
        head = replace(head, **header)
        asked = FileRequestUp(path, offset, length, deflate)
        return head.message_id, envelope.make(head, asked, (), sender.key)

    def send(self, topic: Topic | str, payload: bytes) -> None:
        self.link.incoming.put_nowait(Delivery(str(topic), payload, next(self._tickets)))

    async def ask(
        self,
        sender: Sender,
        path: str = _PATH,
        offset: int = 0,
        length: int = 100_000,
        *,
        deflate: bool | None = None,
    ) -> _Answer:
        """What a register is answered."""
        request, payload = self.message(sender, path, offset, length, deflate=deflate)
        self.send(Topic(sender.identity, Up.FILE_REQUEST), payload)
        return await self.answer(sender, request)

    async def answer(self, sender: Sender, request: bytes) -> _Answer:
        topic, message = await self.link.outgoing.get()
        await self.link.acknowledged.get()
        return self.open(topic, message, sender, request)

    def open(self, topic: Topic, message: bytes, sender: Sender, request: bytes) -> _Answer:
        """As the register opens it: for itself, signed with its own chain's files key."""
        assert topic == Topic(sender.identity, Down.FILE_BLOCK)
        key = self.keys[sender.tenant]
        verified = envelope.verify(
            envelope.parse(message, topic), {key.kid: KeyRecord(key.verification_key)}.get
        )
        answer = _Answer(verified)
        assert answer.block.request == request
        return answer

    async def refuses(self, topic: Topic | str, payload: bytes) -> Reason:
        """Why a message gets no answer."""
        self.send(topic, payload)
        await self.link.acknowledged.get()
        assert self.link.outgoing.empty()
        return self.watch.refusals.pop()


class _Answer:
    def __init__(self, message: VerifiedMessage) -> None:
        assert isinstance(message.payload, FileBlockDown)
        self.block = message.payload
        (self.data,) = message.attachments


def _play(play: Callable[[_Stage], Awaitable[None]], **how: Any) -> _Stage:
    """Run a play while the desk runs; no defect may have been met."""

    async def run() -> _Stage:
        stage = _Stage(**how)
        desk = asyncio.create_task(stage.desk.run())
        try:
            async with asyncio.timeout(30):
                await play(stage)
        finally:
            desk.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await desk
            stage.desk.close()
        assert stage.watch.failures == []
        return stage

    return asyncio.run(run())


def test_a_file_comes_in_pieces() -> None:
    """Each says where it belongs and how long the whole is; the store is read once."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("acme", _PATH, _MODEL)
        got = b""
        while len(got) < len(_MODEL):
            answer = await stage.ask(sender, offset=len(got))
            assert (answer.block.status, answer.block.offset) == (FileStatus.OK, len(got))
            assert answer.block.total == len(_MODEL)
            got += answer.data
        assert got == _MODEL
        assert len(stage.files.asked) == 2

    _play(play)


def test_a_piece_comes_packed_where_the_register_allows_it_and_it_is_shorter() -> None:
    """The register that does not allow it gets it as it is; the pace counts what is sent."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        for content, shorter in ((bytes(range(100)) * 100, True), (os.urandom(10_000), False)):
            path = f"targets/{hashlib.sha256(content).hexdigest()}.file"
            stage.files.put("acme", path, content)
            assert (await stage.ask(sender, path)).data == content
            answer = await stage.ask(sender, path, deflate=True)
            assert (answer.block.status, answer.block.offset, answer.block.total) == (
                FileStatus.OK,
                0,
                10_000,
            )
            assert answer.block.unpacked == (10_000 if shorter else None)
            assert (unpack(answer.data, 10_000) if shorter else answer.data) == content

    _play(play)


def test_what_is_not_there_and_what_lies_behind_the_end_is_said_so() -> None:
    """Missing is how a client of TUF learns that there is no newer root."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("acme", _PATH, _MODEL)
        stage.files.put("acme", "targets/empty", b"")
        assert (await stage.ask(sender, "metadata/2.root.json")).block.status is FileStatus.MISSING
        for offset in (len(_MODEL), len(_MODEL) + 1):
            beyond = await stage.ask(sender, offset=offset)
            assert (beyond.block.status, beyond.block.total) == (FileStatus.BEYOND, len(_MODEL))
            assert beyond.data == b""
        empty = await stage.ask(sender, "targets/empty")
        assert (empty.block.status, empty.block.total, empty.data) == (FileStatus.OK, 0, b"")

    _play(play)


_SENDERS = [
    ("acme", "till-1"),
    ("acme", "till-2"),
    ("bianca", "till-1"),
    ("bianca", "till-9"),
]


def test_no_chain_gets_another_chains_files() -> None:
    """T7: the matrix of who asks, in whose name, on whose topic, by whose key, for whose path."""

    async def play(stage: _Stage) -> None:
        senders = [stage.enrol(Sender(tenant, register)) for tenant, register in _SENDERS]
        for tenant in ("acme", "bianca"):
            stage.files.put(tenant, _TIMESTAMP, f"of {tenant}".encode())
            stage.files.put(tenant, f"targets/{tenant}-only", f"only {tenant}".encode())
        for sender in senders:
            assert (await stage.ask(sender, _TIMESTAMP)).data == f"of {sender.tenant}".encode()
            for tenant in ("acme", "bianca"):
                answer = await stage.ask(sender, f"targets/{tenant}-only")
                expected = FileStatus.OK if tenant == sender.tenant else FileStatus.MISSING
                assert answer.block.status is expected
        for signer, claimed, topic in itertools.product(senders, senders, senders):
            if signer is claimed is topic:
                continue
            head = Topic(claimed.identity, Up.FILE_REQUEST)
            _, payload = stage.message(signer, _TIMESTAMP, topic=head)
            reason = await stage.refuses(Topic(topic.identity, Up.FILE_REQUEST), payload)
            wrong_place = claimed is not topic
            assert reason is (Reason.IDENTITY_MISMATCH if wrong_place else Reason.UNKNOWN_KEY)

    _play(play)


def test_no_path_climbs() -> None:
    """T7: signed by a register of good standing, and refused all the same; nothing is read."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("bianca", _TIMESTAMP, b"of bianca")
        for path in (
            "metadata/../../bianca/metadata/timestamp.json",
            "targets/../../../service-keys/acme/files.pem",
            "targets/..",
            "targets/./x",
            "/etc/passwd",
            "tuf/bianca/metadata/timestamp.json",
            "metadata/timestamp.json\0",
            "",
        ):
            good, payload = FileRequestUp(_TIMESTAMP, 0, 1), b""
            object.__setattr__(good, "path", path)
            head = Header(Topic(sender.identity, Up.FILE_REQUEST), os.urandom(16), 1, stage.now)
            payload = envelope.make(head, good, (), sender.key)
            assert await stage.refuses(head.topic, payload) is Reason.BAD_PAYLOAD
        assert stage.files.asked == []

    _play(play)


def test_who_is_not_in_good_standing_gets_nothing() -> None:
    """T1, T2: revoked, never enrolled, another key, a key that ended, a changed byte, another kind."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        topic = Topic(sender.identity, Up.FILE_REQUEST)
        stage.files.put("acme", _PATH, _MODEL)
        stranger = Sender("acme", "till-7")
        place = Topic(stranger.identity, Up.FILE_REQUEST)
        assert await stage.refuses(place, stage.message(stranger)[1]) is Reason.UNKNOWN_REGISTER
        nobody = Sender("nobody", "till-7")
        place = Topic(nobody.identity, Up.FILE_REQUEST)
        assert await stage.refuses(place, stage.message(nobody)[1]) is Reason.UNKNOWN_REGISTER
        forged = stage.message(Sender(key=SigningKey.generate()))[1]
        assert await stage.refuses(topic, forged) is Reason.UNKNOWN_KEY
        changed = bytearray(stage.message(sender)[1])
        changed[-1] ^= 1
        assert await stage.refuses(topic, bytes(changed)) is Reason.BAD_SIGNATURE
        assert await stage.refuses(topic, b"junk") is Reason.MALFORMED
        assert await stage.refuses(topic, bytes(5_000)) is Reason.TOO_LARGE
        assert await stage.refuses(Topic(sender.identity, Up.FRAME), b"") is Reason.BAD_TOPIC
        assert await stage.refuses("elsewhere", b"") is Reason.BAD_TOPIC
        ended = sender.register_record()
        keys = {kid: replace(key, valid_until_ms=NOW - 1) for kid, key in ended.keys.items()}
        stage.directory.register_records["acme", "till-1"] = replace(ended, keys=keys)
        stage.now += 3_000
        assert await stage.refuses(topic, stage.message(sender)[1]) is Reason.UNKNOWN_KEY
        stage.enrol(sender, revoked=True)
        stage.now += 3_000
        assert await stage.refuses(topic, stage.message(sender)[1]) is Reason.REVOKED
        assert stage.files.asked == []

    _play(play)


def test_a_till_with_a_wrong_clock_gets_its_release() -> None:
    """Its own time is not asked: who it is and that its key is good now are what counts."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("acme", _PATH, _MODEL)
        for at_ms in (0, NOW - 1000 * DAY_MS, NOW + 1000 * DAY_MS):
            request, payload = stage.message(sender, at_ms=at_ms)
            stage.send(Topic(sender.identity, Up.FILE_REQUEST), payload)
            assert (await stage.answer(sender, request)).block.status is FileStatus.OK

    _play(play)


def test_a_register_that_was_enrolled_a_moment_ago_is_known() -> None:
    """What is remembered of strangers is asked again before one is refused."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("acme", _PATH, _MODEL)
        await stage.ask(sender)
        late = Sender("acme", "till-2")
        place = Topic(late.identity, Up.FILE_REQUEST)
        assert await stage.refuses(place, stage.message(late)[1]) is Reason.UNKNOWN_REGISTER
        stage.enrol(late)
        assert (await stage.ask(late)).block.status is FileStatus.OK

    _play(play)


def test_who_fetches_too_fast_is_told_when_to_come_back() -> None:
    """T27: and comes through then; its neighbour does not wait."""

    async def play(stage: _Stage) -> None:
        greedy, neighbour = stage.enrol(Sender()), stage.enrol(Sender("acme", "till-2"))
        stage.files.put("acme", _PATH, _MODEL)
        assert (await stage.ask(greedy)).block.status is FileStatus.OK
        assert (await stage.ask(greedy)).block.status is FileStatus.OK
        busy = await stage.ask(greedy)
        assert busy.block.status is FileStatus.BUSY
        assert busy.block.retry_after_ms is not None
        assert (await stage.ask(neighbour)).block.status is FileStatus.OK
        stage.now += busy.block.retry_after_ms
        assert (await stage.ask(greedy)).block.status is FileStatus.OK

    _play(play, bytes_per_s=150_000)


def test_trouble_of_the_stores_is_answered_with_later() -> None:
    """Database and repositories; nobody takes an outage for a missing file."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("acme", _PATH, _MODEL)
        stage.files.away = True
        away = await stage.ask(sender)
        assert away.block.status is FileStatus.BUSY
        assert away.block.retry_after_ms
        stage.files.away = False
        assert (await stage.ask(sender)).block.status is FileStatus.OK
        stage.directory.away = True
        stage.now += 3_000
        assert (await stage.ask(sender)).block.status is FileStatus.BUSY
        assert stage.watch.waiting == ["releases", "database"]

    _play(play)


def test_without_the_chains_key_nothing_goes_out() -> None:
    """Another chain's key signs nothing in its place."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        del stage.keys["acme"]
        stage.enrol(Sender("bianca"))
        _, payload = stage.message(sender)
        stage.send(Topic(sender.identity, Up.FILE_REQUEST), payload)
        await stage.link.acknowledged.get()
        assert stage.link.outgoing.empty()
        assert stage.watch.waiting == ["keys"]

    _play(play)


def test_a_flood_of_one_chain_waits_behind_itself() -> None:
    """T27: while the noisy one's lane overflows and its store stands still, the quiet ones are answered."""

    async def play(stage: _Stage) -> None:
        noisy = stage.enrol(Sender("noisy"))
        quiet = [stage.enrol(Sender(f"quiet-{number}")) for number in range(5)]
        for sender in quiet:
            stage.files.put(sender.tenant, _PATH, _MODEL)
            await stage.ask(sender)
        stage.directory.slow.add("noisy")
        for _ in range(3 * LANE_WAITING):
            stage.send(Topic(noisy.identity, Up.FILE_REQUEST), stage.message(noisy)[1])
        asked = {}
        for sender in quiet:
            request, payload = stage.message(sender)
            asked[request] = sender
            stage.send(Topic(sender.identity, Up.FILE_REQUEST), payload)
        busy = 0
        while asked:
            topic, message = await stage.link.outgoing.get()
            if topic.identity.tenant == "noisy":
                busy += 1
                continue
            parsed = envelope.parse(message, topic)
            key = stage.keys[topic.identity.tenant]
            verified = envelope.verify(parsed, {key.kid: KeyRecord(key.verification_key)}.get)
            assert isinstance(verified.payload, FileBlockDown)
            assert verified.payload.status is FileStatus.OK
            assert asked.pop(verified.payload.request).identity == topic.identity
        assert busy == 2 * LANE_WAITING - LANE_AT_ONCE

    _play(play)


def test_a_slow_broker_holds_the_answers_back() -> None:
    """T27: no more blocks are made than a chain may have in work, so memory has a bound."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("acme", _PATH, _MODEL)
        await stage.ask(sender)
        stage.link.open.clear()
        for _ in range(50):
            stage.send(Topic(sender.identity, Up.FILE_REQUEST), stage.message(sender)[1])
        for _ in range(500):
            await asyncio.sleep(0)
        assert stage.link.outgoing.qsize() == 4
        stage.link.open.set()
        for _ in range(50):
            await stage.link.acknowledged.get()
        assert stage.link.outgoing.qsize() == 50

    _play(play)


def test_a_defect_ends_one_request_only() -> None:
    """It is counted, and the next one is served."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        stage.files.put("acme", _PATH, _MODEL)
        real = stage.store.remembered

        def broken(*_: Any) -> None:
            raise ZeroDivisionError

        stage.store.remembered = broken  # type: ignore[method-assign] # a defect
        stage.send(Topic(sender.identity, Up.FILE_REQUEST), stage.message(sender)[1])
        await stage.link.acknowledged.get()
        stage.store.remembered = real  # type: ignore[method-assign]
        assert [type(error) for error in stage.watch.failures] == [ZeroDivisionError]
        stage.watch.failures.clear()
        assert (await stage.ask(sender)).block.status is FileStatus.OK

    _play(play)


def test_a_file_that_no_register_could_take_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Larger than the protocol's bound; it is not read whole into memory either."""

    async def play(stage: _Stage) -> None:
        sender = stage.enrol(Sender())
        monkeypatch.setattr(stage.files, "get", lambda *_: Piece(b"x" * 10, FILE_MAX_BYTES + 1))
        assert (await stage.ask(sender)).block.status is FileStatus.MISSING
        assert stage.store.used_bytes == 0

    _play(play)
