"""What a register sends, and every way to be wrong about it."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from cloud.enrolment import certificates
from cloud.enrolment.certificates import DAY_MS
from cloud.enrolment.errors import BadEnrolmentRequest, RenewalRefused
from cloud.enrolment.request import parse_enrolment, parse_renewal
from tests.builders.applicant import PaperApplicant
from wire_protocol import enrolment_code
from wire_protocol.keys import Algorithm, SigningKey
from wire_protocol.topics import Identity

NOW_MS = 1_795_000_000_000
CODE = enrolment_code.make(bytes(range(15)), bytes(32))


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


REGISTERS = certificates.new_authority("registers", _key(), NOW_MS)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_good_request_is_taken(algorithm: Algorithm) -> None:
    """With a signing key of either algorithm."""
    applicant = PaperApplicant(signing=SigningKey.generate(algorithm))
    request = parse_enrolment(applicant.enrolment(CODE))
    assert request.code.secret == bytes(range(15))
    assert request.applicant.signing == applicant.signing.verification_key
    assert request.applicant.tls == applicant.tls.public_key()
    assert request.applicant.agent_version == "1.2.3"


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def _signing(body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**body, "signing_key": {**body["signing_key"], **changes}}


GOOD = PaperApplicant().enrolment(CODE)
OTHER = PaperApplicant().enrolment(CODE)
SHARED = _key()
WRONG = {
    "nothing": {},
    "a part is missing": _without(GOOD, "agent_version"),
    "a part is unknown": {**GOOD, "subject": "gelato/till-1"},
    "the code is mistyped": {**GOOD, "code": CODE[:-1] + ("0" if CODE[-1] != "0" else "1")},
    "the code is no text": {**GOOD, "code": 5},
    "the request is nonsense": {**GOOD, "csr_pem": "nonsense"},
    "the request is a certificate": {**GOOD, "csr_pem": certificates.pem(REGISTERS.certificate)},
    "another's request": {**GOOD, "csr_pem": OTHER["csr_pem"]},
    "RSA": PaperApplicant(tls=rsa.generate_private_key(65537, 2048)).enrolment(CODE),
    "P-384": PaperApplicant(tls=ec.generate_private_key(ec.SECP384R1())).enrolment(CODE),
    "no signing key": {**GOOD, "signing_key": None},
    "signing key of an unknown algorithm": _signing(GOOD, algorithm="RS256"),
    "signing key of another algorithm": _signing(GOOD, algorithm="ES256"),
    "signing key is no Base64": _signing(GOOD, public="***"),
    "signing key is too short": _signing(GOOD, public="AAAA"),
    "proof of another key": _signing(GOOD, proof=OTHER["signing_key"]["proof"]),
    "proof is empty": _signing(GOOD, proof=""),
    "another's signing key": {**GOOD, "signing_key": OTHER["signing_key"]},
    "one key for both": PaperApplicant(tls=SHARED, signing=SigningKey(SHARED)).enrolment(CODE),
    "version with a line break": {**GOOD, "agent_version": "1\n2"},
    "version too long": {**GOOD, "agent_version": "1" * 33},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(body: dict[str, Any]) -> None:
    """T2: whatever is missing, foreign or unproved."""
    with pytest.raises(BadEnrolmentRequest):
        parse_enrolment(body)


def test_a_request_that_was_tampered_with_is_refused() -> None:
    """T2: the request's own signature is checked, byte by byte."""
    applicant = PaperApplicant()
    der = bytearray(applicant.csr().public_bytes(Encoding.DER))
    der[-1] ^= 1
    text = base64.encodebytes(bytes(der)).decode()
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"
    with pytest.raises(BadEnrolmentRequest):
        parse_enrolment({**applicant.enrolment(CODE), "csr_pem": pem})


class Renewer:
    """A register with a certificate."""

    def __init__(self, name: str = "gelato/till-1", authority: certificates.Authority = REGISTERS) -> None:
        self.key = _key()
        self.certificate = certificates.client_certificate(authority, name, self.key.public_key(), NOW_MS, 90)

    def body(self, key: Any = None) -> dict[str, Any]:
        return PaperApplicant().renewal(self.certificate, key or self.key)


def test_a_good_renewal_is_taken() -> None:
    """The identity is the certificate's."""
    renewer = Renewer()
    request = parse_renewal(renewer.body(), REGISTERS, NOW_MS + 60 * DAY_MS)
    assert request.identity == Identity("gelato", "till-1")
    assert request.certificate == renewer.certificate


def test_a_renewal_needs_the_present_key() -> None:
    """T1: the certificate alone, which anybody can see, is nothing."""
    renewer = Renewer()
    with pytest.raises(BadEnrolmentRequest, match="proof"):
        parse_renewal(renewer.body(_key()), REGISTERS, NOW_MS)


def test_a_proof_is_for_one_request() -> None:
    """T3: a proof that was seen is worth nothing with other keys."""
    renewer = Renewer()
    body = {**renewer.body(), "proof": renewer.body()["proof"]}
    with pytest.raises(BadEnrolmentRequest, match="proof"):
        parse_renewal(body, REGISTERS, NOW_MS)


def test_a_certificate_of_another_authority_is_refused() -> None:
    """T7: the services' among them."""
    services = certificates.new_authority("registers", _key(), NOW_MS)
    with pytest.raises(RenewalRefused) as caught:
        parse_renewal(Renewer(authority=services).body(), REGISTERS, NOW_MS)
    assert caught.value.problem == "certificate-foreign"


def test_a_certificate_of_no_register_is_refused() -> None:
    """The authority's own, or one with another name."""
    for body in (Renewer("admin").body(), PaperApplicant().renewal(REGISTERS.certificate, REGISTERS.key)):
        with pytest.raises(RenewalRefused):
            parse_renewal(body, REGISTERS, NOW_MS)


@pytest.mark.parametrize("days", [-2, 90, 400])
def test_an_expired_certificate_renews_nothing(days: int) -> None:
    """T20: then a new code is needed; T15: one that is not valid yet neither."""
    with pytest.raises(RenewalRefused) as caught:
        parse_renewal(Renewer().body(), REGISTERS, NOW_MS + days * DAY_MS)
    assert caught.value.problem == "certificate-expired"


def test_nonsense_in_place_of_a_certificate_is_refused() -> None:
    """In words."""
    with pytest.raises(BadEnrolmentRequest, match="certificate_pem"):
        parse_renewal({**Renewer().body(), "certificate_pem": "x"}, REGISTERS, NOW_MS)


def test_a_certificate_request_on_ed25519_is_refused() -> None:
    """P-256 alone for TLS: mosquitto's and every till's library take it."""
    key = ed25519.Ed25519PrivateKey.generate()
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, None)
    body = {**GOOD, "csr_pem": csr.public_bytes(Encoding.PEM).decode()}
    with pytest.raises(BadEnrolmentRequest, match="P-256"):
        parse_enrolment(body)
