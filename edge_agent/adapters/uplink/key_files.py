"""Who this register is: keys, certificate and trust anchors in `<data_dir>/uplink`, for its owner only.

Several files change together. A set is written beside the old one, made durable, marked complete, and only
then moved over; whoever opens the folder finishes what a power cut interrupted, so the set is old or new.
"""

import base64
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from edge_agent.adapters.durable import sync_folder, write_durably
from edge_agent.uplink.anchors import Anchor, Anchors, Purpose
from edge_agent.uplink.certificate_life import CertificateLife
from wire_protocol.envelope import KeyRecord
from wire_protocol.errors import OperatorError
from wire_protocol.keys import Algorithm, SigningKey, VerificationKey
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.topics import Identity

FOLDER: Final = "uplink"
NAMES: Final = ("tls.key", "tls.crt", "signing.key", "ca.crt", "anchors.json", "identity.json")
"""Every file of a set; `identity.json` last, because who finds it may expect the others."""
BLANKS_FILE: Final = "blanks.json"
"""Consent blanks of the enrolment, until the agent has taken them in."""
ROOT_FILE: Final = "release-root.json"
"""The root of trust of the chain's releases; not there while the chain signs none."""
_NEXT: Final = "next"
_COMPLETE: Final = "complete"
_FOLDER_MODE: Final = 0o700
_OTHERS: Final = 0o077


