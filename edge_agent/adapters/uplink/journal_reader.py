"""Reads the journal beside its writer: a connection of its own, read-only, for the length of one call.

A journal that was set aside as damaged is replaced by a new file under the same name; opened anew each time,
the reader meets the new one, whose rows begin again at 1.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson

from edge_agent.impression import Arm, Impression, Offer, Outcome, Reason, SoldLine, Source
from edge_agent.uplink.harvest import JournalDamage, JournalImpression, JournalOutcome
from edge_agent.uplink.harvest_loop import JournalUnreadableError

_TIMEOUT_S: Final = 1.0
_IMPRESSIONS: Final = """
    SELECT i.rowid AS row, i.*, d.at_ms AS displayed_at_ms,
        EXISTS (SELECT 1 FROM outcome o WHERE o.interaction_id = i.interaction_id) AS bought
    FROM impression i LEFT JOIN displayed d ON d.interaction_id = i.interaction_id
    WHERE i.rowid > ? ORDER BY i.rowid LIMIT ?"""
_OUTCOMES: Final = "SELECT rowid AS row, * FROM outcome WHERE rowid > ? ORDER BY rowid LIMIT ?"
_NEWEST: Final = {
    "impression": "SELECT coalesce(max(rowid), 0) FROM impression",
    "outcome": "SELECT coalesce(max(rowid), 0) FROM outcome",
}


class SqliteJournalReader:
    """The `JournalReader` of a running register."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def impressions(self, after: int, limit: int) -> tuple[JournalImpression | JournalDamage, ...]:
        """As `JournalReader.impressions`."""
        return tuple(map(_impression, self._rows("impression", _IMPRESSIONS, after, limit)))

    def outcomes(self, after: int, limit: int) -> tuple[JournalOutcome | JournalDamage, ...]:
        """As `JournalReader.outcomes`."""
        return tuple(map(_outcome, self._rows("outcome", _OUTCOMES, after, limit)))

    def _rows(self, table: str, query: str, after: int, limit: int) -> list[sqlite3.Row]:
        try:
            address = f"{self._path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, timeout=_TIMEOUT_S, uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                (newest,) = connection.execute(_NEWEST[table]).fetchone()
                # Above every row there is: the journal began anew. What was sent before is known to the
                # cloud by its id; what was not would otherwise never be sent.
                return connection.execute(query, (after if after <= newest else 0, limit)).fetchall()
        except sqlite3.Error as error:
            raise JournalUnreadableError(
                f"{self._path}: {error}", remedy="Nothing is lost; it is read again in a moment."
            ) from error


def _impression(row: sqlite3.Row) -> JournalImpression | JournalDamage:
    try:
        impression = Impression(
            interaction_id=UUID(row["interaction_id"]),
            slate=tuple(Offer(**offer) for offer in orjson.loads(row["slate"])),
            arm=Arm(row["arm"]),
            source=Source(row["source"]),
            reason=None if row["reason"] is None else Reason(row["reason"]),
            propensity=row["propensity"],
            model_digest=row["model_digest"],
            model_version=row["model_version"],
            menu_version=row["menu_version"],
            in_stock=tuple(orjson.loads(row["in_stock"])),
            context=tuple(orjson.loads(row["context"]).items()),
            nobody=row["nobody"],
            scores=_numbers(row["scores"]),
            shown_at_ms=row["shown_at_ms"],
            frame_age_ms=row["frame_age_ms"],
            inference_ms=row["inference_ms"],
            total_ms=row["total_ms"],
        )
    except (ValueError, TypeError, KeyError) as error:
        return JournalDamage(row["row"], str(error))
    return JournalImpression(row["row"], impression, bool(row["bought"]), row["displayed_at_ms"])


def _outcome(row: sqlite3.Row) -> JournalOutcome | JournalDamage:
    try:
        outcome = Outcome(
            idempotency_key=row["idempotency_key"],
            interaction_id=None if row["interaction_id"] is None else UUID(row["interaction_id"]),
            receipt_hmac=row["receipt_hmac"],
            lines=tuple(SoldLine(**line) for line in orjson.loads(row["lines"])),
            at_ms=row["at_ms"],
            since_shown_ms=row["since_shown_ms"],
        )
        return JournalOutcome(row["row"], UUID(row["outcome_id"]), outcome, row["stored_at_ms"])
    except (ValueError, TypeError, KeyError) as error:
        return JournalDamage(row["row"], str(error))


def _numbers(text: str | None) -> tuple[float, ...] | None:
    return None if text is None else tuple(orjson.loads(text))
