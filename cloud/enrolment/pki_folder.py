"""The authorities' folder, `state_dir/pki`: made once, never committed, readable by its owner only.

registers-ca.crt  registers-ca.key     signs registers
services-ca.crt   services-ca.key      signs services and servers
registers.crl                          revoked registers
server.crt        server.key           broker and enrolment
gateway.crt       gateway.key          the gateway, in development; elsewhere a public authority signs it
services/{name}.crt  {name}.key        collector, keeper, rollout, files, admin
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cloud.enrolment import certificates
from cloud.enrolment.certificates import Authority, life_of
from cloud.enrolment.errors import PkiError
from cloud.enrolment.expiry import Ending, Expiring, renewal_due
from cloud.enrolment.files import check_private, write_file

T = TypeVar("T")

REGISTERS: Final = "registers-ca"
SERVICES: Final = "services-ca"
SERVER: Final = "server"
GATEWAY: Final = "gateway"
REVOCATION_LIST: Final = "registers.crl"
SERVICE_NAMES: Final = ("collector", "keeper", "rollout", "files", "admin")
"""Services that connect to the broker; no name has a slash, so none can be a register's."""


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """What a program needs for mutual TLS.

    Attributes:
        ca: Whom the other side's certificate must come from.
    """

    ca: Path
    certificate: Path
    key: Path


