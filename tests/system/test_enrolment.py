"""Registers in and out: the real commands, the real HTTPS service, a real mosquitto with its script."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cloud.config_sources import load_config
from cloud.enrolment import certificates
from cloud.enrolment.certificates import DAY_MS
from cloud.enrolment.pki_folder import CredentialFiles, PkiFolder
from cloud.enrolment.set_up import certificates as certificates_step
from cloud.operations import setup
from cloud.operations.setup import SetUp
from cloud.privacy.composition import set_up_keys
from cloud.service_keys import FOR_REGISTERS
from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.enrolment_client import Applicant, Asked, renew
from tests.builders.applicant import PaperApplicant
from tests.builders.broker_stack import HOSTS, BrokerClient, BrokerStack, now_ms
from tests.builders.daemon import Daemon, ReservedPort
from topscoop.cli import main
from wire_protocol import enrolment_code
from wire_protocol.topics import Down, Identity, Topic, Up

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.service

_ROOT = Path(__file__).parents[2]
_START_S = 30
_REVOKED_WITHIN_S = 5


class Cloud:
    """A cloud on disk, its broker and its enrolment service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state_dir = folder / "state"
        self.ports = [ReservedPort(), ReservedPort()]
        self.config = folder / "cloud.toml"
        self.write_config(0, 1)
        try:
            self._prepare()
        except BaseException:
            self._close_ports()
            raise

    def _prepare(self) -> None:
        told = SetUp(load_config(self.config, {}).config, now_ms())
        for step in (
            setup.state_folder,
            setup.database,
            set_up_keys,
            certificates_step,
        ):  # all but the bucket
            step(told)
        assert main(["cloud", "tenant", "add", "gelato", "--config", str(self.config)]) == 0
        self.stack = BrokerStack(self.state_dir, with_run_script=True)
        self.write_config(self.stack.registers_port, self.stack.services_port)
        words = ["topscoop", "cloud", "enrolment", "run", "--config", str(self.config)]
        command = ["/usr/bin/env", f"PYTHONPATH={_ROOT}", sys.executable, "-m", *words]
        self.service = Daemon("enrolment", command, self.folder / "enrolment.log")

    def write_config(self, registers_port: int, services_port: int) -> None:
        https, health = (port.number for port in self.ports)
        self.config.write_text(
            f"""\
environment = "development"
state_dir = "{self.state_dir}"
[master_key]
kind = "file"
[mqtt]
host = "127.0.0.1"
port = {max(1, services_port)}
[enrolment]
port = {https}
public_url = "https://localhost:{https}"
broker_host = "localhost"
broker_port = {max(1, registers_port)}
health_port = {health}
[log]
format = "json"
"""
        )

    @property
    def url(self) -> str:
        return f"https://localhost:{self.ports[0].number}"

    @property
    def pki(self) -> PkiFolder:
        return self.stack.pki

    def start(self) -> None:
        self.stack.mosquitto.start()
        self.service.start()
        self.service.wait_until(self.ready, _START_S)

    def ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.ports[1].number}/readyz"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        self.service.stop()
        self.stack.mosquitto.stop()
        self._close_ports()

    def _close_ports(self) -> None:
        for port in self.ports:
            port.close()

    def post(self, path: str, body: Any, port: int | None = None) -> tuple[int, dict[str, Any]]:
        context = ssl.create_default_context(cafile=str(self.pki.services_certificate))
        connection = http.client.HTTPSConnection(
            "localhost", port or self.ports[0].number, timeout=10, context=context
        )
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def credentials(self, applicant: PaperApplicant, answer: dict[str, Any]) -> CredentialFiles:
        """The files that a register makes of an answer."""
        place = Path(self.folder / f"register-{time.monotonic_ns()}")
        place.mkdir()
        files = CredentialFiles(place / "ca.crt", place / "tls.crt", place / "tls.key")
        files.ca.write_text(answer["ca_pem"])
        files.certificate.write_text(answer["certificate_pem"])
        private = applicant.tls.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files.key.write_bytes(private)
        return files

    def connect(self, files: CredentialFiles) -> BrokerClient:
        return BrokerClient(self.stack.registers_port, files)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("cloud"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def command(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `topscoop cloud register …`, and read its JSON."""

    def run(*words: str, expected: int = 0) -> Any:
        capsys.readouterr()
        status = main(["cloud", *words, "--config", str(cloud.config), "--json"])
        captured = capsys.readouterr()
        assert status == expected, captured.err
        return json.loads(captured.out) if captured.out else None

    return run


def _add(command: Any, name: str) -> str:
    made = command("register", "add", "--tenant", "gelato", "--store", "north", "--register", name)
    return str(made["code"])


def _enrol(cloud: Cloud, code: str, applicant: PaperApplicant) -> dict[str, Any]:
    status, answer = cloud.post("/v1/enrolments", applicant.enrolment(code))
    assert status == 201, answer
    return answer


def test_a_register_enrols_and_speaks_at_once(cloud: Cloud, command: Any) -> None:
    """From the code to a frame's topic, with rights that were written while it enrolled."""
    applicant = PaperApplicant()
    answer = _enrol(cloud, _add(command, "till-1"), applicant)
    assert len(answer["blanks"]) > 0
    assert {anchor["purpose"] for anchor in answer["anchors"]} == {str(purpose) for purpose in FOR_REGISTERS}
    assert answer["release_root"] is None
    identity = Identity("gelato", "till-1")
    with cloud.connect(cloud.credentials(applicant, answer)) as client:
        assert client.refused == ""
        assert client.publish(str(Topic(identity, Up.FRAME))) in {"Success", "No matching subscribers"}
        assert client.subscribe(str(Topic(identity, Down.RECEIPT))) == "Granted QoS 1"
    shown = command("register", "show", "--tenant", "gelato", "--register", "till-1")
    assert shown["state"] == "enrolled"
    assert len(shown["certificates"]) == 1


def test_the_agents_own_command_enrols(
    cloud: Cloud, command: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`topscoop edge enrol`, with the code as it was printed; a second use is refused in plain words."""
    config = tmp_path / "edge.toml"
    config.write_text(
        f'tenant = "gelato"\nstore = "north"\nregister = "till-2"\ndata_dir = "{tmp_path}/data"\n'
    )
    code = _add(command, "till-2")
    enrol = ["edge", "enrol", "--config", str(config), "--url", cloud.url, "--code", code]
    assert main([*enrol, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["register"] == "till-2"
    assert main([*enrol, "--again"]) != 0
    assert "the code was used before" in capsys.readouterr().err
    folder = tmp_path / "data" / "uplink"
    files = CredentialFiles(folder / "ca.crt", folder / "tls.crt", folder / "tls.key")
    with cloud.connect(files) as client:
        assert client.refused == ""
    credentials = key_files.load(folder)
    applicant = Applicant.new(credentials.signing)
    asked = Asked(Identity("gelato", "till-2"), "north", "1.2.3")
    renewed = renew(credentials, applicant, asked).certificate
    assert renewed.public_key() == applicant.tls.public_key()
    assert len(command("register", "show", "--tenant", "gelato", "--register", "till-2")["certificates"]) == 2


def test_a_code_of_another_cloud_is_not_said_to_this_one(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """T1: who stands between register and cloud shows another authority, and never hears the code."""
    config = tmp_path / "edge.toml"
    config.write_text(
        f'tenant = "gelato"\nstore = "north"\nregister = "till-9"\ndata_dir = "{tmp_path}/data"\n'
    )
    code = enrolment_code.make(bytes(15), bytes(32))
    assert main(["edge", "enrol", "--config", str(config), "--url", cloud.url, "--code", code]) != 0
    assert "another authority" in capsys.readouterr().err
    assert enrolment_code.parse(code).invitation not in cloud.service.log.read_text()


def test_wrong_codes_lock_the_right_one(cloud: Cloud, command: Any) -> None:
    """T1: over HTTPS; five tries, then a new code is needed."""
    code = _add(command, "till-3")
    secret = enrolment_code.parse(code).secret
    for number in range(5):
        wrong = enrolment_code.make(secret[:5] + bytes([number]) * 10, bytes(32))
        status, problem = cloud.post("/v1/enrolments", PaperApplicant().enrolment(wrong))
        assert (status, problem["type"]) == (403, "urn:topscoop:enrolment:code-unknown")
    status, problem = cloud.post("/v1/enrolments", PaperApplicant().enrolment(code))
    assert (status, problem["type"]) == (403, "urn:topscoop:enrolment:code-locked")
    fresh = command("register", "code", "--tenant", "gelato", "--register", "till-3")["code"]
    assert _enrol(cloud, fresh, PaperApplicant())["register"] == "till-3"


def test_keys_that_nobody_proved_get_no_certificate(cloud: Cloud, command: Any) -> None:
    """T2: a request by another key, with this applicant's proof; the code stays good."""
    code, applicant = _add(command, "till-4"), PaperApplicant()
    body = {**applicant.enrolment(code), "csr_pem": PaperApplicant().enrolment(code)["csr_pem"]}
    assert cloud.post("/v1/enrolments", body)[0] == 422
    assert _enrol(cloud, code, applicant)["register"] == "till-4"


def test_a_certificate_is_renewed_with_the_one_before(cloud: Cloud, command: Any) -> None:
    """T20: the next one connects, and so does the one before until its end."""
    present = PaperApplicant()
    answer = _enrol(cloud, _add(command, "till-5"), present)
    certificate = x509.load_pem_x509_certificate(answer["certificate_pem"].encode())
    following = PaperApplicant(signing=present.signing)
    status, renewed = cloud.post("/v1/renewals", following.renewal(certificate, present.tls))
    assert status == 201, renewed
    for applicant, one in ((following, renewed), (present, answer)):
        with cloud.connect(cloud.credentials(applicant, one)) as client:
            assert client.refused == ""


def test_after_its_end_a_certificate_is_nothing_and_a_new_code_helps(cloud: Cloud, command: Any) -> None:
    """T20: broker and renewal refuse it; enrolling again brings the register back."""
    applicant = PaperApplicant()
    _enrol(cloud, _add(command, "till-6"), applicant)
    expired = certificates.client_certificate(
        cloud.pki.registers, "gelato/till-6", applicant.tls.public_key(), now_ms() - 91 * DAY_MS, 90
    )
    answer = {
        "certificate_pem": certificates.pem(expired),
        "ca_pem": certificates.pem(cloud.pki.services.certificate),
    }
    with cloud.connect(cloud.credentials(applicant, answer)) as client:
        assert client.refused
    status, problem = cloud.post("/v1/renewals", PaperApplicant().renewal(expired, applicant.tls))
    assert (status, problem["type"]) == (403, "urn:topscoop:enrolment:certificate-expired")
    assert "register code" in problem["remedy"]
    code = command("register", "code", "--tenant", "gelato", "--register", "till-6")["code"]
    again = PaperApplicant()
    with cloud.connect(cloud.credentials(again, _enrol(cloud, code, again))) as client:
        assert client.refused == ""


def test_a_revoked_register_is_out_within_seconds(cloud: Cloud, command: Any) -> None:
    """T1: its live session is dropped, coming back with its certificate is refused, and it renews nothing."""
    applicant, neighbour = PaperApplicant(), PaperApplicant()
    answer = _enrol(cloud, _add(command, "till-7"), applicant)
    other = _enrol(cloud, _add(command, "till-8"), neighbour)
    files = cloud.credentials(applicant, answer)
    with cloud.connect(files) as thief, cloud.connect(cloud.credentials(neighbour, other)) as innocent:
        assert thief.refused == innocent.refused == ""
        done = command("register", "revoke", "--tenant", "gelato", "--register", "till-7")
        assert done == {"register": "gelato/till-7", "first_time": True, "broker": "done"}
        assert thief.ended.wait(_REVOKED_WITHIN_S)
        assert thief.end_reason == "Administrative action"
        with cloud.connect(files) as back:
            assert back.refused
        assert not innocent.ended.is_set()
    certificate = x509.load_pem_x509_certificate(answer["certificate_pem"].encode())
    status, problem = cloud.post("/v1/renewals", PaperApplicant().renewal(certificate, applicant.tls))
    assert (status, problem["type"]) == (403, "urn:topscoop:enrolment:register-revoked")
    assert command("broker", "sync")["changes"] == []


def test_a_session_that_came_back_during_a_revocation_is_dropped_too(cloud: Cloud, command: Any) -> None:
    """T1: before the broker has read the list, the thief's certificate still opens the door: to no room."""
    applicant, identity = PaperApplicant(), Identity("gelato", "till-10")
    files = cloud.credentials(applicant, _enrol(cloud, _add(command, "till-10"), applicant))
    control = cloud.stack.control()
    control.expel([str(identity)])  # the first step of a revocation; the list is not written yet
    with cloud.connect(files) as back:
        assert back.refused == ""
        assert back.publish(str(Topic(identity, Up.FRAME))) == "Not authorized"
        assert back.subscribe(str(Topic(identity, Down.RECEIPT))) == "Not authorized"
        command("register", "revoke", "--tenant", "gelato", "--register", "till-10")
        assert back.ended.wait(_REVOKED_WITHIN_S)
    with cloud.connect(files) as again:
        assert again.refused


def test_the_broker_reads_a_renewed_certificate_by_itself(cloud: Cloud) -> None:
    """T20: who connects a second later sees the new one; live sessions go on."""
    before = ssl.get_server_certificate(("127.0.0.1", cloud.stack.services_port))
    with cloud.stack.connect_service("collector") as collector:
        key = ec.generate_private_key(ec.SECP256R1())
        made = certificates.server_certificate(cloud.pki.services, HOSTS, key.public_key(), now_ms(), 300)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (cloud.pki.path / "server.key").write_bytes(private)
        (cloud.pki.path / "server.crt").write_text(certificates.pem(made))

        def changed() -> bool:
            return ssl.get_server_certificate(("127.0.0.1", cloud.stack.services_port)) != before

        cloud.service.wait_until(changed, _START_S)
        assert not collector.ended.is_set()
    with cloud.stack.connect_service("collector") as collector:
        assert collector.refused == ""


def test_old_tls_is_refused(cloud: Cloud) -> None:
    """TLS 1.2 is the least, at the service and at the broker."""
    context = ssl.create_default_context(cafile=str(cloud.pki.services_certificate))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    for port in (cloud.ports[0].number, cloud.stack.registers_port, cloud.stack.services_port):
        with socket.create_connection(("localhost", port), timeout=10) as plain, pytest.raises(ssl.SSLError):
            context.wrap_socket(plain, server_hostname="localhost")


def test_the_service_tells_how_it_is_and_ends_in_order(cloud: Cloud, tmp_path: Path) -> None:
    """Health, metrics, and a clean end by SIGTERM; a second service beside the first is no harm."""
    config = tmp_path / "second.toml"
    text = cloud.config.read_text()
    for port in cloud.ports:
        text = text.replace(f"port = {port.number}\n", "port = 0\n")
    config.write_text(text)
    command = [*cloud.service.command[:-1], str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"https://127.0.0.1:(\d+), health on port (\d+)", process.stdout.readline())
        assert found is not None
        https, health = map(int, found.groups())
        status, _ = cloud.post("/v1/enrolments", {}, port=https)
        assert status == 422
        with urllib.request.urlopen(f"http://127.0.0.1:{health}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
        assert 'topscoop_enrolment_answers_total{route="/v1/enrolments",status="422"} 1.0' in metrics
        process.terminate()
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.communicate()
