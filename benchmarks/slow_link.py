"""A slow line with losses between two ends of TCP connections, for tests of what must survive one.

Where the kernel's netem is missing, this is as near as a program comes: what is sent waits for its turn at
the line's rate, arrives a delay later, and a lost segment is sent again, which holds up all that follows it,
as TCP does. Each direction is a line of its own.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

SEGMENT_BYTES = 1400
HEADER_BYTES = 52
"""Of IP and TCP with time stamps, for each segment."""
_QUEUE_BYTES = 32_768
"""What a router in front of a slow line keeps; more the sender cannot send."""
_HANG_UP = struct.pack("ii", 1, 0)
"""SO_LINGER: RST at once, nothing is delivered after it."""


@dataclass(frozen=True, slots=True)
class Line:
    """How the line is.

    Args:
        bits_per_s: In each direction.
        delay_s: One way.
        loss: Share of segments that are lost.
        retransmit_s: From a loss until the segment is sent again: where more follows the receiver's
            duplicates tell of it, after a round trip; else the sender's timer.
    """

    bits_per_s: float = 1e6
    delay_s: float = 0.025
    loss: float = 0.02
    retransmit_s: float = 0.2


class Pacer:
    """When each segment of one direction leaves and arrives. Pure.

    Args:
        line: The line.
        draw: Random numbers from 0 to 1.
    """

    def __init__(self, line: Line, draw: random.Random) -> None:
        self._line = line
        self._draw = draw
        self._free_s = 0.0
        self._arrived_s = 0.0
        self.lost = 0
        self.line_bytes = 0
        """With headers and what was sent again."""

    def arrives_s(self, size: int, now_s: float, *, more: bool) -> tuple[float, float]:
        """When a segment has left, and when it can be read: never before the one ahead of it.

        Args:
            size: Bytes.
            now_s: The time.
            more: Whether further segments follow it at once.
        """
        line, took_s = self._line, (size + HEADER_BYTES) * 8 / self._line.bits_per_s
        left_s = self._free_s = max(now_s, self._free_s) + took_s
        self.line_bytes += size + HEADER_BYTES
        arrives_s = left_s + line.delay_s
        while self._draw.random() < line.loss:
            self.lost += 1
            self.line_bytes += size + HEADER_BYTES
            self._free_s += took_s
            arrives_s += took_s + (2 * line.delay_s if more else line.retransmit_s)
        self._arrived_s = max(self._arrived_s, arrives_s)
        return left_s, self._arrived_s


class SlowLink:
    """A port of loopback that leads over such a line to another one; runs inside a `with` block.

    Args:
        target: Port on loopback.
        line: How it is.
        seed: Of the losses.
    """

    def __init__(self, target: int, line: Line, seed: int = 1) -> None:
        self._target = target
        draw = random.Random(seed)
        self.up, self.down = Pacer(line, draw), Pacer(line, draw)
        self.delivered = {"up": 0, "down": 0}
        """Bytes that came out at the other end."""
        self.cuts = 0
        self._cut_at: int | None = None
        self._away_s = 0.0
        self._away_until_s = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="slow link", daemon=True)
        self._ready = threading.Event()
        self.port = 0

    def cut_after(self, down_bytes: int, away_s: float) -> None:
        """Cut once, when so many further bytes have come down; nobody gets through for a while."""
        self._away_s = away_s
        self._cut_at = self.delivered["down"] + down_bytes

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=_QUEUE_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()
            self._hang_up()
        # They end by themselves: their ends are gone.
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._away_until_s:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target, limit=_QUEUE_BYTES)
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._one_way("up", reader, far_writer))
                tasks.create_task(self._one_way("down", far_reader, writer))
        except* OSError:
            pass  # one end is gone: the other goes as well
        finally:
            self._writers -= ends
            for end in ends:
                end.close()

    async def _one_way(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pacer = self.up if way == "up" else self.down
        arriving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivering = asyncio.create_task(self._deliver(way, arriving, writer))
        try:
            while data := await reader.read(_QUEUE_BYTES):
                for piece, more in segments(data):
                    left_s, arrives_s = pacer.arrives_s(len(piece), time.monotonic(), more=more)
                    arriving.put_nowait((arrives_s, piece))
                    await asyncio.sleep(left_s - time.monotonic())
                    if delivering.done():
                        await delivering
            arriving.put_nowait((time.monotonic(), b""))
            await delivering
        finally:
            delivering.cancel()
        raise ConnectionResetError("this end has hung up")

    async def _deliver(
        self, way: str, arriving: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter
    ) -> None:
        while True:
            arrives_s, piece = await arriving.get()
            await asyncio.sleep(arrives_s - time.monotonic())
            if not piece:
                return
            self.delivered[way] += len(piece)
            writer.write(piece)
            await writer.drain()
            if way == "down" and self._cut_at is not None and self.delivered["down"] >= self._cut_at:
                self._cut_at = None
                self.cuts += 1
                self._away_until_s = time.monotonic() + self._away_s
                self._hang_up()

    def _hang_up(self) -> None:
        """Both ends learn it at once, and what is on the way is gone."""
        for writer in list(self._writers):
            with contextlib.suppress(OSError):
                end: socket.socket = writer.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HANG_UP)
            writer.transport.abort()


def segments(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Pieces as they travel, and whether another one follows. Pure."""
    for start in range(0, len(data), SEGMENT_BYTES):
        yield data[start : start + SEGMENT_BYTES], start + SEGMENT_BYTES < len(data)
