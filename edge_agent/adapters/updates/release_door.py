"""The way to a register's releases from outside the agent: through it where it runs, else by the files."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_agent.adapters.checks.api import agent_runs
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.running_agent import RunningAgent
from edge_agent.adapters.updates.beginning import RELEASES, folder_of
from edge_agent.adapters.updates.state_sqlite import SqliteState
from edge_agent.config import EdgeConfig
from edge_agent.updates import transitions
from edge_agent.updates.choice import Source, candidates, previous
from edge_agent.updates.errors import nothing_before
from edge_agent.updates.facts import Facts
from edge_agent.updates.overview import overview
from edge_agent.updates.slots import Slot
from inference import FlavourModel, ModelError


@dataclass(frozen=True, slots=True)
class SignedReleases:
    """What the chain's keys signed, verified just now; of releases by number.

    Args:
        networks: SHA-256 of the network, hex.
        manifests: The text of the manifest.
        withdrawn: Taken back.
    """

    networks: Mapping[int, str]
    manifests: Mapping[int, str]
    withdrawn: Collection[int]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of one thing that lies here."""

    what: str
    good: bool
    said: str


def facts_of(config: EdgeConfig) -> Facts:
    """The durable facts; a running agent's, too, as they are saved before they are true."""
    store = SqliteState(folder_of(config.data_dir), SystemClock())
    try:
        return store.load()
    finally:
        store.close()


def view(config: EdgeConfig) -> dict[str, Any]:
    """As `overview`; raises AgentNotAskedError."""
    if agent_runs(config.data_dir):
        return RunningAgent(config).ask("GET", "/v1/releases")
    facts = facts_of(config)
    return overview(facts, candidates(facts)[0])


def go_back(config: EdgeConfig) -> dict[str, Any]:
    """To the model before; what is in use then, as `overview` has it.

    Raises:
        NothingBeforeError: There is none that may run.
        AgentNotAskedError: A running agent refuses.
        StateError: The disk refuses.
    """
    if agent_runs(config.data_dir):
        return RunningAgent(config).ask("POST", "/v1/releases/return", {})
    store = SqliteState(folder_of(config.data_dir), SystemClock())
    try:
        facts = store.load()
        choice = previous(facts)
        if choice.source is Source.BESTSELLERS or facts.active is None:
            raise nothing_before()
        store.save(transitions.returned(facts, choice, SystemClock().now_ms()))
        return overview(store.load(), choice)
    finally:
        store.close()


def verify(config: EdgeConfig, facts: Facts, signed: SignedReleases | None) -> Iterator[Looked]:
    """Every release that lies here, against what the chain's keys signed; None where nothing proves that."""
    for slot in facts.slots:
        if slot.there:
            yield _look_at(config, slot, signed)


def _look_at(config: EdgeConfig, slot: Slot, signed: SignedReleases | None) -> Looked:
    what = f"release {slot.release}"
    directory = folder_of(config.data_dir) / RELEASES / slot.directory
    try:
        model = FlavourModel.load(directory)
        manifest = (directory / "manifest.json").read_text("utf-8")
    except (ModelError, OSError, ValueError) as error:
        return Looked(what, good=False, said=str(error))
    wrong = "its network is another than the one that was staged" if model.digest != slot.digest else None
    wrong = wrong or _not_signed(slot, manifest, signed)
    if wrong is not None:
        return Looked(what, good=False, said=wrong)
    return Looked(what, good=True, said=f"whole, and signed by the chain: {slot.digest[:16]}")


def _not_signed(slot: Slot, manifest: str, signed: SignedReleases | None) -> str | None:
    if signed is None:
        return "it is whole, but nothing that lies here proves who signed it"
    if slot.release in signed.withdrawn:
        return "it is whole and signed, but withdrawn"
    if signed.networks.get(slot.release) != slot.digest:
        return "the chain's keys signed another network under this number"
    if signed.manifests.get(slot.release) != manifest:
        return "its manifest is another than the signed one"
    return None
