"""Consent blanks for pictures that come by the public API: made ahead, for who uploads cannot wait for them.

The private half of each lies in the vault before the blank can be taken. A blank that nobody took ends with
its time, and its key as those of registers do (`Keeper.retention`).
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from cloud.database.tills import PUBLIC_API
from cloud.privacy.blank_issue import usable_until_ms
from cloud.privacy.downlink import SignerOf
from cloud.privacy.keeper import BATCH
from cloud.privacy.ports import KeyVault
from cloud.privacy.web_blanks import SEALED_KEPT_MS
from daemon.log_fields import fields
from wire_protocol.consent import Blank, make_blank

log = logging.getLogger(__name__)

WEB_BLANKS: Final = "web blanks"
"""The chore's name in logs and metrics."""
_REFILL_SHARE: Final = 0.1
"""Of the stock; keys are made in batches, not one for each upload."""


class StockRows(Protocol):
    """As `cloud.privacy.web_blanks.WebBlanks`."""

    def short(self, tenant: str, wanted: int, now_ms: int) -> int:
        """How many lack."""

    def add(self, tenant: str, signed: Mapping[bytes, bytes], usable_until_ms: int) -> None:
        """Into the stock."""

    def forget_expired(self, tenant: str, now_ms: int) -> int:
        """Out of it."""


class WebStock:
    """Fills the stock of each chain.

    Args:
        rows: The stock.
        vault: Of the keys.
        signer_of: The key for consent of a tenant.
        blanks: How many a chain has at most.
        days: How long a blank may be filled.
        clock: Milliseconds since 1970.
    """

    def __init__(
        self,
        rows: StockRows,
        vault: KeyVault,
        signer_of: SignerOf,
        *,
        blanks: int,
        days: int,
        clock: Callable[[], int],
    ) -> None:
        self._rows = rows
        self._vault = vault
        self._signer_of = signer_of
        self._blanks = blanks
        self._days = days
        self._clock = clock

    def top_up(self, tenant: str) -> int:
        """Add what lacks, a batch at most, and end what is over; how many were added.

        Raises:
            TopscoopError: A store is away or a key is missing; nothing can be taken that has no key.
        """
        now_ms = self._clock()
        self._rows.forget_expired(tenant, now_ms)
        short = self._rows.short(tenant, self._blanks, now_ms)
        if not short or short < self._blanks * _REFILL_SHARE:
            return 0
        signer = self._signer_of(tenant)
        until_ms = usable_until_ms(now_ms, self._days)
        keys = self._vault.issue(tenant, PUBLIC_API, min(short, BATCH), now_ms, until_ms + SEALED_KEPT_MS)
        signed = {
            key.blank: make_blank(
                Blank(key.blank, tenant, PUBLIC_API, key.public_key, now_ms, until_ms), signer
            )
            for key in keys
        }
        self._rows.add(tenant, signed, until_ms)
        log.info("web_blanks.stocked", extra=fields(tenant=tenant, count=len(signed)))
        return len(signed)
