"""A picture that a person lets the chain keep: from its pixels to a sealed version, like a register's frame.

Here is no key that opens what is sealed here: the private half of each blank lies in the keeper's vault, to
which this process has no way. Every step may be repeated after dying anywhere: the upload has one blank, and
from its sealing on one message.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from cloud.collector.deposit import Deposited, Fate
from cloud.database.tills import public_api
from cloud.intake.errors import PromotionLater
from cloud.intake.promotion_values import Sealed, Taken
from cloud.objects.ports import ObjectsAway, StoreRefused
from daemon.log_fields import fields
from inference import jpeg
from wire_protocol import consent, crockford, envelope
from wire_protocol.consent import FRAME_PURPOSE, Consent, Method, Purpose
from wire_protocol.envelope import Header, KeyLookup, KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import SigningKey
from wire_protocol.messages import FrameUp
from wire_protocol.reasons import Reason
from wire_protocol.sealing import seal
from wire_protocol.topics import Topic, Up

log = logging.getLogger(__name__)

HEIGHT_MAX: Final = 720
"""Pixels; what a network is trained on is smaller still."""
LEFT_AFTER_MS: Final = 60_000
"""A sealed picture whose upload is older was left by a worker that died, or by a store that was away."""
_NO_CODE_BYTES: Final = 10


class Rows(Protocol):
    """As `cloud.intake.adapters.promotions.Promotions`."""

    def take(self, tenant: str, request: bytes, now_ms: int) -> Taken | None:
        """The blank of an upload."""

    def save(self, tenant: str, request: bytes, blank: bytes, message: bytes) -> bytes | None:
        """Keep the sealed picture until it is deposited."""

    def end(self, tenant: str, request: bytes, blank: bytes, version: str | None) -> None:
        """The blank is used up."""

    def sealed(self, tenant: str, before_ms: int, limit: int) -> list[Sealed]:
        """Pictures that wait for their deposit."""


class UploadOf(Protocol):
    """A ticket, as far as promotion needs it."""

    @property
    def tenant(self) -> str:
        """The chain."""

    @property
    def request(self) -> bytes:
        """The upload's id."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs for a chain, and whose blanks are believed."""

    key_of: Callable[[str], SigningKey]
    """The service key `intake`; raises ServiceKeyMissing."""
    consent_keys_of: Callable[[str], KeyLookup]
    """Public halves of the keeper's keys."""


