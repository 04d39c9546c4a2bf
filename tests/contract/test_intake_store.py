"""One suite over every intake bucket: in memory, an emulator, a real server."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import pytest

from cloud.config import S3Config
from cloud.intake.adapters.s3_intake_store import S3IntakeStore
from cloud.intake.intake_store import IntakeStore, LongerThanAllowed
from cloud.intake.memory_intake_store import MemoryIntakeStore
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused
from cloud.objects.s3_client import s3_client
from tests.builders.cloud_database import NOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.builders.ceph_s3 import CephS3

KEY = f"intake/acme/{'0' * 32}"


class Filled(Protocol):
    def __call__(self, key: str, body: bytes, content_type: str) -> object: ...


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(
    params=[
        "memory",
        "emulator",
        pytest.param("ceph", marks=pytest.mark.service),
        pytest.param("ceph, boto3 alone", marks=pytest.mark.service),
    ]
)
def bucket(request: pytest.FixtureRequest) -> tuple[IntakeStore, Filled]:
    """An empty bucket, and what puts something there as a client would."""
    if request.param == "memory":
        memory = MemoryIntakeStore(lambda: NOW_MS)
        return memory, memory.put
    if request.param == "emulator":
        config = S3Config(
            endpoint_url=request.getfixturevalue("emulator"), access_key="anything", secret_key="anything"
        )
    else:
        real: CephS3 = request.getfixturevalue("real_s3")
        config = S3Config(
            endpoint_url=real.endpoint_url, access_key=real.access_key, secret_key=real.secret_key
        )
    name = f"intake-{uuid.uuid4()}"
    config, client = replace(config, bucket=name), s3_client(config)
    client.create_bucket(Bucket=name)
    if request.param == "ceph, boto3 alone":  # as with authorities of one's own
        config = replace(config, ca_file=Path("unused"))

    def put(key: str, body: bytes, content_type: str) -> object:
        return client.put_object(Bucket=name, Key=key, Body=body, ContentType=content_type)

    return S3IntakeStore(config, client), put


def test_what_was_put_is_described(bucket: tuple[IntakeStore, Filled]) -> None:
    """Length, type and age, without reading the object; nothing where nothing lies."""
    store, put = bucket
    assert store.head(KEY) is None
    put(KEY, b"12345", "image/jpeg")
    head = store.head(KEY)
    assert head is not None
    assert (head.size, head.content_type) == (5, "image/jpeg")
    assert 0 <= head.age_ms < 60_000


def test_no_more_is_read_than_allowed(bucket: tuple[IntakeStore, Filled]) -> None:
    """An object that holds more than was announced is not handed out at all."""
    store, put = bucket
    with pytest.raises(ObjectMissing):
        store.get(KEY, 100)
    put(KEY, b"12345", "image/jpeg")
    assert store.get(KEY, 5) == b"12345"
    with pytest.raises(LongerThanAllowed):
        store.get(KEY, 4)


def test_a_deleted_object_is_gone(bucket: tuple[IntakeStore, Filled]) -> None:
    """Twice is no error, and the listing shows what is left."""
    store, put = bucket
    put(KEY, b"1", "image/jpeg")
    put("probe/x", b"22", "text/plain")
    assert [(one.key, one.size) for one in store.listed()] == [(KEY, 1), ("probe/x", 2)]
    assert all(0 <= one.age_ms < 60_000 for one in store.listed())
    store.delete(KEY)
    store.delete(KEY)
    assert store.head(KEY) is None
    assert [one.key for one in store.listed()] == ["probe/x"]


@pytest.mark.service
def test_what_is_wrong_is_told(real_s3: CephS3) -> None:
    """A wrong bucket or secret asks for an operator; a server that is not there, for patience (T18)."""
    good = S3Config(
        endpoint_url=real_s3.endpoint_url, access_key=real_s3.access_key, secret_key=real_s3.secret_key
    )
    with pytest.raises(StoreRefused):
        list(S3IntakeStore(replace(good, bucket="there-is-no-such-bucket")).listed())
    stranger = S3Config(endpoint_url=real_s3.endpoint_url, access_key="nobody", secret_key="wrong")
    with pytest.raises(StoreRefused):
        S3IntakeStore(stranger).head(KEY)
    from tests.builders.daemon import ReservedPort

    with ReservedPort() as port:
        away = S3Config(
            endpoint_url=f"http://127.0.0.1:{port.number}",
            access_key="a",
            secret_key="b",
            connect_timeout_s=1,
            request_timeout_s=1,
        )
        with pytest.raises(ObjectsAway):
            S3IntakeStore(away).head(KEY)


@pytest.mark.service
def test_an_age_is_by_the_stores_clock(real_s3: CephS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is an hour ahead takes a fresh object for fresh."""
    config = S3Config(
        endpoint_url=real_s3.endpoint_url,
        access_key=real_s3.access_key,
        secret_key=real_s3.secret_key,
        bucket=f"intake-{uuid.uuid4()}",
    )
    client = s3_client(config)
    client.create_bucket(Bucket=config.bucket)
    client.put_object(Bucket=config.bucket, Key=KEY, Body=b"1")

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=1)

    monkeypatch.setattr("cloud.intake.adapters.fast_heads.datetime", Ahead)
    head = S3IntakeStore(config, client).head(KEY)
    assert head is not None
    assert head.age_ms < 60_000
