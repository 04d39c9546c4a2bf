"""From a customer's yes to a durable consent, and from its picture to a sealed message; and back again.

Nothing here waits for a network. Every call may wait for the disk: call it off the event loop.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from edge_agent.errors import NoBlanksError, WithdrawalRefusedError
from edge_agent.ports import Randomness
from edge_agent.uplink.anchors import Anchors, Purpose
from edge_agent.uplink.packaging import JpegFrame, Packager, Stamp
from edge_agent.uplink.ports import Spool
from edge_agent.uplink.spooled import Write
from wire_protocol import consent, crockford
from wire_protocol.consent import Consent, Method, VerifiedConsent
from wire_protocol.envelope import KeyRecord

WITHDRAWAL_CODE_BYTES: Final = 10
"""80 bits: sixteen symbols on the slip."""
_CODE_LABEL: Final = b"topscoop/1/withdrawal-code\0"


@dataclass(frozen=True, slots=True)
class Yes:
    """What a customer agreed to."""

    purposes: tuple[consent.Purpose, ...]
    notice_sha256: bytes
    language: str
    method: Method


@dataclass(frozen=True, slots=True)
class Granted:
    """A consent that is durable.

    Args:
        consent_id: The blank's id.
        withdrawal_code: For the customer's slip and nobody else; never logged.
        expires_at_ms: When it ends.
        receipt: The signed bytes.
        agreed: The same, verified.
    """

    consent_id: UUID
    withdrawal_code: str
    expires_at_ms: int
    receipt: bytes
    agreed: VerifiedConsent

    def __repr__(self) -> str:
        """Without the code."""
        return f"Granted({self.consent_id})"


class ConsentDesk:
    """Fills blanks, takes consents back.

    Args:
        packager: Signs in the register's name.
        anchors: Whose blanks are believed.
        spool: Where blanks lie and messages go.
        secret: Of this register; withdrawal codes follow from it, so none is stored anywhere.
        valid_ms: How long a consent lasts.
        randomness: For message ids.
    """

    def __init__(
        self,
        *,
        packager: Packager,
        anchors: Anchors,
        spool: Spool,
        secret: bytes,
        valid_ms: int,
        randomness: Randomness,
    ) -> None:
        self._packager = packager
        self._anchors = anchors
        self._spool = spool
        self._secret = secret
        self._valid_ms = valid_ms
        self._randomness = randomness

    def grant(self, interaction_id: UUID, yes: Yes, now_ms: int) -> Granted:
        """Fill a blank; the consent is durable and on its way when this returns.

        Raises:
            NoBlanksError: There is no blank, or none that is believed.
            SpoolError: The disk refused; nothing was granted. A blank may be lost by it.
        """
        taken = self._spool.take_blank(now_ms)
        if taken is None:
            raise NoBlanksError(
                "no consent blank is left on this register; the picture was not kept",
                remedy="Connect the register to the cloud: blanks come by themselves.",
            )
        consent_id = taken.blank
        code = self._code(consent_id)
        filled = Consent(
            blank=taken.signed,
            interaction=interaction_id.bytes,
            purposes=yes.purposes,
            notice=yes.notice_sha256,
            language=yes.language,
            method=yes.method,
            granted_at=now_ms,
            expires_at=now_ms + self._valid_ms,
            withdrawal=consent.withdrawal_digest(code),
        )
        key = self._packager.key
        receipt = consent.make_receipt(filled, key)
        # The register reads what it will send as strictly as the cloud will (threats T5, T6).
        agreed = consent.verify_receipt(
            receipt, {key.kid: KeyRecord(key.verification_key)}.get, self._anchors.keys(Purpose.CONSENT)
        )
        consent.check_consent(agreed, self._packager.identity, interaction_id.bytes)
        message = self._packager.consent(self._stamp(now_ms), receipt, consent_id, interaction_id.bytes)
        self._spool.write(Write(messages=(message,)))
        return Granted(UUID(bytes=consent_id), code, filled.expires_at, receipt, agreed)

    def file_frame(
        self, granted: Granted, frame: JpegFrame, now_ms: int, settings: Callable[[], dict[str, str]]
    ) -> bool:
        """Seal a picture to its consent and spool it; whether it is in the spool.

        Args:
            granted: From `grant`.
            frame: The picture; the caller overwrites it afterwards.
            now_ms: The register's time.
            settings: What the sampling wants remembered in the same transaction.

        Raises:
            RefusedMessage: The consent does not allow it.
            SpoolError: The disk refused.
        """
        message = self._packager.frame(self._stamp(now_ms), frame, granted.receipt, granted.agreed)
        return self._spool.write(Write(messages=(message,), settings=settings()))[0]

    def withdraw(self, consent_id: UUID, code: str, now_ms: int) -> None:
        """Take a consent back: its frames go, and the cloud is told, durably, before this returns.

        Consents of any age: the code alone shows that the customer has the slip.

        Raises:
            WithdrawalRefusedError: Another code.
            SpoolError: The disk refused; nothing happened.
        """
        try:
            typed = crockford.grouped(crockford.symbols_of(code))
        except ValueError:
            typed = ""
        if not hmac.compare_digest(typed.encode(), self._code(consent_id.bytes).encode()):
            raise WithdrawalRefusedError(
                "this is not the withdrawal code of that consent",
                remedy="Type it as it stands on the slip: sixteen digits and letters, in groups of four.",
            )
        message = self._packager.withdrawal(self._stamp(now_ms), consent_id.bytes)
        self._spool.write(Write(messages=(message,), erase=(consent_id.bytes,)))

    def _code(self, consent_id: bytes) -> str:
        digest = hmac.new(self._secret, _CODE_LABEL + consent_id, hashlib.sha256).digest()
        return crockford.grouped(crockford.encode(digest[:WITHDRAWAL_CODE_BYTES]))

    def _stamp(self, now_ms: int) -> Stamp:
        return Stamp(self._randomness(16), self._spool.next_sequence(), now_ms)
