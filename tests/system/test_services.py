"""The real services that other tests build on do what those tests take for granted."""

from __future__ import annotations

import os
import socket
import threading
import time
from copy import copy
from typing import TYPE_CHECKING

import httpx
import paho.mqtt.client as mqtt
import psutil
import psycopg
import pytest
import sqlalchemy
from botocore.exceptions import ClientError
from paho.mqtt import MQTTException, publish, subscribe
from paho.mqtt.enums import CallbackAPIVersion

from tests.builders.daemon import ReservedPort
from tests.builders.mosquitto import ANONYMOUS, Mosquitto, dynamic_security_plugin
from tests.builders.postgres import PostgresCluster, PostgresDatabase, libpq_url
from tests.builders.service_fixtures import S3Bucket

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.service


def test_s3_keeps_versions(s3_bucket: S3Bucket) -> None:
    """Each put of a key has a version of its own, and each stays readable."""
    put = [s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="a", Body=body) for body in (b"1", b"2")]
    versions = [answer["VersionId"] for answer in put]
    assert len(set(versions)) == 2
    read = [
        s3_bucket.client.get_object(Bucket=s3_bucket.name, Key="a", VersionId=version)["Body"].read()
        for version in versions
    ]
    assert read == [b"1", b"2"]


def _presigned_put(bucket: S3Bucket, expires_in_s: int) -> str:
    parameters = {"Bucket": bucket.name, "Key": "presigned"}
    return str(bucket.client.generate_presigned_url("put_object", Params=parameters, ExpiresIn=expires_in_s))


def test_s3_refuses_an_expired_presigned_put(s3_bucket: S3Bucket) -> None:
    """An imitation accepts it: this is what the real server is for."""
    assert httpx.put(_presigned_put(s3_bucket, 60), content=b"in time").status_code == 200
    expired = _presigned_put(s3_bucket, 1)
    time.sleep(2.1)
    refused = httpx.put(expired, content=b"too late")
    assert refused.status_code == 403
    assert s3_bucket.client.get_object(Bucket=s3_bucket.name, Key="presigned")["Body"].read() == b"in time"


def test_s3_refuses_a_wrong_secret(s3_bucket: S3Bucket) -> None:
    other = copy(s3_bucket.server)
    other.secret_key = "not-the-secret"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        other.client().list_buckets()


def test_s3_keeps_a_version_over_the_death_of_gateway_and_store(s3_bucket: S3Bucket) -> None:
    """Kill -9 of both, and the version that was acknowledged is there."""
    server, name = s3_bucket.server, s3_bucket.name
    version = s3_bucket.client.put_object(Bucket=name, Key="kept", Body=b"scoop")["VersionId"]
    server.kill_gateway()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.endpoint_url)
    server.kill_store()
    server.start_store()
    server.start_gateway()
    kept = server.client().get_object(Bucket=name, Key="kept", VersionId=version)
    assert kept["Body"].read() == b"scoop"


def test_s3_goes_on_when_the_store_alone_comes_back(s3_bucket: S3Bucket) -> None:
    server, name = s3_bucket.server, s3_bucket.name
    server.kill_store()
    server.start_store()
    s3_bucket.client.put_object(Bucket=name, Key="after", Body=b"scoop")
    assert s3_bucket.client.get_object(Bucket=name, Key="after")["Body"].read() == b"scoop"


