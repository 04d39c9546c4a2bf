"""Where a page of a list ended: the next one begins after that entry, whatever came meanwhile. Pure."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final, Self

from cloud.public_api.problems import problem

_FORMAT: Final = struct.Struct(">Q16s")
_TIME_END: Final = 1 << 48


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """The last entry of a page, in the order of the list: by time, then by id, newest first."""

    created_at_ms: int
    request: bytes

    def __str__(self) -> str:
        """As a client carries it: 32 characters that mean nothing to it."""
        return urlsafe_b64encode(_FORMAT.pack(self.created_at_ms, self.request)).decode()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cursor that `text` is. Raises Problem `invalid` for anything that `str` never writes."""
        try:
            made = cls(*_FORMAT.unpack(urlsafe_b64decode(text)))
        except (ValueError, struct.error):
            made = None
        if made is None or made.created_at_ms >= _TIME_END or str(made) != text:
            wrong = {"parameter": "cursor", "in": "query", "detail": "is none that a page of this list gave"}
            raise problem("invalid", f"cursor: {wrong['detail']}", errors=[wrong])
        return made
