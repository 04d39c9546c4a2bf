"""Fields of a log line: `log.info("message.stored", extra=fields(size=3))`; `cloud.logging` formats them."""

FIELDS_ATTRIBUTE = "topscoop_fields"
"""Where a log record carries them."""


def fields(**values: object) -> dict[str, object]:
    """The `extra` of a log call; the call's message is a stable event name such as `message.stored`."""
    return {FIELDS_ATTRIBUTE: values}
