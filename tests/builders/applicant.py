"""A register that asks for a certificate, written from docs/enrolment.md alone."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from wire_protocol.keys import Algorithm, SigningKey

NAMES = {Algorithm.EDDSA: "EdDSA", Algorithm.ES256: "ES256"}


@dataclass
class PaperApplicant:
    """Keys, and the bodies that they make; every part can be exchanged for a wrong one."""

    tls: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    signing: SigningKey = field(default_factory=SigningKey.generate)
    subject: str = "some-other/name"

    def csr(self) -> x509.CertificateSigningRequest:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.subject)])
        wish = x509.BasicConstraints(ca=True, path_length=None)
        builder = x509.CertificateSigningRequestBuilder().subject_name(name)
        return builder.add_extension(wish, critical=True).sign(self.tls, hashes.SHA256())

    def enrolment(self, code: str) -> dict[str, Any]:
        return {"code": code, **self._keys(self.csr())}

    def renewal(self, present: x509.Certificate, present_key: Any) -> dict[str, Any]:
        csr = self.csr()
        signed = b"topscoop/1/renew\0" + _digest(present.public_bytes(Encoding.DER)) + _digest(_der(csr))
        return {
            "certificate_pem": present.public_bytes(Encoding.PEM).decode(),
            "proof": _text(SigningKey(present_key).sign(signed)),
            **self._keys(csr),
        }

    def _keys(self, csr: x509.CertificateSigningRequest) -> dict[str, Any]:
        key = self.signing.verification_key
        return {
            "csr_pem": csr.public_bytes(Encoding.PEM).decode(),
            "signing_key": {
                "algorithm": NAMES[key.algorithm],
                "public": _text(key.public),
                "proof": _text(self.signing.sign(b"topscoop/1/enrol\0" + _digest(_der(csr)))),
            },
            "agent_version": "1.2.3",
        }


def _der(csr: x509.CertificateSigningRequest) -> bytes:
    return csr.public_bytes(Encoding.DER)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
