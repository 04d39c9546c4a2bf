"""What is carried over from a damaged spool into its successor, so that the accounts still add up.

Every message that can be read and has its SHA-256 moves on; all others are counted as dropped, `damaged`.
Unused blanks stay behind: a damaged file may have forgotten that one was used, and new ones can be asked for.
"""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

from edge_agent.adapters.uplink.spool_book import SpoolBook
from edge_agent.uplink.accounting import DropReason, Fate, account, captured, ended
from edge_agent.uplink.lanes import LANE_OF, Lane
from edge_agent.uplink.spooled import Outgoing, Write
from wire_protocol.topics import Up

_AT_ONCE = 64
"""Messages per transaction: at most 8 MiB in memory, and not one fsync for each."""
_KINDS = frozenset(kind.value for kind in LANE_OF)
_MESSAGES = """
    SELECT message_id, kind, at_ms, sha256, consent, body.message FROM message JOIN body USING (position)
    WHERE lane = ? ORDER BY position """


def salvage(damaged: Path, book: SpoolBook, known: Mapping[str, int], now_ms: int) -> int:
    """Carry over what can be read, small lanes first; returns how many messages.

    At every instant the new file's accounts add up: first all that was spooled counts as damaged, then each
    message that is found is taken out of that count.

    Args:
        damaged: The file that was set aside; its log lies beside it.
        book: The new file, empty.
        known: The counters as this process last knew them; empty if it never read them.
        now_ms: By the register's clock.

    Raises:
        sqlite3.Error: The new file cannot be written.
    """
    with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
        counters = Counter(known) or _counters(connection)
        counters["damaged_files"] += 1
        missing = {lane: account(lane, counters, spooled=0).lost for lane in Lane}
        for lane, lost in missing.items():
            counters[ended(lane, Fate.DROPPED, DropReason.DAMAGED)] += max(0, lost)
            counters[captured(lane)] += max(0, -lost)
        with book.change(counters):
            for consent, ended_at_ms in _readable(
                connection, "SELECT consent, ended_at_ms FROM ended_consent"
            ):
                if isinstance(consent, bytes) and isinstance(ended_at_ms, int):
                    book.file.end_consent(consent, ended_at_ms)
        settings = {
            name: value
            for name, value in _readable(connection, "SELECT name, value FROM setting")
            if isinstance(name, str) and isinstance(value, str)
        }
        book.write(Write(settings=settings), {}, now_ms)
        saved = 0
        for some in _batches(_messages(connection)):
            counted: Counter[str] = Counter()
            for outgoing in some:
                lane = outgoing.lane
                if missing[lane] > 0:
                    missing[lane] -= 1
                    counted.subtract((captured(lane), ended(lane, Fate.DROPPED, DropReason.DAMAGED)))
            book.write(Write(messages=some), counted, now_ms)
            saved += len(some)
        return saved


def _batches(messages: Iterator[Outgoing]) -> Iterator[tuple[Outgoing, ...]]:
    while some := tuple(islice(messages, _AT_ONCE)):
        yield some


def _counters(connection: sqlite3.Connection) -> Counter[str]:
    found = _readable(connection, "SELECT name, value FROM counter")
    return Counter({name: value for name, value in found if isinstance(name, str) and isinstance(value, int)})


def _messages(connection: sqlite3.Connection) -> Iterator[Outgoing]:
    """Each that is whole, once; from both ends of a lane, so that one bad page costs only its own."""
    for lane in Lane:
        seen: set[bytes] = set()
        for direction in ("ASC", "DESC"):
            for row in _readable(connection, _MESSAGES + direction, int(lane)):
                outgoing = _whole(row)
                if outgoing is not None and outgoing.message_id not in seen:
                    seen.add(outgoing.message_id)
                    yield outgoing


def _whole(row: tuple[object, ...]) -> Outgoing | None:
    match row:
        case [bytes(message_id), str(kind), int(at_ms), bytes(sha256), consent, bytes(message)] if (
            kind in _KINDS and hashlib.sha256(message).digest() == sha256
        ):
            of_consent = consent if isinstance(consent, bytes) else None
            return Outgoing(message_id, Up(kind), message, sha256, at_ms, of_consent)
    return None


def _readable(connection: sqlite3.Connection, query: str, *parameters: int) -> Iterator[tuple[object, ...]]:
    """Rows up to the first that cannot be read."""
    with suppress(sqlite3.Error):
        yield from connection.execute(query, parameters)
