"""The fleet's columns for people, spreadsheets and programs. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from cloud.console.views.fleet import FleetQuery, FleetRow, Sort
from cloud.console.words import iso


@dataclass(frozen=True, slots=True)
class Column:
    """One head of the table; `href` sorts by it, `order` is as ARIA names it."""

    words: str
    href: str | None = None
    order: str | None = None
    right: bool = False


_COLUMNS: Final = (
    ("Register", Sort.REGISTER, False),
    ("State", None, False),
    ("Runs", Sort.MODEL, False),
    ("p50 / p99", Sort.P99, True),
    ("Unsent", Sort.SPOOL, True),
    ("Blanks", Sort.BLANKS, True),
    ("Certificate", Sort.CERTIFICATE, False),
    ("Reported", Sort.SEEN, False),
)


def columns(query: FleetQuery) -> list[Column]:
    """The heads, with the order that holds."""
    return [
        Column(
            words,
            None if sort is None else query.sorted_by(sort).href(),
            ("descending" if query.descending else "ascending") if sort is query.sort else None,
            right,
        )
        for words, sort, right in _COLUMNS
    ]


CSV_HEAD: Final = (
    "register", "store", "state", "attention", "running", "running_digest", "desired_release", "update_state",
    "update_reason", "p50_ms", "p99_ms", "unsent_messages", "blanks_left", "certificate_until", "reported_at",
    "agent_version",
)  # fmt: skip


def csv_row(row: FleetRow) -> list[object]:
    """One register as a spreadsheet has it; the names are those of CSV_HEAD."""
    document = row_document(row)
    return [", ".join(document[name]) if name == "attention" else document[name] for name in CSV_HEAD]


def row_document(row: FleetRow) -> dict[str, Any]:
    """One register as a program reads it."""
    return {
        "register": row.register,
        "store": row.store,
        "state": str(row.presence),
        "attention": [str(one) for one in row.attention],
        "running": row.model,
        "running_digest": row.running_digest,
        "desired_release": row.desired_release,
        "update_state": row.update_state,
        "update_reason": row.update_reason,
        "p50_ms": row.p50_ms,
        "p99_ms": row.p99_ms,
        "unsent_messages": row.spooled_messages,
        "blanks_left": row.blanks_left,
        "certificate_until": None if row.certificate_until_ms is None else iso(row.certificate_until_ms),
        "reported_at": None if row.received_at_ms is None else iso(row.received_at_ms),
        "agent_version": row.agent_version,
    }
