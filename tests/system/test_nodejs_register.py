"""A register that was written from the documentation alone, in Node.js, against the whole cloud."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from cloud.database import schema
from tests.builders.tiny_model import painted_frame
from tests.builders.whole_cloud import WholeCloud
from tests.services import require_program, skip_or_fail

if TYPE_CHECKING:
    from tests.builders.ceph_s3 import CephS3
    from tests.builders.postgres import PostgresDatabase

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "register-in-another-language.md"
_NPM_TIMEOUT_S = 120
_NODE_TIMEOUT_S = 150


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with what it needs from npm, in a folder of its own."""
    require_program("node")
    npm = require_program("npm")
    folder = tmp_path_factory.mktemp("nodejs") / "register"
    shutil.copytree(
        Path(__file__).parent / "nodejs_register", folder, ignore=shutil.ignore_patterns("node_modules")
    )
    said = "npm did not end"
    try:
        done = subprocess.run(
            [str(npm), "install", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_NPM_TIMEOUT_S,
            check=False,
        )
        said = done.stderr[-500:]
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode != 0:
        skip_or_fail(f"npm cannot install `mqtt` here: {said}")
    return folder


def node(folder: Path, *words: str, status: int = 0) -> str:
    """Run a script of the program; what it printed to standard output."""
    done = subprocess.run(
        [str(require_program("node")), *words],
        cwd=folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=_NODE_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_it_makes_every_worked_example_of_the_page(program: Path) -> None:
    """Each block of bytes in the documentation is what another implementation makes, or reads."""
    node(program, "selftest.mjs", str(PAGE))


def test_it_enrols_and_its_consented_frame_is_stored(
    program: Path, tmp_path: Path, real_s3: CephS3, postgres_database: PostgresDatabase
) -> None:
    """Code, certificate, broker, four signed receipts; the frame is a version, and opens as it was sent.

    What another implementation signed and sealed passes every check of the cloud, here over PostgreSQL.
    """
    drawn, encoded = cv2.imencode(".jpg", painted_frame("mango"))
    assert drawn
    picture = encoded.tobytes()
    (tmp_path / "picture.jpg").write_bytes(picture)
    services = postgres_database.create_role(f"{postgres_database.name}_services")
    with WholeCloud(tmp_path / "cloud", real_s3, services, postgres_database.owner_url) as cloud:
        cloud.command("tenant", "add", "gelateria-nord")
        invited = cloud.command("register", "add", "--tenant", "gelateria-nord", "--store", "harbour")
        told = ["--folder", str(tmp_path / "node"), "--picture", str(tmp_path / "picture.jpg"), "--json"]
        first = json.loads(
            node(program, "register.mjs", "--url", invited["url"], "--code", invited["code"], *told)
        )
        assert sorted(first["stored"]) == ["consent", "frame", "interaction", "outcome"]
        again = json.loads(node(program, "register.mjs", *told))  # enrolled: no code any more
        frames = cloud.rows(schema.frames, "gelateria-nord")
        assert {row.version for row in frames} == {first["frame_version"], again["frame_version"]}
        assert {row.consent.hex() for row in frames} == {first["consent"], again["consent"]}
        assert {(row.object_key, row.version) for row in frames} == set(cloud.versions())
        for table in (schema.interactions, schema.outcomes, schema.consents):
            assert len(cloud.rows(table, "gelateria-nord")) == 2
        assert cloud.rows(schema.refusals, "gelateria-nord") == []
        opened = tmp_path / "opened"
        exported = cloud.command(
            *("frames", "export", "--tenant", "gelateria-nord", "--to", str(opened), "--purpose", "a test")
        )
        assert (len(exported["written"]), exported["refused"]) == (2, {})
        for path in opened.iterdir():
            assert path.read_bytes() == picture
            decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
            assert decoded is not None
            assert decoded.shape == painted_frame("mango").shape
