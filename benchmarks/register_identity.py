"""A register that the benchmark enrols: its files on the register's side, its rights on the cloud's."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cloud_stack import CloudStack
from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.key_files import Place, parse_anchors, private_pem
from edge_agent.uplink.anchors import Anchors
from edge_agent.uplink.blank_intake import believable
from edge_agent.uplink.ports import SpooledBlank
from tests.builders.frame_sender import Sender
from wire_protocol import consent
from wire_protocol.keys import SigningKey
from wire_protocol.limits import TIME_MAX_MS


def anchors_json(sender: Sender, receipts: SigningKey) -> list[dict[str, object]]:
    """Whose signatures this register believes."""
    return [anchor("receipts", receipts), anchor("consent", sender.consent_key)]


def anchor(purpose: str, key: SigningKey) -> dict[str, object]:
    """One of them."""
    return {
        "purpose": purpose,
        "algorithm": "EdDSA",
        "public": base64.b64encode(key.verification_key.public).decode(),
        "valid_from_ms": 0,
        "valid_until_ms": TIME_MAX_MS,
    }


def anchors(sender: Sender, receipts: SigningKey) -> Anchors:
    """The same, as the register reads them."""
    return parse_anchors(anchors_json(sender, receipts))


def blanks(sender: Sender, believed: Anchors, count: int) -> Sequence[SpooledBlank]:
    """Consent blanks, verified as the register does."""
    made = [consent.make_blank(sender.blank(), sender.consent_key) for _ in range(count)]
    return believable(made, sender.identity, believed)[0]


def install(data_dir: Path, cloud: CloudStack, sender: Sender, store: str) -> None:
    """Leave in an agent's data folder what an enrolment leaves."""
    files = cloud.broker.register_files(sender.identity.common_name)
    place = Place(
        sender.identity,
        store,
        "https://localhost:1",
        "localhost",
        cloud.broker.registers_port,
        sender.now_ms,
    )
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    listed = anchors_json(sender, cloud.receipts_key(sender.tenant))
    key_files.install(
        data_dir / key_files.FOLDER,
        {
            "tls.key": files.key.read_bytes(),
            "tls.crt": files.certificate.read_bytes(),
            "signing.key": private_pem(sender.key),
            "ca.crt": files.ca.read_bytes(),
            "anchors.json": json.dumps(listed).encode(),
            "identity.json": place.as_json(),
        },
    )
