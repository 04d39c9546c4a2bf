"""Wire compatibility is a diff: every message, byte for byte, as the files have it."""

import base64
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from cloud.enrolment.request import parse_enrolment
from tests.builders import plain_hpke
from tests.builders import wire_messages as wire
from tests.vectors.make_vectors import FOLDER, RENEW, SEAL_FILE, documents, text
from wire_protocol import cbor, consent, enrolment_code, envelope, handover, sealing
from wire_protocol.envelope import KeyRecord
from wire_protocol.topics import Topic, Up

_DOCUMENTS = documents()
_MESSAGES = [name for name, document in _DOCUMENTS.items() if "message" in document]
_KEYS = wire.lookup(
    wire.REGISTER_KEY,
    wire.REGISTER_P256_KEY,
    wire.RECEIPTS_KEY,
    wire.CONSENT_KEY,
    wire.FLEET_KEY,
    wire.FILES_KEY,
)


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_bytes_are_those_of_the_file(name: str) -> None:
    """A message of today is the message that registers in the field send and understand."""
    stored = (FOLDER / name).read_text("utf-8")
    assert text(_DOCUMENTS[name]) == stored, (
        f"{name} changed: registers in the field speak the old form. If that is meant, let "
        f"envelope.SCHEMA_VERSION grow and write the files anew: {RENEW}"
    )


def test_no_file_is_left_over() -> None:
    """Each file is one that the script writes."""
    assert {path.name for path in FOLDER.glob("*.json")} == {*_DOCUMENTS}


@pytest.mark.parametrize("name", _MESSAGES)
def test_stored_messages_verify(name: str) -> None:
    """What stands in the file is accepted, and says what the file says."""
    stored = json.loads((FOLDER / name).read_text("utf-8"))
    message = bytes.fromhex(stored["message"])
    verified = envelope.verify(envelope.parse(message, Topic.parse(stored["topic"])), _KEYS)
    assert verified.sha256.hex() == stored["sha256"] == hashlib.sha256(message).hexdigest()
    assert [part.hex() for part in verified.attachments] == stored["attachments"]
    assert cbor.decode(message) == [
        bytes.fromhex(part) for part in [stored["envelope"], *stored["attachments"]]
    ]


def test_every_kind_has_a_file() -> None:
    """No kind goes without a vector."""
    covered = {str(Topic.parse(_DOCUMENTS[name]["topic"]).kind) for name in _MESSAGES}
    assert covered == {str(kind) for kind in wire.KINDS}


def test_stored_consent_verifies() -> None:
    """Blank and receipt of the files hold together."""
    stored = json.loads((FOLDER / "consent-receipt.json").read_text("utf-8"))
    verified = consent.verify_receipt(bytes.fromhex(stored["envelope"]), _KEYS, _KEYS)
    assert verified.blank == wire.BLANK
    assert verified.consent == wire.CONSENT


def test_stored_handover_code_verifies() -> None:
    """The code of the file is the register's, for its chain; the address carries it whole."""
    stored = json.loads((FOLDER / "handover-code.json").read_text("utf-8"))
    keys = [KeyRecord(wire.REGISTER_KEY.verification_key)]
    verified = handover.verify_code(handover.parse_code(stored["code"]), stored["tenant"], keys)
    assert verified.handover == wire.HANDOVER
    assert stored["address"] == f"https://{wire.TENANT}.example.com/c/{stored['code']}"


def test_stored_enrolment_is_accepted() -> None:
    """The service takes request and proof of the file, with any code that is one."""
    stored = json.loads((FOLDER / "enrol.json").read_text("utf-8"))
    signing = wire.REGISTER_KEY.verification_key
    request = parse_enrolment(
        {
            "code": enrolment_code.make(bytes(15), bytes(32)),
            "csr_pem": stored["csr_pem"],
            "signing_key": {
                "algorithm": "EdDSA",
                "public": base64.b64encode(signing.public).decode(),
                "proof": base64.b64encode(bytes.fromhex(stored["proof"])).decode(),
            },
            "agent_version": "1.0.0",
        }
    )
    assert request.applicant.signing == signing
    assert base64.b64decode("".join(stored["csr_pem"].splitlines()[1:-1])).hex() == stored["csr"]


def test_stored_seal_opens() -> None:
    """What was sealed with plain HPKE opens with the library's, for the header of its message."""
    stored = {name: bytes.fromhex(value) for name, value in json.loads(SEAL_FILE.read_text("utf-8")).items()}
    assert stored["info"] == envelope.seal_info(wire.header(Up.FRAME), wire.REGISTER_KEY.kid)
    assert sealing.unseal(stored["sealed"], stored["private_key"], stored["info"]) == stored["picture"]
    assert plain_hpke.unseal(stored["sealed"], stored["private_key"], stored["info"]) == stored["picture"]


class TestPlainHpke:
    """The second implementation of HPKE is checked against the RFC, and checks ours."""

    rfc = json.loads((FOLDER / "public" / "rfc9180_base_x25519_sha256_aes256gcm.json").read_text("utf-8"))

    def test_it_derives_what_the_rfc_has(self) -> None:
        """Key and nonce of RFC 9180's vectors for this very suite."""
        enc, info, private = (bytes.fromhex(self.rfc[name]) for name in ("enc", "info", "skRm"))
        shared = plain_hpke.decapsulate(enc, private)
        assert shared.hex() == self.rfc["shared_secret"]
        key, nonce = plain_hpke.key_schedule(shared, info)
        assert key.hex() == self.rfc["key"]
        assert nonce.hex() == self.rfc["base_nonce"]

    def test_it_opens_what_the_rfc_has(self) -> None:
        """And the first ciphertext, with its associated data."""
        enc, info, private = (bytes.fromhex(self.rfc[name]) for name in ("enc", "info", "skRm"))
        case = self.rfc["cases"][0]
        sealed = enc + bytes.fromhex(case["ct"])
        assert plain_hpke.unseal(sealed, private, info, bytes.fromhex(case["aad"])).hex() == case["pt"]

    def test_each_opens_what_the_other_sealed(self) -> None:
        """Two implementations, one seal."""
        ephemeral = X25519PrivateKey.generate()
        sealed = plain_hpke.seal(b"picture", wire.PICTURE_PUBLIC, b"info", ephemeral)
        assert sealing.unseal(sealed, wire.PICTURE_PRIVATE, b"info") == b"picture"
        sealed = sealing.seal(b"picture", wire.PICTURE_PUBLIC, b"info")
        assert plain_hpke.unseal(sealed, wire.PICTURE_PRIVATE, b"info") == b"picture"
        with pytest.raises(InvalidTag):
            plain_hpke.unseal(sealed, wire.PICTURE_PRIVATE, b"other")
