"""The public API as a process: it serves, is watched, and ends at a signal."""

from __future__ import annotations

import hashlib
import re
import secrets
import sys
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import insert

from cloud.clock import now_ms
from cloud.database.engine import open_database
from cloud.database.schema import api_sessions
from tests.builders.cloud_database import add_tenants, sqlite_database
from tests.builders.daemon import Daemon

if TYPE_CHECKING:
    from pathlib import Path

TENANT = "gelateria-sole"
_PORTS = re.compile(r"api runs on port (\d+), health on port (\d+)")
ASKED = {"content_length": 1000, "sha256": "ab" * 32}


def _token(folder: Path) -> str:
    secret, now = secrets.token_urlsafe(32), now_ms()
    url = f"sqlite:///{folder}/cloud.sqlite3"
    with open_database(url) as database, database.tenant(TENANT) as connection:
        connection.execute(
            insert(api_sessions).values(
                tenant=TENANT,
                session=hashlib.sha256(secret.encode()).digest(),
                kind="device",
                user=bytes(32),
                created_at_ms=now,
                seen_at_ms=now,
                ends_at_ms=now + 3600_000,
            )
        )
    return secret


def test_the_process_serves_is_watched_and_ends(tmp_path: Path) -> None:
    """A ticket over HTTP, its counts on the health port, a quiet end; no signature in the log."""
    with sqlite_database(tmp_path) as database:
        add_tenants(database, TENANT)
    file, log = tmp_path / "cloud.toml", tmp_path / "api.log"
    file.write_text(
        f"""environment = "development"
        state_dir = "{tmp_path}"
        [s3]
        endpoint_url = "http://127.0.0.1:1"
        access_key = "key"
        secret_key = "secret"
        [master_key]
        kind = "file"
        [mqtt]
        tls = false
        [public_api]
        public_url = "http://{{tenant}}.localhost:8740"
        port = 0
        health_port = 0
        """
    )
    words = (sys.executable, "-m", "topscoop", "cloud", "api", "run", "--config", str(file))
    daemon = Daemon("api", words, log)
    daemon.start()
    try:
        daemon.wait_until(lambda: _PORTS.search(log.read_text()) is not None, 60)
        found = _PORTS.search(log.read_text())
        assert found is not None
        port, health = found.groups()
        headers = {"host": f"{TENANT}.localhost:8740", "authorization": f"Bearer {_token(tmp_path)}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            answer = client.post("/v1/uploads", json=ASKED)
            assert answer.status_code == 201
            assert "server" not in answer.headers
            assert client.get("/healthz").status_code == 404
            assert client.get("/openapi.json").json()["openapi"] == "3.1.0"
        with httpx2.Client(base_url=f"http://127.0.0.1:{health}", timeout=60) as watcher:
            assert watcher.get("/readyz").status_code == 200
            metrics = watcher.get("/metrics").text
        assert 'topscoop_api_uploads_issued_total{purpose="recommend"} 1.0' in metrics
        assert 'topscoop_api_answers_total{method="POST",route="/v1/uploads",status="201"} 1.0' in metrics
    finally:
        daemon.stop()
    text = log.read_text()
    assert "Traceback" not in text
    assert "X-Amz-Signature" not in text
