"""A picture's whole way, nothing played: two chains' registers, broker, collector, keeper, S3, and back."""

from __future__ import annotations

import base64
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from cloud.database import schema
from tests.builders.tiny_model import build_model_dir
from tests.builders.whole_cloud import WholeCloud
from tests.builders.whole_register import Camera, Visit, WholeRegister, painted, ring_path, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

CANARY = b"a picture of a customer "
"""Painted into what the cameras see; a multiple of three bytes, so it stands in every row of raw pixels."""
JPEG = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]\x00")
"""The magic with the first segment's marker and the high byte of its length: three bytes alone come about by
chance in some megabytes of ciphertext."""
CHAINS = ("gelateria-sole", "gelateria-luna")
CUSTOMERS = 6
DROPPED_WITHIN_S = 5
_SLICE_BYTES = 24


def test_the_whole_way_of_a_picture(tmp_path: Path, real_s3: CephS3) -> None:
    """Consented pictures become versions that only the audited export opens; withdrawing destroys them.

    T4: every register's account adds up and drains. T5: a no leaves nothing. T1: a revoked register is
    dropped within 5 seconds, does not come back, and nothing of it is stored any more. T26: no picture,
    private key or slip's code lies readable in a version, database, log, broker's or register's folder.
    """
    with ExitStack() as stack:
        cloud = stack.enter_context(WholeCloud(tmp_path / "cloud", real_s3))
        registers = [enrolled(stack, cloud, tmp_path, tenant) for tenant in CHAINS]
        sole, luna = registers
        visits = {
            each.tenant: [each.serve(consent=n % 3 > 0) for n in range(CUSTOMERS)] for each in registers
        }
        for each in registers:
            everything_arrives(cloud, each, visits[each.tenant])
        opened = pictures_open(cloud, sole, tmp_path / "opened")
        taken_back = next(visit for visit in visits[sole.tenant] if visit.consent)
        sole.withdraw(taken_back)
        is_erased(cloud, sole, taken_back, tmp_path / "refused")
        for each in registers:
            wait_for(each.drained, f"{each.tenant} has drained")
        is_revoked(cloud, luna)
        secrets = [
            *opened_pieces(opened),
            *(code for each in visits.values() for visit in each for code in code_forms(visit)),
            *private_keys(tmp_path),
        ]
        nothing_lies_open(cloud, tmp_path, secrets)


def enrolled(stack: ExitStack, cloud: WholeCloud, folder: Path, tenant: str) -> WholeRegister:
    """A register with a camera that enrolled with a code and is connected."""
    ring = ring_path()
    stack.enter_context(Camera(ring, painted(CANARY)))
    cloud.command("tenant", "add", tenant)
    model = build_model_dir(folder / f"model-{tenant}", tenant=tenant, golden=False)
    register = WholeRegister(folder / tenant, tenant, "till-1", model, f"synthetic:{ring}")
    register.enrol(cloud.enrol_url, cloud.add_register(tenant, "till-1"))
    stack.enter_context(register)
    wait_for(lambda: "link.connected" in register.new_events(), f"{tenant} is connected")
    return register


