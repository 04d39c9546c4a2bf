"""The codes that this register shows for phones: which are open, which were used, and which yes is believed.

All of it is in memory: a register that starts again has no picture any more, so its codes are void. A code is
spent by the first message that names it, whatever comes of it. Its 16 random bytes are known to who has seen
the display, and to whom the cloud heard them from: a cloud that nobody scanned a code for cannot name one.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from wire_protocol.handover import Handover, code_address, make_code
from wire_protocol.handover_messages import HandoverDown
from wire_protocol.keys import SigningKey
from wire_protocol.topics import Identity

OPEN_MAX: Final = 8
"""Twice as many as pictures wait at once; a code without its picture is over anyhow."""
SPENT_MAX: Final = 256
"""Ids that are remembered as used, so that a repeated message is told from a foreign one."""
_NS_PER_MS: Final = 1_000_000
_MS_PER_S: Final = 1000


class Result(StrEnum):
    """What became of a yes that came from a phone."""

    KEPT = "kept"  # the consent is durable
    REPEATED = "repeated"  # the code was used before; the cloud sends again until it has the consent
    UNKNOWN = "unknown"  # no code of this register, or of its last start
    MISMATCH = "mismatch"  # the code is ours, the rest was made for another
    LATE = "late"  # its time was over
    OVER = "over"  # the customer had answered at the till, or the picture had to go
    NOTICE = "notice"  # another notice, or other purposes, than this register shows
    NO_BLANK = "no-blank"
    DISK = "disk"  # it refused to keep the consent


@dataclass(frozen=True, slots=True)
class Code:
    """One code.

    Attributes:
        address: What the picture of it holds.
        expires_at_ms: By the register's wall clock; what stands in the code.
        until_ns: The same by its monotonic clock; what counts here.
    """

    interaction_id: UUID
    handover: bytes
    address: str
    expires_at_ms: int
    until_ns: int

    def __repr__(self) -> str:
        """Without what is in it."""
        return f"Code({self.interaction_id})"


class HandoverDesk:
    """Makes codes and judges what comes back; for one thread.

    Args:
        identity: Of this register.
        key: Its signing key.
        base: The chain's public API.
    """

    def __init__(self, identity: Identity, key: SigningKey, base: str) -> None:
        self._identity = identity
        self._key = key
        self._base = base.replace("{tenant}", identity.tenant)
        self._open: OrderedDict[bytes, Code] = OrderedDict()
        self._spent: OrderedDict[bytes, None] = OrderedDict()

    def make(self, interaction_id: UUID, *, hold_s: int, now_ms: int, now_ns: int, random: bytes) -> Code:
        """A code for the picture of an interaction; `random` is 16 bytes, good for one code."""
        issued_at_s = now_ms // _MS_PER_S
        said = Handover(self._identity.register, interaction_id.bytes, random, issued_at_s, hold_s)
        code = Code(
            interaction_id=interaction_id,
            handover=random,
            address=code_address(self._base, make_code(said, self._identity.tenant, self._key)),
            expires_at_ms=said.expires_at_ms,
            until_ns=now_ns + (said.expires_at_ms - now_ms) * _NS_PER_MS,
        )
        self._open[random] = code
        while len(self._open) > OPEN_MAX:
            self._spend(next(iter(self._open)))
        return code

    def open_for(self, interaction_id: UUID, now_ns: int) -> Code | None:
        """The code of an interaction that can still be scanned."""
        for code in self._open.values():
            if code.interaction_id == interaction_id and now_ns < code.until_ns:
                return code
        return None

    def take(self, given: HandoverDown, now_ns: int) -> tuple[Code | None, Result | None]:
        """The code that a message names, spent from here on, and why its yes is not believed.

        Args:
            given: Signed by the chain's `consent` key.
            now_ns: Monotonic.

        Returns:
            The code, where it was open; None for a yes that may be kept, or the result.
        """
        # 1. Used before: nothing more can come of it.
        if given.handover in self._spent:
            return None, Result.REPEATED
        # 2. Ours?
        code = self._open.get(given.handover)
        if code is None:
            return None, Result.UNKNOWN
        self._spend(given.handover)
        # 3. For the picture and the time that it was made for?
        if (given.interaction, given.expires_at) != (code.interaction_id.bytes, code.expires_at_ms):
            return code, Result.MISMATCH
        # 4. In time, by the clock that nobody sets.
        if now_ns >= code.until_ns:
            return code, Result.LATE
        return code, None

    def _spend(self, handover: bytes) -> None:
        self._open.pop(handover, None)
        self._spent[handover] = None
        while len(self._spent) > SPENT_MAX:
            self._spent.popitem(last=False)