def test_postgres_gives_a_database_whose_owner_is_no_superuser(postgres_database: PostgresDatabase) -> None:
    engine = sqlalchemy.create_engine(postgres_database.owner_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE sale (flavour text)"))
        connection.execute(sqlalchemy.text("INSERT INTO sale VALUES ('mango')"))
        assert connection.scalar(sqlalchemy.text("SELECT flavour FROM sale")) == "mango"
        assert connection.scalar(sqlalchemy.text("SELECT current_setting('is_superuser')")) == "off"
    engine.dispose()


def test_postgres_roles_are_apart_and_gone_after_the_test(postgres_cluster: PostgresCluster) -> None:
    """A second role cannot read the owner's table, and the next test may use its name again."""
    for _ in range(2):
        with postgres_cluster.fresh_database() as database:
            reader = database.create_role("reader")
            with psycopg.connect(libpq_url(database.owner_url)) as owner:
                owner.execute("CREATE TABLE secret (word text)")
            with (
                psycopg.connect(libpq_url(reader)) as other,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                other.execute("SELECT * FROM secret")


def test_postgres_keeps_what_was_committed_before_a_kill(postgres_database: PostgresDatabase) -> None:
    with psycopg.connect(libpq_url(postgres_database.owner_url)) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 1 AS n")
    postgres_database.cluster.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(libpq_url(postgres_database.owner_url))
    postgres_database.cluster.start()
    with psycopg.connect(libpq_url(postgres_database.owner_url)) as owner:
        assert owner.execute("SELECT n FROM kept").fetchall() == [(1,)]


def _pass_one_message(broker: Mosquitto, port: int) -> bytes:
    """Subscribe, publish at QoS 1 and return what arrived."""
    subscribed, arrived, payloads = threading.Event(), threading.Event(), list[bytes]()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)

    def take(*arguments: object) -> None:
        message = arguments[2]
        assert isinstance(message, mqtt.MQTTMessage)
        payloads.append(bytes(message.payload))
        arrived.set()

    client.on_connect = lambda *_: client.subscribe("shop/1", qos=1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = take
    client.connect(broker.host, port)
    client.loop_start()
    try:
        assert subscribed.wait(10), broker.log()
        client.publish("shop/1", b"scoop", qos=1).wait_for_publish(10)
        assert arrived.wait(10), broker.log()
    finally:
        client.disconnect()
        client.loop_stop()
    return payloads[0]


def test_mosquitto_passes_a_message_before_and_after_a_kill(mosquitto: Mosquitto) -> None:
    """After SIGKILL it comes back on the same port."""
    port = mosquitto.port
    assert _pass_one_message(mosquitto, port) == b"scoop"
    mosquitto.kill()
    with pytest.raises(ConnectionRefusedError):
        _pass_one_message(mosquitto, port)
    mosquitto.start()
    assert mosquitto.port == port
    assert _pass_one_message(mosquitto, port) == b"scoop"


def test_mosquitto_reads_its_configuration_again(mosquitto: Mosquitto) -> None:
    mosquitto.configure(ANONYMOUS + "log_timestamp_format epoch\n")
    mosquitto.reload()
    assert _pass_one_message(mosquitto, mosquitto.port) == b"scoop"


def test_mosquitto_keeps_retained_messages_over_an_orderly_restart(mosquitto: Mosquitto) -> None:
    publish.single("shop/1", b"kept", qos=1, retain=True, hostname=mosquitto.host, port=mosquitto.port)
    mosquitto.terminate()
    mosquitto.start()
    message = subscribe.simple("shop/1", qos=1, hostname=mosquitto.host, port=mosquitto.port)
    assert message.payload == b"kept"


def test_mosquitto_loads_the_dynamic_security_plugin(tmp_path: Path) -> None:
    """Without any client in its file the plugin refuses everybody."""
    (tmp_path / "dynamic-security.json").write_text("{}")
    plugin = f"plugin {dynamic_security_plugin()}\nplugin_opt_config_file {{folder}}/dynamic-security.json\n"
    text = "listener {port} 127.0.0.1\nallow_anonymous false\n" + plugin
    with Mosquitto(tmp_path, text) as broker, pytest.raises(MQTTException):
        publish.single("shop/1", b"scoop", hostname=broker.host, port=broker.port)


def test_a_reserved_port_is_given_to_its_server_only() -> None:
    """Nobody gets it by chance while no server listens there."""
    with ReservedPort() as port, socket.socket() as other, socket.socket() as server:
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port.number))
        assert not port.accepts()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port.number))
        server.listen()
        assert port.accepts()


def test_a_server_outlives_the_thread_that_started_it_again(mosquitto: Mosquitto) -> None:
    """Its death is bound to the test run, not to a thread of it."""
    mosquitto.kill()
    thread = threading.Thread(target=mosquitto.start)
    thread.start()
    thread.join()
    assert _pass_one_message(mosquitto, mosquitto.port) == b"scoop"
    assert psutil.Process(mosquitto.pid).ppid() == os.getpid()