class PkiFolder:
    """The folder; every file of it is written whole or not at all."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "pki"

    # ---- making -------------------------------------------------------------------------------------------

    def prepare(self, hosts: Sequence[str], now_ms: int) -> list[str]:
        """Make what is missing and renew what has lived two thirds of its life; authorities are kept.

        Args:
            hosts: Names and addresses of broker and enrolment.
            now_ms: Now.

        Returns:
            The files that were written.
        """
        (self.path / "services").mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        written = []
        for name in (REGISTERS, SERVICES):
            if not self._certificate_path(name).exists():
                key = ec.generate_private_key(ec.SECP256R1())
                authority = certificates.new_authority(f"topscoop {name}", key, now_ms)
                written += self._write_pair(name, authority.certificate, key)
        if not (self.path / REVOCATION_LIST).exists():
            self.write_revocation_list([], now_ms)
            written.append(REVOCATION_LIST)
        written += self._issue_server(SERVER, hosts, now_ms)
        for service in SERVICE_NAMES:
            if self._stale(f"services/{service}", now_ms):
                written += self._issue_service(service, now_ms)
        return written

    def prepare_gateway(self, hosts: Sequence[str], now_ms: int) -> list[str]:
        """Make or renew the gateway's certificate in a folder that `prepare` made.

        Args:
            hosts: Every name that browsers call it by.
            now_ms: Now.

        Returns:
            The files that were written.
        """
        return self._issue_server(GATEWAY, hosts, now_ms)

    def write_revocation_list(self, revoked: Iterable[tuple[str, int]], now_ms: int) -> bytes:
        """Write the list of revoked registers (serial in hex, time of revocation) and return it."""
        made = certificates.revocation_list(self.registers, revoked, now_ms)
        pem = made.public_bytes(Encoding.PEM)
        write_file(self.path / REVOCATION_LIST, pem)
        return pem

    # ---- reading ------------------------------------------------------------------------------------------

    @property
    def registers(self) -> Authority:
        """Who signs registers."""
        return self._authority(REGISTERS)

    @property
    def services(self) -> Authority:
        """Who signs services and servers; what a register trusts, and what its code names."""
        return self._authority(SERVICES)

    @property
    def services_certificate(self) -> Path:
        """The file that clients trust servers by."""
        return self._certificate_path(SERVICES)

    @property
    def registers_certificate(self) -> Path:
        """The file that servers trust registers by."""
        return self._certificate_path(REGISTERS)

    @property
    def revocation_list(self) -> Path:
        """The file of revoked registers."""
        return self.path / REVOCATION_LIST

    def revoked_serials(self) -> set[str]:
        """What the list of revoked registers holds, in hex."""
        listed = self._read(self.revocation_list, x509.load_pem_x509_crl)
        return {f"{one.serial_number:x}" for one in listed}

    def server_files(self) -> CredentialFiles:
        """For broker and enrolment; `ca` is whom they trust registers by."""
        return self._files(SERVER, self.registers_certificate)

    def gateway_files(self) -> CredentialFiles:
        """For the gateway; `ca` is whom browsers are to trust it by."""
        return self._files(GATEWAY, self.services_certificate)

    def service_files(self, service: str) -> CredentialFiles:
        """For a service that connects to the broker."""
        return self._files(f"services/{service}", self.services_certificate)

    def endings(self) -> list[Ending]:
        """Everything in the folder that expires."""
        kinds = {REGISTERS: Expiring.AUTHORITY, SERVICES: Expiring.AUTHORITY, SERVER: Expiring.SERVER}
        if self._certificate_path(GATEWAY).exists():
            kinds[GATEWAY] = Expiring.SERVER
        kinds |= {f"services/{name}": Expiring.SERVICE for name in SERVICE_NAMES}
        found = []
        for name, kind in kinds.items():
            life = life_of(self._certificate(name))
            found.append(Ending(kind, name, life.not_before_ms, life.not_after_ms))
        made = self._read(self.revocation_list, x509.load_pem_x509_crl)
        until = made.next_update_utc
        if until is not None:
            start_ms, end_ms = (int(at.timestamp()) * 1000 for at in (made.last_update_utc, until))
            found.append(Ending(Expiring.REVOCATION_LIST, REVOCATION_LIST, start_ms, end_ms))
        return found

    # ---- inside -------------------------------------------------------------------------------------------

    def _issue_server(self, name: str, hosts: Sequence[str], now_ms: int) -> list[str]:
        if not self._stale(name, now_ms) and self._serves(name, hosts):
            return []
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificates.server_certificate(
            self.services, hosts, key.public_key(), now_ms, certificates.SERVER_DAYS
        )
        return self._write_pair(name, made, key, self.services.certificate)

    def _issue_service(self, service: str, now_ms: int) -> list[str]:
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificates.client_certificate(
            self.services, service, key.public_key(), now_ms, certificates.SERVICE_DAYS
        )
        return self._write_pair(f"services/{service}", made, key)

    def _stale(self, name: str, now_ms: int) -> bool:
        if not (self._certificate_path(name).exists() and self._key_path(name).exists()):
            return True
        certificate, life = self._certificate(name), life_of(self._certificate(name))
        if certificate.public_key() != self._key(name).public_key():
            return True  # a crash between the two files
        return renewal_due(life.not_before_ms, life.not_after_ms, now_ms)

    def _serves(self, name: str, hosts: Sequence[str]) -> bool:
        return certificates.hosts_of(self._certificate(name)) >= set(hosts)

    def _authority(self, name: str) -> Authority:
        return Authority(self._certificate(name), self._key(name))

    def _key(self, name: str) -> ec.EllipticCurvePrivateKey:
        key = self._read(self._key_path(name), lambda data: load_pem_private_key(data, None))
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise PkiError(f"{self._key_path(name)} holds no key on P-256")
        return key

    def _certificate(self, name: str) -> x509.Certificate:
        return self._read(self._certificate_path(name), x509.load_pem_x509_certificate)

    def _files(self, name: str, ca: Path) -> CredentialFiles:
        files = CredentialFiles(ca, self._certificate_path(name), self._key_path(name))
        for path in (files.ca, files.certificate, files.key):
            check_private(path)
        return files

    def _certificate_path(self, name: str) -> Path:
        return self.path / f"{name}.crt"

    def _key_path(self, name: str) -> Path:
        return self.path / f"{name}.key"

    def _write_pair(
        self,
        name: str,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        *chain: x509.Certificate,
    ) -> list[str]:
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *chain))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # The key first: a certificate without its key would pass for complete.
        write_file(self._key_path(name), private)
        write_file(self._certificate_path(name), pem)
        return [f"{name}.key", f"{name}.crt"]

    @staticmethod
    def _read(path: Path, load: Callable[[bytes], T]) -> T:
        check_private(path)
        try:
            return load(path.read_bytes())
        except (ValueError, TypeError, OSError) as error:
            raise PkiError(f"{path} cannot be read: {error}", remedy="Restore it from a backup.") from error