def everything_arrives(cloud: WholeCloud, register: WholeRegister, visits: list[Visit]) -> None:
    """The register's account adds up, and the cloud has exactly what the account says."""
    tenant = register.tenant
    consents = [visit.consent for visit in visits if visit.consent]
    lanes = register.lanes()
    wait_for(lambda: register.lanes()["frames"]["stored"] == len(consents), f"frames of {tenant} are stored")
    wait_for(lambda: len(cloud.rows(schema.outcomes, tenant)) == len(visits), f"sales of {tenant} are stored")
    wait_for(lambda: len(cloud.rows(schema.interactions, tenant)) == len(visits), "slates are stored")
    wait_for(register.drained, f"{tenant} has drained")
    lanes = register.spool_status()["lanes"]
    for name, lane in lanes.items():
        ended = lane["stored"] + lane["refused"] + lane["gone"] + lane["without_consent"]
        assert lane["captured"] == ended + sum(lane["dropped"].values()) + lane["spooled"], (name, lane)
        assert (lane["lost"], lane["spooled"], lane["refused"], lane["set_aside"]) == (0, 0, 0, {}), name
    frames = lanes["frames"]
    assert (frames["captured"], frames["stored"]) == (len(visits), len(consents))
    assert frames["without_consent"] == len(visits) - len(consents)
    rows = cloud.rows(schema.frames, tenant)
    assert {row.consent.hex() for row in rows} == {consent.replace("-", "") for consent in consents}
    assert {(row.object_key, row.version) for row in rows} == set(cloud.versions(f"frames/{tenant}/"))
    assert len(rows) == len(consents)
    sold = {row.outcome.hex() for row in cloud.rows(schema.outcomes, tenant)}
    assert sold == {visit.outcome.replace("-", "") for visit in visits}


def pictures_open(cloud: WholeCloud, register: WholeRegister, folder: Path) -> list[bytes]:
    """Every stored frame opens as the camera's picture, and each opening was written down."""
    tenant = register.tenant
    listed = {row["frame"] for row in cloud.frames(tenant)}
    told = ("--tenant", tenant, "--to", str(folder), "--purpose", "to see that it can be done")
    exported = cloud.command("frames", "export", *told)
    assert exported["refused"] == {}
    assert {path.stem for path in folder.iterdir()} == listed
    pictures = [path.read_bytes() for path in folder.iterdir()]
    seen = painted(CANARY)
    for picture in pictures:
        assert JPEG.match(picture), "or the search below would not find it"
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        assert decoded.shape == seen.shape
        assert np.abs(decoded[16:].astype(int) - seen[16:]).mean() < 12, "it is what the camera saw"
    audited = [row for row in cloud.rows(schema.audit, tenant) if row.action == "frame.opened"]
    assert {row.subject for row in audited} == listed
    assert {row.detail["purpose"] for row in audited} == {"to see that it can be done"}
    for path in folder.iterdir():
        path.unlink()
    return pictures


def is_erased(cloud: WholeCloud, register: WholeRegister, visit: Visit, folder: Path) -> None:
    """Key destroyed, versions deleted, proof; the row stays, and opens no more."""
    assert visit.consent
    tenant, consent = register.tenant, visit.consent.replace("-", "")
    before = [row for row in cloud.rows(schema.frames, tenant) if row.consent.hex() == consent]
    (frame,) = before

    def done() -> bool:
        rows = [row for row in cloud.rows(schema.withdrawals, tenant) if row.consent.hex() == consent]
        return bool(rows and rows[0].versions_deleted_at_ms is not None)

    wait_for(done, "the keeper has erased")
    assert (frame.object_key, frame.version) not in cloud.versions(f"frames/{tenant}/")
    assert len(cloud.versions(f"frames/{tenant}/")) == len(cloud.rows(schema.frames, tenant)) - 1
    (proof,) = cloud.command("erase", "--tenant", tenant, "--consent", visit.consent)
    assert (proof["consent"], proof["source"], proof["versions_deleted"]) == (consent, "register", 1)
    assert proof["received_at_ms"] <= proof["nobody_opens_since_ms"] <= proof["online_copies_gone_ms"]
    name = frame.message_id.hex()
    told = ("--tenant", tenant, "--frame", name, "--to", str(folder), "--purpose", "curiosity")
    refused = cloud.command("frames", "export", *told, status=1)
    assert refused["written"] == []
    assert "withdrawn" in refused["refused"][name]
    assert list(folder.iterdir()) == []


