"""The client over real parts: API and recommender as processes, a real S3 server, TLS of an own authority."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api_client import ApiError, Chain
from api_client.logins import LoginFiles
from cloud.http_server import QuietServer, bind, settings
from tests.builders import hostile_pictures as hostile
from tests.builders.api_process import ApiProcess
from tests.builders.cloud_database import sqlite_database
from tests.builders.daemon import ReservedPort
from tests.builders.identity_provider import running_provider
from tests.builders.public_api import TENANT, build_stage
from tests.builders.recommender_process import RecommenderTown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3

_BOUND_S = 100


class Place:
    """API, recommender, and a shell on a machine of the customer's."""

    def __init__(self, folder: Path, town: RecommenderTown, api: ApiProcess) -> None:
        self.folder, self.town, self.api = folder, town, api
        self.photo = folder / "photo.jpg"
        self.photo.write_bytes(hostile.jpeg(hostile.photo(1280, 960)))

    def command(self, home: str, verb: str, *words: object) -> tuple[list[str], dict[str, str]]:
        command = [sys.executable, "-m", "topscoop", "client", verb, *map(str, words)]
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder / home)}
        environment.pop("DISPLAY", None)
        return [*command, "--chain", self.api.origin], environment

    def shell(self, home: str, verb: str, *words: object) -> subprocess.CompletedProcess[str]:
        """`topscoop client …` of somebody, whose logins lie in `home`."""
        command, environment = self.command(home, verb, *words)
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=_BOUND_S
        )

    def json(self, home: str, verb: str, *words: object) -> Any:
        done = self.shell(home, verb, *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def place(real_s3: CephS3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("client")
    folder.chmod(0o700)
    with running_provider(int(time.time())) as provider:
        town = RecommenderTown(folder, sqlite_database(folder), real_s3)
        # Erasures are logged beside the kept pictures.
        town.frames = f"frames-{uuid.uuid4()}"
        town.client.create_bucket(Bucket=town.frames)
        town.client.put_bucket_versioning(Bucket=town.frames, VersioningConfiguration={"Status": "Enabled"})
        with contextlib.closing(town):
            town.start("recommender")
            api = ApiProcess(town, provider)
            try:
                yield Place(folder, town, api)
            finally:
                api.stop()


@pytest.mark.service
def test_a_machine_gets_three_flavours_for_a_photo(place: Place) -> None:
    """Log in by id and secret, send a photo over a signed URL of the real store, see the slate, say the sale.

    T25: with the purpose `recommend` nothing of the picture is left in the store.
    """
    client_id, secret = place.api.machine()
    (place.folder / "secret").write_text(secret, "utf-8")
    words = ("--client-id", client_id, "--secret-file", place.folder / "secret")
    assert place.shell("till", "login", *words).returncode == 0
    done = place.shell("till", "recommend", place.photo, "--hour", "15.5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"{place.photo}: three flavours"
    assert [line.split()[0] for line in lines[1:4]] == ["1", "2", "3"]
    (found,) = place.json("till", "history")
    assert found["request_id"] in lines[-1]
    assert found["source"] == "model"
    sold = found["slate"][0]["flavour"]
    assert place.json("till", "outcome", found["request_id"], f"{sold}=2")["lines"] == [
        {"flavour": sold, "quantity": 2}
    ]
    assert place.town.pictures_left() == 0


@pytest.mark.service
def test_a_person_logs_a_device_in_and_has_all_of_it_erased(place: Place) -> None:
    """The code is approved elsewhere; then: send, export, erase, and the login is nobody's any more."""
    command, environment = place.command("anna", "login")
    with subprocess.Popen(command, env=environment, text=True, stdout=-1, stderr=-1) as login:
        assert login.stderr is not None
        shown = login.stderr.readline() + login.stderr.readline()
        code = re.search(r"Code +(\S+)", shown)
        assert code is not None, shown
        place.api.approve(code[1])
        out, _ = login.communicate(timeout=_BOUND_S)
    assert (login.returncode, out) == (0, f"logged in at {place.api.origin}\n")
    sent = place.json("anna", "recommend", place.photo)
    copied = LoginFiles(place.folder / "anna" / "topscoop" / "client").read(place.api.origin)
    assert copied is not None
    logins = LoginFiles(place.folder / "copied")
    logins.write(copied)
    with Chain(place.api.origin, logins=logins) as other:
        assert [one["request_id"] for one in other.export()["uploads"]] == [sent["request_id"]]
        assert place.json("anna", "erase", "--yes")["proof"]
        with pytest.raises(ApiError) as error:
            other.export()
    assert error.value.slug == "bad-token"


def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    """At once, with what to do."""
    with ReservedPort() as nobody:
        origin = f"http://{TENANT}.localhost:{nobody.number}"
        with Chain(origin, logins=LoginFiles(tmp_path)) as chain, pytest.raises(ApiError) as error:
            chain.notice()
    assert error.value.slug == "away"
    assert error.value.remedy


def test_only_the_named_authority_is_trusted(tmp_path: Path) -> None:
    """Its certificate for the chain's own name; without it, or with another one, nothing is sent."""
    authority, stranger = Authority("ours"), Authority("stranger")
    ca, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    ca.write_bytes(authority.pem)
    other.write_bytes(stranger.pem)
    with serving_tls(tmp_path, authority) as origin:

        def notice(chain: str, authority_file: Path | None) -> str:
            with Chain(chain, ca=authority_file, logins=LoginFiles(tmp_path / "none")) as opened:
                return opened.notice("en").language

        assert notice(origin, ca) == "en"
        port = origin.rpartition(":")[2]
        for chain, file in ((origin, None), (origin, other), (f"https://127.0.0.1:{port}", ca)):
            with pytest.raises(ApiError) as error:
                notice(chain, file)
            assert error.value.slug == "untrusted"


class Authority:
    """A certificate authority of a test."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._own = self._sign(self._name, self._key.public_key(), ca=True)
        self.pem = self._own.public_bytes(serialization.Encoding.PEM)

    def issue(self, host: str) -> bytes:
        """A key and its certificate for this name, in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(x509.Name([]), key.public_key(), ca=False, host=host)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + made.public_bytes(serialization.Encoding.PEM)

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool, host: str = ""
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(subject_name=subject, issuer_name=self._name, public_key=key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
        return builder.sign(self._key, hashes.SHA256())


@contextlib.contextmanager
def serving_tls(folder: Path, authority: Authority) -> Iterator[str]:
    """The API over TLS, as a gateway does it; gives its origin."""
    host = f"{TENANT}.localhost"
    pair = folder / "server.pem"
    pair.write_bytes(authority.issue(host))
    with bind("127.0.0.1", 0, section="public_api") as listening:
        port = listening.getsockname()[1]
        place = folder / "api"
        place.mkdir(mode=0o700)
        stage = build_stage(place, public_url=f"https://{{tenant}}.localhost:{port}")
        server = QuietServer(
            settings(stage.app, concurrency_max=10, keep_alive_s=5, ssl_certfile=pair, ssl_keyfile=pair)
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        try:
            yield f"https://{host}:{port}"
        finally:
            server.should_exit = True
            thread.join()
