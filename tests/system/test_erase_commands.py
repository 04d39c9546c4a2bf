"""`erase`, `withdraw` and `frames` on the command line: real S3, both databases in files."""

import argparse
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud.clock import now_ms
from cloud.commands import erase, frames, withdraw
from cloud.config import S3Config
from cloud.objects.s3_store import S3Store
from cloud.operations.setup import prepare_database
from cloud.privacy.adapters.file_master_key import FileMasterKey
from cloud.privacy.adapters.sql_key_vault import SqlKeyVault
from cloud.privacy.errors import UnknownCode, UnknownFrame
from cloud.privacy.key_schema import KEYS
from tests.builders.privacy_stage import Stage
from tests.builders.service_fixtures import S3Bucket
from tests.builders.wire_messages import PICTURE, REGISTER, TENANT
from wire_protocol.errors import OperatorError

pytestmark = pytest.mark.service

CODE = "7K3M-Q9TX-2VBD-H6RA"


@dataclass
class Cloud:
    """A stage whose stores are real, and the command line over them."""

    stage: Stage
    config: Path
    bucket: S3Bucket

    def run(self, *words: str) -> int:
        parser = argparse.ArgumentParser()
        verbs = parser.add_subparsers()
        for verb in (erase, withdraw, frames):
            verb.add_parser(verbs)
        args = parser.parse_args([*words, "--tenant", TENANT, "--config", str(self.config)])
        return int(args.run(args))


@pytest.fixture
def cloud(tmp_path: Path, s3_bucket: S3Bucket) -> Iterator[Cloud]:
    url = f"sqlite:///{tmp_path}/keys.sqlite3"
    prepare_database(url, None, KEYS)
    vault = SqlKeyVault(url, FileMasterKey(tmp_path / "master.key"))
    server = s3_bucket.server
    objects = S3Store(
        S3Config(
            endpoint_url=server.endpoint_url,
            bucket=s3_bucket.name,
            access_key=server.access_key,
            secret_key=server.secret_key,
        )
    )
    stage = Stage(tmp_path, vault=vault, objects=objects)
    stage.time.now_ms = now_ms()
    config = tmp_path / "cloud.toml"
    config.write_text(
        f"""
environment = "development"
state_dir = "{tmp_path}"
[s3]
endpoint_url = "{server.endpoint_url}"
bucket = "{s3_bucket.name}"
access_key = "{server.access_key}"
secret_key = "{server.secret_key}"
[master_key]
kind = "file"
"""
    )
    yield Cloud(stage, config, s3_bucket)
    stage.close()
    vault.close()


def test_a_frame_is_listed_shown_opened_erased_and_gone(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """T25, T26: S3 holds ciphertext only; opening is audited; after `erase` nothing is left or opens."""
    given, other = cloud.stage.consent(), cloud.stage.consent(code="0000-0000-0000-0000")
    for one in (given, other):
        cloud.stage.receive(one)
    cloud.stage.put(given)  # a second version, without a row
    name = given.message_id.hex()

    listed = cloud.bucket.client.list_object_versions(Bucket=cloud.bucket.name)["Versions"]
    assert len(listed) == 3
    for entry in listed:
        body = cloud.bucket.client.get_object(
            Bucket=cloud.bucket.name, Key=entry["Key"], VersionId=entry["VersionId"]
        )["Body"].read()
        assert given.consent in body or other.consent in body
        assert b"\xff\xd8\xff" not in body
        assert PICTURE[200:240] not in body

    assert cloud.run("frames", "list", "--json") == 0
    assert {row["frame"] for row in json.loads(capsys.readouterr().out)} == {name, other.message_id.hex()}
    now = datetime.now(tz=UTC)
    for filters, count in (
        (("--register", "till-99"), 0),
        (("--register", REGISTER, "--limit", "1"), 1),
        (("--consent", str(uuid.UUID(bytes=given.consent))), 1),
        (("--since", (now + timedelta(hours=1)).isoformat()), 0),
        (("--since", (now - timedelta(hours=1)).replace(tzinfo=None).isoformat()), 2),
        (("--until", (now - timedelta(hours=1)).isoformat()), 0),
    ):
        assert cloud.run("frames", "list", *filters, "--json") == 0
        assert len(json.loads(capsys.readouterr().out)) == count, filters
    assert cloud.run("frames", "show", name) == 0
    assert f"consent: {given.consent.hex()}" in capsys.readouterr().out

    folder = tmp_path / "pictures"
    assert cloud.run("frames", "export", "--to", str(folder), "--purpose", "a test", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["written"]) == 2
    assert (folder / f"{name}.jpg").read_bytes() == PICTURE
    assert (folder / f"{name}.jpg").stat().st_mode & 0o777 == 0o600
    opened = cloud.stage.audited("frame.opened")
    assert {entry["detail"]["purpose"] for entry in opened} == {"a test"}
    assert len(opened) == 2

    assert cloud.run("erase", "--consent", given.consent.hex(), "--json") == 0
    (proof,) = json.loads(capsys.readouterr().out)
    assert proof["versions_deleted"] == 2
    assert proof["nobody_opens_since_ms"] <= proof["online_copies_gone_ms"] < proof["last_backup_gone_ms"]
    assert cloud.stage.versions(given) == []
    assert len(cloud.stage.versions(other)) == 1
    assert cloud.run("erase", "--consent", given.consent.hex(), "--json") == 0
    assert json.loads(capsys.readouterr().out) == [proof], "erased again, it gives the same proof"

    assert cloud.run("frames", "export", "--to", str(folder / "b"), "--purpose", "x", "--frame", name) == 1
    assert "not opened" in capsys.readouterr().err
    assert list((folder / "b").iterdir()) == []
    assert cloud.run("frames", "list", "--erased", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert cloud.run("frames", "list", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_the_code_of_the_slip_ends_the_consent(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """T25: typed carelessly; another code ends nothing."""
    given = cloud.stage.consent(code=CODE)
    cloud.stage.receive(given)
    with pytest.raises(UnknownCode):
        cloud.run("withdraw", "--code", "0000-0000-0000-0000")
    with pytest.raises(UnknownCode):
        cloud.run("withdraw", "--code", "?")
    assert cloud.stage.records.withdrawal(TENANT, given.consent) is None
    assert cloud.run("withdraw", "--code", " 7k3mq9tx2vbdh6ra ") == 0
    assert "nobody opens it since" in capsys.readouterr().out
    assert cloud.stage.versions(given) == []
    (ended,) = cloud.stage.audited("consent.ended")
    assert ended["detail"]["source"] == "customer"


def test_what_is_mistyped_is_said(cloud: Cloud, tmp_path: Path) -> None:
    for words in (
        ("erase", "--consent", "abc"),
        ("frames", "list", "--since", "yesterday"),
        ("frames", "list", "--limit", "0"),
        ("frames", "show", "xyz"),
    ):
        with pytest.raises(OperatorError):
            cloud.run(*words)
    with pytest.raises(UnknownFrame):
        cloud.run("frames", "show", "00" * 16)
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError):
        cloud.run("frames", "export", "--to", str(tmp_path / "file"), "--purpose", "x")
