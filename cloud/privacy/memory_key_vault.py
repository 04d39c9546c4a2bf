"""A vault in memory: for simulations and tests, and the shortest description of what a vault is."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cloud.privacy.errors import KeyGone
from cloud.privacy.ports import IssuedKey
from wire_protocol.identifiers import uuid7
from wire_protocol.sealing import unseal


@dataclass(slots=True)
class _Held:
    register: str
    private: bytes | None
    issued_at_ms: int
    ends_at_ms: int
    used: bool = False


class MemoryKeyVault:
    """A `KeyVault` of one process."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, bytes], _Held] = {}

    def issue(self, tenant: str, register: str, count: int, now_ms: int, ends_at_ms: int) -> list[IssuedKey]:
        """As the port says."""
        issued = []
        for _ in range(count):
            private = X25519PrivateKey.generate()
            blank = uuid7(now_ms, secrets.token_bytes(10)).bytes
            self._held[tenant, blank] = _Held(register, private.private_bytes_raw(), now_ms, ends_at_ms)
            issued.append(IssuedKey(blank, private.public_key().public_bytes_raw()))
        return issued

    def unseal(self, tenant: str, blank: bytes, sealed: bytes, info: bytes) -> bytes:
        """As the port says."""
        held = self._held.get((tenant, blank))
        if held is None or held.private is None:
            raise KeyGone(f"there is no key of consent {blank.hex()}")
        return unseal(sealed, held.private, info)

    def destroy(self, tenant: str, blanks: Sequence[bytes]) -> None:
        """As the port says."""
        for blank in blanks:
            if (tenant, blank) in self._held:
                self._held[tenant, blank].private = None

    def live(self, tenant: str, register: str, issued_from_ms: int) -> list[bytes]:
        """As the port says."""
        return [
            blank
            for blank, held in self._of(tenant)
            if held.register == register and held.issued_at_ms >= issued_from_ms and held.private
        ]

    def ended(self, tenant: str, now_ms: int, limit: int) -> list[bytes]:
        """As the port says."""
        over = [
            (held.ends_at_ms, blank)
            for blank, held in self._of(tenant)
            if held.private and not held.used and held.ends_at_ms <= now_ms
        ]
        return [blank for _, blank in sorted(over)[:limit]]

    def mark_used(self, tenant: str, blanks: Sequence[bytes]) -> None:
        """As the port says."""
        for blank in blanks:
            if (tenant, blank) in self._held:
                self._held[tenant, blank].used = True

    def forget(self, tenant: str, now_ms: int) -> int:
        """As the port says."""
        over = [
            blank for blank, held in self._of(tenant) if held.private is None and held.ends_at_ms <= now_ms
        ]
        for blank in over:
            del self._held[tenant, blank]
        return len(over)

    def register_of(self, tenant: str, blank: bytes) -> str | None:
        """As the port says."""
        held = self._held.get((tenant, blank))
        return None if held is None else held.register

    def _of(self, tenant: str) -> list[tuple[bytes, _Held]]:
        return [(blank, held) for (of, blank), held in self._held.items() if of == tenant]
