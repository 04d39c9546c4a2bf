"""The code on a register's display that lets a phone say yes for the picture that waits there.

    address  {base}/c/{code}           base: the chain's public API, such as https://gelateria.example.com
    code     base64url without padding of a COSE_Sign1 by the register's signing key
    payload  CBOR array [register, interaction, handover, issued_at_s, valid_s]

It is as short as it can be, because each byte makes its picture finer: positions instead of names, whole
seconds, no key id (the register is named, and it has one or two keys). The tenant is not in it: it is signed
as external AAD, and who checks takes it from the host that was asked, so a code of one chain is none of
another's. With a register's name of seven characters a code has 167 characters.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from wire_protocol import cbor, cose
from wire_protocol.envelope import KeyRecord
from wire_protocol.errors import RefusedMessage
from wire_protocol.fields import Id16, Name, Uint, from_value
from wire_protocol.keys import SigningKey
from wire_protocol.limits import HANDOVER_MAX_S, TIME_MAX_MS
from wire_protocol.reasons import Reason
from wire_protocol.topics import Identity

AAD_HANDOVER: Final = b"topscoop/1/handover\0"
"""Before the tenant's name."""
CODE_MAX_CHARACTERS: Final = 203
"""A code of a register with a name of 32 characters."""
KEYS_TRIED_MAX: Final = 8
"""A register has one key, and two around its renewal; a forged code costs no more than so many checks."""
_MS_PER_S: Final = 1000


@dataclass(frozen=True, slots=True)
class Handover:
    """What a code says.

    Attributes:
        interaction: UUID version 7, 16 bytes: the recommendation whose picture waits.
        handover: 16 random bytes; used once.
        issued_at_s: Seconds since 1970-01-01 UTC by the register's clock.
        valid_s: The picture waits so long.
    """

    register: Name
    interaction: Id16
    handover: Id16
    issued_at_s: Annotated[int, Uint(TIME_MAX_MS // _MS_PER_S)]
    valid_s: Annotated[int, Uint(HANDOVER_MAX_S, 1)]

    @property
    def issued_at_ms(self) -> int:
        """When it was made."""
        return self.issued_at_s * _MS_PER_S

    @property
    def expires_at_ms(self) -> int:
        """From here on it is over."""
        return (self.issued_at_s + self.valid_s) * _MS_PER_S


_FIELDS: Final = ("register", "interaction", "handover", "issued_at_s", "valid_s")


@dataclass(frozen=True, slots=True)
class UnverifiedCode:
    """A code of the right form, its signature not checked; what it claims serves to look up keys alone."""

    claimed: Handover
    sign1: cose.Sign1


@dataclass(frozen=True, slots=True)
class VerifiedCode:
    """A code that a register of this tenant made; `verify_code` makes one."""

    tenant: str
    handover: Handover


def make_code(handover: Handover, tenant: str, key: SigningKey) -> str:
    """A code, signed by the register; raises ValueError where a name or a number is out of bounds."""
    fields = {name: getattr(handover, name) for name in _FIELDS}
    try:
        from_value(Handover, fields, "Handover")
    except RefusedMessage as error:
        raise ValueError(str(error)) from error
    Identity(tenant, handover.register)
    signed = cose.cose_sign({}, cbor.encode(list(fields.values())), key, _aad(tenant))
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def code_address(base: str, code: str) -> str:
    """What the QR code holds."""
    return f"{base.rstrip('/')}/c/{code}"


def parse_code(code: str) -> UnverifiedCode:
    """Check the form of a code.

    Raises:
        RefusedMessage: `too-large`, `malformed` or `bad-payload`.
    """
    # 1. Its size, before a decoder sees it.
    if len(code) > CODE_MAX_CHARACTERS:
        raise RefusedMessage(Reason.TOO_LARGE, f"a code has {CODE_MAX_CHARACTERS} characters at most")
    # 2. The one spelling of its bytes: no padding, no other alphabet, no bits left over at the end.
    try:
        data = base64.b64decode(code.encode("ascii") + b"=" * (-len(code) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise RefusedMessage(Reason.MALFORMED, "not base64url") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != code:
        raise RefusedMessage(Reason.MALFORMED, "not the one spelling in base64url")
    # 3. The envelope: nothing but the algorithm in its header.
    sign1 = cose.cose_parse(data)
    if sign1.unprotected or set(sign1.protected) != {cose.HEADER_ALGORITHM}:
        raise RefusedMessage(Reason.MALFORMED, "another header than the algorithm")
    # 4. Its content, within bounds.
    values = cbor.decode(sign1.payload)
    if not isinstance(values, list) or len(values) != len(_FIELDS):
        raise RefusedMessage(Reason.MALFORMED, f"not an array of {len(_FIELDS)}")
    claimed = from_value(Handover, dict(zip(_FIELDS, values, strict=True)), "Handover")
    return UnverifiedCode(claimed, sign1)


def verify_code(unverified: UnverifiedCode, tenant: str, keys: Iterable[KeyRecord]) -> VerifiedCode:
    """Verify a code's signature; whether its time is over is for the caller to ask.

    Args:
        unverified: From `parse_code`.
        tenant: Of the host that was asked.
        keys: Of the register that the code claims, newest first.

    Raises:
        RefusedMessage: `unknown-key`, `wrong-algorithm` or `bad-signature`: of the last key that was tried.
    """
    issued_at_ms = unverified.claimed.issued_at_ms
    refused = RefusedMessage(Reason.UNKNOWN_KEY, "the register had no key when it was made")
    in_time = (key for key in keys if key.valid_from_ms <= issued_at_ms <= key.valid_until_ms)
    for record, _ in zip(in_time, range(KEYS_TRIED_MAX), strict=False):
        try:
            cose.check_signature(unverified.sign1, record.key, _aad(tenant))
        except RefusedMessage as error:
            refused = error
        else:
            return VerifiedCode(tenant, unverified.claimed)
    raise refused


def _aad(tenant: str) -> bytes:
    return AAD_HANDOVER + tenant.encode()
