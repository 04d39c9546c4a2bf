"""What is looked for in the audit log, from an address and back. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

_TEXT_MAX: Final = 200
_DAY_MS: Final = 86_400_000
_ID: Final = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """The filter as it is typed, and as it is meant; an empty text is everything.

    Attributes:
        since, until: Days as typed, `2026-11-22`; both are included.
        from_ms, until_ms: From the first up to, and without, the second.
        before: Only entries older than this one.
        problems: By field.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""
    from_ms: int | None = None
    until_ms: int | None = None
    before: bytes | None = None
    problems: Mapping[str, str] | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return any((self.actor, self.action, self.subject, self.since, self.until))

    def address(self, *, before: bytes | None = None, path: str = "/audit") -> str:
        """A link to this filter, from its first page or from an entry on."""
        named = {
            name: value
            for name in ("actor", "action", "subject", "since", "until")
            if (value := getattr(self, name))
        }
        if before is not None:
            named["before"] = before.hex()
        return path + (f"?{urlencode(named)}" if named else "")


def read_query(sent: Mapping[str, str]) -> AuditQuery:
    """Read an address; what cannot be read is said, and looked for as if it were empty."""
    typed = {
        name: sent.get(name, "").replace("\0", "")[:_TEXT_MAX].strip()
        for name in ("actor", "action", "subject", "since", "until")
    }
    problems: dict[str, str] = {}
    days = {name: _day(typed[name], name, problems) for name in ("since", "until")}
    since, until = days["since"], days["until"]
    if since is not None and until is not None and until < since:
        problems["until"] = "This day is before the first one."
    before = sent.get("before", "")
    return AuditQuery(
        **typed,
        from_ms=None if since is None else _ms(since),
        until_ms=None if until is None else _ms(until) + _DAY_MS,
        before=bytes.fromhex(before) if _ID.match(before) else None,
        problems=problems,
    )


def _day(text: str, name: str, problems: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        problems[name] = "Write a day such as 2026-11-22."
        return None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
