"""One suite over the recommender's way into the intake bucket: in memory, an emulator, a real server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from cloud.config import CloudConfig, IntakeConfig, S3Config
from cloud.intake.adapters.s3_intake_store import S3IntakeStore
from cloud.intake.intake_store import LongerThanAllowed
from cloud.objects.ports import ObjectMissing, ObjectsAway, StoreRefused
from cloud.objects.s3_client import s3_client
from cloud.recommender.adapters.s3_pictures import S3Pictures, SlowPictures, open_pictures
from tests.builders.cloud_database import NOW_MS
from tests.builders.recommender_stage import MemoryPictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud.recommender.ports import Pictures
    from tests.builders.ceph_s3 import CephS3

KEYS = [f"intake/acme/{number:032x}" for number in range(3)]


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", "emulator", "boto3", pytest.param("ceph", marks=pytest.mark.service)])
def bucket(request: pytest.FixtureRequest) -> tuple[Pictures, Callable[[str, bytes], Any]]:
    """The pictures of an empty bucket, and what puts one there."""
    if request.param == "memory":
        memory = MemoryPictures(lambda: NOW_MS)
        return memory, lambda key, body: memory.put(key, body, "image/jpeg")
    if request.param in {"emulator", "boto3"}:
        s3 = S3Config(endpoint_url=request.getfixturevalue("emulator"), access_key="any", secret_key="any")
    else:
        real: CephS3 = request.getfixturevalue("real_s3")
        s3 = S3Config(endpoint_url=real.endpoint_url, access_key=real.access_key, secret_key=real.secret_key)
    client, name = s3_client(s3), f"intake-{uuid.uuid4()}"
    client.create_bucket(Bucket=name)
    config = CloudConfig(s3=s3, intake=IntakeConfig(bucket=name))
    pictures = SlowPictures(S3IntakeStore.open(config)) if request.param == "boto3" else S3Pictures(config)
    return pictures, lambda key, body: client.put_object(Bucket=name, Key=key, Body=body)


def test_what_was_put_is_read_whole(bucket: tuple[Pictures, Callable[[str, bytes], Any]]) -> None:
    pictures, put = bucket
    body = bytes(range(256)) * 300
    put(KEYS[0], body)
    assert pictures.get(KEYS[0], len(body)) == body


def test_nothing_longer_than_allowed_is_handed_out(
    bucket: tuple[Pictures, Callable[[str, bytes], Any]],
) -> None:
    pictures, put = bucket
    put(KEYS[0], b"longer")
    with pytest.raises(LongerThanAllowed):
        pictures.get(KEYS[0], 5)


def test_many_are_deleted_at_once_and_missing_ones_are_no_error(
    bucket: tuple[Pictures, Callable[[str, bytes], Any]],
) -> None:
    pictures, put = bucket
    put(KEYS[0], b"one")
    put(KEYS[1], b"two")
    pictures.delete_all(KEYS)
    for key in KEYS:
        with pytest.raises(ObjectMissing):
            pictures.get(key, 10)
    pictures.delete_all(KEYS[:1])


@pytest.mark.service
def test_a_store_that_refuses_and_one_that_is_away_are_told_apart(real_s3: CephS3) -> None:
    wrong = S3Config(endpoint_url=real_s3.endpoint_url, access_key=real_s3.access_key, secret_key="wrong" * 8)
    with pytest.raises(StoreRefused):
        S3Pictures(CloudConfig(s3=wrong)).get(KEYS[0], 10)
    away = S3Config(
        endpoint_url="http://127.0.0.1:9", access_key="any", secret_key="any", connect_timeout_s=0.5
    )
    with pytest.raises(ObjectsAway):
        S3Pictures(CloudConfig(s3=away)).get(KEYS[0], 10)
    with pytest.raises(ObjectsAway):
        S3Pictures(CloudConfig(s3=away)).delete_all(KEYS)


def test_obstore_is_asked_where_it_can_be(tmp_path: Path) -> None:
    """It knows nothing of an authority of one's own, and would refuse such a server."""
    keys = {"access_key": "any", "secret_key": "any"}
    assert isinstance(open_pictures(CloudConfig(s3=S3Config(**keys))), S3Pictures)
    own = S3Config(**keys, endpoint_url="https://s3.example", ca_file=tmp_path / "ca.pem")
    assert isinstance(open_pictures(CloudConfig(s3=own)), SlowPictures)
