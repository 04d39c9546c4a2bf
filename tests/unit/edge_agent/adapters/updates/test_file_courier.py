"""Files over the register's link."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_agent.adapters.updates.file_courier import REMEMBERED_MAX, CourierParts, FileCourier
from edge_agent.adapters.uplink.key_files import parse_anchors
from edge_agent.updates.errand import Need, Piece, PieceStatus
from edge_agent.uplink.anchors import open_down
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.memory_spool import MemorySpool
from edge_agent.uplink.packaging import Packager
from tests.builders.records import StandingClock, seeded_randomness
from tests.builders.scripted_cloud import IDENTITY, STORE, PaperCloud
from tests.builders.uplink import ToldLink
from wire_protocol import envelope
from wire_protocol.envelope import Header, VerifiedMessage
from wire_protocol.errors import RefusedMessage
from wire_protocol.fleet_messages import FileBlockDown, FileRequestUp, FileStatus
from wire_protocol.limits import FILE_BLOCK_MAX_BYTES
from wire_protocol.topics import Down, Topic

NEED = Need(5, "metadata/timestamp.json", 2, 3)


@dataclass
class Stage:
    """A courier over a link in memory."""

    cloud: PaperCloud = field(default_factory=PaperCloud)
    link: ToldLink = field(default_factory=ToldLink)
    given: list[Piece] = field(default_factory=list)
    connected: bool = True

    def __post_init__(self) -> None:
        clock = StandingClock()
        self.spool = MemorySpool(clock.now_ms)
        self.executor = ThreadPoolExecutor(1)
        self.courier = FileCourier(
            CourierParts(
                packager=Packager(IDENTITY, self.cloud.register_key, STORE),
                spool=self.spool,
                link=self.link,
                randomness=seeded_randomness(6),
                now_ms=clock.now_ms,
                is_connected=lambda: self.connected,
                executor=self.executor,
            ),
            self.given.append,
        )

    async def ask(self, need: Need = NEED) -> None:
        self.courier.need(need)
        await asyncio.get_running_loop().run_in_executor(self.executor, lambda: None)
        await asyncio.sleep(0)

    def asked(self) -> VerifiedMessage:
        _, topic, message = self.link.published[-1]
        return self.cloud.verify(topic, message)

    def answer(self, folder: Path) -> VerifiedMessage:
        """As the register's delivery verifies it."""
        block = self.cloud.file_block(self.asked(), folder)
        topic = str(Topic(IDENTITY, Down.FILE_BLOCK))
        return open_down(block, topic, IDENTITY, parse_anchors(self.cloud.anchors_json()))


def repository(folder: Path) -> Path:
    (folder / "metadata").mkdir()
    (folder / "metadata" / "timestamp.json").write_bytes(b"0123456789")
    return folder


async def test_a_need_becomes_a_signed_request_and_its_answer_a_piece(tmp_path: Path) -> None:
    """Matched by the message's id; the cloud's time comes along."""
    stage = Stage()
    await stage.ask()
    assert stage.asked().payload == FileRequestUp("metadata/timestamp.json", 2, 3, deflate=True)
    answer = stage.answer(repository(tmp_path))
    stage.courier.came(answer)
    (piece,) = stage.given
    assert (piece.id, piece.status, piece.offset, piece.total, piece.data) == (
        5,
        PieceStatus.OK,
        2,
        10,
        b"234",
    )
    assert piece.signed_ms == answer.header.at_ms
    stage.courier.came(answer)
    assert len(stage.given) == 1, "a repeated answer is nothing"
    assert (stage.courier.fetched_bytes, stage.courier.requests) == (3, 1)


async def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """How a client of TUF learns that there is no newer root."""
    stage = Stage()
    await stage.ask(Need(6, "metadata/2.root.json", 0, 10))
    stage.courier.came(stage.answer(repository(tmp_path)))
    assert (stage.given[0].id, stage.given[0].status) == (6, PieceStatus.MISSING)


async def test_only_the_files_key_speaks_for_files(tmp_path: Path) -> None:
    """T2: a block that another of the cloud's keys signed is refused before anybody looks at it."""
    stage = Stage()
    await stage.ask()
    stage.cloud.files_key, stage.cloud.fleet_key = stage.cloud.fleet_key, stage.cloud.files_key
    forged = stage.cloud.file_block(stage.asked(), repository(tmp_path))
    stage.cloud.files_key, stage.cloud.fleet_key = stage.cloud.fleet_key, stage.cloud.files_key
    with pytest.raises(RefusedMessage):
        open_down(
            forged, str(Topic(IDENTITY, Down.FILE_BLOCK)), IDENTITY, parse_anchors(stage.cloud.anchors_json())
        )


async def test_a_piece_that_is_longer_than_any_is_none() -> None:
    """T8: what the pipe to the updater would not take ends no updater."""
    stage = Stage()
    await stage.ask()
    block = FileBlockDown(stage.asked().header.message_id, FileStatus.OK, 0, 200_000)
    topic = Topic(IDENTITY, Down.FILE_BLOCK)
    header = Header(topic, bytes(16), 0, stage.asked().header.at_ms)
    message = envelope.make(header, block, (bytes(FILE_BLOCK_MAX_BYTES + 1),), stage.cloud.files_key)
    stage.courier.came(open_down(message, str(topic), IDENTITY, parse_anchors(stage.cloud.anchors_json())))
    assert (stage.given, stage.courier.fetched_bytes) == ([], 0)


async def test_without_a_connection_the_answer_is_away_at_once() -> None:
    """And what was under way when it broke is away, too."""
    stage = Stage()
    await stage.ask()
    stage.courier.disconnected()
    stage.connected = False
    await stage.ask(Need(9, "metadata/timestamp.json", 0, 1))
    assert [(one.id, one.status) for one in stage.given] == [(5, PieceStatus.AWAY), (9, PieceStatus.AWAY)]
    assert len(stage.link.published) == 1


async def test_what_is_remembered_is_bounded() -> None:
    """An updater that asks for ever takes no room."""
    stage = Stage()
    for number in range(3 * REMEMBERED_MAX):
        stage.courier.need(Need(number, "metadata/timestamp.json", 0, 1))
    stage.executor.shutdown()
    stage.courier.disconnected()
    assert len(stage.given) == REMEMBERED_MAX


async def test_a_spool_that_refuses_is_as_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no message without a number."""
    stage = Stage()

    def refuse() -> int:
        raise SpoolError("full", remedy="Free some space.")

    monkeypatch.setattr(stage.spool, "next_sequence", refuse)
    await stage.ask()
    await asyncio.sleep(0)
    assert [one.status for one in stage.given] == [PieceStatus.AWAY]
