"""COSE_Sign1 (RFC 9052, section 4.2), generic: what may stand in the headers is for the layer above.

Public test vectors run against `cose_verify`; our own messages go through `envelope`, which is stricter.
"""

from dataclasses import dataclass

from wire_protocol import cbor
from wire_protocol.cbor import Value
from wire_protocol.errors import RefusedMessage
from wire_protocol.keys import SigningKey, VerificationKey
from wire_protocol.reasons import Reason

HEADER_ALGORITHM = 1
HEADER_CONTENT_TYPE = 3
HEADER_KEY_ID = 4

TAG = b"\xd2"
"""Tag 18, the encoded head of a COSE_Sign1."""


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1 taken apart; nothing of it is verified yet."""

    protected_bytes: bytes
    protected: dict[int | str, Value]
    unprotected: dict[int | str, Value]
    payload: bytes
    signature: bytes

    def signed_bytes(self, external_aad: bytes) -> bytes:
        """What the signature is over: the Sig_structure of RFC 9052, section 4.4."""
        return _sig_structure(self.protected_bytes, external_aad, self.payload)


def cose_sign(
    protected: dict[int | str, Value], payload: bytes, key: SigningKey, external_aad: bytes
) -> bytes:
    """A tagged COSE_Sign1 with empty unprotected header; the algorithm is added to `protected`."""
    protected_bytes = cbor.encode({**protected, HEADER_ALGORITHM: int(key.algorithm)})
    signature = key.sign(_sig_structure(protected_bytes, external_aad, payload))
    return TAG + cbor.encode([protected_bytes, {}, payload, signature])


def cose_parse(message: bytes) -> Sign1:
    """Take a tagged COSE_Sign1 apart.

    Raises:
        RefusedMessage: `malformed`: no such structure, or not deterministically encoded.
    """
    if message[:1] != TAG:
        raise RefusedMessage(Reason.MALFORMED, "not a COSE_Sign1: tag 18 is missing")
    match cbor.decode(message[1:]):
        case [bytes(protected_bytes), dict(unprotected), bytes(payload), bytes(signature)]:
            protected = cbor.decode(protected_bytes) if protected_bytes else {}
            if isinstance(protected, dict):
                return Sign1(protected_bytes, protected, unprotected, payload, signature)
    raise RefusedMessage(Reason.MALFORMED, "not a COSE_Sign1: an array of protected, {}, payload, signature")


def cose_verify(message: bytes, key: VerificationKey, external_aad: bytes) -> Sign1:
    """Take a COSE_Sign1 apart and verify it.

    Raises:
        RefusedMessage: `malformed`, `wrong-algorithm` (the protected header must name the key's own) or
            `bad-signature`.
    """
    parsed = cose_parse(message)
    _check(parsed, key, external_aad)
    return parsed


def check_signature(parsed: Sign1, key: VerificationKey, external_aad: bytes) -> None:
    """As `cose_verify`, for what was taken apart already, and stricter: one message has one valid signature.

    Whoever carries an ECDSA signature can turn it into its twin without the key. The twin would be the same
    message in other bytes, and its receipt would fit no message of the sender, so it is a `bad-signature`.
    """
    _check(parsed, key, external_aad)
    if not key.is_sole_form(parsed.signature):
        raise RefusedMessage(Reason.BAD_SIGNATURE, "the signature is the twin (n - s) of the one to send")


def _check(parsed: Sign1, key: VerificationKey, external_aad: bytes) -> None:
    algorithm = parsed.protected.get(HEADER_ALGORITHM)
    if type(algorithm) is not int or algorithm != int(key.algorithm):  # -8.0 == -8
        raise RefusedMessage(
            Reason.WRONG_ALGORITHM,
            f"the key is for {key.algorithm.name}, the message names another algorithm",
        )
    if not key.verifies(parsed.signature, parsed.signed_bytes(external_aad)):
        raise RefusedMessage(Reason.BAD_SIGNATURE, "the signature does not fit the message and the key")


def _sig_structure(protected_bytes: bytes, external_aad: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected_bytes, external_aad, payload])
