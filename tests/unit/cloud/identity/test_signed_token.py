"""Signed tokens; public vectors can be pointed at the verifier."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.identity.encoding import base64url, from_base64url
from cloud.identity.errors import TokenRefused
from cloud.identity.signed_token import verify_jws

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "jose" / "vectors.json").read_text("utf-8"))
"""Of RFC 7515 and RFC 8037; add more as {"name", "jwk", "jws", "payload" or null, "check"}."""


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_public_vectors(vector: dict[str, Any]) -> None:
    """T22: what the RFCs sign with public keys verifies; their HMAC and unsecured examples are refused."""
    if vector["check"] is None:
        assert verify_jws(vector["jws"], vector["jwk"]) == from_base64url(vector["payload"])
        return
    with pytest.raises(TokenRefused) as refused:
        verify_jws(vector["jws"], vector["jwk"])
    assert refused.value.check == vector["check"]


@pytest.mark.parametrize(
    "vector", [one for one in VECTORS if one["check"] is None], ids=lambda one: one["name"]
)
@pytest.mark.parametrize("part", [1, 2])
def test_a_vector_that_was_touched_does_not_verify(vector: dict[str, Any], part: int) -> None:
    """T22: one bit of payload or signature."""
    parts = vector["jws"].split(".")
    data = bytearray(from_base64url(parts[part]))
    data[len(data) // 2] ^= 1
    parts[part] = base64url(bytes(data))
    with pytest.raises(TokenRefused) as refused:
        verify_jws(".".join(parts), vector["jwk"])
    assert refused.value.check == 21


def test_another_key_does_not_verify() -> None:
    jws = next(one for one in VECTORS if "ES256" in one["name"])
    ed = next(one for one in VECTORS if "Ed25519" in one["name"])
    with pytest.raises(TokenRefused) as refused:
        verify_jws(jws["jws"], ed["jwk"])
    assert refused.value.check == 20
