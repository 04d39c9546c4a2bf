"""`topscoop edge run` as a process: it starts, answers, survives what it can, and ends cleanly."""

import json
import signal
import socket
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.builders.agent_process import TOKEN, running_agent, start_agent, write_config
from tests.builders.tiny_model import build_model_dir

PAIRED = f'[api]\npairing_tokens = ["{TOKEN}"]\n'
SALE = {"receipt_id": "42", "lines": [{"flavour": "mango", "quantity": 1}]}


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("model") / "tiny")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_answers_and_ends_cleanly(tmp_path: Path, model_dir: Path, number: int) -> None:
    """Ready is said once, the address lies in the data folder, and a signal ends it with status 0."""
    with running_agent(write_config(tmp_path, model_dir=model_dir, more=PAIRED)) as agent:
        address = json.loads((agent.data_dir / "api.json").read_text("utf-8"))
        assert address == {"url": agent.url, "pid": agent.process.pid}
        with agent.client() as client:
            assert client.get("/readyz").status_code == 200
            assert len(client.post("/v1/interactions").json()["top3"]) == 3
        assert agent.stop(number) == 0
    assert agent.events().count("agent.ready") == 1
    assert agent.events()[-1] == "agent.stopping"
    assert not (agent.data_dir / "api.json").exists()


def test_what_was_recorded_is_on_the_disk_after_the_end(tmp_path: Path, model_dir: Path) -> None:
    """Slates that waited are written on the way out; a stream that is open does not hold the end up."""
    config = write_config(tmp_path, model_dir=model_dir, more=PAIRED)
    with (
        running_agent(config) as agent,
        agent.client() as client,
        client.stream("GET", "/v1/events") as stream,
    ):
        opened = client.post("/v1/interactions").json()["interaction_id"]
        path = f"/v1/interactions/{opened}/outcome"
        assert client.post(path, json=SALE, headers={"Idempotency-Key": "1"}).status_code == 201
        assert agent.stop() == 0
        assert stream.status_code == 200
    with sqlite3.connect(agent.data_dir / "journal.db") as journal:
        rows = journal.execute("SELECT interaction_id FROM impression").fetchall()
        sales = journal.execute("SELECT interaction_id FROM outcome").fetchall()
    journal.close()
    assert (rows, sales) == ([(opened,)], [(opened,)])


