"""Enrolment against a scripted server over real TLS: who is believed, and what a person is told."""

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from edge_agent.adapters.uplink import enrolment_client as client
from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.enrolment_client import Applicant, Asked, EnrolmentError
from edge_agent.adapters.uplink.renewal import first_root_stays
from tests.builders.scripted_cloud import IDENTITY, STORE, PaperAuthority, PaperCloud
from wire_protocol import enrolment_code
from wire_protocol.keys import Algorithm, VerificationKey

ASKED = Asked(IDENTITY, STORE, "1.0")


class Office:
    """An HTTPS server that answers as it is told."""

    def __init__(self, folder: Path, days: tuple[float, float] = (-1, 90), host: str = "localhost") -> None:
        self.cloud = PaperCloud()
        self.cloud.authority.server(folder, host, days)
        self.shown = self.cloud.authority.pem
        self.status = 201
        self.changes: dict[str, Any] = {}
        self.problem: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(200, office.shown)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                office.asked.append((self.path, body))
                good = office.status == 201
                self.answer(
                    office.status, json.dumps(office.grant(body) if good else office.problem).encode()
                )

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign] # clients that hang up
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"https://localhost:{self.server.server_address[1]}"

    @property
    def code(self) -> str:
        return enrolment_code.make(bytes(range(15)), hashlib.sha256(self.cloud.authority.der).digest())

    def grant(self, body: dict[str, Any]) -> dict[str, Any]:
        csr = x509.load_pem_x509_csr(body["csr_pem"].encode())
        key = body["signing_key"]
        proof = b"topscoop/1/enrol\0" + hashlib.sha256(csr.public_bytes(Encoding.DER)).digest()
        verifier = VerificationKey(Algorithm.EDDSA, base64.b64decode(key["public"]))
        assert verifier.verifies(base64.b64decode(key["proof"]), proof)
        made = self.cloud.authority._sign(csr.subject, csr, days=(-1, 90))  # type: ignore[arg-type]
        return {
            "tenant": IDENTITY.tenant,
            "register": IDENTITY.register,
            "store": STORE,
            "certificate_pem": made.public_bytes(Encoding.PEM).decode(),
            "chain_pem": self.cloud.authority.pem.decode(),
            "ca_pem": self.cloud.authority.pem.decode(),
            "broker": {"host": "localhost", "port": 8883},
            "anchors": self.cloud.anchors_json(),
            "blanks": [base64.b64encode(self.cloud.blank()).decode()],
            "server_time_ms": 1_795_000_000_000,
            **self.changes,
        }

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "server")
    yield made
    made.close()


def enrol(office: Office) -> client.Granted:
    ca = client.fetch_authority(office.url, enrolment_code.parse(office.code))
    return client.enrol(office.url, ca, office.code, Applicant.new(), ASKED)


def test_the_code_alone_makes_a_stranger_believable_and_the_keys_stay_here(
    office: Office, tmp_path: Path
) -> None:
    """What is sent holds no private key; what comes back is a set that loads."""
    granted = enrol(office)
    key_files.install(tmp_path / "uplink", granted.files)
    loaded = key_files.load(tmp_path / "uplink")
    assert loaded.place.identity == IDENTITY
    assert len(granted.blanks) == 1
    ((path, body),) = office.asked
    assert path == "/v1/enrolments"
    assert set(body) == {"code", "csr_pem", "signing_key", "agent_version"}
    assert "PRIVATE" not in json.dumps(body)


def test_a_server_with_another_authority_never_sees_the_code(office: Office) -> None:
    """Somebody between: refused before anything is sent."""
    office.shown = PaperAuthority().pem
    with pytest.raises(EnrolmentError, match="another authority"):
        enrol(office)
    assert office.asked == []


def test_who_shows_the_right_authority_but_is_not_of_it_never_sees_the_code(
    office: Office, tmp_path: Path
) -> None:
    """A copied CA certificate proves nothing: the second connection must lead to it."""
    between = Office(tmp_path / "between")
    between.shown = office.cloud.authority.pem
    try:
        ca = client.fetch_authority(between.url, enrolment_code.parse(office.code))
        with pytest.raises(EnrolmentError, match="not who it should be"):
            client.enrol(between.url, ca, office.code, Applicant.new(), ASKED)
        assert between.asked == []
    finally:
        between.close()


