"""What a register is answered. Pure."""

from dataclasses import dataclass, replace

from cloud.releases.ports import Piece
from wire_protocol import envelope
from wire_protocol.envelope import Header
from wire_protocol.fleet_messages import FileBlockDown, FileRequestUp, FileStatus
from wire_protocol.keys import SigningKey
from wire_protocol.limits import FILE_MAX_BYTES
from wire_protocol.packing import pack
from wire_protocol.topics import Down, Identity, Topic


@dataclass(frozen=True, slots=True)
class Block:
    """An answer before it is signed."""

    payload: FileBlockDown
    data: bytes = b""


def piece(request_id: bytes, asked: FileRequestUp, found: Piece) -> Block:
    """The piece that was asked for, or why there is none."""
    if found.total > FILE_MAX_BYTES:
        return missing(request_id)  # no register could take it
    if asked.offset >= found.total > 0 or asked.offset > found.total:
        return Block(FileBlockDown(request_id, FileStatus.BEYOND, asked.offset, found.total))
    return Block(FileBlockDown(request_id, FileStatus.OK, asked.offset, found.total), found.data)


def packed(block: Block) -> Block:
    """The same piece, packed where that is shorter; a hundred kilobytes take milliseconds."""
    data = pack(block.data)
    if data is None:
        return block
    return Block(replace(block.payload, unpacked=len(block.data)), data)


def missing(request_id: bytes) -> Block:
    """There is no such file."""
    return Block(FileBlockDown(request_id, FileStatus.MISSING))


def busy(request_id: bytes, retry_after_ms: int) -> Block:
    """Not now."""
    return Block(FileBlockDown(request_id, FileStatus.BUSY, retry_after_ms=min(retry_after_ms, 3_600_000)))


def sign(block: Block, identity: Identity, message_id: bytes, at_ms: int, key: SigningKey) -> bytes:
    """The message that goes down to a register."""
    header = Header(Topic(identity, Down.FILE_BLOCK), message_id, sequence=0, at_ms=at_ms)
    return envelope.make(header, block.payload, (block.data,), key)
