"""A signed token (JWS, compact form): read strictly, verified under a key that its issuer published. Pure.

`verify_jws` is the layer below the profile, so that public test vectors can be run against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from cloud.identity.encoding import from_base64url, strict_json
from cloud.identity.errors import TokenRefused
from cloud.identity.public_keys import ALGORITHMS, KID_MAX, PublicKeys
from cloud.identity.values import KeySource

TOKEN_MAX_CHARACTERS: Final = 16_384
"""Tokens of real providers have one to four thousand."""
_HEADER_MAX_CHARACTERS: Final = 2048
_DANGEROUS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "epk"})


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token that is well formed; nothing in it is believed before `verify`.

    Attributes:
        typ: Lower case, without `application/`; empty where the header has none.
    """

    algorithm: str
    kid: str | None
    typ: str
    payload: bytes
    signing_input: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take it apart. Raises TokenRefused."""
        # Check 16 (RFC 7515, 7.1; RFC 9068, 4): three parts, of a size that costs nothing. Five would be
        # encrypted (JWE), which nobody may send us, nested or not.
        parts = text.split(".") if len(text) <= TOKEN_MAX_CHARACTERS else []
        if len(parts) != 3 or len(parts[0]) > _HEADER_MAX_CHARACTERS:
            raise TokenRefused(16, "it is not a signed token of reasonable size")
        # Check 17 (RFC 7515, 4 and 5.2): base64url and JSON written in their one way, no name twice.
        try:
            raw_header, payload, signature = (from_base64url(part) for part in parts)
            header = strict_json(raw_header)
        except ValueError as error:
            raise TokenRefused(17, "its encoding is not strict base64url and JSON") from error
        # Check 18 (RFC 8725, 3.1 and 3.2): one of our algorithms, each with a public key. No `none`, no HMAC.
        algorithm, kid, typ = (header.get(name) for name in ("alg", "kid", "typ"))
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise TokenRefused(18, "its algorithm is none of ours")
        # Check 19 (RFC 7515, 4.1; RFC 8725, 3.10): no header that brings or names keys, nothing critical.
        if _DANGEROUS & header.keys() or "cty" in header:
            raise TokenRefused(19, "its header brings or names keys, or what must not be ignored")
        if not (kid is None or (isinstance(kid, str) and 0 < len(kid) <= KID_MAX)):
            raise TokenRefused(19, "its key id is none")
        if not (typ is None or (isinstance(typ, str) and len(typ) <= 100)):
            raise TokenRefused(19, "its type is none")
        plain = (typ or "").lower().removeprefix("application/")
        return cls(algorithm, kid, plain, payload, f"{parts[0]}.{parts[1]}".encode(), signature)

    def verify(self, keys: KeySource | PublicKeys) -> bytes:
        """The payload, signed by one of these keys. Raises TokenRefused, ProviderAway."""
        # Check 20 (RFC 7517, 4): the key that the issuer published under this id, for this algorithm.
        key = keys.find(self.kid, self.algorithm)
        if key is None:
            raise TokenRefused(20, "the issuer has no such key for this algorithm")
        # Check 21 (RFC 7515, 5.2): the signature.
        try:
            model = JWSRegistry.algorithms[ALGORITHMS[self.algorithm][2]]
            good = model.verify(self.signing_input, self.signature, key)
        except (JoseError, ValueError) as error:
            raise TokenRefused(21, "its signature is not valid") from error
        if not good:
            raise TokenRefused(21, "its signature is not valid")
        return self.payload

    def unverified_issuer(self) -> str:
        """Who it says has made it: good for looking up whose keys to try, and for nothing else."""
        issuer = self._claims().get("iss")
        if not isinstance(issuer, str) or len(issuer) > 300:
            raise TokenRefused(22, "it names no issuer")
        return issuer

    def claims(self, keys: KeySource | PublicKeys) -> dict[str, Any]:
        """What it says, verified. Raises TokenRefused, ProviderAway."""
        found = self._claims()
        self.verify(keys)
        return found

    def _claims(self) -> dict[str, Any]:
        try:
            return strict_json(self.payload)
        except ValueError as error:
            # Check 17 again (RFC 7519, 4): claims are an object without a name that stands twice.
            raise TokenRefused(17, "its claims are not strict JSON") from error


def verify_jws(text: str, jwk: Mapping[str, Any]) -> bytes:
    """The payload of a JWS under one public key as JWK, whatever the payload is. Raises TokenRefused."""
    return SignedToken.parse(text).verify(PublicKeys.read({"keys": [dict(jwk)]}))