class IdentityError(OperatorError):
    """The files of the enrolment are missing, damaged, or others may read them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the register belongs and whom it talks to; the content of `identity.json`.

    Args:
        identity: Tenant and register.
        store: Where it stands.
        url: Of the enrolment server, for renewals.
        broker_host: As its certificate has it.
        broker_port: Its listener for registers.
        server_time_ms: The cloud's time at the enrolment: the first floor of the register's clock.
    """

    identity: Identity
    store: str
    url: str
    broker_host: str
    broker_port: int
    server_time_ms: int

    def as_json(self) -> bytes:
        """As the file has it."""
        document = {
            "tenant": self.identity.tenant,
            "register": self.identity.register,
            "store": self.store,
            "url": self.url,
            "broker": {"host": self.broker_host, "port": self.broker_port},
            "server_time_ms": self.server_time_ms,
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Place":
        """What the file says; raises ValueError, KeyError or TypeError."""
        found = json.loads(data)
        return cls(
            Identity(found["tenant"], found["register"]),
            str(found["store"]),
            str(found["url"]),
            str(found["broker"]["host"]),
            int(found["broker"]["port"]),
            int(found["server_time_ms"]),
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """The whole set, read."""

    folder: Path
    place: Place
    signing: SigningKey
    anchors: Anchors
    life: CertificateLife

    @property
    def tls_key(self) -> Path:
        """The private key of the connection."""
        return self.folder / "tls.key"

    @property
    def certificate(self) -> Path:
        """The client certificate and what signed it."""
        return self.folder / "tls.crt"

    @property
    def ca(self) -> Path:
        """The only authority whose servers are believed."""
        return self.folder / "ca.crt"


def is_enrolled(folder: Path) -> bool:
    """Whether there is a set, finished or about to be."""
    return (folder / "identity.json").exists() or (folder / _NEXT / _COMPLETE).exists()


def load(folder: Path) -> Credentials:
    """Read the set, after finishing what was interrupted.

    Raises:
        IdentityError: Says which file, and what to do.
    """
    _finish(folder)
    _check_modes(folder)
    try:
        contents = {name: (folder / name).read_bytes() for name in NAMES}
    except OSError as error:
        raise IdentityError(
            f"{error.filename}: {error.strerror}", remedy="Enrol this register: `topscoop edge enrol`."
        ) from error
    try:
        place = Place.parse(contents["identity.json"])
        certificate = x509.load_pem_x509_certificates(contents["tls.crt"])[0]
        return Credentials(
            folder=folder,
            place=place,
            signing=_signing_key(contents["signing.key"]),
            anchors=parse_anchors(json.loads(contents["anchors.json"])),
            life=life_of(certificate),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise IdentityError(
            f"{folder}: a file of the enrolment is damaged: {error}",
            remedy="Enrol this register again with a new code: `topscoop edge enrol --again`.",
        ) from error


def install(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put files of the set in place; those not given stay. Durable on return, and all or nothing.

    Raises:
        IdentityError: The disk refused; the old set is untouched.
    """
    assert set(contents) <= {*NAMES, BLANKS_FILE, ROOT_FILE}, "only files of the set"
    draft = folder / _NEXT
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        folder.chmod(_FOLDER_MODE)
        _finish(folder)
        draft.mkdir(mode=_FOLDER_MODE)
        for name, data in contents.items():
            write_durably(draft / name, data)
        write_durably(draft / _COMPLETE, b"")
        sync_folder(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise IdentityError(
            f"{folder}: cannot be written to: {error.strerror}",
            remedy="Free some space, or give the folder to the agent's user, and try again.",
        ) from error
    _finish(folder)


def private_pem(key: SigningKey | ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as its file has it (PKCS #8, PEM)."""
    private = key.private if isinstance(key, SigningKey) else key
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def life_of(certificate: x509.Certificate) -> CertificateLife:
    """When a certificate is valid."""
    return CertificateLife(
        int(certificate.not_valid_before_utc.timestamp() * 1000),
        int(certificate.not_valid_after_utc.timestamp() * 1000),
    )


def parse_anchors(listed: Any) -> Anchors:
    """The trust anchors of an enrolment's answer; purposes that this version does not know are left out.

    Raises:
        ValueError, KeyError, TypeError: It is no such list.
    """
    known = {purpose.value for purpose in Purpose}
    return Anchors(
        Anchor(
            Purpose(one["purpose"]),
            KeyRecord(
                VerificationKey(_algorithm(one["algorithm"]), base64.b64decode(one["public"], validate=True)),
                int(one["valid_from_ms"]),
                TIME_MAX_MS if one.get("valid_until_ms") is None else int(one["valid_until_ms"]),
            ),
        )
        for one in listed
        if one["purpose"] in known
    )


def open_to_others(folder: Path) -> list[Path]:
    """The files of the set, and the folder, that somebody else may read."""
    places = [folder, *(folder / name for name in (*NAMES, ROOT_FILE))]
    return [path for path in places if path.exists() and path.stat().st_mode & _OTHERS]


def _algorithm(name: object) -> Algorithm:
    return Algorithm(name) if isinstance(name, int) else Algorithm[str(name).upper()]


def _signing_key(pem: bytes) -> SigningKey:
    private = load_pem_private_key(pem, None)
    if not isinstance(private, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("signing.key holds another kind of key")  # noqa: TRY004 - the file's content is wrong
    return SigningKey(private)


def _check_modes(folder: Path) -> None:
    if keys := [path for path in open_to_others(folder) if path.suffix == ".key"]:
        raise IdentityError(
            f"{keys[0]}: others may read this key",
            remedy=f"`chmod 600 {keys[0]}`; if somebody may have copied it, revoke and enrol again.",
        )


def _finish(folder: Path) -> None:
    """Move a complete set over, or remove an incomplete one."""
    draft = folder / _NEXT
    if not draft.exists():
        return
    try:
        if (draft / _COMPLETE).exists():
            for name in (BLANKS_FILE, ROOT_FILE, *NAMES):
                if (draft / name).exists():
                    os.replace(draft / name, folder / name)  # noqa: PTH105 - Path.replace says the same, longer
            sync_folder(folder)
        shutil.rmtree(draft)
        sync_folder(folder)
    except OSError as error:
        raise IdentityError(
            f"{draft}: {error.strerror}", remedy="Give the folder to the agent's user and try again."
        ) from error
