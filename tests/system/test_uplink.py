"""A real agent and a real broker: what a customer allowed arrives, everything else never leaves."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.uplink import key_files
from tests.builders.agent_process import AgentProcess, running_agent, write_config
from tests.builders.mosquitto import Mosquitto
from tests.builders.scripted_cloud import MTLS, PaperCloud, ScriptedCollector
from tests.builders.tiny_model import build_model_dir
from wire_protocol.messages import FrameUp, Verdict
from wire_protocol.reasons import Reason
from wire_protocol.topics import Down, Up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

pytestmark = pytest.mark.service

JPEG_MAGIC = b"\xff\xd8\xff"
UPLINK = """\
[api]
pairing_tokens = ["a-token-for-tests-only"]
[uplink]
enabled = true
report_every_s = 10
[interaction]
expire_after_s = 5
"""


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model_dir(tmp_path_factory.mktemp("model") / "tiny", golden=True)


@contextmanager
def broker(folder: Path, cloud: PaperCloud) -> Iterator[Mosquitto]:
    cloud.authority.server(folder / "mosquitto")
    with Mosquitto(folder / "mosquitto", MTLS, listeners=2) as running:
        yield running


@contextmanager
def collecting(cloud: PaperCloud, running: Mosquitto, **how: Any) -> Iterator[ScriptedCollector]:
    collector = ScriptedCollector(cloud, running.ports[1], **how)
    try:
        yield collector
    finally:
        collector.close()


def configured(folder: Path, tiny_model: Path) -> Path:
    return write_config(folder, model_dir=tiny_model, more=UPLINK, camera="synthetic:")


def say(agent: AgentProcess, *, granted: bool) -> dict[str, Any]:
    """One customer: three flavours, then a yes or a no."""
    with agent.client() as client:
        opened = client.post("/v1/interactions").raise_for_status().json()
        notice = client.get("/v1/notice", params={"language": "de"}).raise_for_status().json()
        body = {"granted": granted}
        if granted:
            body |= {
                "language": notice["language"],
                "notice_sha256": notice["sha256"],
                "method": "spoken",
                "purposes": notice["purposes"],
            }
        answer = client.post(f"/v1/interactions/{opened['interaction_id']}/consent", json=body)
        return answer.raise_for_status().json() | {"interaction_id": opened["interaction_id"]}


def until(condition: Any, seen: Any = None, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen in time; {seen() if seen else ''}"
        time.sleep(0.05)


def frames(agent: AgentProcess) -> dict[str, Any]:
    with agent.client() as client:
        return client.get("/v1/uplink").raise_for_status().json()["lanes"]["frames"]


def metrics(agent: AgentProcess) -> str:
    with agent.client() as client:
        return client.get("/metrics").raise_for_status().text


def ready(agent: AgentProcess) -> None:
    heard(agent, "link.connected")


def heard(agent: AgentProcess, event: str) -> None:
    until(lambda: event in agent.events(), lambda: "".join(agent.raw))


def test_a_consented_picture_arrives_and_opens_and_its_receipt_ends_it(
    tmp_path: Path, tiny_model: Path
) -> None:
    """The whole way: yes, seal, sign, spool, TLS, verify, receipt; a no leaves nothing anywhere (T5, T26)."""
    cloud = PaperCloud()
    config = configured(tmp_path, tiny_model)
    with broker(tmp_path, cloud) as running, collecting(cloud, running) as collector:
        cloud.enrol(tmp_path / "data", port=running.port)
        with running_agent(config) as agent:
            ready(agent)
            refused = say(agent, granted=False)
            given = say(agent, granted=True)
            assert refused == {"granted": False, "interaction_id": refused["interaction_id"]}
            collector.wait_for(lambda: bool(collector.of(Up.FRAME) and collector.of(Up.CONSENT)))
            (frame,) = collector.of(Up.FRAME)
            assert isinstance(frame.payload, FrameUp)
            picture = cloud.open_frame(frame)
            assert picture.startswith(JPEG_MAGIC)
            assert len(picture) == frame.payload.picture_bytes
            assert b"Exif" not in picture
            until(lambda: (frames(agent)["stored"], frames(agent)["without_consent"]) == (1, 1))
            account = frames(agent)
            assert (account["captured"], account["without_consent"], account["spooled"]) == (2, 1, 0)
            assert account["lost"] == 0
            # The recommendations themselves arrive too, once they are over.
            collector.wait_for(lambda: len(collector.of(Up.INTERACTION)) == 2)
            sent = {message.header.message_id.hex() for message in collector.of(Up.INTERACTION)}
            assert {given["interaction_id"].replace("-", "")} <= sent
            until(lambda: 'topscoop_uplink_stored_total{lane="frames"} 1.0' in metrics(agent))
            assert "topscoop_uplink_connected 1.0" in metrics(agent)
            assert agent.stop() == 0
        collector.wait_for(lambda: any(not m.payload.online for m in collector.of(Up.STATUS)))
    assert collector.refused == []
    for message in collector.raw:
        assert JPEG_MAGIC not in message, "a picture went out unsealed"
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            assert JPEG_MAGIC not in path.read_bytes(), f"a picture lies in {path.name}"


def test_what_was_published_when_the_broker_was_killed_arrives_after_all(
    tmp_path: Path, tiny_model: Path
) -> None:
    """T17: kill -9 with frames in flight without receipts; the broker comes back empty; nothing is lost."""
    cloud = PaperCloud()
    config = configured(tmp_path, tiny_model)
    with broker(tmp_path, cloud) as running:
        cloud.enrol(tmp_path / "data", port=running.port)
        with running_agent(config) as agent:
            with collecting(cloud, running, answers=lambda _: None) as deaf:
                ready(agent)
                for _ in range(3):
                    say(agent, granted=True)
                deaf.wait_for(lambda: len(deaf.of(Up.FRAME)) == 3)
            running.kill()
            heard(agent, "link.disconnected")
            say(agent, granted=True)  # offline: the blanks are here
            assert frames(agent)["spooled"] == 4
            running.start()
            with collecting(cloud, running) as collector:
                collector.wait_for(
                    lambda: len({m.header.message_id for m in collector.of(Up.FRAME)}) == 4, 60
                )
                until(lambda: frames(agent)["stored"] == 4)
                assert frames(agent)["lost"] == 0
            assert agent.stop() == 0


def test_a_register_believes_only_what_the_cloud_signed_for_the_purpose(
    tmp_path: Path, tiny_model: Path
) -> None:
    """Blanks signed with the receipts' key are refused and counted; an erasure ends what still waits."""
    cloud = PaperCloud()
    config = configured(tmp_path, tiny_model)
    with (
        broker(tmp_path, cloud) as running,
        collecting(cloud, running, answers=lambda _: None) as collector,
    ):
        cloud.enrol(tmp_path / "data", port=running.port, blanks=1)
        with running_agent(config) as agent:
            ready(agent)
            given = say(agent, granted=True)
            collector.wait_for(lambda: bool(collector.of(Up.FRAME)))
            collector.publish(Down.BLANKS, cloud.blanks_message([cloud.blank()], cloud.receipts_key))
            heard(agent, "downlink.refused")
            with agent.client() as client:
                assert client.get("/v1/uplink").json()["blanks_left"] == 0
                collector.publish(Down.BLANKS, cloud.blanks_message([cloud.blank(), cloud.blank()]))
                until(lambda: client.get("/v1/uplink").json()["blanks_left"] == 2)
                consent_id = bytes.fromhex(given["consent_id"].replace("-", ""))
                collector.publish(Down.ERASE, cloud.erase_message([consent_id]))
                until(lambda: frames(agent)["gone"] == 1)
                assert frames(agent)["spooled"] == 0
            assert agent.stop() == 0