@pytest.mark.parametrize(("days", "host"), [((-9, -1), "localhost"), ((2, 9), "localhost"), ((-1, 9), "x")])
def test_a_clock_that_is_off_is_told_apart_from_a_wrong_name_t15(
    tmp_path: Path, days: tuple[float, float], host: str
) -> None:
    """T15: a certificate outside its days means: look at the clock first."""
    office = Office(tmp_path / "server", days, host)
    try:
        with pytest.raises(EnrolmentError) as error:
            enrol(office)
        assert ("clock" in error.value.remedy) == (host == "localhost")
    finally:
        office.close()


@pytest.mark.parametrize(
    ("status", "problem", "words"),
    [
        (403, {"detail": "the code was used before", "remedy": "Ask for a new one."}, "used before"),
        (429, {}, "too many tries"),
        (410, {}, "time is up"),
        (503, {}, "answered 503"),
        (403, {"detail": "too many wrong tries"}, "too many wrong tries"),
    ],
)
def test_a_refusal_is_told_in_plain_words(
    office: Office, status: int, problem: dict[str, str], words: str
) -> None:
    """The server's own, or ours; always with what to do."""
    office.status, office.problem = status, problem
    with pytest.raises(EnrolmentError, match=words) as error:
        enrol(office)
    assert error.value.remedy


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"register": "till-2"}, "this configuration says"),
        ({"store": "milano"}, "this configuration says"),
        ({"certificate_pem": "nonsense"}, "no certificate"),
        ({"anchors": [{"purpose": "receipts"}]}, "no certificate"),
        ({"broker": None}, "no certificate"),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(
    office: Office, changes: dict[str, Any], words: str
) -> None:
    """Another till's code, or a server of another version."""
    office.changes = changes
    with pytest.raises(EnrolmentError, match=words):
        enrol(office)


def test_a_certificate_for_another_key_is_refused(office: Office) -> None:
    """The server must have signed what was asked for."""
    office.changes = {"certificate_pem": office.cloud.authority.pem.decode()}
    with pytest.raises(EnrolmentError, match="another key"):
        enrol(office)


@pytest.mark.parametrize("url", ["http://localhost:1", "localhost", "https://", "ftp://x"])
def test_only_https_is_asked(url: str) -> None:
    """A code never goes out in the clear."""
    with pytest.raises(EnrolmentError, match="https"):
        client.fetch_authority(url, enrolment_code.parse(enrolment_code.make(bytes(15), bytes(32))))


def test_a_server_that_is_away_is_said_to_be(office: Office) -> None:
    """With the address, and what to check."""
    office.close()
    with pytest.raises(EnrolmentError, match="does not answer"):
        enrol(office)
    office.thread = threading.Thread(target=lambda: None)
    office.thread.start()


def test_a_renewal_is_signed_by_the_present_key_and_keeps_the_signing_key_t20(
    office: Office, tmp_path: Path
) -> None:
    """T20: the next certificate has a new key of the connection; messages under way keep their key."""
    folder = tmp_path / "uplink"
    key_files.install(folder, enrol(office).files)
    present = key_files.load(folder)
    granted = client.renew(present, Applicant.new(present.signing), ASKED)
    path, body = office.asked[-1]
    assert path == "/v1/renewals"
    assert set(body) == {"csr_pem", "signing_key", "agent_version", "certificate_pem", "proof"}
    before = (folder / "tls.key").read_bytes()
    key_files.install(folder, granted.files)
    assert key_files.load(folder).signing.kid == present.signing.kid
    assert (folder / "tls.key").read_bytes() != before


def test_the_root_of_trust_for_releases_comes_along_where_there_is_one(
    office: Office, tmp_path: Path
) -> None:
    """For the owner only; a renewal brings it where there was none, and replaces none (T9)."""
    assert key_files.ROOT_FILE not in enrol(office).files
    office.changes["release_root"] = base64.b64encode(b'{"signed": 1}').decode()
    granted = enrol(office)
    folder = tmp_path / "uplink"
    key_files.install(folder, granted.files)
    root = folder / key_files.ROOT_FILE
    assert root.read_bytes() == b'{"signed": 1}'
    assert root.stat().st_mode & 0o077 == 0
    assert set(first_root_stays(granted.files, folder)) == set(granted.files) - {key_files.ROOT_FILE}
    root.unlink()
    assert set(first_root_stays(granted.files, folder)) == set(granted.files)
    office.changes["release_root"] = "no base64"
    with pytest.raises(EnrolmentError):
        enrol(office)
