"""Ids as people type them: 32 hexadecimal digits, or a UUID with its hyphens."""

import uuid

from wire_protocol.errors import OperatorError


def typed_id(text: str, what: str) -> bytes:
    """The 16 bytes of an id.

    Raises:
        OperatorError: The text spells no id.
    """
    try:
        return uuid.UUID(text.strip()).bytes
    except ValueError as error:
        raise OperatorError(
            f"{text[:80]!r} is no id of {what}", remedy="Give 32 hexadecimal digits, or a UUID."
        ) from error
