"""X.509 as Topscoop uses it (RFC 5280): two small authorities, and what each may sign. ECDSA on P-256.

    registers' authority   client certificates, CN = tenant/register
    services' authority    client certificates, CN = the service; server certificates of broker and enrolment

No certificate of one is anything to whoever trusts the other, and no server certificate serves a client.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY_MS: Final = 24 * 3600 * 1000
AUTHORITY_DAYS: Final = 3650
SERVER_DAYS: Final = 365
SERVICE_DAYS: Final = 365
BACKDATED_MS: Final = DAY_MS
"""A till whose clock is a day behind still takes a fresh certificate."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that may sign others, with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        """The certificate as it is hashed for codes."""
        return self.certificate.public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class Life:
    """From when to when; a leaf never outlives its authority."""

    not_before_ms: int
    not_after_ms: int

    @classmethod
    def starting(cls, now_ms: int, days: int) -> "Life":
        """So many days from now, a little backdated."""
        return cls(now_ms - BACKDATED_MS, now_ms + days * DAY_MS)


def life_of(certificate: x509.Certificate) -> Life:
    """When a certificate is valid."""
    return Life(_ms(certificate.not_valid_before_utc), _ms(certificate.not_valid_after_utc))


def common_name_of(certificate: x509.Certificate) -> str:
    """The one common name.

    Raises:
        ValueError: There is none, or more than one.
    """
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise ValueError("a certificate has exactly one common name")
    return names[0].value


def serial_text(certificate: x509.Certificate) -> str:
    """The serial number as the database has it: hex."""
    return f"{certificate.serial_number:x}"


def pem(certificate: x509.Certificate) -> str:
    """The certificate as it is sent."""
    return certificate.public_bytes(Encoding.PEM).decode()


def new_authority(common_name: str, key: ec.EllipticCurvePrivateKey, now_ms: int) -> Authority:
    """A self-signed authority that signs leaves only (path length 0)."""
    name = _name(common_name)
    public = key.public_key()
    certificate = (
        _builder(name, name, public, Life.starting(now_ms, AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def client_certificate(
    authority: Authority, common_name: str, public: ec.EllipticCurvePublicKey, now_ms: int, days: int
) -> x509.Certificate:
    """For a register or a service that connects; the subject is ours to say, never the applicant's."""
    life = Life.starting(now_ms, days)
    return _leaf(authority, common_name, public, life, ExtendedKeyUsageOID.CLIENT_AUTH).sign(
        authority.key, hashes.SHA256()
    )


def server_certificate(
    authority: Authority, hosts: Sequence[str], public: ec.EllipticCurvePublicKey, now_ms: int, days: int
) -> x509.Certificate:
    """For broker and enrolment, under every host name and address in `hosts`."""
    names = x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])
    life = Life.starting(now_ms, days)
    return (
        _leaf(authority, "topscoop-server", public, life, ExtendedKeyUsageOID.SERVER_AUTH)
        .add_extension(names, critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def hosts_of(certificate: x509.Certificate) -> frozenset[str]:
    """The host names and addresses of a server certificate."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return frozenset(
        [
            *names.get_values_for_type(x509.DNSName),
            *map(str, names.get_values_for_type(x509.IPAddress)),
        ]
    )


def revocation_list(
    authority: Authority, revoked: Iterable[tuple[str, int]], now_ms: int
) -> x509.CertificateRevocationList:
    """The list of an authority's revoked certificates.

    An expired list refuses everybody, and mosquitto keeps the one that it last read. So it lives as long as
    its authority; a new one is written with every revocation, not by the calendar.

    Args:
        authority: Who signed the certificates.
        revoked: Serial (hex) and time of revocation, ms, of each.
        now_ms: The number of the list and when it was made.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(_time(now_ms - BACKDATED_MS))
        .next_update(authority.certificate.not_valid_after_utc)
        .add_extension(x509.CRLNumber(now_ms), critical=False)
        .add_extension(_issuer_id(authority), critical=False)
    )
    for serial, at_ms in sorted(revoked):
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(int(serial, 16))
            .revocation_date(_time(at_ms))
            .build()
        )
    return builder.sign(authority.key, hashes.SHA256())


def _leaf(
    authority: Authority,
    common_name: str,
    public: ec.EllipticCurvePublicKey,
    wanted: Life,
    purpose: x509.ObjectIdentifier,
) -> x509.CertificateBuilder:
    outer = life_of(authority.certificate)
    life = Life(max(wanted.not_before_ms, outer.not_before_ms), min(wanted.not_after_ms, outer.not_after_ms))
    return (
        _builder(_name(common_name), authority.certificate.subject, public, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(_issuer_id(authority), critical=False)
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, life: Life
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(life.not_before_ms))
        .not_valid_after(_time(life.not_after_ms))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _issuer_id(authority: Authority) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _time(at_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
