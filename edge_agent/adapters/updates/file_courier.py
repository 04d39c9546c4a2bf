"""What an updater needs of the chain's repository, over the register's MQTT link: signed, matched, verified.

The event loop only passes values on; signing runs on the uplink's thread, behind what it sends already.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from daemon.log_fields import fields
from edge_agent.ports import Randomness
from edge_agent.updates.errand import IN_FLIGHT_MAX, Need, Piece, PieceStatus
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.packaging import Packager, Stamp
from edge_agent.uplink.ports import Link, Spool
from wire_protocol.envelope import VerifiedMessage
from wire_protocol.fleet_messages import FileBlockDown, FileRequestUp
from wire_protocol.limits import FILE_BLOCK_MAX_BYTES
from wire_protocol.topics import Up

log = logging.getLogger(__name__)

REMEMBERED_MAX: Final = 4 * IN_FLIGHT_MAX
"""Requests that may still be answered; the updater asks again under a new id, so old ones are forgotten."""


@dataclass(frozen=True, slots=True)
class CourierParts:
    """What it needs of the uplink."""

    packager: Packager
    spool: Spool
    link: Link
    randomness: Randomness
    now_ms: Callable[[], int]
    is_connected: Callable[[], bool]
    executor: Executor


class FileCourier:
    """Between the pipe and the link; on the event loop's thread.

    Args:
        parts: Of the uplink.
        give: Takes the answers.
    """

    def __init__(self, parts: CourierParts, give: Callable[[Piece], None]) -> None:
        self._parts = parts
        self._give = give
        self._asked: dict[bytes, int] = {}
        self.fetched_bytes = 0
        """Of files, since the start."""
        self.requests = 0

    def need(self, need: Need) -> None:
        """Ask the file service; where there is no connection, say so at once."""
        if not self._parts.is_connected():
            self._give(Piece(need.id, PieceStatus.AWAY))
            return
        message_id = self._parts.randomness(16)
        while len(self._asked) >= REMEMBERED_MAX:
            del self._asked[next(iter(self._asked))]
        self._asked[message_id] = need.id
        self.requests += 1
        loop = asyncio.get_running_loop()
        sent = loop.run_in_executor(self._parts.executor, self._send, message_id, need)
        sent.add_done_callback(lambda done: self._sent(message_id, done))

    def came(self, verified: VerifiedMessage) -> None:
        """An answer of the file service, believed by its key; what nobody asked for is nothing."""
        block = verified.payload
        assert isinstance(block, FileBlockDown), "the delivery passes nothing else"
        need_id = self._asked.pop(block.request, None)
        if need_id is None:
            log.debug("file.unasked", extra=fields(message_id=block.request.hex()))
            return
        status = PieceStatus(block.status.value)
        data = verified.attachments[0] if status is PieceStatus.OK and verified.attachments else b""
        if len(data) > FILE_BLOCK_MAX_BYTES:
            # Longer than anybody may ask for, and than the pipe takes: no answer at all.
            log.warning("file.too_long", extra=fields(length=len(data)))
            return
        self.fetched_bytes += len(data)
        signed_ms = verified.header.at_ms
        self._give(
            Piece(
                need_id,
                status,
                block.offset,
                block.total,
                block.retry_after_ms,
                signed_ms,
                bytes(data),
                block.unpacked,
            )
        )

    def disconnected(self) -> None:
        """Nothing that was asked will be answered."""
        asked, self._asked = self._asked, {}
        for need_id in asked.values():
            self._give(Piece(need_id, PieceStatus.AWAY))

    def _send(self, message_id: bytes, need: Need) -> None:
        parts = self._parts
        stamp = Stamp(message_id, parts.spool.next_sequence(), parts.now_ms())
        request = FileRequestUp(need.path, need.offset, need.length, deflate=True)
        message = parts.packager.file_request(stamp, request)
        parts.link.publish(message_id, str(parts.packager.topic(Up.FILE_REQUEST)), message)

    def _sent(self, message_id: bytes, done: "asyncio.Future[None]") -> None:
        if done.cancelled() or (error := done.exception()) is None:
            return
        if not isinstance(error, SpoolError):
            raise error
        # No sequence number, no message: as if there were no connection.
        log.warning("spool.refused", extra=fields(step="file", error=str(error), remedy=error.remedy))
        need_id = self._asked.pop(message_id, None)
        if need_id is not None:
            self._give(Piece(need_id, PieceStatus.AWAY))
