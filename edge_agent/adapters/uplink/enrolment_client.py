"""Enrolment and renewal over HTTPS, with nothing but the standard library (threats T5, T15, T20).

First contact: the code that the operator typed carries the fingerprint of the server's authority. The
authority's certificate is fetched over a connection that is not believed, compared with the fingerprint, and
from then on it is the only one that is believed.
"""

import base64
import hashlib
import http.client
import json
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from edge_agent.adapters.uplink.key_files import (
    ROOT_FILE,
    Credentials,
    Place,
    parse_anchors,
    private_pem,
)
from wire_protocol.enrolment_code import EnrolmentCode
from wire_protocol.errors import OperatorError
from wire_protocol.keys import SigningKey
from wire_protocol.topics import Identity

TIMEOUT_S: Final = 20.0
MAX_ANSWER_BYTES: Final = 1 << 20
CLOCK_TOLERANCE_MS: Final = 300_000
"""The register's and the cloud's clock may differ by so much without a warning."""
_PROOF_LABEL: Final = b"topscoop/1/enrol\0"
_RENEWAL_LABEL: Final = b"topscoop/1/renew\0"
_CLOCK_WORDS: Final = ("not yet valid", "has expired")


class EnrolmentError(OperatorError):
    """The register could not be enrolled, or its certificate not renewed; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Applicant:
    """The keys that ask for a certificate, made on this register and never sent anywhere."""

    tls: ec.EllipticCurvePrivateKey
    signing: SigningKey

    @classmethod
    def new(cls, signing: SigningKey | None = None) -> "Applicant":
        """Fresh keys; at a renewal the signing key stays."""
        return cls(ec.generate_private_key(ec.SECP256R1()), signing or SigningKey.generate())

    def body(self, identity: Identity, agent_version: str) -> dict[str, Any]:
        """What is sent: a CSR (its subject is only a wish) and the signing key with a proof of possession."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.common_name)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self.tls, hashes.SHA256())
        digest = hashlib.sha256(csr.public_bytes(Encoding.DER)).digest()
        key = self.signing.verification_key
        return {
            "csr_pem": csr.public_bytes(Encoding.PEM).decode(),
            "signing_key": {
                "algorithm": {"EDDSA": "EdDSA"}.get(key.algorithm.name, key.algorithm.name),
                "public": _text(key.public),
                "proof": _text(self.signing.sign(_PROOF_LABEL + digest)),
            },
            "agent_version": agent_version,
        }


@dataclass(frozen=True, slots=True)
class Granted:
    """What the server answered, checked: files for `key_files.install`, and what else is worth telling."""

    files: dict[str, bytes]
    place: Place
    certificate: x509.Certificate
    blanks: tuple[bytes, ...]


def fetch_authority(url: str, code: EnrolmentCode) -> bytes:
    """The certificate (PEM) of the authority that the code names.

    Raises:
        EnrolmentError: The server is away, or shows another authority.
    """
    unbelieved = ssl.create_default_context()
    unbelieved.check_hostname = False
    unbelieved.verify_mode = ssl.CERT_NONE  # what comes is compared with the code's fingerprint
    answer = _request(url, "GET", "/v1/ca", None, unbelieved)
    if answer.status != HTTPStatus.OK:
        raise EnrolmentError(
            f"{url} answered {answer.status} when asked for its authority",
            remedy="Check --url: it must be the enrolment server that made the code.",
        )
    try:
        for certificate in x509.load_pem_x509_certificates(answer.body):
            if code.is_for(certificate.public_bytes(Encoding.DER)):
                return certificate.public_bytes(Encoding.PEM)
    except ValueError as error:
        raise EnrolmentError(
            f"{url} is no enrolment server: it shows no certificate", remedy="Check --url."
        ) from error
    raise EnrolmentError(
        f"{url} is not the server that made this code: it shows another authority",
        remedy="Check --url. If it is right, somebody stands between: do not go on, and tell your operator.",
    )


def enrol(url: str, ca_pem: bytes, code_text: str, applicant: Applicant, asked: "Asked") -> Granted:
    """Send the code over a connection that only the code's authority can have.

    Raises:
        EnrolmentError: Says why in plain words, with what to do.
    """
    believed = ssl.create_default_context(cadata=ca_pem.decode())
    believed.minimum_version = ssl.TLSVersion.TLSv1_2
    body = {"code": code_text, **applicant.body(asked.identity, asked.agent_version)}
    answer = _request(url, "POST", "/v1/enrolments", body, believed)
    return _granted(answer, url, applicant, asked)


