"""One suite over every object store: in memory, an emulator, a real server through both clients.

`_TAKES_WRONGLY` states what each takes although it ought not to; what protects is claimed of the real one
alone.
"""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from cloud.config import S3Config
from cloud.objects.coroutines import InThreads, at_once
from cloud.objects.fast_store import FastStore
from cloud.objects.memory_store import MemoryStore
from cloud.objects.ports import ObjectMissing, ObjectsAway, ObjectStore, StoreRefused
from cloud.objects.probe import PREFIX, check_store, probe_store
from cloud.objects.s3_store import S3Store
from cloud.objects.setup import prepare_bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud.collector.ports import Objects
    from tests.builders.ceph_s3 import CephS3

KEY = "frames/acme/2026/11/22/0193"
TAGS = {"tenant": "acme", "retention": "d365"}
_TAKES_WRONGLY = {
    "emulator": {"expired-put", "wrong-checksum"},
    "ceph": set[str](),
}


def s3_config(endpoint_url: str, server: CephS3 | None = None, **changes: Any) -> S3Config:
    return S3Config(
        endpoint_url=endpoint_url,
        bucket=f"test-{uuid.uuid4()}",
        access_key=server.access_key if server else "anything",
        secret_key=server.secret_key if server else "anything",
        **changes,
    )


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["emulator", pytest.param("ceph", marks=pytest.mark.service)])
def server(request: pytest.FixtureRequest) -> tuple[str, S3Config]:
    """Name and a configuration with a bucket that is not there yet."""
    if request.param == "emulator":
        return "emulator", s3_config(request.getfixturevalue("emulator"))
    real = request.getfixturevalue("real_s3")
    return "ceph", s3_config(real.endpoint_url, real)


