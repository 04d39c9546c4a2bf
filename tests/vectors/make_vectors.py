"""The golden vectors: what every message looks like on the wire, from keys that everybody knows.

    python -m tests.vectors.make_vectors

writes `tests/vectors/*.json` anew. A changed file is a changed protocol: registers in the field speak the old
one, so either the change is a mistake, or `envelope.SCHEMA_VERSION` must grow with it. Sealing is random;
here `plain_hpke` does it with an ephemeral key that is fixed, and the tests open it with `sealing`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cloud.enrolment.request import PROOF_LABEL
from tests.builders import plain_hpke
from tests.builders import wire_messages as wire
from wire_protocol import cbor, consent, cose, envelope, fields, handover, sealing
from wire_protocol.keys import SigningKey
from wire_protocol.messages import ReceiptDown
from wire_protocol.topics import Down, Kind, Up

FOLDER: Final = Path(__file__).parent
SEAL_FILE: Final = FOLDER / "seal.json"
RENEW: Final = "python -m tests.vectors.make_vectors"


def main() -> None:
    """Write every file."""
    for name, document in documents().items():
        _write(FOLDER / name, document)
        print(f"wrote {name}")


def documents() -> dict[str, dict[str, Any]]:
    """Every file, by name; equal on every run."""
    seal = make_seal()
    sealed = bytes.fromhex(seal["sealed"])
    return {
        SEAL_FILE.name: seal,
        "keys.json": _keys(),
        "consent-blank.json": _signed(wire.BLANK_BYTES, wire.BLANK, consent.AAD_BLANK, "consent"),
        "consent-receipt.json": _signed(wire.RECEIPT_BYTES, wire.CONSENT, consent.AAD_RECEIPT, "register"),
        "enrol.json": _enrolment(),
        "handover-code.json": _handover_code(),
        **{f"{name}.json": _message(example, key) for name, example, key in _examples(sealed)},
    }


def _examples(sealed: bytes) -> Iterator[tuple[str, wire.Example, str]]:
    frame = wire.example(Up.FRAME, sealed=sealed)
    for kind in wire.KINDS:
        example = wire.example(kind, sealed=sealed)
        if isinstance(example.payload, ReceiptDown):
            payload = replace(example.payload, sha256=hashlib.sha256(frame.message).digest())
            example = wire.sign(example.header, payload, (), example.key)
        yield _name(kind), example, _signer_name(kind)
    refused = wire.sign(wire.header(Down.RECEIPT), wire.REFUSED_RECEIPT, (), wire.RECEIPTS_KEY)
    no_model = wire.sign(wire.header(Up.INTERACTION), wire.NO_MODEL_INTERACTION, (), wire.REGISTER_KEY)
    full_report = wire.sign(wire.header(Up.REPORT), wire.FULL_REPORT, (), wire.REGISTER_KEY)
    yield "down-receipt-refused", refused, "receipts"
    yield "up-report-full", full_report, "register"
    yield "up-interaction-no-model", no_model, "register"
    yield "up-withdrawal-es256", wire.example(Up.WITHDRAWAL, key=wire.REGISTER_P256_KEY), "register-es256"


def _name(kind: Kind) -> str:
    return f"{'up' if isinstance(kind, Up) else 'down'}-{kind}"


def _signer_name(kind: Kind) -> str:
    if isinstance(kind, Up):
        return "register"
    return _SIGNERS[kind]


_SIGNERS: Final = {
    Down.RECEIPT: "receipts",
    Down.BLANKS: "consent",
    Down.ERASE: "consent",
    Down.DESIRED: "fleet",
    Down.FILE_BLOCK: "files",
    Down.HANDOVER: "consent",
}


def make_seal() -> dict[str, Any]:
    """The picture, sealed, with every step on the way."""
    info = envelope.seal_info(wire.header(Up.FRAME), wire.REGISTER_KEY.kid)
    ephemeral = X25519PrivateKey.from_private_bytes(wire.label_bytes("ephemeral"))
    sealed = plain_hpke.seal(wire.PICTURE, wire.PICTURE_PUBLIC, info, ephemeral)
    enc = sealed[: sealing.PUBLIC_KEY_BYTES]
    shared_secret = plain_hpke.decapsulate(enc, wire.PICTURE_PRIVATE)
    key, nonce = plain_hpke.key_schedule(shared_secret, info)
    steps = {
        "picture": wire.PICTURE,
        "public_key": wire.PICTURE_PUBLIC,
        "private_key": wire.PICTURE_PRIVATE,
        "ephemeral_private_key": wire.label_bytes("ephemeral"),
        "info": info,
        "enc": enc,
        "shared_secret": shared_secret,
        "key": key,
        "nonce": nonce,
        "sealed": sealed,
    }
    return {name: value.hex() for name, value in steps.items()}


def _enrolment() -> dict[str, Any]:
    """The certificate request of a TLS key, and the signing key's proof over it."""
    tls = wire.p256_key("TLS")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "register")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    private = tls.private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    request = builder.sign(private, hashes.SHA256(), ecdsa_deterministic=True)
    csr = request.public_bytes(Encoding.DER)
    signed = PROOF_LABEL + hashlib.sha256(csr).digest()
    return {
        "key": "register",
        "tls": _key(tls, "TLS"),
        "csr": csr.hex(),
        "csr_pem": request.public_bytes(Encoding.PEM).decode(),
        "signed_bytes": signed.hex(),
        "proof": wire.REGISTER_KEY.sign(signed).hex(),
    }


