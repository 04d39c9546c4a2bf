"""What agent and updater say to each other over two pipes; values, framing, bounds. Pure, sans-I/O.

The agent starts `python -m edge_agent.updater`, writes one `Job` to its standard input and reads `Need`,
`Progress` and at last one `Done` or `Failed` from its standard output; then the updater ends. A `Need` is
answered by one `Piece` of the same id. The agent is a messenger: each `Need` becomes one message to the file
service, and where no connection is there the answer is `away`, at once. Time-outs, pace, retries and order
are the updater's: a `Need` that nobody answers is asked again under a new id, and pieces of ids that it does
not know any more it ignores. The agent may end the errand at any time by closing the pipe.

A frame: kind (1 byte), length of the head, length of the attached bytes (4 bytes each, big-endian), head (the
CBOR map of the value), attached bytes. Nothing secret goes over the pipes.
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final

from wire_protocol.errors import RefusedMessage, TopscoopError
from wire_protocol.fields import (
    Count,
    Id16,
    Many,
    Milliseconds,
    Name,
    Octets,
    Sha256Hex,
    Text,
    TimeMs,
    Uint,
    decode_payload,
    encode_payload,
)
from wire_protocol.fleet_messages import MetadataSeen, Release, UpdateReason, UpdateState
from wire_protocol.limits import COUNT_MAX, FILE_BLOCK_MAX_BYTES, FILE_MAX_BYTES, FILE_PATH_MAX

IN_FLIGHT_MAX: Final = 3
"""Requests in the air at once: hides the way there and back, and leaves the link to frames and outcomes."""
LISTED_MAX: Final = 1000
WITHDRAWN_MAX: Final = 500
HEAD_MAX_BYTES: Final = 64 * 1024
WORDS_MAX: Final = 200

_HEAD = struct.Struct(">BII")
_LISTED = struct.Struct(">I32s")
_FilePath = Annotated[str, Text(4096)]
_Words = Annotated[str, Text(WORDS_MAX)]


class BrokenPipeTalk(TopscoopError):
    """The other end of the pipe said something that is not in the protocol; the errand ends."""


@dataclass(frozen=True, slots=True)
class PreflightLimits:
    """What the subprocess that tries a model may take."""

    memory_bytes: Annotated[int, Uint(1 << 40, 1 << 20)] = 192 << 20
    """Address space beyond what the process has before it sees the model."""
    cpu_s: Annotated[int, Uint(3600, 1)] = 20
    wall_s: Annotated[int, Uint(3600, 1)] = 60


@dataclass(frozen=True, slots=True)
class Job:
    """Look whether the chain's releases changed, and bring one of them, verified and tried, if wanted."""

    transaction: Id16
    tenant: Name
    agent_version: Annotated[str, Text(64)]
    root_file: _FilePath
    """The root of trust as enrolment gave it."""
    metadata_dir: _FilePath
    staging_dir: _FilePath
    releases_dir: _FilePath
    """Where complete releases lie, `{release}-{first 16 digits of the digest}/` each."""
    source: Annotated[str, Text(300, re.compile(r"mqtt|https?://\S{1,290}"))] = "mqtt"
    max_kbytes_per_s: Annotated[int, Uint(1_000_000, 1)] = 2000
    floor: Count = 0
    """The highest `minimum_release` that this register ever verified."""
    root_version: Count = 0
    """The newest root that this register ever verified, and the newest targets under it."""
    targets_version: Count = 0
    signed_ms: TimeMs = 0
    """The latest time that the cloud signed, as far as this register has heard: a floor under the clock."""
    release: Release | None = None
    """None: only look."""
    digest: Sha256Hex | None = None
    preflight: PreflightLimits = field(default_factory=PreflightLimits)

    def __post_init__(self) -> None:
        """Raise ValueError where only one of release and digest is there."""
        if (self.release is None) != (self.digest is None):
            raise ValueError("release and digest belong together")


