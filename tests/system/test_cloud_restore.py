"""The drill as an operator does it: commands alone, PostgreSQL and a real S3 server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from cloud.config import S3Config
from cloud.database.engine import open_database
from cloud.database.schema import audit, withdrawals
from cloud.objects.s3_store import S3Store
from cloud.privacy.erasure_log import LogEntry, entry_bytes, entry_key
from tests.builders.cloud_cli import cloud, cloud_json
from tests.builders.cloud_database import NOW_MS, service_url

if TYPE_CHECKING:
    from tests.builders.postgres import PostgresDatabase
    from tests.builders.service_fixtures import S3Bucket

pytestmark = pytest.mark.service


@pytest.fixture
def s3(
    tmp_path: Path,
    s3_bucket: S3Bucket,
    postgres_database: PostgresDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> S3Config:
    """The whole configuration stands in variables, as a container has it."""
    config = S3Config(
        endpoint_url=s3_bucket.server.endpoint_url,
        bucket=s3_bucket.name,
        access_key="test-access-key",
        secret_key="test-secret-key",
    )
    variables = {
        "ENVIRONMENT": "development",
        "STATE_DIR": str(tmp_path / "state"),
        "MASTER_KEY_KIND": "file",
        "DATABASE_URL": service_url(postgres_database),
        "DATABASE_OWNER_URL": postgres_database.owner_url,
        "S3_ENDPOINT_URL": config.endpoint_url,
        "S3_BUCKET": config.bucket,
        "S3_ACCESS_KEY": config.access_key,
        "S3_SECRET_KEY": config.secret_key,
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"TOPSCOOP_CLOUD_{name}", str(value))
    return config


def test_an_operator_restores_what_was_lost(s3: S3Config, tmp_path: Path) -> None:
    """T25: an erasure after the backup is in force as soon as the restored database can be read."""
    steps = cloud_json("setup")
    assert [step["step"] for step in steps][-4:] == ["bucket", "intake", "releases", "chains"]
    added = cloud_json("tenant", "add", "gelato")
    backup = str(tmp_path / "backup")
    made = cloud_json("backup", "--to", backup)
    assert made["rows"]["tenants"] == 1

    objects = S3Store(s3)
    entry = LogEntry("gelato", "ab" * 16, "customer", NOW_MS)
    objects.put(entry_key(entry), entry_bytes(entry), {}, {})

    status, _, err = cloud("restore", "--from", backup)
    assert (status, "--force" in err) == (2, True)
    restored = cloud_json("restore", "--from", backup, "--force")
    assert (restored["erasures_due"], restored["frames_reclaimed"]) == (1, 0)
    assert cloud_json("tenant", "show", "gelato")["service_keys"] == sorted(
        added["service_keys"], key=lambda key: str(key["purpose"])
    )
    with (
        open_database(os.environ["TOPSCOOP_CLOUD_DATABASE_URL"]) as database,
        database.tenant("gelato", read_only=True) as connection,
    ):
        assert connection.execute(select(withdrawals.c.consent)).scalars().all() == [b"\xab" * 16]
        actions = connection.execute(select(audit.c.action).order_by(audit.c.at_ms)).scalars().all()
    assert actions == ["tenant.added", "database.restored"]
    assert cloud_json("restore", "--erasures-only") == {"erasures_due": 1}
