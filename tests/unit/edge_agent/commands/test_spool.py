"""`topscoop edge spool` over a spool that stands still; a running agent's is in tests/system."""

import io
import json
from pathlib import Path

import pytest

from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.uplink.assembly import spool_path
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.spooled import Write
from tests.builders.agent_process import write_config
from tests.builders.records import interaction_id
from tests.builders.uplink import PaperDesk
from topscoop.cli import main


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A register whose spool holds one consent, set aside."""
    path = write_config(tmp_path, model_dir=None)
    shop = PaperDesk()
    place = spool_path(tmp_path / "data")
    place.parent.mkdir(parents=True)
    spool = SqliteSpool(place, SystemClock())
    outgoing = shop.packager.consent(shop.desk._stamp(1), b"receipt", bytes(16), interaction_id(1).bytes)
    spool.write(Write(messages=(outgoing,)))
    spool.set_aside(outgoing.message_id, "larger-than-broker-takes")
    spool.close()
    shop.executor.shutdown()
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    status = main(["edge", "spool", *words])
    return status, capsys.readouterr().out


def test_the_status_shows_the_account_of_every_lane(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table for people, with what is set aside and why; as JSON for programs."""
    status, text = run(capsys, "status", "--config", config)
    assert status == 0
    assert "consents: 1 set aside, larger-than-broker-takes" in text
    assert "No agent runs here." in text
    found = json.loads(run(capsys, "status", "--json", "--config", config)[1])
    assert found["lanes"]["consents"]["spooled"] == 1
    assert found["lanes"]["consents"]["lost"] == 0


def test_retry_offers_again_what_was_set_aside(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Once: a second time there is nothing."""
    assert json.loads(run(capsys, "retry", "--json", "--config", config)[1]) == {"messages": 1}
    assert "0 messages" in run(capsys, "retry", "--config", config)[1]


def test_purge_asks_first_and_counts_what_it_dropped(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything but a yes drops nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert run(capsys, "purge", "consents", "--config", config)[0] == 1
    assert run(capsys, "purge", "consents", "--yes", "--only-set-aside", "--config", config)[0] == 0
    found = json.loads(run(capsys, "status", "--json", "--config", config)[1])["lanes"]["consents"]
    assert (found["spooled"], found["dropped"], found["lost"]) == (0, {"purged": 1}, 0)


def test_without_a_spool_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A register that was never enrolled."""
    path = write_config(tmp_path, model_dir=None)
    assert main(["edge", "spool", "status", "--config", str(path)]) == 2
    assert "edge enrol" in capsys.readouterr().err
