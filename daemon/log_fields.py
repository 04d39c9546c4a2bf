"""Fields of a log line: `log.info("menu.changed", extra=fields(version=3))`; `event_log` formats them."""

from typing import Final

FIELDS_ATTRIBUTE: Final = "topscoop_fields"
"""Where a log record carries them."""


def fields(**values: object) -> dict[str, object]:
    """The `extra` of a log call; the call's message is a stable event name such as `menu.changed`."""
    return {FIELDS_ATTRIBUTE: values}
