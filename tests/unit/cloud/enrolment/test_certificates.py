"""What our authorities sign, and what nobody takes for something else."""

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from cloud.enrolment import certificates
from cloud.enrolment.certificates import DAY_MS, Life, life_of

NOW_MS = 1_795_000_000_000


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def authority() -> certificates.Authority:
    return certificates.new_authority("an authority", _key(), NOW_MS)


def test_an_authority_signs_leaves_only(authority: certificates.Authority) -> None:
    """Path length 0: what it signs can sign nothing."""
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = authority.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature


def test_a_client_certificate_is_for_clients(authority: certificates.Authority) -> None:
    """T7: its subject is one common name, and it serves nobody."""
    made = certificates.client_certificate(authority, "gelato/till-1", _key().public_key(), NOW_MS, 90)
    assert certificates.common_name_of(made) == "gelato/till-1"
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    made.verify_directly_issued_by(authority.certificate)
    assert life_of(made) == Life(NOW_MS - DAY_MS, NOW_MS + 90 * DAY_MS)


def test_a_server_certificate_is_believed_under_its_names(authority: certificates.Authority) -> None:
    """By a strict verifier (RFC 5280), host names and addresses alike; under another name it is not."""
    hosts = ["broker.example", "127.0.0.1", "::1"]
    made = certificates.server_certificate(authority, hosts, _key().public_key(), NOW_MS, 365)
    assert certificates.hosts_of(made) == set(hosts)
    policy = PolicyBuilder().store(Store([authority.certificate])).time(made.not_valid_before_utc)
    assert policy.build_server_verifier(x509.DNSName("broker.example")).verify(made, [])
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("other.example")).verify(made, [])


def test_a_leaf_never_outlives_its_authority(authority: certificates.Authority) -> None:
    """T20: so an alarm for the authority is one for everything below it."""
    made = certificates.client_certificate(authority, "a", _key().public_key(), NOW_MS + 3600 * DAY_MS, 90)
    assert life_of(made).not_after_ms == life_of(authority.certificate).not_after_ms


def test_one_authority_is_nothing_to_the_other(authority: certificates.Authority) -> None:
    """T7: same names, other key."""
    other = certificates.new_authority("an authority", _key(), NOW_MS)
    made = certificates.client_certificate(other, "gelato/till-1", _key().public_key(), NOW_MS, 90)
    with pytest.raises(InvalidSignature):
        made.verify_directly_issued_by(authority.certificate)


def test_the_list_of_revoked_ones_lives_as_long_as_its_authority(authority: certificates.Authority) -> None:
    """T20: an expired list would refuse everybody."""
    made = certificates.revocation_list(authority, [("ff", NOW_MS), ("1", NOW_MS - 5000)], NOW_MS)
    public = authority.certificate.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert made.is_signature_valid(public)
    assert made.next_update_utc == authority.certificate.not_valid_after_utc
    assert sorted(one.serial_number for one in made) == [1, 255]


def test_a_certificate_without_exactly_one_name_has_none() -> None:
    """Two common names could be read two ways."""
    names = [x509.NameAttribute(NameOID.COMMON_NAME, text) for text in ("gelato/till-1", "admin")]
    key = _key()
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name(names))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(certificates._time(NOW_MS))
        .not_valid_after(certificates._time(NOW_MS + 1000))
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(ValueError, match="exactly one"):
        certificates.common_name_of(made)
