import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.unit.model_registry.commands.conftest import CHAIN, Model

RENEW = f"renew --store store --chain {CHAIN} --keys keys"


def test_nothing_is_due_at_first(model: Model) -> None:
    assert model(RENEW) == {"chain": CHAIN, "renewed": False}
    assert model(f"{RENEW} --force")["timestamp"] == 3


def test_it_stays_and_ends_in_order(folder: Path) -> None:
    """A daemon renews what is due, then waits, and ends at SIGTERM."""
    daemon = subprocess.Popen(
        [sys.executable, "-m", "topscoop", "model", *RENEW.split(), "--every", "3600", "--force", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    )
    try:
        assert daemon.stdout is not None
        assert json.loads(daemon.stdout.readline())["snapshot"] == 3
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(10) == 0
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdout.close()


def test_wrong_use_is_told(model: Model) -> None:
    assert "is too often" in model(f"{RENEW} --every 0")
    assert "is too often" in model(f"{RENEW} --every nan")
    assert "is no chain's name" in model("renew --store store --chain '' --keys keys")
    assert "none of the given keys" in model(f"renew --store store --chain {CHAIN} --keys . --force")