class Promoter:
    """Keeps pictures under their persons' consent.

    Args:
        rows: Of the cloud's database.
        deposit: Of the collector: topic and message to what became of it.
        signing: Keys.
        now_ms: The clock.
        randomness: So many random bytes.
    """

    def __init__(
        self,
        rows: Rows,
        deposit: Callable[[Topic, bytes], Deposited],
        signing: Signing,
        now_ms: Callable[[], int],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._rows = rows
        self._deposit = deposit
        self._signing = signing
        self._now_ms = now_ms
        self._randomness = randomness

    def __call__(self, ticket: UploadOf, picture: NDArray[np.uint8], /) -> None:
        """Keep the picture of an upload whose recommendation is durable; again, after anything went wrong.

        A consent that was withdrawn meanwhile is no error: nothing is kept.

        Args:
            ticket: Of the upload.
            picture: uint8 [H, W, 3] BGR.

        Raises:
            NoBlankLeft: Not now; nothing is sealed.
            PromotionLater: Sealed and durable: `deliver_left` does the rest, and the pixels may go.
            TopscoopError: Not now.
        """
        tenant, request = ticket.tenant, ticket.request
        # 1. One blank for this upload, unless it was taken back.
        taken = self._rows.take(tenant, request, self._now_ms())
        if taken is None:
            return
        # 2. Sealed, signed, and durable before anybody else sees it: a repeat brings the same bytes.
        message = taken.message
        if message is None:
            try:
                made = self._sealed(tenant, request, taken, picture)
            except RefusedMessage as error:
                self._refused(tenant, error.reason, str(error))
                self._rows.end(tenant, request, taken.blank, None)
                return
            message = self._rows.save(tenant, request, taken.blank, made)
        # 3. Through the collector's rules, into its rows and bucket.
        if message is not None:
            try:
                self._bring(tenant, request, taken.blank, message)
            except (ObjectsAway, StoreRefused) as error:
                raise PromotionLater(str(error), remedy=error.remedy) from error

    def deliver_left(self, tenant: str, limit: int = 20) -> int:
        """Deposit what was sealed and then left; how many are settled now.

        Raises:
            TopscoopError: A store is away.
        """
        settled = 0
        for one in self._rows.sealed(tenant, self._now_ms() - LEFT_AFTER_MS, limit):
            try:
                self._bring(tenant, one.request, one.blank, one.message)
            except PromotionLater as error:  # of this one, or of this chain; the others are not kept waiting
                log.info("promotion.waiting", extra=fields(tenant=tenant, error=str(error)))
                continue
            settled += 1
        return settled

    def _bring(self, tenant: str, request: bytes, blank: bytes, message: bytes) -> None:
        became = self._deposit(Topic(public_api(tenant), Up.FRAME), message)
        if became.fate is Fate.LATER:
            raise PromotionLater(
                f"the picture cannot be stored now ({became.detail})", remedy="It is tried again by itself."
            )
        if became.fate is Fate.REFUSED:
            self._refused(tenant, became.reason, became.detail)
        self._rows.end(tenant, request, blank, became.version)
        log.info("promotion.ended", extra=fields(tenant=tenant, fate=became.fate.value))

    @staticmethod
    def _refused(tenant: str, reason: Reason | None, detail: str) -> None:
        log.error("promotion.refused", extra=fields(tenant=tenant, reason=reason, detail=detail))

    def _sealed(self, tenant: str, request: bytes, taken: Taken, picture: NDArray[np.uint8]) -> bytes:
        identity, key, now_ms = public_api(tenant), self._signing.key_of(tenant), self._now_ms()
        receipt = consent.make_receipt(self._filled(request, taken), key)
        # As strictly as the collector will (threats T5, T6): what is not covered is not even encoded.
        agreed = consent.verify_receipt(
            receipt, {key.kid: KeyRecord(key.verification_key)}.get, self._signing.consent_keys_of(tenant)
        )
        consent.check_consent(agreed, identity, request)
        consent.check_covers(agreed, FRAME_PURPOSE, now_ms)
        if agreed.consent_id != taken.blank:
            raise RefusedMessage(Reason.CONSENT_FOREIGN, "the stock holds another blank under this id")
        small = jpeg.encode(picture, max_height=HEIGHT_MAX)
        try:
            header = Header(Topic(identity, Up.FRAME), request, 0, now_ms)
            payload = FrameUp(
                interaction=request,
                consent=taken.blank,
                captured_at=taken.captured_at_ms,
                width=small.width,
                height=small.height,
                picture_bytes=small.jpeg.size,
            )
            info = envelope.seal_info(header, key.kid)
            sealed = seal(small.jpeg.tobytes(), agreed.blank.public_key, info)
        finally:
            small.jpeg.fill(0)
        return envelope.make(header, payload, (receipt, sealed), key)

    def _filled(self, request: bytes, taken: Taken) -> Consent:
        said: Mapping[str, Any] = taken.consent
        # Nobody has a slip with a code: it is taken back after login, by the upload. So nobody has this one.
        code = crockford.grouped(crockford.encode(self._randomness(_NO_CODE_BYTES)))
        return Consent(
            blank=taken.signed,
            interaction=request,
            purposes=tuple(Purpose(purpose) for purpose in said["purposes"]),
            notice=bytes.fromhex(said["notice"]),
            language=said["language"],
            method=Method(said["method"]),
            granted_at=said["granted_at_ms"],
            expires_at=said["expires_at_ms"],
            withdrawal=consent.withdrawal_digest(code),
        )
