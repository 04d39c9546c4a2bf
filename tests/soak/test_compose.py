"""The whole stack in containers: frames arrive as versions, whatever is killed on the way."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_client.chain import Chain
from api_client.logins import LoginFiles
from tests.builders.compose_stack import PORTS, ComposeStack, require_docker, until
from tests.builders.photos import twelve_megapixels
from tests.services import require_program

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


def test_a_picture_goes_through_the_gateway_over_tls(stack: ComposeStack, tmp_path: Path) -> None:
    """The five services by the typed client, a recommender killed; the console has the same door."""
    made = stack.topscoop("api", "cloud", "api-client", "add", *_SOLE, "--name", "the test")
    authority = stack.gateway_ca(tmp_path)
    photo = twelve_megapixels(tmp_path / "photo.jpg")
    stack.compose("kill", "-s", "SIGKILL", "recommender")
    stack.compose("up", "--detach", "--scale", "collector=2", "--scale", "recommender=2")
    with Chain(
        "gelateria-sole",
        base_url=f"https://{{tenant}}.localhost:{PORTS['GATEWAY_PORT']}",
        ca=authority,
        logins=LoginFiles(tmp_path / "logins"),
    ) as chain:
        chain.login_machine(made["client_id"], made["client_secret"])
        answer = chain.recommend(photo, wait=180)
        assert len(answer.slate) == 3
        assert answer.model is not None
        assert answer.model.release == 1
        kept = chain.recommend(
            photo, purpose="recommend_and_improve", consent=chain.notice(language="de"), wait=180
        )
        until(lambda: _web_frames(stack) == 1, 180, "the picture is kept, sealed")
        chain.outcome(kept.request_id, {kept.slate[0].flavour: 1})
        proof = chain.erase().proof
        until(lambda: chain.erasure(proof).online_copies_gone is not None, 180, "the erasure is settled")
    assert _web_frames(stack) == 0
    # curl takes every name below localhost for this machine; Python asks the system, which may not.
    address = f"https://console.localhost:{PORTS['GATEWAY_PORT']}/login"
    console = subprocess.run(
        [str(require_program("curl")), "--silent", "--show-error", "--cacert", str(authority), address],
        capture_output=True,
        check=True,
    )
    assert b"Log in" in console.stdout


def _web_frames(stack: ComposeStack) -> int:
    rows = stack.frames(_TENANTS[0])
    return sum(row["register"] == "public-api" and row["erased_at"] is None for row in rows)


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
