"""Signed URLs, events and sweeping against a real S3 server, which checks what an emulator takes (T21)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.client
import json
import sys
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from cloud.clock import now_ms
from cloud.config import CloudConfig, S3Config
from cloud.intake.adapters.metrics import IntakeWatch
from cloud.intake.adapters.s3_intake_store import S3IntakeStore
from cloud.intake.adapters.s3_url_signer import S3UrlSigner
from cloud.intake.adapters.sqs_events import sqs_client
from cloud.intake.arrivals import Arrived, Source
from cloud.intake.service import build_arrivals, build_intake
from cloud.intake.set_up import PUT_HEADERS, prepare_intake
from cloud.intake.signed_urls import SignedUpload
from cloud.intake.start_check import check_intake
from cloud.intake.values import ObjectPlace, UploadState
from cloud.objects.ports import ObjectsAway, StoreRefused
from cloud.objects.s3_client import s3_client
from tests.builders.cloud_database import add_tenants, sqlite_database
from tests.builders.collector_stack import wait_for
from tests.builders.daemon import Daemon, ReservedPort
from tests.builders.hostile_pictures import jpeg
from tests.builders.intake import announced, intake_config, issue, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cloud.database.engine import Database
    from tests.builders.ceph_s3 import CephS3

A, B = "apfelstrudel", "brioche"
WITHIN_S = 60


@pytest.fixture(scope="module")
def picture() -> bytes:
    return jpeg()


@dataclass
class Stage:
    """A set-up bucket at the real server, chains, and a client without any credentials."""

    config: CloudConfig
    database: Database
    store: S3IntakeStore
    signer: S3UrlSigner

    def ticket(self, body: bytes, tenant: str = A, **changes: Any) -> tuple[ObjectPlace, SignedUpload]:
        place = issue(self.database, tenant, body, now_ms=now_ms())
        return place, self.signer.sign(place, replace(announced(body), **changes), 60)

    def lies_there(self, place: ObjectPlace) -> bool:
        return self.store.head(place.key) is not None


@pytest.fixture(scope="module")
def stage(real_s3: CephS3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("intake")
    s3 = S3Config(
        endpoint_url=real_s3.endpoint_url, access_key=real_s3.access_key, secret_key=real_s3.secret_key
    )
    config = intake_config(s3, folder)
    prepare_intake(config)
    with sqlite_database(folder) as database:
        add_tenants(database, A, B)
        yield Stage(config, database, S3IntakeStore.open(config), S3UrlSigner.open(config))


def send(url: str, headers: Mapping[str, str], body: bytes, method: str = "PUT") -> int:
    """A request as it stands, with no credentials: its status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.putrequest(method, parts._replace(scheme="", netloc="").geturl())
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


# ---- the signed URL ----


@dataclass(frozen=True)
class Request:
    """What a client sends."""

    url: str
    headers: dict[str, str]
    body: bytes
    method: str = "PUT"


