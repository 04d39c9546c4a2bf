"""The whole stack in containers: frames arrive as versions, whatever is killed on the way."""

import json
import urllib.request
from collections.abc import Iterator

import pytest

from tests.builders.compose_stack import PORTS, ComposeStack, require_docker, until

_TENANTS = ("gelateria-sole", "polar-scoop")
_SOLE = ("--tenant", "gelateria-sole")
_CONFIG = "/var/lib/topscoop/edge.toml"
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
_REGISTERS = ("register-1", "register-2", "register-3")


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    """Built and started once; each test leaves it running."""
    with ComposeStack(require_docker()) as started:
        yield started


def test_frames_are_stored_as_versions_though_collector_and_broker_are_killed(stack: ComposeStack) -> None:
    """Registers enrol by themselves; a killed collector and a killed broker lose nothing (T4, T17)."""
    until(lambda: all(len(stack.frames(tenant)) >= 3 for tenant in _TENANTS), 300, "frames of both chains")
    assert {row["version"] for row in stack.frames(_TENANTS[0])}.isdisjoint({None, "", "null"})

    stack.compose("kill", "-s", "SIGKILL", "collector")
    stack.compose("up", "--detach", "--scale", "collector=2")
    _more_arrive(stack, "after the collector was killed")

    stack.compose("kill", "-s", "SIGKILL", "mosquitto")
    stack.compose("up", "--detach", "--scale", "collector=2")
    _more_arrive(stack, "after the broker was killed")

    rows = [row for tenant in _TENANTS for row in stack.frames(tenant) if row["erased_at"] is None]
    missing = {(row["object_key"], row["version"]) for row in rows} - stack.versions()
    assert not missing or missing <= _erased_since(stack), "a row without its version"
    for register in _REGISTERS:
        status = stack.topscoop(register, "edge", "spool", "status", "--config", _CONFIG)
        lost = {name: lane["lost"] for name, lane in status["lanes"].items() if lane["lost"]}
        assert lost == {}, register
        assert status["lanes"]["frames"]["stored"] > 0, register


def test_a_release_reaches_every_register_of_a_chain_in_stages(stack: ComposeStack) -> None:
    """Signed into the bucket by the set-up, fetched over MQTT, tried, attested; and there is a console."""
    until(lambda: bool(stack.frames(_TENANTS[0])), 300, "frames")
    plan = json.dumps(
        {
            "stages": [
                {"name": "first", "count": 1, "hold_s": 1},
                {"name": "all", "share": 1.0, "hold_s": 1},
            ],
            # So few answers say nothing of drift, and this machine is busier than any till.
            "gates": {
                "minimum_recommendations": 1,
                "confidence_drift": None,
                "label_drift": None,
                "latency_of_budget": 100,
            },
        }
    )
    made = stack.topscoop("rollouts", "rollout", "plan", "1", "--plan", "-", *_SOLE, standard_input=plan)
    stack.topscoop("rollouts", "rollout", "start", made["rollout"], *_SOLE)
    until(
        lambda: stack.topscoop("rollouts", "rollout", "status", made["rollout"], *_SOLE)["state"] == "done",
        300,
        "both registers of the chain run the release",
    )
    for register in ("register-1", "register-2"):
        listed = stack.topscoop(register, "edge", "model", "list", "--config", _CONFIG)
        assert listed["in_use"]["release"] == 1, register
    page = urllib.request.urlopen(f"http://localhost:{PORTS['CONSOLE_PORT']}/", timeout=10)
    assert page.status == 200
    assert b"Log in" in page.read()


def _more_arrive(stack: ComposeStack, when: str) -> None:
    before = {tenant: len(stack.frames(tenant)) for tenant in _TENANTS}
    until(
        lambda: all(len(stack.frames(tenant)) >= before[tenant] + 3 for tenant in _TENANTS),
        180,
        f"more frames {when}",
    )


def _erased_since(stack: ComposeStack) -> set[tuple[str, str]]:
    """Frames whose customers took their consent back while the test looked."""
    return {
        (row["object_key"], row["version"])
        for tenant in _TENANTS
        for row in stack.frames(tenant)
        if row["erased_at"] is not None
    }