def renew(credentials: Credentials, applicant: Applicant, asked: "Asked") -> Granted:
    """Ask for the next certificate; the present one's key signs for it.

    Raises:
        EnrolmentError: As `enrol`; the present certificate goes on.
    """
    context = ssl.create_default_context(cafile=str(credentials.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    url = credentials.place.url
    body = _renewal_body(credentials, applicant, asked)
    return _granted(_request(url, "POST", "/v1/renewals", body, context), url, applicant, asked)


def _renewal_body(credentials: Credentials, applicant: Applicant, asked: "Asked") -> dict[str, Any]:
    body = applicant.body(asked.identity, asked.agent_version)
    present = x509.load_pem_x509_certificate(credentials.certificate.read_bytes())
    key = load_pem_private_key(credentials.tls_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "our connection keys are on P-256"
    csr = x509.load_pem_x509_csr(body["csr_pem"].encode())
    ders = (present.public_bytes(Encoding.DER), csr.public_bytes(Encoding.DER))
    digests = b"".join(hashlib.sha256(der).digest() for der in ders)
    return {
        **body,
        "certificate_pem": present.public_bytes(Encoding.PEM).decode(),
        "proof": _text(SigningKey(key).sign(_RENEWAL_LABEL + digests)),
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and when: what the answer must fit."""

    identity: Identity
    store: str
    agent_version: str


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


def _request(
    url: str, method: str, path: str, body: dict[str, Any] | None, context: ssl.SSLContext
) -> _Answer:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise EnrolmentError(
            f"{url!r:.120} is no https:// address", remedy="Give the enrolment server's address with --url."
        )
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT_S, context=context)
    try:
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        # No redirect is followed: the answer comes from who was asked, or not at all.
        connection.request(method, parts.path.rstrip("/") + path, body=sent, headers=headers)
        answer = connection.getresponse()
        data = answer.read(MAX_ANSWER_BYTES + 1)
    except ssl.SSLCertVerificationError as error:
        raise _not_believed(url, error) from error
    except ssl.SSLError as error:
        raise EnrolmentError(
            f"{url}: no secure connection: {error.reason or error}",
            remedy="Check --url and its port; if the certificate was revoked or has expired, enrol again.",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise EnrolmentError(
            f"{url} does not answer: {error}", remedy="Check the network and --url, then try again."
        ) from error
    finally:
        connection.close()
    if len(data) > MAX_ANSWER_BYTES:
        raise EnrolmentError(f"{url} answers endlessly", remedy="Check --url.")
    return _Answer(answer.status, data)


def _not_believed(url: str, error: ssl.SSLCertVerificationError) -> EnrolmentError:
    if any(words in error.verify_message for words in _CLOCK_WORDS):
        return EnrolmentError(
            f"{url}: by this till's clock the server's certificate {error.verify_message}",
            remedy="Check this till's clock (`timedatectl`); if it is right, tell your operator.",
        )
    return EnrolmentError(
        f"{url} is not who it should be: {error.verify_message}",
        remedy="Check --url: the name in it must be one of the server's own.",
    )


def _granted(answer: _Answer, url: str, applicant: Applicant, asked: Asked) -> Granted:
    if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        raise _refused(answer, url)
    try:
        found = json.loads(answer.body)
        place = Place(
            Identity(found["tenant"], found["register"]),
            str(found["store"]),
            url,
            str(found["broker"]["host"]),
            int(found["broker"]["port"]),
            int(found["server_time_ms"]),
        )
        certificate = x509.load_pem_x509_certificate(found["certificate_pem"].encode())
        x509.load_pem_x509_certificates(found["ca_pem"].encode())
        parse_anchors(found["anchors"])
        blanks = tuple(base64.b64decode(blank, validate=True) for blank in found.get("blanks", []))
        files = {
            "tls.key": private_pem(applicant.tls),
            "tls.crt": (found["certificate_pem"].strip() + "\n" + found["chain_pem"].strip() + "\n").encode(),
            "signing.key": private_pem(applicant.signing),
            "ca.crt": found["ca_pem"].encode(),
            "anchors.json": json.dumps(found["anchors"], indent=1).encode(),
            "identity.json": place.as_json(),
        }
        if (root := found.get("release_root")) is not None:
            files[ROOT_FILE] = base64.b64decode(root, validate=True)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EnrolmentError(
            f"{url} answered something that is no certificate: {error}",
            remedy="Check that agent and server are of versions that fit.",
        ) from error
    _check_fits(place, certificate, applicant, asked)
    return Granted(files, place, certificate, blanks)


def _check_fits(place: Place, certificate: x509.Certificate, applicant: Applicant, asked: Asked) -> None:
    if place.identity != asked.identity or place.store != asked.store:
        raise EnrolmentError(
            f"the code is for register {place.identity} of store {place.store}, "
            f"this configuration says {asked.identity} of {asked.store}",
            remedy="Correct tenant, store and register in the configuration, or ask for another code.",
        )
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fits = certificate.public_key().public_bytes(*form) == applicant.tls.public_key().public_bytes(*form)
    if not fits or [name.value for name in names] != [asked.identity.common_name]:
        raise EnrolmentError(
            "the server's certificate is for another key or another name",
            remedy="Try again; if it repeats, tell your operator.",
        )


_WORDS: Final = {
    HTTPStatus.UNAUTHORIZED: "the server does not know this register's certificate",
    HTTPStatus.FORBIDDEN: "the server does not accept the code or the certificate",
    HTTPStatus.NOT_FOUND: "the server knows no such code",
    HTTPStatus.GONE: "the code is over: it was used, or its time is up",
    HTTPStatus.TOO_MANY_REQUESTS: "there were too many tries",
}


def _refused(answer: _Answer, url: str) -> EnrolmentError:
    """The server's own words where it has some (RFC 9457); they name code, expiry and tries apart."""
    said, remedy = "", ""
    try:
        problem = json.loads(answer.body)
        if isinstance(problem, dict):
            said, remedy = str(problem.get("detail", ""))[:300], str(problem.get("remedy", ""))[:300]
    except ValueError:
        said = ""  # not JSON: the status says enough
    words = said or _WORDS.get(HTTPStatus(answer.status), f"the server answered {answer.status}")
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return EnrolmentError(f"{url}: {words}", remedy=remedy or "Try again in a few minutes.")
    return EnrolmentError(
        f"{url}: {words}", remedy=remedy or "Ask your operator for a new code, and type it within its time."
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
