"""What a register sends to enrol or to renew, checked as far as no database is needed."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cloud.enrolment.certificates import Authority, common_name_of, life_of
from cloud.enrolment.errors import BadEnrolmentRequest, RenewalRefused
from wire_protocol import enrolment_code
from wire_protocol.enrolment_code import EnrolmentCode
from wire_protocol.keys import Algorithm, VerificationKey
from wire_protocol.topics import Identity

PROOF_LABEL: Final = b"topscoop/1/enrol\0"
RENEWAL_LABEL: Final = b"topscoop/1/renew\0"
BODY_MAX_BYTES: Final = 16 * 1024

ALGORITHM_NAMES: Final = {"EdDSA": Algorithm.EDDSA, "ES256": Algorithm.ES256}
"""As JSON has them."""

_VERSION: Final = re.compile(r"[0-9A-Za-z.+-]{1,32}\Z")


@dataclass(frozen=True, slots=True)
class Applicant:
    """The keys of who asks, each proved to be in its hands.

    Attributes:
        tls: Goes into the certificate.
        signing: Signs messages.
    """

    tls: ec.EllipticCurvePublicKey
    signing: VerificationKey
    agent_version: str


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """A code, and the keys that it shall let in."""

    code: EnrolmentCode
    applicant: Applicant


@dataclass(frozen=True, slots=True)
class RenewalRequest:
    """A certificate that is ours and in its owner's hands, and the keys for the next one."""

    identity: Identity
    certificate: x509.Certificate
    applicant: Applicant


def parse_enrolment(body: Mapping[str, Any]) -> EnrolmentRequest:
    """An enrolment.

    Raises:
        BadEnrolmentRequest: The form is wrong, or a proof fails.
    """
    _check_names(body, {"code", "csr_pem", "signing_key", "agent_version"})
    try:
        code = enrolment_code.parse(_text(body, "code"))
    except ValueError as error:
        raise BadEnrolmentRequest(str(error), remedy="Read the code again and type it once more.") from error
    return EnrolmentRequest(code, _applicant(body, _csr(body)))


def parse_renewal(body: Mapping[str, Any], authority: Authority, now_ms: int) -> RenewalRequest:
    """A renewal; the present certificate is ours, valid, and its key signs for the new one.

    Args:
        body: The JSON object.
        authority: Of registers.
        now_ms: Now.

    Raises:
        BadEnrolmentRequest: The form is wrong, or a proof fails.
        RenewalRefused: The certificate is not ours, or its time is over.
    """
    _check_names(body, {"certificate_pem", "csr_pem", "proof", "signing_key", "agent_version"})
    csr = _csr(body)
    certificate = _certificate(_text(body, "certificate_pem"))
    # 1. Whose certificate it is.
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        identity = Identity.parse(common_name_of(certificate))
    except (ValueError, TypeError, InvalidSignature) as error:
        raise RenewalRefused("certificate-foreign", "the certificate is none of this authority's") from error
    # 2. That its key is in the hands of who asks.
    signed = RENEWAL_LABEL + _digest(certificate.public_bytes(Encoding.DER)) + _digest(_der(csr))
    if not _verification_key(certificate).verifies(_bytes(body, "proof"), signed):
        raise BadEnrolmentRequest("`proof` is not the present key's signature over certificate and request")
    # 3. That its time has come and is not over.
    life = life_of(certificate)
    if not life.not_before_ms <= now_ms < life.not_after_ms:
        raise RenewalRefused("certificate-expired", "the certificate is not valid now")
    return RenewalRequest(identity, certificate, _applicant(body, csr))


def _applicant(body: Mapping[str, Any], csr: x509.CertificateSigningRequest) -> Applicant:
    tls = csr.public_key()
    if not isinstance(tls, ec.EllipticCurvePublicKey) or not isinstance(tls.curve, ec.SECP256R1):
        raise BadEnrolmentRequest("the request's key is not on P-256", remedy="Make an ECDSA key on P-256.")
    claimed = body.get("signing_key")
    if not isinstance(claimed, dict):
        raise BadEnrolmentRequest("`signing_key` must be an object")
    _check_names(claimed, {"algorithm", "public", "proof"})
    algorithm = ALGORITHM_NAMES.get(_text(claimed, "algorithm"))
    if algorithm is None:
        raise BadEnrolmentRequest("`signing_key.algorithm` must be EdDSA or ES256")
    try:
        signing = VerificationKey(algorithm, _bytes(claimed, "public"))
    except ValueError as error:
        raise BadEnrolmentRequest("`signing_key.public` is no key of that algorithm") from error
    if not signing.verifies(_bytes(claimed, "proof"), PROOF_LABEL + _digest(_der(csr))):
        raise BadEnrolmentRequest("`signing_key.proof` is not that key's signature over the request")
    if signing.public == _point(tls):
        raise BadEnrolmentRequest("signing key and TLS key must be two keys")
    version = _text(body, "agent_version")
    if not _VERSION.match(version):
        raise BadEnrolmentRequest("`agent_version` must be 1 to 32 of letters, digits, and . + -")
    return Applicant(tls, signing, version)


def _csr(body: Mapping[str, Any]) -> x509.CertificateSigningRequest:
    try:
        csr = x509.load_pem_x509_csr(_text(body, "csr_pem").encode())
        good = csr.is_signature_valid
        csr.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadEnrolmentRequest("`csr_pem` is no certificate request (PKCS #10, PEM)") from error
    if not good:
        raise BadEnrolmentRequest("the certificate request is not signed by its own key")
    return csr


def _certificate(pem: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadEnrolmentRequest("`certificate_pem` is no certificate (PEM)") from error
    return certificate


def _verification_key(certificate: x509.Certificate) -> VerificationKey:
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey), "our authority signs keys on P-256 only"
    return VerificationKey(Algorithm.ES256, _point(key))


def _check_names(body: Mapping[str, Any], names: set[str]) -> None:
    if wrong := sorted(names ^ set(body)):
        raise BadEnrolmentRequest(f"missing or unknown: {', '.join(f'`{name[:32]}`' for name in wrong[:5])}")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadEnrolmentRequest(f"`{name}` must be a text")
    return value


def _bytes(body: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(body, name), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnrolmentRequest(f"`{name}` must be Base64") from error


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _der(csr: x509.CertificateSigningRequest) -> bytes:
    return csr.public_bytes(Encoding.DER)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