URL_CHANGES: dict[str, Callable[[str, ObjectPlace], str]] = {
    "other-key": lambda url, place: url.replace(place.request.hex(), "0" * 32),
    "other-chain": lambda url, _: url.replace(f"/{A}/", f"/{B}/"),
    "other-bucket": lambda url, _: url.replace("/intake-", "/frames-"),
    "longer-life": lambda url, _: url.replace("X-Amz-Expires=60", "X-Amz-Expires=3600"),
    "other-time": lambda url, _: url.replace("X-Amz-Date=2", "X-Amz-Date=3"),
    "no-signature": lambda url, _: urlsplit(url)._replace(query="").geturl(),
    "other-signature": lambda url, _: url[:-1] + ("0" if url[-1] != "0" else "1"),
}
HEADER_CHANGES: dict[str, dict[str, str | None]] = {
    "other-type": {"Content-Type": "text/html"},
    "no-type": {"Content-Type": None},
    "other-length": {"Content-Length": "+1"},
    "no-condition": {"If-None-Match": None},
    "other-digest": {"x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode()},
    "no-digest": {"x-amz-checksum-sha256": None},
}
METHOD_CHANGES = ("GET", "DELETE", "POST")


def changed(request: Request, change: str, place: ObjectPlace) -> Request:
    """The request with this change; different from what it was."""
    if change in METHOD_CHANGES:
        return replace(request, method=change)
    if change in URL_CHANGES:
        url = URL_CHANGES[change](request.url, place)
        assert url != request.url
        return replace(request, url=url)
    if change == "other-length":
        body = request.body + b"!"
        return replace(request, body=body, headers=request.headers | {"Content-Length": str(len(body))})
    kept = {name: value for name, value in request.headers.items() if name not in HEADER_CHANGES[change]}
    other = {name: value for name, value in HEADER_CHANGES[change].items() if value is not None}
    return replace(request, headers=kept | other)


@pytest.mark.service
def test_of_sixteen_at_once_one_is_taken(stage: Stage, picture: bytes) -> None:
    """One URL, sixteen clients: one 200, fifteen refused; one object, one ticket consumed, one job (T21)."""
    place, signed = stage.ticket(picture)
    with ThreadPoolExecutor(16) as clients:
        statuses = Counter(clients.map(lambda _: send(signed.url, signed.headers, picture), range(16)))
    assert statuses.pop(200) == 1
    assert all(400 <= status < 500 for status in statuses)
    arrivals = build_arrivals(stage.config, stage.database, IntakeWatch(), stage.store)
    with ThreadPoolExecutor(8) as sources:
        arrived = Counter(sources.map(lambda _: arrivals.heard(place, Source.COMPLETE), range(8)))
    assert arrived == {Arrived.ACCEPTED: 1, Arrived.KNOWN: 7}
    assert row_of(stage.database, place).jobs == 1
    assert stage.store.get(place.key, len(picture)) == picture


@pytest.mark.service
@pytest.mark.parametrize("change", [*URL_CHANGES, *HEADER_CHANGES, *METHOD_CHANGES])
def test_nothing_of_a_signed_url_can_be_changed(stage: Stage, picture: bytes, change: str) -> None:
    """Type, length, condition, digest, key, chain, bucket, time, method: 4xx, nothing lies there (T21)."""
    place, signed = stage.ticket(picture)
    request = changed(Request(signed.url, dict(signed.headers), picture), change, place)
    assert 400 <= send(request.url, request.headers, request.body, request.method) < 500
    assert not stage.lies_there(place)


@pytest.mark.service
def test_an_expired_url_is_worth_nothing(
    stage: Stage, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second after its minute it is refused (T21)."""
    before = datetime.now(UTC) - timedelta(seconds=61)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: before.replace(tzinfo=None))
    place, signed = stage.ticket(picture)
    assert send(signed.url, signed.headers, picture) == 403
    assert not stage.lies_there(place)


@pytest.mark.service
def test_other_bytes_are_refused_by_their_md5(stage: Stage, picture: bytes) -> None:
    """Where the client announced it (T21).

    This server ignores the SHA-256: there the recommender's own check is the wall.
    """
    other = picture[:-1] + b"!"
    place, signed = stage.ticket(picture, md5=hashlib.md5(picture, usedforsecurity=False).digest())
    assert send(signed.url, signed.headers, other) == 400
    assert not stage.lies_there(place)
    unchecked, without_md5 = stage.ticket(picture)
    assert send(without_md5.url, without_md5.headers, other) == 200
    assert stage.store.get(unchecked.key, len(other)) == other


@pytest.mark.service
def test_a_replay_finds_the_door_shut(stage: Stage, picture: bytes) -> None:
    """While the picture is there the server refuses; once it is gone the object is deleted unread (T21)."""
    place, signed = stage.ticket(picture)
    arrivals = build_arrivals(stage.config, stage.database, IntakeWatch(), stage.store)
    assert send(signed.url, signed.headers, picture) == 200
    assert arrivals.heard(place, Source.WEBHOOK) is Arrived.ACCEPTED
    assert send(signed.url, signed.headers, picture) == 412
    _end_as_the_recommender_does(stage, place)
    assert send(signed.url, signed.headers, picture) == 200
    assert arrivals.heard(place, Source.WEBHOOK) is Arrived.UNWANTED
    assert not stage.lies_there(place)
    assert row_of(stage.database, place).state is UploadState.DONE


def _end_as_the_recommender_does(stage: Stage, place: ObjectPlace) -> None:
    from sqlalchemy import update

    from cloud.database.schema import uploads

    stage.store.delete(place.key)
    with stage.database.tenant(place.tenant) as connection:
        connection.execute(
            update(uploads)
            .where(uploads.c.tenant == place.tenant, uploads.c.request == place.request)
            .values(state="done", deleted_at_ms=now_ms())
        )


@pytest.mark.service
def test_a_server_that_is_away_loses_nothing(stage: Stage, picture: bytes, real_s3: CephS3) -> None:
    """Killed between upload and event: the ticket stays, and the event that is told again is taken (T18)."""
    place, signed = stage.ticket(picture)
    assert send(signed.url, signed.headers, picture) == 200
    arrivals = build_arrivals(stage.config, stage.database, IntakeWatch(), stage.store)
    real_s3.kill_gateway()
    try:
        with pytest.raises(ObjectsAway):
            arrivals.heard(place, Source.WEBHOOK)
        with pytest.raises(ObjectsAway):
            list(stage.store.listed())
        assert row_of(stage.database, place).state is UploadState.ISSUED
    finally:
        real_s3.start_gateway()
    assert arrivals.heard(place, Source.WEBHOOK) is Arrived.ACCEPTED


# ---- set-up and the check at the start ----


@pytest.mark.service
def test_set_up_may_be_run_again_and_passes_the_check(stage: Stage) -> None:
    """It finds what it made; a real server passes without a warning, in production too."""
    done = prepare_intake(stage.config)
    assert (done["bucket"], done["lifecycle"]) == ("there", "1 day, as a backstop")
    warnings: list[str] = []
    check_intake(replace(stage.config, environment="production"), lambda one: warnings.append(one.name))
    assert warnings == []
    assert [one.key for one in stage.store.listed() if not one.key.startswith("intake/")] == []


@pytest.mark.service
@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_a_bucket_that_keeps_versions_is_refused(stage: Stage, status: str) -> None:
    """Deleted pictures would stay: neither set-up nor service takes it, not even in development (T26)."""
    config = replace(stage.config, intake=replace(stage.config.intake, bucket=f"versions-{uuid.uuid4()}"))
    client = s3_client(config.s3)
    client.create_bucket(Bucket=config.intake.bucket)
    client.put_bucket_versioning(Bucket=config.intake.bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_versioning(Bucket=config.intake.bucket, VersioningConfiguration={"Status": status})
    for refuses in (lambda: prepare_intake(config), lambda: check_intake(config, print)):
        with pytest.raises(StoreRefused, match="keeps versions") as caught:
            refuses()
        assert caught.value.remedy


@pytest.mark.service
def test_browsers_of_the_chains_pages_may_upload(stage: Stage) -> None:
    """The pre-flight lets a chain's own page PUT with the signed headers, and refuses all else."""
    place, signed = stage.ticket(b"x")
    page = {
        "Origin": "http://apfelstrudel.localhost:8740",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ", ".join(PUT_HEADERS),
    }
    assert send(signed.url, page, b"", "OPTIONS") == 200
    for change in (
        {"Origin": "https://evil.example"},
        {"Access-Control-Request-Method": "GET"},
        {"Access-Control-Request-Headers": "x-amz-acl"},
    ):
        assert send(signed.url, page | change, b"", "OPTIONS") == 403
    assert not stage.lies_there(place)


# ---- the process ----


@pytest.mark.service
def test_the_service_hears_of_uploads(stage: Stage, picture: bytes, tmp_path: Path) -> None:
    """The S3 server's own event comes to the webhook, and what was put while nobody listened is found.

    Neither a secret nor a byte of a picture stands in the log (T26).
    """
    token = uuid.uuid4().hex
    with ReservedPort() as port, ReservedPort() as health:
        config = replace(
            stage.config,
            intake=replace(
                stage.config.intake,
                bucket=f"told-{uuid.uuid4()}",
                port=port.number,
                webhook_token=token,
                webhook_url=f"http://127.0.0.1:{port.number}/events",
                health_port=health.number,
            ),
        )
        assert prepare_intake(config)["events"] == "to the webhook"
        told = replace(
            stage, config=config, store=S3IntakeStore.open(config), signer=S3UrlSigner.open(config)
        )
        lost, signed = told.ticket(picture, B)
        assert send(signed.url, signed.headers, picture) == 200  # nobody listens yet
        service = Daemon("intake", _command(config, tmp_path), tmp_path / "intake.log")
        service.start()
        try:
            service.wait_until(lambda: _is_ready(health.number), WITHIN_S)
            wait_for(lambda: row_of(stage.database, lost).jobs == 1, "the lost upload is found")
            places = []
            for tenant in (A, B, A):
                place, signed = told.ticket(picture, tenant)
                assert send(signed.url, signed.headers, picture) == 200
                places.append(place)
            wait_for(
                lambda: all(row_of(stage.database, place).jobs == 1 for place in places), "all have arrived"
            )
            stranger, signed = told.ticket(picture)
            assert send(signed.url, signed.headers, picture) == 200
            wait_for(lambda: row_of(stage.database, stranger).jobs == 1, "the last one")
            assert (
                send(f"http://127.0.0.1:{port.number}/events", {"Content-Length": "2"}, b"{}", "POST") == 401
            )
            metrics = _get(health.number, "metrics")
            assert 'topscoop_intake_arrivals_total{result="accepted",source="webhook"}' in metrics
            assert 'topscoop_intake_arrivals_total{result="accepted",source="look"} 1.0' in metrics
            assert "topscoop_intake_strangers_total 1.0" in metrics
        finally:
            service.stop()
        log = service.log.read_bytes()
        assert b"webhook.refused" in log
        assert b"Traceback" not in log
        for secret in (token.encode(), config.s3.secret_key.encode(), picture[:16], b"X-Amz-Signature"):
            assert secret not in log


def _command(config: CloudConfig, folder: Path) -> list[str]:
    sections = {
        "s3": {"endpoint_url": config.s3.endpoint_url, "access_key": config.s3.access_key}
        | {"secret_key": config.s3.secret_key},
        "intake": {
            name: getattr(config.intake, name)
            for name in ("bucket", "port", "webhook_token", "health_port", "reconcile_every_s")
        },
        "mqtt": {"tls": False},
        "log": {"format": "json"},
    }
    lines = [
        'environment = "development"',
        f'state_dir = "{config.state_dir}"',
        f'database_url = "sqlite:///{config.state_dir}/cloud.sqlite3"',
    ]
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    file = folder / "cloud.toml"
    file.write_text("\n".join(lines) + "\n")
    return [sys.executable, "-m", "topscoop", "cloud", "intake", "run", "--config", str(file)]


def _get(port: int, page: str) -> str:
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5).read().decode()


def _is_ready(port: int) -> bool:
    try:
        return '"ready"' in _get(port, "readyz")
    except OSError:
        return False


# ---- the queue ----


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


async def test_events_come_through_a_queue(
    emulator: str, picture: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bucket → SQS → ticket, over an emulator: its test event and garbage first, two chains' uploads then."""
    monkeypatch.setattr("cloud.intake.adapters.sqs_events.WAIT_S", 1)  # the test's end waits for it
    s3 = S3Config(endpoint_url=emulator, access_key="a", secret_key="b", emulated=True)
    config = intake_config(s3, tmp_path, queue_endpoint_url=emulator, reconcile_every_s=60.0)
    queue = sqs_client(config)
    url = queue.create_queue(QueueName=f"q-{uuid.uuid4()}")["QueueUrl"]
    config = replace(config, intake=replace(config.intake, queue_url=url))
    assert prepare_intake(config)["events"] == "to the queue"
    queue.send_message(QueueUrl=url, MessageBody="no JSON")
    watch = IntakeWatch()
    with sqlite_database(tmp_path) as database, build_intake(config, database, watch) as intake:
        add_tenants(database, A, B)
        signer = S3UrlSigner.open(config)
        tasks = [asyncio.create_task(work(), name=name) for name, work in intake.works.items()]
        places = []
        for tenant in (A, B):
            place = issue(database, tenant, picture, now_ms=now_ms())
            signed = signer.sign(place, announced(picture), 60)
            assert await asyncio.to_thread(send, signed.url, signed.headers, picture) == 200
            places.append(place)

        def arrived() -> bool:
            return all(row_of(database, place).jobs == 1 for place in places)

        try:
            await asyncio.to_thread(wait_for, arrived, "both have arrived")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    for source, result, count in (("sqs", "accepted", 2), ("look", "accepted", None)):
        labels = {"source": source, "result": result}
        assert watch.registry.get_sample_value("topscoop_intake_arrivals_total", labels) == count
    garbage = {"source": "sqs", "kind": "garbage"}
    assert watch.registry.get_sample_value("topscoop_intake_messages_total", garbage) == 1
