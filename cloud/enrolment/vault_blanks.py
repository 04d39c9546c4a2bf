"""First consent blanks from the vault of consent keys."""

from collections.abc import Callable, Sequence
from typing import Final

from cloud.privacy.blank_issue import key_ends_at_ms, usable_until_ms
from cloud.privacy.ports import KeyVault
from wire_protocol.consent import Blank, make_blank
from wire_protocol.keys import SigningKey
from wire_protocol.limits import BLANKS_PER_MESSAGE_MAX
from wire_protocol.topics import Identity

FIRST_BLANKS: Final = BLANKS_PER_MESSAGE_MAX
"""Enough for the first hours; the keeper fills the stock after the register's first report."""


class VaultBlanks:
    """`FirstBlanks` where the service may use the vault.

    Args:
        vault: Of consent keys.
        signer_of: A tenant's key for consent; raises ServiceKeyMissing.
        blank_days: How long a blank is good.
    """

    def __init__(self, vault: KeyVault, signer_of: Callable[[str], SigningKey], blank_days: int) -> None:
        self._vault = vault
        self._signer_of = signer_of
        self._days = blank_days

    def issue(self, identity: Identity, now_ms: int) -> Sequence[bytes]:
        """As `FirstBlanks`."""
        signer = self._signer_of(identity.tenant)
        ends_at_ms, until_ms = key_ends_at_ms(now_ms, self._days), usable_until_ms(now_ms, self._days)
        # The private halves are durable before anything is signed over them.
        keys = self._vault.issue(identity.tenant, identity.register, FIRST_BLANKS, now_ms, ends_at_ms)
        return [
            make_blank(
                Blank(key.blank, identity.tenant, identity.register, key.public_key, now_ms, until_ms), signer
            )
            for key in keys
        ]
