"""The pages about the wire protocol say what the code does, down to the byte."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from wire_protocol import crockford, enrolment_code, limits
from wire_protocol.messages import Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Up

_ROOT = Path(__file__).parents[2]
_PROTOCOL = (_ROOT / "docs" / "wire-protocol.md").read_text("utf-8")
_REGISTER = (_ROOT / "docs" / "register-in-another-language.md").read_text("utf-8")
_VECTORS = _ROOT / "tests" / "vectors"
_BLOCKS = re.findall(r"^```hex (\S+) (\S+)\n(.*?)^```$", _REGISTER, re.MULTILINE | re.DOTALL)


def test_every_reason_has_a_row() -> None:
    """With what is wrong, and what a sender should do; no row is left of a reason that is gone."""
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \|$", _PROTOCOL, re.MULTILINE)
    verdicts = {verdict.value for verdict in Verdict}
    reasons = [name for name, *_ in rows if name not in verdicts]
    assert reasons == [reason.value for reason in Reason]
    assert verdicts <= {name for name, *_ in rows}


def test_every_kind_has_a_row() -> None:
    """By the end of its topic."""
    rows = re.findall(r"^\| `((?:up|down)/[a-z-]+)` \|", _PROTOCOL, re.MULTILINE)
    assert rows == [*(f"up/{kind}" for kind in Up), *(f"down/{kind}" for kind in Down)]


def test_every_limit_has_a_row() -> None:
    """With its value."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", _PROTOCOL, re.MULTILINE))
    expected = {name: str(value) for name, value in vars(limits).items() if name.isupper()}
    assert rows == expected


@pytest.mark.parametrize(("file", "field", "block"), _BLOCKS, ids=[" ".join(block[:2]) for block in _BLOCKS])
def test_bytes_on_the_page_are_those_of_the_vectors(file: str, field: str, block: str) -> None:
    """Whatever is annotated, the hex is the vector's, whole and in order."""
    written = "".join("".join(line.split("#")[0].split()) for line in block.splitlines())
    value = json.loads((_VECTORS / f"{file}.json").read_text("utf-8"))
    for part in field.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    assert written == value


def test_the_page_works_through_every_step() -> None:
    """Enrolment; header, payload, what is signed, signature, message; blank, receipt, seal, answer."""
    shown = {(file, field) for file, field, _ in _BLOCKS}
    withdrawal = ("protected_bytes", "payload_bytes", "signed_bytes", "signature", "message", "sha256")
    assert {("up-withdrawal", field) for field in withdrawal} <= shown
    assert {(file, "envelope") for file in ("consent-blank", "consent-receipt")} <= shown
    assert {("seal", field) for field in ("info", "enc", "shared_secret", "key", "nonce", "sealed")} <= shown
    assert {("enrol", field) for field in ("csr", "signed_bytes", "proof")} <= shown
    assert {("up-frame", "message"), ("down-receipt", "message")} <= shown


def test_the_enrolment_code_on_the_page_is_one() -> None:
    """Made from the secret and the certificate's digest that stand beside it."""
    secret, fingerprint, code = re.search(
        r"secret `([0-9a-f]+)`.*?SHA-256\s`([0-9a-f]+)`.*?`([0-9A-Z-]{54})`", _REGISTER, re.DOTALL
    ).groups()  # type: ignore[union-attr] # a page without it fails here
    assert enrolment_code.make(bytes.fromhex(secret), bytes.fromhex(fingerprint)) == code
    body = code.replace("-", "")[:-4]
    check = hashlib.sha256(b"topscoop/1/enrolment-code\0" + body.encode()).digest()[:5]
    assert code.replace("-", "")[-4:] == crockford.encode(check)[:4]
