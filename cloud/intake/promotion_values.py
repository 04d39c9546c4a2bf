"""What the statements over promoted pictures give."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Taken:
    """A blank that is this upload's.

    Attributes:
        signed: The keeper's blank.
        consent: What the person agreed to, as `uploads.consent` has it.
        captured_at_ms: When the picture arrived.
        message: The sealed, signed picture, where an earlier attempt got so far.
    """

    blank: bytes
    signed: bytes
    consent: Mapping[str, Any]
    captured_at_ms: int
    message: bytes | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A picture that waits for its deposit."""

    request: bytes
    blank: bytes
    message: bytes