@dataclass(frozen=True, slots=True)
class Need:
    """A piece of a file of the chain's repository, please: `FileRequestUp` as it goes to the cloud."""

    id: Annotated[int, Uint(COUNT_MAX)]
    path: Annotated[str, Text(FILE_PATH_MAX)]
    offset: Annotated[int, Uint(FILE_MAX_BYTES)]
    length: Annotated[int, Uint(FILE_BLOCK_MAX_BYTES, 1)]


class PieceStatus(StrEnum):
    """What became of a `Need`: `FileStatus`, and `away`."""

    OK = "ok"
    MISSING = "missing"
    BEYOND = "beyond"
    BUSY = "busy"
    AWAY = "away"  # there is no connection now


@dataclass(frozen=True, slots=True)
class Piece:
    """The answer to the `Need` of the same id; attached: its bytes, none unless `ok`."""

    id: Annotated[int, Uint(COUNT_MAX)]
    status: PieceStatus
    offset: Annotated[int, Uint(FILE_MAX_BYTES)] = 0
    total: Annotated[int, Uint(FILE_MAX_BYTES)] = 0
    retry_after_ms: Annotated[int, Uint(3_600_000)] | None = None
    signed_ms: TimeMs | None = None
    """When the cloud signed the answer; it answers a fresh request, so this is its clock now."""
    data: bytes = field(default=b"", repr=False)
    unpacked: Annotated[int, Uint(FILE_BLOCK_MAX_BYTES, 1)] | None = None
    """Bytes of the piece where it is packed: the updater unpacks it, which costs the agent nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the errand has come; sent about once a second, and when the state changes."""

    state: UpdateState
    fetched_bytes: Count = 0
    total_bytes: Count = 0


@dataclass(frozen=True, slots=True)
class Verified:
    """What the chain's keys signed, as of now; it holds even where the release of the job came to nothing."""

    metadata: MetadataSeen
    listed: Annotated[bytes, Octets(LISTED_MAX * _LISTED.size, 0)]
    """The newest releases that are listed, packed: see `listing`."""
    withdrawn: Annotated[tuple[Annotated[int, Uint(1_000_000_000, 1)], ...], Many(WITHDRAWN_MAX)] = ()

    @property
    def listing(self) -> Mapping[int, str]:
        """Release -> SHA-256 of its network in hex."""
        return {release: digest.hex() for release, digest in _LISTED.iter_unpack(self.listed)}

    def __post_init__(self) -> None:
        """Raise ValueError for a listing that was cut off."""
        if len(self.listed) % _LISTED.size:
            raise ValueError("the listing ends inside of an entry")


def pack_listing(listing: Mapping[int, str]) -> bytes:
    """`Verified.listed` of releases and hex digests; the newest `LISTED_MAX` of them."""
    newest = sorted(listing, reverse=True)[:LISTED_MAX]
    return b"".join(_LISTED.pack(release, bytes.fromhex(listing[release])) for release in sorted(newest))


@dataclass(frozen=True, slots=True)
class Tried:
    """What preflight measured on this register; times of one recommendation are processor time."""

    p50_ms: Milliseconds
    p99_ms: Milliseconds
    runs: Count
    memory_bytes: Count
    """At its highest, of the subprocess."""
    took_ms: Milliseconds


@dataclass(frozen=True, slots=True)
class Done:
    """It lies complete in `directory` below `releases_dir`; without a release, the look came to its end."""

    verified: Verified
    release: Release | None = None
    digest: Sha256Hex | None = None
    directory: Annotated[str, Text(32, re.compile(r"[1-9][0-9]{0,9}-[0-9a-f]{16}\Z"))] | None = None
    name: Annotated[str, Text(64)] | None = None
    """Of the model, as its manifest has it; and its version."""
    version: Annotated[str, Text(64)] | None = None
    tried: Tried | None = None
    manifest: Sha256Hex | None = None
    """Of `manifest.json`, as it was signed: it says what the network's answers mean."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It came to nothing; nothing half done was left where anybody would take it for a release."""

    reason: UpdateReason
    words: _Words
    passing: bool
    """Trouble that may pass by itself: the same job may succeed later. Else the release is refused."""
    verified: Verified | None = None
    """What was verified before it failed."""


