"""Identifiers that registers and the cloud agree on: names, and UUID version 7."""

import re
import uuid
from datetime import UTC, datetime

NAME_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\Z")
"""Ids of tenants, stores, registers and flavours; they stand in MQTT topics, so: a-z, 0-9, inner hyphens."""

_TIMESTAMP_LIMIT_MS = 1 << 48
_RANDOM_LENGTH_BYTES = 10


def is_name(text: str) -> bool:
    """Whether `text` may name a tenant, store, register or flavour."""
    return NAME_PATTERN.match(text) is not None


def uuid7(now_ms: int, random_bytes: bytes) -> uuid.UUID:
    """A UUID version 7 (RFC 9562, section 5.7).

    Args:
        now_ms: Milliseconds since 1970-01-01 UTC, below 2**48.
        random_bytes: Exactly ten random bytes; 74 of their 80 bits are used.

    Raises:
        ValueError: The time or the number of random bytes does not fit.
    """
    if not 0 <= now_ms < _TIMESTAMP_LIMIT_MS:
        raise ValueError(f"now_ms must fit 48 bits, not {now_ms}")
    if len(random_bytes) != _RANDOM_LENGTH_BYTES:
        raise ValueError(f"random_bytes must be {_RANDOM_LENGTH_BYTES} bytes, not {len(random_bytes)}")
    random_a = int.from_bytes(random_bytes[:2]) & 0x0FFF
    random_b = int.from_bytes(random_bytes[2:]) & 0x3FFF_FFFF_FFFF_FFFF
    return uuid.UUID(int=now_ms << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b)


def parse_uuid7(text: str) -> uuid.UUID:
    """The UUID that `text` spells in its canonical form.

    Raises:
        ValueError: Not the 36 lower-case characters of a UUID version 7.
    """
    value = uuid.UUID(text)
    if value.version != 7 or str(value) != text:
        raise ValueError(f"not a UUID version 7 in canonical form: {text!r}")
    return value


def uuid7_time(value: uuid.UUID) -> datetime:
    """When a UUID version 7 was made, by its own clock."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)