def _handover_code() -> dict[str, Any]:
    """The code on a display, and the address that its picture holds."""
    unverified = handover.parse_code(wire.HANDOVER_CODE)
    said, signed = unverified.claimed, unverified.sign1
    aad = handover.AAD_HANDOVER + wire.TENANT.encode()
    return {
        "key": "register",
        "tenant": wire.TENANT,
        "payload": _readable(
            [said.register, said.interaction, said.handover, said.issued_at_s, said.valid_s]
        ),
        "protected_bytes": signed.protected_bytes.hex(),
        "payload_bytes": signed.payload.hex(),
        "external_aad": aad.hex(),
        "signed_bytes": signed.signed_bytes(aad).hex(),
        "signature": signed.signature.hex(),
        "code": wire.HANDOVER_CODE,
        "address": handover.code_address(f"https://{wire.TENANT}.example.com", wire.HANDOVER_CODE),
    }


def _keys() -> dict[str, Any]:
    picture = X25519PrivateKey.from_private_bytes(wire.PICTURE_PRIVATE)
    return {
        "warning": "everybody knows these keys: for tests only",
        "register": _key(wire.REGISTER_KEY, "register"),
        "register-es256": _key(wire.REGISTER_P256_KEY, "register with a security chip"),
        "receipts": _key(wire.RECEIPTS_KEY, "receipts"),
        "consent": _key(wire.CONSENT_KEY, "consent"),
        "fleet": _key(wire.FLEET_KEY, "fleet"),
        "files": _key(wire.FILES_KEY, "files"),
        "picture": {
            "algorithm": "X25519",
            "private": wire.PICTURE_PRIVATE.hex(),
            "public": picture.public_key().public_bytes_raw().hex(),
        },
    }


def _key(key: SigningKey, label: str) -> dict[str, Any]:
    return {
        "algorithm": key.algorithm.name,
        "cose_algorithm": int(key.algorithm),
        "private": wire.label_bytes(label).hex(),
        "public": key.verification_key.public.hex(),
        "kid": key.kid.hex(),
    }


def _message(example: wire.Example, key: str) -> dict[str, Any]:
    head = example.header
    parts = cbor.decode(example.message)
    aad = envelope.AAD_UP if isinstance(head.topic.kind, Up) else envelope.AAD_DOWN
    return {
        "topic": str(head.topic),
        **_signed(parts[0], example.payload, aad, key),
        "attachments": [part.hex() for part in parts[1:]],
        "message": example.message.hex(),
        "sha256": hashlib.sha256(example.message).hexdigest(),
    }


def _signed(envelope_bytes: bytes, payload: object, aad: bytes, key: str) -> dict[str, Any]:
    parsed = cose.cose_parse(envelope_bytes)
    return {
        "key": key,
        "header": {str(label): _readable(value) for label, value in parsed.protected.items()},
        "payload": _readable(fields.to_value(payload)),
        "protected_bytes": parsed.protected_bytes.hex(),
        "payload_bytes": parsed.payload.hex(),
        "external_aad": aad.hex(),
        "signed_bytes": parsed.signed_bytes(aad).hex(),
        "signature": parsed.signature.hex(),
        "envelope": envelope_bytes.hex(),
    }


def _readable(value: Any) -> Any:
    match value:
        case bytes():
            return {"hex": value.hex()}
        case StrEnum():
            return value.value
        case list() | tuple():
            return [_readable(inner) for inner in value]
        case dict():
            return {name: _readable(inner) for name, inner in value.items()}
    return value


def text(document: dict[str, Any]) -> str:
    """As it stands in the file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(text(document), encoding="utf-8")


if __name__ == "__main__":
    main()
