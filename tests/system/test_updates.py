"""Updates of the model: the real agent, the real updater, a real broker, signed releases."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.updates.beginning import RELEASES, folder_of
from edge_agent.adapters.updates.state_sqlite import SqliteState
from edge_agent.updates.choice import Source, candidates
from edge_agent.updates.slots import Verdict
from edge_agent.updates.steps import Step
from inference import FlavourModel
from tests.builders.agent_process import agent_environment
from tests.builders.update_stage import UpdateStage, update_stage

if TYPE_CHECKING:
    from pathlib import Path

    from edge_agent.updates.facts import Facts

pytestmark = pytest.mark.service


def facts_of(stage: UpdateStage) -> Facts:
    """What the disk says now; the agent does not run."""
    store = SqliteState(folder_of(stage.data_dir), SystemClock())
    try:
        return store.load()
    finally:
        store.close()


def check_that_a_model_is_there(stage: UpdateStage) -> Facts:
    """Whatever would run next is whole, signed, and not below the floor."""
    facts = facts_of(stage)
    choice = candidates(facts)[0]
    if choice.slot is None:
        assert (choice.source, facts.floor) == (Source.INSTALLED, 0)
    else:
        model = FlavourModel.load(folder_of(stage.data_dir) / RELEASES / choice.slot.directory)
        assert model.digest == choice.slot.digest == stage.digests[choice.slot.release]
        assert choice.slot.release >= facts.floor
    return facts


def sweep(stage: UpdateStage, steps: list[Step]) -> None:
    """One release per step: killed there, and brought to its end by the next process."""
    transaction = ""
    for number, step in enumerate(steps, 1):
        with stage.doomed(step) as agent:
            if number > 1:
                report = stage.wait_until_good(number - 1)
                assert report.update is not None
                assert report.update.transaction.hex() == transaction, "the transaction is the order's"
                assert report.metadata is not None
                assert report.metadata.floor == max(0, number - 2)
            # The release before is the lowest that may run: with it the installed model is out, too.
            stage.release(number, minimum_release=number - 1)
            assert agent.ready.wait(60)
            stage.order(number)
        facts = check_that_a_model_is_there(stage)
        assert facts.attempt is not None
        assert facts.attempt.release == number
        transaction = facts.attempt.transaction
    with stage.running() as agent:
        report = stage.wait_until_good(len(steps))
        assert report.update is not None
        assert report.update.transaction.hex() == transaction
        assert agent.stop() == 0
    facts = check_that_a_model_is_there(stage)
    assert (facts.open, facts.crashes) == (False, 0) or facts.crashes == 1
    assert [slot.verdict for slot in facts.slots] == [Verdict.GOOD] * len(facts.slots)


def test_a_power_cut_in_an_update_leaves_the_old_model_or_the_new(tmp_path: Path) -> None:
    """T13: kill -9 at steps of the agent's side; loadable, not torn, not below the floor, and goes on."""
    with update_stage(tmp_path) as stage:
        sweep(stage, [Step.NOTED, Step.ACTIVATED, Step.CONCLUDED])


@pytest.mark.soak
def test_a_power_cut_at_every_step_of_an_update(tmp_path: Path) -> None:
    """T13: as above, at every numbered step."""
    with update_stage(tmp_path) as stage:
        sweep(stage, list(Step))


def model_command(stage: UpdateStage, *words: str) -> tuple[int, Any]:
    """`topscoop edge model … --json`, as a person at the till types it."""
    done = subprocess.run(
        [sys.executable, "-m", "topscoop", "edge", "model", *words, "--json", "--config", str(stage.config)],
        capture_output=True,
        check=False,
        env=agent_environment({}),
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr.decode()


def test_a_register_goes_back_where_it_must(tmp_path: Path) -> None:
    """T9, T10: by a person, by a withdrawal, and never to what the chain took back."""
    with update_stage(tmp_path) as stage:
        with stage.running() as agent:
            for number in (1, 2):
                stage.release(number)
                stage.order(number)
                stage.wait_until_good(number)
            assert model_command(stage, "verify")[1]["ok"]
            status, view = model_command(stage, "return")
            assert (status, view["in_use"]["release"]) == (0, 1)
            report = stage.wait_for_report(lambda one: one.release == 1 and one.generation == 2)
            assert report.model_digest == stage.digests[1]
            assert report.update is not None
            assert str(report.update.reason) == "returned"
            assert agent.stop() == 0
        with stage.running() as agent:
            report = stage.wait_for_report(lambda one: one.release == 1 and one.uptime_s < 30)
            status, view = model_command(stage, "list")
            assert (view["in_use"]["release"], view["returned_by_hand"]) == (1, True)
            stage.order(2)
            stage.wait_until_good(2)
            stage.repository.set_policy(minimum_release=2)
            stage.repository.withdraw(2, "people dislike it")
            generation = stage.order(2, report_every_s=60)
            gone = stage.wait_for_report(lambda one: one.generation == generation and one.release is None)
            assert gone.model_digest is None, (
                "release 1 is below the floor, the installed model has no number"
            )
            assert gone.update is not None
            assert str(gone.update.reason) == "withdrawn"
            with agent.client() as client:
                shown = client.post("/v1/interactions").raise_for_status().json()
                assert (shown["source"], len(shown["top3"])) == ("bestsellers", 3)
                refused = client.put("/v1/model", json={"model_dir": str(tmp_path)})
                assert refused.status_code == 409
                assert "topscoop_model_floor 2.0" in client.get("/metrics").text
                assert "best-sellers" in client.get("/healthz").json()["checks"]["release"]["state"]
            assert agent.stop() == 0
