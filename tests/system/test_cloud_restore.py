"""The drill as an operator does it: commands alone, PostgreSQL and a real S3 server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from cloud.config import S3Config
from cloud.database.engine import open_database
from cloud.database.schema import audit, withdrawals
from cloud.objects.s3_store import S3Store
from cloud.privacy.erasure_log import LogEntry, entry_bytes, entry_key
from tests.builders.cloud_database import NOW_MS, service_url

if TYPE_CHECKING:
    from tests.builders.postgres import PostgresDatabase
    from tests.builders.service_fixtures import S3Bucket

pytestmark = pytest.mark.service


@pytest.fixture
def environment(tmp_path: Path, s3_bucket: S3Bucket, postgres_database: PostgresDatabase) -> dict[str, str]:
    """Everything by variables, as a container has it."""
    variables = {
        "ENVIRONMENT": "development",
        "STATE_DIR": str(tmp_path / "state"),
        "MASTER_KEY_KIND": "file",
        "DATABASE_URL": service_url(postgres_database),
        "DATABASE_OWNER_URL": postgres_database.owner_url,
        "S3_ENDPOINT_URL": s3_bucket.server.endpoint_url,
        "S3_BUCKET": s3_bucket.name,
        "S3_ACCESS_KEY": "test-access-key",
        "S3_SECRET_KEY": "test-secret-key",
        "LOG_FORMAT": "json",
    }
    return os.environ | {f"TOPSCOOP_CLOUD_{name}": value for name, value in variables.items()}


def _run(environment: dict[str, str], *words: str, status: int = 0) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "topscoop", "cloud", *words, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout) if status == 0 else done.stderr


def test_an_operator_restores_what_was_lost(environment: dict[str, str], tmp_path: Path) -> None:
    """T25: an erasure after the backup is in force as soon as the restored database can be read."""
    steps = _run(environment, "setup")
    assert [step["step"] for step in steps][-1] == "bucket"
    added = _run(environment, "tenant", "add", "gelato")
    backup = str(tmp_path / "backup")
    made = _run(environment, "backup", "--to", backup)
    assert made["rows"]["tenants"] == 1

    objects = S3Store(
        S3Config(
            endpoint_url=environment["TOPSCOOP_CLOUD_S3_ENDPOINT_URL"],
            bucket=environment["TOPSCOOP_CLOUD_S3_BUCKET"],
            access_key="test-access-key",
            secret_key="test-secret-key",
        )
    )
    entry = LogEntry("gelato", "ab" * 16, "customer", NOW_MS)
    objects.put(entry_key(entry), entry_bytes(entry), {}, {})

    assert "--force" in _run(environment, "restore", "--from", backup, status=2)
    restored = _run(environment, "restore", "--from", backup, "--force")
    assert (restored["erasures_due"], restored["frames_reclaimed"]) == (1, 0)
    assert _run(environment, "tenant", "show", "gelato")["service_keys"] == sorted(
        added["service_keys"], key=lambda key: str(key["purpose"])
    )
    with (
        open_database(environment["TOPSCOOP_CLOUD_DATABASE_URL"]) as database,
        database.tenant("gelato", read_only=True) as connection,
    ):
        assert connection.execute(select(withdrawals.c.consent)).scalars().all() == [b"\xab" * 16]
        actions = connection.execute(select(audit.c.action).order_by(audit.c.at_ms)).scalars().all()
    assert actions == ["tenant.added", "database.restored"]
    assert _run(environment, "restore", "--erasures-only") == {"erasures_due": 1}
    assert _run(environment, "setup")[0]["step"] == "state folder"
