"""A cloud in a test's hands: authorities, blanks, and a collector that verifies and answers as it is told."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.key_files import Place, private_pem
from wire_protocol import consent, envelope, handover
from wire_protocol.consent import Blank
from wire_protocol.envelope import Header, KeyRecord, VerifiedMessage
from wire_protocol.errors import RefusedMessage
from wire_protocol.fleet_messages import DesiredDown, FileBlockDown, FileRequestUp, FileStatus, Settings
from wire_protocol.handover_messages import HandoverDown, NoticeUp
from wire_protocol.keys import SigningKey
from wire_protocol.limits import TIME_MAX_MS
from wire_protocol.messages import BlanksDown, EraseDown, ReceiptDown, Verdict
from wire_protocol.sealing import unseal
from wire_protocol.topics import RECEIPTED, Down, Identity, Topic, Up

if TYPE_CHECKING:
    from collections.abc import Callable

IDENTITY = Identity("gelateria-sole", "till-1")
STORE = "rimini"

MTLS = """\
listener {port} 127.0.0.1
cafile {folder}/authority.crt
certfile {folder}/server.crt
keyfile {folder}/server.key
require_certificate true
use_identity_as_username true
use_username_as_clientid true
set_tcp_nodelay true
listener {ports[1]} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
"""
"""The first listener is the registers', the second the scripted collector's."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class PaperAuthority:
    """Signs what a test asks for, for as long as it asks."""

    def __init__(self, name: str = "test authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(_name(name), self.key, days=(-1, 365), authority=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def client(
        self, common_name: str, key: ec.EllipticCurvePrivateKey, days: tuple[float, float] = (-1, 90)
    ) -> bytes:
        made = self._sign(_name(common_name), key, days=days, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
        return made.public_bytes(Encoding.PEM)

    def server(self, folder: Path, host: str = "localhost", days: tuple[float, float] = (-1, 90)) -> None:
        """`server.crt`, `server.key` and `authority.crt` in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        made = self._sign(
            _name(host), key, days=days, purpose=ExtendedKeyUsageOID.SERVER_AUTH, extension=names
        )
        (folder / "server.crt").write_bytes(made.public_bytes(Encoding.PEM))
        (folder / "server.key").write_bytes(private_pem(key))
        (folder / "authority.crt").write_bytes(self.pem)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        days: tuple[float, float],
        authority: bool = False,
        purpose: x509.ObjectIdentifier | None = None,
        extension: x509.ExtensionType | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        issuer = subject if authority else self.certificate.subject
        signs = x509.KeyUsage(
            digital_signature=not authority,
            key_cert_sign=authority,
            crl_sign=authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(
                x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True
            )
            .add_extension(signs, critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if extension is not None:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class PaperCloud:
    """The cloud's keys, and what it gave to one register."""

    identity: Identity = IDENTITY
    receipts_key: SigningKey = field(default_factory=SigningKey.generate)
    consent_key: SigningKey = field(default_factory=SigningKey.generate)
    fleet_key: SigningKey = field(default_factory=SigningKey.generate)
    files_key: SigningKey = field(default_factory=SigningKey.generate)
    register_key: SigningKey = field(default_factory=SigningKey.generate)
    authority: PaperAuthority = field(default_factory=PaperAuthority)
    private_halves: dict[bytes, bytes] = field(default_factory=dict)

    def blank(self, *, usable_days: float = 90) -> bytes:
        """A new consent blank; its private half is kept here."""
        private = X25519PrivateKey.generate()
        blank_id = hashlib.sha256(private.private_bytes_raw()).digest()[:16]
        self.private_halves[blank_id] = private.private_bytes_raw()
        now_ms = _now_ms()
        return consent.make_blank(
            Blank(
                blank_id,
                self.identity.tenant,
                self.identity.register,
                private.public_key().public_bytes_raw(),
                now_ms,
                now_ms + int(usable_days * 86_400_000),
            ),
            self.consent_key,
        )

    def anchors_json(self) -> list[dict[str, Any]]:
        import base64

        return [
            {
                "purpose": purpose,
                "algorithm": "EdDSA",
                "public": base64.b64encode(key.verification_key.public).decode(),
                "valid_from_ms": 0,
                "valid_until_ms": TIME_MAX_MS,
            }
            for purpose, key in (
                ("receipts", self.receipts_key),
                ("consent", self.consent_key),
                ("fleet", self.fleet_key),
                ("files", self.files_key),
            )
        ]

    def enrol(
        self,
        data_dir: Path,
        *,
        port: int,
        host: str = "localhost",
        blanks: int = 5,
        days: tuple[float, float] = (-1, 90),
        server_time_ms: int | None = None,
        release_root: bytes | None = None,
    ) -> None:
        """Leave the files that an enrolment leaves."""
        tls = ec.generate_private_key(ec.SECP256R1())
        place = Place(
            self.identity,
            STORE,
            "https://localhost:1",
            host,
            port,
            _now_ms() if server_time_ms is None else server_time_ms,
        )
        certificate = self.authority.client(self.identity.common_name, tls, days)
        listed = [self.blank().hex() for _ in range(blanks)]
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key_files.install(
            data_dir / key_files.FOLDER,
            {
                "tls.key": private_pem(tls),
                "tls.crt": certificate + self.authority.pem,
                "signing.key": private_pem(self.register_key),
                "ca.crt": self.authority.pem,
                "anchors.json": json.dumps(self.anchors_json()).encode(),
                "identity.json": place.as_json(),
                key_files.BLANKS_FILE: json.dumps(listed).encode(),
            }
            | ({} if release_root is None else {key_files.ROOT_FILE: release_root}),
        )

    def verify(self, topic: str, message: bytes) -> VerifiedMessage:
        """As the collector would; raises RefusedMessage."""
        return envelope.verify(envelope.parse(message, Topic.parse(topic)), self._register_keys)

    def open_frame(self, frame: VerifiedMessage) -> bytes:
        """The JPEG inside a frame, with the private half of its blank."""
        receipt, sealed = frame.attachments
        agreed = consent.verify_receipt(receipt, self._register_keys, self._service_keys)
        info = envelope.seal_info(frame.header, frame.kid)
        return unseal(sealed, self.private_halves[agreed.consent_id], info)

    def receipt(self, message: VerifiedMessage, **fields: Any) -> bytes:
        """The receipt for a message: stored, unless `fields` say otherwise."""
        now_ms = _now_ms()
        chosen = {"verdict": Verdict.STORED, "version": "v1", **fields}
        payload = ReceiptDown(
            message=message.header.message_id, sha256=message.sha256, received_at=now_ms, **chosen
        )
        header = Header(Topic(self.identity, Down.RECEIPT), message.header.message_id, 0, now_ms)
        return envelope.make(header, payload, (), self.receipts_key)

    def blanks_message(self, blanks: list[bytes], key: SigningKey | None = None) -> bytes:
        header = Header(
            Topic(self.identity, Down.BLANKS), hashlib.sha256(blanks[0]).digest()[:16], 0, _now_ms()
        )
        return envelope.make(header, BlanksDown(tuple(blanks)), (), key or self.consent_key)

    def erase_message(self, consents: list[bytes]) -> bytes:
        header = Header(Topic(self.identity, Down.ERASE), consents[0], 0, _now_ms())
        return envelope.make(header, EraseDown(tuple(consents)), (), self.consent_key)

    def handover_message(self, code: str, notice: NoticeUp) -> bytes:
        """A yes to a notice, for the code that a display shows."""
        keys = [KeyRecord(self.register_key.verification_key)]
        said = handover.verify_code(handover.parse_code(code), self.identity.tenant, keys).handover
        payload = HandoverDown(
            handover=said.handover,
            interaction=said.interaction,
            purposes=notice.purposes,
            notice=hashlib.sha256(notice.text).digest(),
            language=notice.language,
            granted_at=_now_ms(),
            expires_at=said.expires_at_ms,
        )
        header = Header(Topic(self.identity, Down.HANDOVER), os.urandom(16), 0, _now_ms())
        return envelope.make(header, payload, (), self.consent_key)

    def desired(
        self, generation: int, release: int | None = None, digest: str | None = None, **settings: Any
    ) -> bytes:
        """A desired state; `settings` are those of the register, but for `rollout`."""
        rollout = settings.pop("rollout", None)
        payload = DesiredDown(generation, Settings(**settings), release, digest, rollout)
        header = Header(Topic(self.identity, Down.DESIRED), os.urandom(16), 0, _now_ms())
        return envelope.make(header, payload, (), self.fleet_key)

    def file_block(self, request: VerifiedMessage, repository: Path) -> bytes:
        """The answer to a `file-request` from the folder of a chain's repository."""
        asked = request.payload
        assert isinstance(asked, FileRequestUp)
        path, message_id = repository / asked.path, request.header.message_id
        attached: tuple[bytes, ...] = (b"",)
        if not path.is_file():
            payload = FileBlockDown(message_id, FileStatus.MISSING)
        else:
            data = path.read_bytes()
            piece = data[asked.offset : asked.offset + asked.length]
            status = FileStatus.OK if asked.offset <= len(data) else FileStatus.BEYOND
            attached = (piece,)
            payload = FileBlockDown(message_id, status, asked.offset, len(data))
        header = Header(Topic(self.identity, Down.FILE_BLOCK), os.urandom(16), 0, _now_ms())
        return envelope.make(header, payload, attached, self.files_key)

    def _register_keys(self, kid: bytes) -> KeyRecord | None:
        key = self.register_key.verification_key
        return KeyRecord(key) if kid == key.kid else None

    def _service_keys(self, kid: bytes) -> KeyRecord | None:
        key = self.consent_key.verification_key
        return KeyRecord(key) if kid == key.kid else None


class ScriptedCollector:
    """Hears everything that registers say, and answers each message as `answers` has it.

    Args:
        cloud: Keys and identity.
        port: A listener that lets services in.
        answers: Gives the receipt of a verified message, or None for silence.
        repository: Folder of a chain's release repository, whose files registers are sent.
    """

    def __init__(
        self,
        cloud: PaperCloud,
        port: int,
        answers: Callable[[VerifiedMessage], bytes | None] | None = None,
        repository: Path | None = None,
    ) -> None:
        self.repository = repository
        self.cloud = cloud
        self.answers = answers or cloud.receipt
        self.heard: list[VerifiedMessage] = []
        self.raw: list[bytes] = []
        self.refused: list[RefusedMessage] = []
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, "collector", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe("topscoop/v1/+/+/up/+", 1)
        self._ready = threading.Event()
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port, clean_start=True)
        self._client.loop_start()
        assert self._ready.wait(20), "the collector was not subscribed"

    def publish(self, kind: Down, message: bytes, *, retain: bool = False) -> None:
        self._client.publish(str(Topic(self.cloud.identity, kind)), message, 1, retain=retain)

    def of(self, kind: Any) -> list[VerifiedMessage]:
        return [message for message in list(self.heard) if message.kind is kind]

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 30) -> None:
        """Until something was heard that makes it true."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout_s), (
                f"heard only {[str(message.kind) for message in self.heard]}, refused {self.refused}"
            )

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client: Client, _: Any, message: Any) -> None:
        self.raw.append(bytes(message.payload))
        try:
            verified = self.cloud.verify(message.topic, bytes(message.payload))
        except RefusedMessage as error:
            with self._changed:
                self.refused.append(error)
                self._changed.notify_all()
            return
        receipt = None
        if verified.kind is Up.FILE_REQUEST:
            if self.repository is not None:
                self.publish(Down.FILE_BLOCK, self.cloud.file_block(verified, self.repository))
        elif verified.kind in RECEIPTED:
            receipt = self.answers(verified)
        if receipt is not None:
            self.publish(Down.RECEIPT, receipt)
        with self._changed:
            self.heard.append(verified)
            self._changed.notify_all()


def trusting(authority: PaperAuthority) -> ssl.SSLContext:
    """A client's context that believes one authority."""
    return ssl.create_default_context(cadata=authority.pem.decode())