def test_a_refusal_is_final_and_counted_by_its_reason(tmp_path: Path, tiny_model: Path) -> None:
    """The collector says no to frames: the register keeps none of them, and says why."""
    cloud = PaperCloud()
    config = configured(tmp_path, tiny_model)

    def refuse(message: Any) -> bytes:
        if message.kind is Up.FRAME:
            return cloud.receipt(
                message, verdict=Verdict.REFUSED, version=None, reason=Reason.CONSENT_WITHDRAWN
            )
        return cloud.receipt(message)

    with broker(tmp_path, cloud) as running, collecting(cloud, running, answers=refuse):
        cloud.enrol(tmp_path / "data", port=running.port)
        with running_agent(config) as agent:
            ready(agent)
            say(agent, granted=True)
            until(lambda: frames(agent)["refused"] == 1)
            refusals = 'topscoop_uplink_refusals_total{lane="frames",reason="consent-withdrawn"} 1.0'
            assert refusals in metrics(agent)
            assert agent.stop() == 0


def test_a_wrong_authority_a_wrong_name_and_an_expired_certificate_leave_the_till_alone(
    tmp_path: Path, tiny_model: Path
) -> None:
    """T20, register's half: nothing is sent, recommendations and readiness go on, the log says what to do."""
    cloud = PaperCloud()
    config = configured(tmp_path, tiny_model)
    with broker(tmp_path, cloud) as running:
        cloud.enrol(tmp_path / "data", port=running.port, days=(-60, -1))
        with running_agent(config) as agent:
            heard(agent, "certificate.expired")
            heard(agent, "link.failed")
            assert say(agent, granted=True)["granted"]
            with agent.client() as client:
                assert client.get("/readyz").status_code == 200
            assert frames(agent)["spooled"] == 1
            assert agent.stop() == 0
        expired = next(line for line in agent.lines if line["event"] == "certificate.expired")
        assert "edge enrol --again" in expired["remedy"]
        stranger = PaperCloud()
        (tmp_path / "data" / key_files.FOLDER / "ca.crt").write_bytes(stranger.authority.pem)
        with running_agent(config) as agent:
            until(lambda: any("not believed" in str(line.get("reason")) for line in agent.lines))
            assert agent.stop() == 0