FromAgent = Job | Piece
FromUpdater = Need | Progress | Done | Failed
Talk = FromAgent | FromUpdater

_KINDS: Final[dict[int, type[Any]]] = {1: Job, 2: Need, 3: Piece, 4: Progress, 5: Done, 6: Failed}
_NUMBERS: Final = {kind: number for number, kind in _KINDS.items()}
AGENT_SAYS: Final = frozenset({Job, Piece})
UPDATER_SAYS: Final = frozenset({Need, Progress, Done, Failed})


@dataclass(frozen=True, slots=True)
class _PieceHead:
    """`Piece` without its bytes, which are attached."""

    id: Annotated[int, Uint(COUNT_MAX)]
    status: PieceStatus
    offset: Annotated[int, Uint(FILE_MAX_BYTES)]
    total: Annotated[int, Uint(FILE_MAX_BYTES)]
    retry_after_ms: Annotated[int, Uint(3_600_000)] | None = None
    signed_ms: TimeMs | None = None
    unpacked: Annotated[int, Uint(FILE_BLOCK_MAX_BYTES, 1)] | None = None


def frame(value: Talk) -> bytes:
    """The bytes of one value on the pipe."""
    number, data = _NUMBERS[type(value)], b""
    head: object = value
    if isinstance(value, Piece):
        data = value.data
        head = _PieceHead(
            value.id,
            value.status,
            value.offset,
            value.total,
            value.retry_after_ms,
            value.signed_ms,
            value.unpacked,
        )
    encoded = encode_payload(head)
    return _HEAD.pack(number, len(encoded), len(data)) + encoded + data


class Reader:
    """Bytes in, values out.

    Args:
        accepts: The kinds of value that the other end may say: `AGENT_SAYS` or `UPDATER_SAYS`.
    """

    def __init__(self, accepts: frozenset[type[Any]]) -> None:
        self._accepts = accepts
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Talk]:
        """The values that are complete now.

        Raises:
            BrokenPipeTalk: An unknown kind, one that this side does not say, a length or a field out of
                bounds. Nothing after it can be read.
        """
        self._buffer += data
        while (value := self._next()) is not None:
            yield value

    @property
    def in_the_middle(self) -> bool:
        """Whether the end would now cut a value off."""
        return bool(self._buffer)

    def _next(self) -> Talk | None:
        if len(self._buffer) < _HEAD.size:
            return None
        number, head_length, data_length = _HEAD.unpack_from(self._buffer)
        kind = _KINDS.get(number)
        if kind is None or kind not in self._accepts:
            raise BrokenPipeTalk(f"the pipe carries a value of kind {number}, which this side does not take")
        if head_length > HEAD_MAX_BYTES or data_length > (FILE_BLOCK_MAX_BYTES if kind is Piece else 0):
            raise BrokenPipeTalk(f"a {kind.__name__} of {head_length} + {data_length} bytes is too long")
        end = _HEAD.size + head_length + data_length
        if len(self._buffer) < end:
            return None
        head = bytes(self._buffer[_HEAD.size : _HEAD.size + head_length])
        attached = bytes(self._buffer[_HEAD.size + head_length : end])
        del self._buffer[:end]
        return _decoded(kind, head, attached)


def _decoded(kind: type[Any], head: bytes, data: bytes) -> Talk:
    try:
        if kind is Piece:
            one = decode_payload(_PieceHead, head)
            return Piece(
                one.id,
                one.status,
                one.offset,
                one.total,
                one.retry_after_ms,
                one.signed_ms,
                data,
                one.unpacked,
            )
        value: Talk = decode_payload(kind, head)
    except RefusedMessage as error:
        raise BrokenPipeTalk(f"a {kind.__name__} on the pipe is broken: {error}") from error
    return value