@pytest.fixture(params=["memory", "emulator", pytest.param("ceph", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "memory":
        return MemoryStore(lambda: 1_790_000_000_000)
    if request.param == "emulator":
        config = s3_config(request.getfixturevalue("emulator"))
    else:
        real = request.getfixturevalue("real_s3")
        config = s3_config(real.endpoint_url, real)
    prepare_bucket(config)
    return S3Store(config)


@pytest.fixture(params=["memory", "threads", pytest.param("fast", marks=pytest.mark.service)])
def objects(request: pytest.FixtureRequest) -> Objects:
    if request.param == "memory":
        return InThreads(MemoryStore(lambda: 1_790_000_000_000), at_once)
    if request.param == "threads":
        config = s3_config(request.getfixturevalue("emulator"))
        prepare_bucket(config)
        return InThreads(S3Store(config))
    real = request.getfixturevalue("real_s3")
    config = s3_config(real.endpoint_url, real)
    prepare_bucket(config)
    return FastStore(config, S3Store(config))


# ---- the port ----


def test_every_put_is_a_version(store: ObjectStore) -> None:
    """Two puts under a key are two versions, the newest first, each with its bytes and metadata."""
    first = store.put(KEY, b"one", {"register": "till-1", "message-id": "aa"}, TAGS)
    second = store.put(KEY, b"two", {"register": "till-1", "message-id": "bb"}, TAGS)
    assert [version.version for version in store.versions(KEY)] == [second, first]
    assert [version.size for version in store.versions(KEY)] == [3, 3]
    assert store.get(KEY, first).body == b"one"
    assert store.get(KEY, second).metadata == store.metadata(KEY, second)
    assert store.metadata(KEY, first) == {"register": "till-1", "message-id": "aa"}


def test_tags_are_kept(store: ObjectStore) -> None:
    """The store's own rules go by them."""
    version = store.put(KEY, b"one", {}, TAGS)
    assert isinstance(store, MemoryStore | S3Store)
    assert store.tags(KEY, version) == TAGS


def test_a_deleted_version_is_gone_for_good(store: ObjectStore) -> None:
    """Deleting by version id leaves no marker, and the other version alone; twice is no error."""
    first = store.put(KEY, b"one", {}, TAGS)
    second = store.put(KEY, b"two", {}, TAGS)
    store.delete(KEY, second)
    store.delete(KEY, second)
    assert [version.version for version in store.versions("frames/")] == [first]
    assert list(store.delete_markers("frames/")) == []
    with pytest.raises(ObjectMissing):
        store.get(KEY, second)
    with pytest.raises(ObjectMissing):
        store.metadata(KEY, second)


def test_listing_goes_by_prefix_and_folder(store: ObjectStore) -> None:
    """What the sweeper walks along."""
    for key in ("frames/acme/2026/11/22/a", "frames/acme/2026/11/23/b", "frames/zeta/2026/11/22/c"):
        store.put(key, b"x", {}, TAGS)
    assert [version.key for version in store.versions("frames/acme/")] == [
        "frames/acme/2026/11/22/a",
        "frames/acme/2026/11/23/b",
    ]
    assert list(store.folders("frames/acme/2026/11/")) == [
        "frames/acme/2026/11/22/",
        "frames/acme/2026/11/23/",
    ]
    assert list(store.folders("frames/nobody/")) == []


async def test_the_collectors_port(objects: Objects) -> None:
    """As coroutines, whatever the client: version, metadata, listing, deleting."""
    version = await objects.put(KEY, b"body", {"register": "till-1", "sha256": "ab"}, TAGS)
    assert [found.version for found in await objects.versions(KEY)] == [version]
    assert await objects.metadata(KEY, version) == {"register": "till-1", "sha256": "ab"}
    assert await objects.folders("frames/acme/") == ["frames/acme/2026/"]
    await objects.delete(KEY, version)
    assert await objects.metadata(KEY, version) is None
    assert list(await objects.versions(KEY)) == []


async def test_puts_at_once_are_versions_each(objects: Objects) -> None:
    """Sixteen puts under one key, together: sixteen versions."""
    versions = await asyncio.gather(*(objects.put(KEY, b"%d" % n, {}, TAGS) for n in range(16)))
    assert {found.version for found in await objects.versions(KEY)} == set(versions)
    assert len(set(versions)) == 16


# ---- set-up and probe ----


def test_set_up_may_be_run_again(server: tuple[str, S3Config]) -> None:
    """It makes the bucket, then finds it; versions are kept, and every class of retention has its rule."""
    name, config = server
    assert prepare_bucket(config)["bucket"] == "made"
    assert prepare_bucket(config) == {
        "bucket": "there",
        "versions": "kept",
        "public access": "blocked (public ACLs ignored)" if name == "ceph" else "blocked",
        "lifecycle": "7 rules",
    }


def test_what_each_server_takes_that_it_ought_not(server: tuple[str, S3Config]) -> None:
    """The real server refuses unsigned, expired and damaged PUTs; what the emulator takes is found out."""
    name, config = server
    prepare_bucket(config)
    assert {finding.name for finding in probe_store(config)} == _TAKES_WRONGLY[name]
    assert list(S3Store(config).versions(PREFIX)) == []


def test_an_emulator_is_for_development(emulator: str) -> None:
    """Outside of development such a store is refused; within, each finding is a warning."""
    config = s3_config(emulator)
    prepare_bucket(config)
    warnings: list[str] = []
    with pytest.raises(StoreRefused, match="PUT") as caught:
        check_store(config, development=False, warn=lambda finding: warnings.append(finding.name))
    assert caught.value.remedy
    check_store(config, development=True, warn=lambda finding: warnings.append(finding.name))
    assert set(warnings) == _TAKES_WRONGLY["emulator"]


@pytest.mark.service
def test_a_bucket_without_versions_is_refused(real_s3: CephS3) -> None:
    """Even in development: without version ids a frame could be written over."""
    config = s3_config(real_s3.endpoint_url, real_s3)
    real_s3.client().create_bucket(Bucket=config.bucket)
    with pytest.raises(StoreRefused, match="no versions") as caught:
        check_store(config, development=True, warn=lambda _: None)
    assert "setup" in caught.value.remedy


@pytest.mark.service
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"bucket": "not-there-at-all"}, "NoSuchBucket"),
        ({"secret_key": "wrong"}, "SignatureDoesNotMatch"),
        ({"access_key": "nobody"}, "InvalidAccessKeyId"),
    ],
)
async def test_a_wrong_setting_is_told(real_s3: CephS3, wrong: dict[str, str], says: str) -> None:
    """Wrong bucket or credentials: not `away`, but what to correct, from both clients (T18)."""
    config = s3_config(real_s3.endpoint_url, real_s3)
    prepare_bucket(config)
    config = dataclasses.replace(config, **wrong)
    with pytest.raises(StoreRefused, match=says) as caught:
        probe_store(config)
    assert caught.value.remedy
    with pytest.raises(StoreRefused, match="refuses"):
        await FastStore(config, S3Store(config)).put(KEY, b"x", {}, TAGS)


async def test_a_server_that_is_not_there_is_away() -> None:
    """Both clients say so within their time limits (T18)."""
    from tests.builders.daemon import ReservedPort

    with ReservedPort() as port:
        config = s3_config(f"http://127.0.0.1:{port.number}", connect_timeout_s=1, request_timeout_s=1)
        with pytest.raises(ObjectsAway):
            S3Store(config).put(KEY, b"x", {}, TAGS)
        with pytest.raises(ObjectsAway):
            await FastStore(config, S3Store(config)).put(KEY, b"x", {}, TAGS)
        with pytest.raises(ObjectsAway):
            list(S3Store(config).versions("frames/"))
