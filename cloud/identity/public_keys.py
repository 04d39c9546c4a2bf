"""The public keys of an issuer (RFC 7517): which of them may verify what. Pure."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from cloud.identity.encoding import from_base64url

ALGORITHMS: Final[Mapping[str, tuple[str, str | None, str]]] = {
    "RS256": ("RSA", None, "RS256"),
    "PS256": ("RSA", None, "PS256"),
    "ES256": ("EC", "P-256", "ES256"),
    "EdDSA": ("OKP", "Ed25519", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519", "Ed25519"),  # its name since RFC 9864
}
"""By `alg`: the key's kind and curve, and joserfc's name. Signatures with a public key only: `none` and HMAC
are never looked at (RFC 8725, 3.1 and 3.2)."""
KEYS_MAX: Final = 64
KID_MAX: Final = 200
_RSA_BYTES: Final = range(256, 1025)
"""2,048 to 8,192 bits: shorter ones are weak, longer ones are slow on purpose."""
_KINDS: Final[Mapping[str, Any]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key that may verify signatures of these algorithms."""

    kid: str | None
    algorithms: frozenset[str]
    key: Any


class PublicKeys:
    """A set of them, as an issuer published it."""

    def __init__(self, keys: tuple[PublicKey, ...]) -> None:
        self._keys = keys

    def __len__(self) -> int:
        return len(self._keys)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "PublicKeys":
        """The usable keys of a JWK set; others are passed over (RFC 7517, 5).

        Raises:
            ValueError: It is no set of keys, or of absurdly many.
        """
        listed = document.get("keys")
        if not isinstance(listed, list) or len(listed) > KEYS_MAX:
            raise ValueError(f"not a set of at most {KEYS_MAX} keys")
        return cls(tuple(found for one in listed if (found := _read(one)) is not None))

    def find(self, kid: str | None, algorithm: str) -> Any:
        """The only key of this id that fits the algorithm; None where there is none, or several."""
        fitting = [one for one in self._keys if algorithm in one.algorithms and kid in {None, one.kid}]
        return fitting[0].key if len(fitting) == 1 else None


def _read(jwk: object) -> PublicKey | None:
    """Check 20 (RFC 7517, 4; RFC 8725, 3.2): kind, curve, size, use and algorithm of a key are held to."""
    if not isinstance(jwk, dict):
        return None
    kind, curve, kid, named = (jwk.get(name) for name in ("kty", "crv", "kid", "alg"))
    fitting = frozenset(
        name
        for name, (its_kind, its_curve, _) in ALGORITHMS.items()
        if its_kind == kind and its_curve in (None, curve) and named in (None, name)
    )
    operations = jwk.get("key_ops", ["verify"])
    if (
        not fitting
        or not (kid is None or (isinstance(kid, str) and len(kid) <= KID_MAX))
        or jwk.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or "d" in jwk  # a private key that somebody published is everybody's
    ):
        return None
    try:
        if kind == "RSA" and len(from_base64url(jwk["n"])) not in _RSA_BYTES:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            key = _KINDS[str(kind)].import_key(
                {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
            )
    except (JoseError, ValueError, KeyError, TypeError, Warning):
        return None
    return PublicKey(kid, fitting, key)
