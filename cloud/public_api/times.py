"""Times as the public API writes them."""

from datetime import UTC, datetime


def rfc3339(at_ms: int) -> str:
    """Milliseconds since 1970-01-01 UTC as `2026-11-22T14:03:07.250Z`."""
    written = datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")