def is_revoked(cloud: WholeCloud, register: WholeRegister) -> None:
    """Its session ends within seconds, it is not let in again, and what it does then stays with it."""
    tenant = register.tenant
    tables = (schema.frames, schema.consents, schema.outcomes, schema.interactions, schema.messages)
    stored = [cloud.rows(table, tenant) for table in tables]
    seen = len(register.events())
    asked_s = time.monotonic()
    said = cloud.command("register", "revoke", "--tenant", tenant, "--register", register.register)
    assert (said["first_time"], said["broker"]) == (True, "done")
    wait_for(lambda: "link.disconnected" in names(register, seen), "its session has ended", DROPPED_WITHIN_S)
    assert time.monotonic() - asked_s < DROPPED_WITHIN_S * 2  # the command's own start is in it
    wait_for(lambda: "link.failed" in names(register, seen), "it was not let in again")
    register.serve(consent=True)  # the till goes on
    register.kill()
    register.start()  # the thief has its disk
    wait_for(lambda: "link.failed" in register.new_events(), "it was not let in again")
    assert "link.connected" not in names(register, seen)
    assert [cloud.rows(table, tenant) for table in tables] == stored
    lanes = register.spool_status()["lanes"]
    assert lanes["frames"]["spooled"] == 1
    assert {lane["lost"] for lane in lanes.values()} == {0}


def names(register: WholeRegister, seen: int) -> list[str]:
    return [line["event"] for line in register.events()[seen:]]


# ---- what an insider could look for (T26) ----


def nothing_lies_open(cloud: WholeCloud, folder: Path, secrets: list[bytes]) -> None:
    """Look through every version and every file of cloud and registers, while all of them run."""
    stores = dict(everything(cloud, folder))
    found = [name for name, data in stores.items() if JPEG.search(data)]
    assert found == [], "a picture lies there unsealed"
    for needle in (CANARY[:12], b"PRIVATE KEY", *secrets):
        found = [name for name, data in stores.items() if needle in data]
        assert found == [], f"{needle!r} lies there readable"
    looked = " ".join(stores)
    for expected in ("cloud.sqlite3-wal", "keys.sqlite3-wal", "spool.db-wal", "journal.db", "broker.log"):
        assert expected in looked, f"{expected} was not searched"
    assert sum(name.startswith("s3:frames/") for name in stores) == len(cloud.versions())


def everything(cloud: WholeCloud, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of all that anybody may get at, but for the files of private keys."""
    for key, version in cloud.versions(""):
        yield f"s3:{key}@{version}", cloud.body(key, version)
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in {".key", ".pem", ".onnx"}:
            yield str(path.relative_to(folder)), path.read_bytes()


def opened_pieces(pictures: list[bytes]) -> Iterator[bytes]:
    """Pieces out of the middle of pictures that were opened: they are found where the magic was cut off."""
    for picture in pictures:
        for place in (len(picture) // 4, len(picture) // 2, len(picture) - 100):
            yield picture[place : place + _SLICE_BYTES]


def code_forms(visit: Visit) -> list[bytes]:
    """The slip's code as the customer has it, and without its hyphens."""
    code = visit.withdrawal_code
    return [] if code is None else [code.encode(), code.replace("-", "").encode()]


def private_keys(folder: Path) -> Iterator[bytes]:
    """The secret part of every private key, as raw bytes, hexadecimal and in base64."""
    for path in folder.rglob("*"):
        if path.suffix not in {".key", ".pem"} or b"PRIVATE KEY" not in path.read_bytes():
            continue
        key: Any = load_pem_private_key(path.read_bytes(), None)
        if hasattr(key, "private_numbers"):
            raw = key.private_numbers().private_value.to_bytes(32, "big")
        else:
            raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        # What of the key stands in a PEM file: whole groups of three bytes.
        within = -(-der.index(raw) // 3) * 3
        yield from (raw, raw.hex().encode(), base64.b64encode(raw)[:_SLICE_BYTES])
        yield base64.b64encode(der[within : within + 30])
    master = (folder / "cloud" / "state" / "master.key").read_text().strip()
    yield from (master.encode(), bytes.fromhex(master))
