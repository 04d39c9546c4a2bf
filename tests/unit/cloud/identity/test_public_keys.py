"""Which published keys may verify what."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from cloud.identity.public_keys import KEYS_MAX, PublicKeys

EC = ECKey.generate_key("P-256", {"kid": "ec"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})


def _public(key: Any, **changes: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **changes}


def _read(*keys: Any) -> PublicKeys:
    return PublicKeys.read({"keys": list(keys)})


def test_a_key_verifies_what_its_kind_can() -> None:
    keys = _read(_public(EC), _public(RSA), _public(ED))
    assert all(keys.find(kid, alg) for kid, alg in [("ec", "ES256"), ("rsa", "PS256"), ("ed", "EdDSA")])
    assert keys.find("rsa", "ES256") is None
    assert keys.find("ec", "RS256") is None
    assert keys.find("nobody", "ES256") is None


def test_without_an_id_the_only_fitting_key_is_taken() -> None:
    assert _read(_public(EC), _public(RSA)).find(None, "ES256") is not None
    assert _read(_public(EC), _public(EC, kid="other")).find(None, "ES256") is None, "which of the two?"
    assert _read(_public(EC), _public(EC)).find("ec", "ES256") is None


@pytest.mark.parametrize("key", [EC, RSA, ED], ids=["EC", "RSA", "OKP"])
@pytest.mark.parametrize("name", ["kty", "crv", "kid", "alg", "use", "key_ops", "x", "y", "n", "e"])
def test_a_member_of_another_kind_spoils_its_own_key_alone(key: Any, name: str) -> None:
    """T22: lists, objects and numbers where names should stand: the other keys verify as before."""
    for value in ([], {}, [[]], [None], {"a": 1}, 5, True, None, ""):
        assert _read(_public(key, **{name: value}), _public(EC, kid="good")).find("good", "ES256") is not None


@pytest.mark.parametrize(
    "jwk",
    [
        _public(EC, use="enc"),
        _public(EC, alg="ES384"),
        _public(EC, key_ops=["sign"]),
        _public(EC, crv="P-384"),
        _public(EC, x="AAAA"),
        _public(EC, kid=7),
        EC.as_dict(private=True),
        _public(RSA, n="AQAB"),
        _public(RSA, alg="HS256"),
        OctKey.generate_key(256, {"kid": "oct"}).as_dict(private=True),
        {"kty": "ML-DSA", "kid": "new"},
        {"kty": ["EC"]},
        7,
        None,
    ],
    ids=[
        "use",
        "alg",
        "ops",
        "curve",
        "point",
        "kid",
        "private",
        "short-rsa",
        "hmac",
        "secret",
        "kind",
        "list",
        "number",
        "null",
    ],
)
def test_a_key_that_must_not_verify_is_passed_over(jwk: Any) -> None:
    """T22: and the others stay usable (RFC 7517, 5)."""
    keys = _read(jwk, _public(ED))
    assert len(keys) == 1
    assert keys.find("ed", "Ed25519") is not None


@pytest.mark.parametrize(
    "document", [{}, {"keys": {}}, {"keys": [{}] * (KEYS_MAX + 1)}], ids=["none", "object", "many"]
)
def test_what_is_no_set_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="set"):
        PublicKeys.read(document)