def test_an_acknowledged_sale_survives_a_kill(tmp_path: Path, model_dir: Path) -> None:
    """201 means durable: after kill -9 the repetition gets 200."""
    config = write_config(tmp_path, model_dir=model_dir, more=PAIRED)
    with running_agent(config) as agent, agent.client() as client:
        first = client.post("/v1/outcomes", json=SALE, headers={"Idempotency-Key": "1"})
        agent.stop(signal.SIGKILL)
    with running_agent(config) as agent, agent.client() as client:
        second = client.post("/v1/outcomes", json=SALE, headers={"Idempotency-Key": "1"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()


def test_a_token_is_made_kept_and_never_logged(tmp_path: Path, model_dir: Path) -> None:
    """Where none is configured; only its owner can read it, and the log says where it lies."""
    config = write_config(tmp_path, model_dir=model_dir)
    with running_agent(config) as agent:
        path = agent.data_dir / "pairing-token"
        token = path.read_text("utf-8").strip()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with agent.client(token) as client:
            assert client.post("/v1/interactions").status_code == 201
        with agent.client("another-token-0000") as client:
            assert client.post("/v1/interactions").status_code == 401
        agent.stop()
    assert token not in "".join(agent.raw)
    assert any(line["event"] == "pairing.ready" and line["file"] == str(path) for line in agent.lines)
    with running_agent(config):
        assert path.read_text("utf-8").strip() == token


def test_without_model_and_camera_it_runs(tmp_path: Path) -> None:
    """Best-sellers, named as such, and a log that says what to do."""
    more = PAIRED + '[menu]\nbestsellers = ["vanilla", "mango", "mint"]\n'
    config = write_config(
        tmp_path, model_dir=tmp_path / "nothing", more=more, camera=str(tmp_path / "none.mp4")
    )
    with running_agent(config) as agent, agent.client() as client:
        body = client.post("/v1/interactions").json()
        assert client.get("/readyz").json()["status"] == "degraded"
    assert [offer["flavour"] for offer in body["top3"]] == ["vanilla", "mango", "mint"]
    assert (body["source"], body["reason"]) == ("bestsellers", "no-model")
    refused = next(line for line in agent.lines if line["event"] == "model.refused")
    assert refused["remedy"]


def test_a_busy_port_is_named_before_anything_starts(tmp_path: Path, model_dir: Path) -> None:
    """Exit status 2, the port, what to do; no data folder was made."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        agent = start_agent(write_config(tmp_path, model_dir=model_dir), TOPSCOOP_EDGE_API_PORT=str(port))
        assert agent.process.wait(60) == 2
        assert agent.ready.wait(10)
    told = "".join(agent.raw)
    assert f"port {port}" in told
    assert "`port`" in told
    assert not (tmp_path / "data").exists()


def test_a_second_agent_on_the_same_folder_is_refused(tmp_path: Path, model_dir: Path) -> None:
    """The first goes on."""
    config = write_config(tmp_path, model_dir=model_dir, more=PAIRED)
    with running_agent(config) as first:
        second = start_agent(config)
        assert second.process.wait(60) == 2
        assert second.ready.wait(10)
        assert str(first.process.pid) in "".join(second.raw)
        with first.client() as client:
            assert client.post("/v1/interactions").status_code == 201


def test_a_unix_socket_is_served_as_well_and_removed(tmp_path: Path, model_dir: Path) -> None:
    """Beside the port; with the same token."""
    path = tmp_path / "agent.sock"
    config = write_config(tmp_path, model_dir=model_dir, more=PAIRED + f'unix_socket = "{path}"\n')
    with running_agent(config) as agent:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert connection.makefile("rb").readline().split()[1] == b"200"
        agent.stop()
    assert not path.exists()


def test_the_service_manager_hears_of_readiness_life_and_end(tmp_path: Path, model_dir: Path) -> None:
    """READY once, WATCHDOG after the model really ran, STOPPING at the end."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(30)
        config = write_config(tmp_path, model_dir=model_dir)
        with running_agent(config, NOTIFY_SOCKET=str(address), WATCHDOG_USEC="20000000") as agent:
            heard = [manager.recv(4096).decode() for _ in range(2)]
            agent.stop()
            heard.append(manager.recv(4096).decode())
    assert sorted(line.split("\n")[0] for line in heard[:2]) == ["READY=1", "WATCHDOG=1"]
    assert heard[-1] == "STOPPING=1"


def test_presence_mode_opens_interactions_by_itself(tmp_path: Path, model_dir: Path) -> None:
    """Somebody on the golden frames is enough; no till asked."""
    more = PAIRED + "[presence]\nenabled = true\ncheck_every_ms = 50\nopen_after_ms = 100\n"
    config = write_config(tmp_path, model_dir=model_dir, more=more)
    with (
        running_agent(config) as agent,
        agent.client() as client,
        client.stream("GET", "/v1/events") as stream,
    ):
        for line in stream.iter_lines():
            if line.startswith("event: recommendation"):
                break
        else:
            pytest.fail("the stream ended without a recommendation")


def test_logs_hold_no_receipt_id(tmp_path: Path, model_dir: Path) -> None:
    """Nor the till's key for a sale, at the most talkative level."""
    config = write_config(tmp_path, model_dir=model_dir, more=PAIRED)
    sale = SALE | {"receipt_id": "receipt-of-anna"}
    with running_agent(config, TOPSCOOP_EDGE_LOG_LEVEL="debug") as agent:
        with agent.client() as client:
            client.post("/v1/outcomes", json=sale, headers={"Idempotency-Key": "key-of-anna"})
            client.post("/v1/outcomes", json=sale | {"lines": []}, headers={"Idempotency-Key": "key-of-anna"})
        agent.stop()
    assert "receipt-of-anna" not in "".join(agent.raw)
    assert TOKEN not in "".join(agent.raw)
