"""What the keeper asks of the world; each method with its errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class MasterKey(Protocol):
    """Wraps day keys; it never leaves where it is kept."""

    def wrap(self, key: bytes, tenant: str, day: str) -> bytes:
        """`key` under the master key, bound to tenant and day. Raises MasterKeyAway, MasterKeyError."""
        ...

    def unwrap(self, wrapped: bytes, tenant: str, day: str) -> bytes:
        """What `wrap` was given. Raises MasterKeyAway, MasterKeyError (other key, tenant or day)."""
        ...


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """The public half of a consent's key, its private half durable."""

    blank: bytes
    public_key: bytes


class KeyVault(Protocol):
    """The private keys of consents; they never leave it. Every method raises DatabaseAway."""

    def issue(self, tenant: str, register: str, count: int, now_ms: int, ends_at_ms: int) -> list[IssuedKey]:
        """So many new keys; durable when this returns. Raises MasterKeyAway, MasterKeyError."""
        ...

    def unseal(self, tenant: str, blank: bytes, sealed: bytes, info: bytes) -> bytes:
        """Open what was sealed to a key; wholly before or wholly after its destruction.

        Raises KeyGone, wire_protocol.sealing.SealBroken, MasterKeyAway, MasterKeyError.
        """
        ...

    def destroy(self, tenant: str, blanks: Sequence[bytes]) -> None:
        """Destroy keys, unknown ones silently; afterwards no file of the database holds them.

        Raises KeysNotScrubbed: destroyed, but a file may still hold them; call again.
        """
        ...

    def live(self, tenant: str, register: str, issued_from_ms: int) -> list[bytes]:
        """The blanks of a register's keys, issued since then and not destroyed."""
        ...

    def ended(self, tenant: str, now_ms: int, limit: int) -> list[bytes]:
        """Blanks whose time is over, not destroyed and not marked as used."""
        ...

    def mark_used(self, tenant: str, blanks: Sequence[bytes]) -> None:
        """These blanks were filled: their keys end with their consents, not with the blanks' time."""
        ...

    def forget(self, tenant: str, now_ms: int) -> int:
        """Remove the rows of destroyed keys whose blanks' time is over; how many. Raises KeysNotScrubbed."""
        ...

    def register_of(self, tenant: str, blank: bytes) -> str | None:
        """Which register a blank was issued to; known for destroyed ones too."""
        ...
