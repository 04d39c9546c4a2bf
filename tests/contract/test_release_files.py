"""One suite over every place of release repositories: memory, a folder, a real S3 server, a cache."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import pytest

from cloud.config import S3Config
from cloud.objects.s3_client import s3_client
from cloud.objects.setup import prepare_plain_bucket
from cloud.releases.adapters.folder_files import FolderFiles
from cloud.releases.adapters.memory_files import MemoryFiles
from cloud.releases.adapters.s3_files import S3Files
from cloud.releases.cached_files import CachedFiles
from cloud.releases.errors import FileMissing, ReleasesAway, ReleasesRefused

if TYPE_CHECKING:
    from pathlib import Path

    from cloud.releases.ports import ReleaseFiles

_CONTENT = bytes(range(256)) * 10
_PATH = "targets/releases/7/model.onnx"


class _Put(Protocol):
    def __call__(self, tenant: str, path: str, content: bytes) -> None: ...


@dataclass(frozen=True)
class _Place:
    files: ReleaseFiles
    put: _Put


@pytest.fixture(scope="module")
def bucket(request: pytest.FixtureRequest) -> S3Config:
    real = request.getfixturevalue("real_s3")
    config = S3Config(
        endpoint_url=real.endpoint_url,
        bucket=f"releases-{uuid.uuid4()}",
        access_key=real.access_key,
        secret_key=real.secret_key,
    )
    prepare_plain_bucket(config)
    prepare_plain_bucket(config)
    return config


def _memory(_: pytest.FixtureRequest) -> _Place:
    files = MemoryFiles()
    return _Place(files, files.put)


def _folder(request: pytest.FixtureRequest) -> _Place:
    folder: Path = request.getfixturevalue("tmp_path") / "store"
    folder.mkdir()

    def put(tenant: str, path: str, content: bytes) -> None:
        place = folder / "tuf" / tenant / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    return _Place(FolderFiles(folder), put)


def _ceph(request: pytest.FixtureRequest) -> _Place:
    config: S3Config = request.getfixturevalue("bucket")
    client = s3_client(config)

    def put(tenant: str, path: str, content: bytes) -> None:
        client.put_object(Bucket=config.bucket, Key=f"tuf/{tenant}/{path}", Body=content)

    return _Place(S3Files(client, config.bucket), put)


def _cached(request: pytest.FixtureRequest) -> _Place:
    behind = _memory(request)
    return _Place(CachedFiles(behind.files, 1_000_000, time.monotonic), behind.put)


_MAKERS = {"memory": _memory, "folder": _folder, "ceph": _ceph, "cached": _cached}


@pytest.fixture(params=["memory", "folder", "cached", pytest.param("ceph", marks=pytest.mark.service)])
def place(request: pytest.FixtureRequest) -> _Place:
    return _MAKERS[request.param](request)


@pytest.fixture
def tenant() -> str:
    """A chain of this test alone: the bucket is shared."""
    return f"chain-{uuid.uuid4().hex[:12]}"


def test_pieces_make_the_file(place: _Place, tenant: str) -> None:
    """Each says how long the whole is; the last one is shorter."""
    place.put(tenant, _PATH, _CONTENT)
    pieces = [place.files.get(tenant, _PATH, offset, 1000) for offset in range(0, len(_CONTENT), 1000)]
    assert [len(piece.data) for piece in pieces] == [1000, 1000, 560]
    assert b"".join(piece.data for piece in pieces) == _CONTENT
    assert {piece.total for piece in pieces} == {2560}


def test_behind_the_end_there_is_nothing_but_the_length(place: _Place, tenant: str) -> None:
    """At the end, far behind it, and in an empty file."""
    place.put(tenant, _PATH, _CONTENT)
    place.put(tenant, "metadata/1.root.json", b"")
    for offset in (len(_CONTENT), len(_CONTENT) + 1, 60_000_000):
        piece = place.files.get(tenant, _PATH, offset, 10)
        assert (piece.data, piece.total) == (b"", len(_CONTENT))
    empty = place.files.get(tenant, "metadata/1.root.json", 0, 10)
    assert (empty.data, empty.total) == (b"", 0)


def test_what_is_not_there_is_missing(place: _Place, tenant: str) -> None:
    """No file, no chain, a folder instead of a file; and no path that climbs or is none."""
    place.put(tenant, _PATH, _CONTENT)
    place.put("bianca", "metadata/timestamp.json", b"of another chain")
    for path in (
        "metadata/2.root.json",
        "metadata/timestamp.json",
        "targets/releases/7",
        "targets/releases/7/model.onnx/more",
        "metadata/../../bianca/metadata/timestamp.json",
        "targets/../../bianca/metadata/timestamp.json",
        "../bianca/metadata/timestamp.json",
        "",
    ):
        with pytest.raises(FileMissing):
            place.files.get(tenant, path, 0, 10)
    with pytest.raises(FileMissing):
        place.files.get(f"{tenant}-x", _PATH, 0, 10)


def test_what_changes_is_read_anew(place: _Place, tenant: str) -> None:
    """A publisher replaces the timestamp; what was asked for before under other names stays."""
    place.put(tenant, "metadata/timestamp.json", b"1")
    place.put(tenant, "metadata/1.snapshot.json", b"one")
    assert place.files.get(tenant, "metadata/1.snapshot.json", 0, 10).data == b"one"
    place.put(tenant, "metadata/timestamp.json", b"2")
    assert place.files.get(tenant, "metadata/timestamp.json", 0, 10).data == b"2"
    assert place.files.get(tenant, "metadata/1.snapshot.json", 0, 10).data == b"one"


@pytest.mark.service
def test_a_bucket_that_is_not_there_is_said_so(bucket: S3Config) -> None:
    """A missing bucket is no missing file: nobody may take it for the newest root."""
    elsewhere = replace(bucket, bucket=f"none-{uuid.uuid4()}")
    files = S3Files(s3_client(elsewhere), elsewhere.bucket)
    with pytest.raises(ReleasesRefused):
        files.get("gelato", _PATH, 0, 10)
    wrong = replace(bucket, secret_key="wrong")
    with pytest.raises(ReleasesRefused):
        S3Files(s3_client(wrong), wrong.bucket).get("gelato", _PATH, 0, 10)


def test_a_server_that_does_not_answer_is_away() -> None:
    """Nor is that a missing file."""
    config = S3Config(
        endpoint_url="http://127.0.0.1:9", access_key="a", secret_key="b", connect_timeout_s=0.5
    )
    with pytest.raises(ReleasesAway):
        S3Files(s3_client(config), "releases").get("gelato", _PATH, 0, 10)


class TestFolder:
    """What only a folder can do wrong."""

    def test_links_lead_nowhere_outside(self, tmp_path: Path) -> None:
        """T7: neither a file nor a folder that is a link to another chain's; a link inside is fine."""
        own, other = tmp_path / "tuf" / "gelato", tmp_path / "tuf" / "bianca"
        for folder in (own / "targets", own / "metadata", other / "targets"):
            folder.mkdir(parents=True)
        (other / "targets" / "secret").write_bytes(b"of another chain")
        (own / "targets" / "file").symlink_to(other / "targets" / "secret")
        (own / "targets" / "folder").symlink_to(other / "targets")
        (own / "real").mkdir()
        (own / "real" / "inside").write_bytes(b"own")
        (own / "targets" / "inside").symlink_to(own / "real")
        files = FolderFiles(tmp_path)
        assert files.get("gelato", "targets/inside/inside", 0, 10).data == b"own"
        with pytest.raises(FileMissing):
            files.get("gelato", "targets/folder/secret", 0, 10)
        with pytest.raises(FileMissing):
            files.get("gelato", "targets/file", 0, 10)

    def test_a_pipe_keeps_nobody_waiting(self, tmp_path: Path) -> None:
        """It is no file."""
        folder = tmp_path / "tuf" / "gelato" / "targets"
        folder.mkdir(parents=True)
        os.mkfifo(folder / "pipe")
        with pytest.raises(FileMissing):
            FolderFiles(tmp_path).get("gelato", "targets/pipe", 0, 10)

    def test_a_folder_that_is_gone_is_said_so(self, tmp_path: Path) -> None:
        """An unmounted disk is no missing root."""
        with pytest.raises(ReleasesRefused):
            FolderFiles(tmp_path / "away").get("gelato", _PATH, 0, 10)
