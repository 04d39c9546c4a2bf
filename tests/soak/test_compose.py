"""The whole stack in containers: frames arrive as versions, whatever is killed on the way."""

import pytest

from tests.builders.compose_stack import ComposeStack, require_docker, until

_TENANTS = ("gelateria-sole", "polar-scoop")
_CONFIG = "/var/lib/topscoop/edge.toml"
_REGISTERS = ("register-1", "register-2", "register-3")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_frames_are_stored_as_versions_though_collector_and_broker_are_killed() -> None:
    """Registers enrol by themselves; a killed collector and a killed broker lose nothing (T4, T17)."""
    with ComposeStack(require_docker()) as stack:
        until(
            lambda: all(len(stack.frames(tenant)) >= 3 for tenant in _TENANTS), 300, "frames of both chains"
        )
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
