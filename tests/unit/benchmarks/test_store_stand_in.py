import hashlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_BODY = b"a frame" * 5000


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    announcement: Path = tmp_path_factory.mktemp("store") / "announced.json"
    command = [sys.executable, "-m", "benchmarks.store_stand_in", "--announce", str(announcement)]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + 30
            while not announcement.exists() or not announcement.read_text():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield int(json.loads(announcement.read_text())["port"])
        finally:
            process.kill()


@pytest.fixture
def store(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    yield connection
    connection.close()


def _ask(
    store: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    store.request(method, path, body)
    answer = store.getresponse()
    return answer, answer.read()


def test_every_put_is_a_version_with_its_digest(store: http.client.HTTPConnection) -> None:
    """A client that compares the MD5 and wants a version id is content."""
    versions = set()
    for _ in range(2):
        answer, _body = _ask(store, "PUT", "/bench/frames/one", _BODY)
        assert answer.status == 200
        assert answer.headers["ETag"] == f'"{hashlib.md5(_BODY).hexdigest()}"'
        versions.add(answer.headers["x-amz-version-id"])
    assert len(versions) == 2


def test_only_the_probe_is_kept(store: http.client.HTTPConnection) -> None:
    """Frames would fill the memory; what a collector stores at its start is read back by it."""
    _ask(store, "PUT", "/bench/probe/x", b"probe")
    _ask(store, "PUT", "/bench/frames/one", _BODY)
    assert _ask(store, "GET", "/bench/probe/x?versionId=1")[1] == b"probe"
    assert _ask(store, "GET", "/bench/frames/one")[1] == b""


def test_a_listing_is_empty(store: http.client.HTTPConnection) -> None:
    """The sweeper finds nothing to do."""
    answer, body = _ask(store, "GET", "/bench?versions&prefix=frames")
    assert answer.status == 200
    assert b"ListVersionsResult" in body
    assert b"<Version>" not in body


def test_who_waits_before_the_body_is_told_to_go_on(store: http.client.HTTPConnection) -> None:
    """boto3 sends `Expect: 100-continue` and would wait a second each time."""
    store.putrequest("PUT", "/bench/frames/two")
    store.putheader("Content-Length", str(len(_BODY)))
    store.putheader("Expect", "100-continue")
    store.endheaders()
    assert store.sock.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
    store.send(_BODY)
    assert store.getresponse().status == 200
