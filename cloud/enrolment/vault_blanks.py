"""First consent blanks from the vault of consent keys."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from cloud.privacy.blank_issue import Need, blanks_to_issue, key_ends_at_ms, usable_until_ms
from cloud.privacy.keeper import Stock
from cloud.privacy.ports import KeyVault
from wire_protocol.consent import Blank, make_blank
from wire_protocol.keys import SigningKey
from wire_protocol.limits import BLANKS_PER_MESSAGE_MAX
from wire_protocol.topics import Identity

FIRST_BLANKS: Final = BLANKS_PER_MESSAGE_MAX
"""Enough for the first hours; the keeper fills the stock after the register's first report."""


class VaultBlanks:
    """`FirstBlanks` where the service may use the vault.

    Who enrols again and again gets no more blanks than the keeper would let be outstanding.

    Args:
        vault: Of consent keys.
        given: Those of a tenant's blanks on which a consent was received; raises DatabaseAway.
        signer_of: A tenant's key for consent; raises ServiceKeyMissing.
        stock: The keeper's.
    """

    def __init__(
        self,
        vault: KeyVault,
        given: Callable[[str, Sequence[bytes]], Collection[bytes]],
        signer_of: Callable[[str], SigningKey],
        stock: Stock,
    ) -> None:
        self._vault = vault
        self._given = given
        self._signer_of = signer_of
        self._stock = stock

    def issue(self, identity: Identity, now_ms: int) -> Sequence[bytes]:
        """As `FirstBlanks`."""
        signer = self._signer_of(identity.tenant)
        count = self._count(identity, now_ms)
        if not count:
            return []
        days = self._stock.days
        ends_at_ms, until_ms = key_ends_at_ms(now_ms, days), usable_until_ms(now_ms, days)
        # The private halves are durable before anything is signed over them.
        keys = self._vault.issue(identity.tenant, identity.register, count, now_ms, ends_at_ms)
        return [
            make_blank(
                Blank(key.blank, identity.tenant, identity.register, key.public_key, now_ms, until_ms), signer
            )
            for key in keys
        ]

    def _count(self, identity: Identity, now_ms: int) -> int:
        live = self._vault.live(
            identity.tenant, identity.register, now_ms - key_ends_at_ms(0, self._stock.days)
        )
        outstanding = len(live) - len(set(self._given(identity.tenant, live)))
        need = Need(left=0, wanted=FIRST_BLANKS, outstanding=outstanding, on_the_way=0)
        return blanks_to_issue(need, self._stock.blanks)
