"""The way to a register's releases from outside the agent: through it where it runs, else by the files."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_agent.adapters.checks.api import agent_runs
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.data_folder import held
from edge_agent.adapters.running_agent import RunningAgent
from edge_agent.adapters.updates.beginning import RELEASES, folder_of
from edge_agent.adapters.updates.state_sqlite import SqliteState
from edge_agent.config import EdgeConfig
from edge_agent.errors import DataFolderBusyError
from edge_agent.updates import transitions
from edge_agent.updates.choice import candidates, previous
from edge_agent.updates.errors import nothing_before
from edge_agent.updates.facts import Facts
from edge_agent.updates.overview import overview
from edge_agent.updates.slots import Slot
from inference import FlavourModel, ModelError
from inference.default_models import default_model_dir


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
    """To the model before, or to best-sellers; what is in use then, as `overview` has it.

    Whoever changes the files holds the data folder: an agent that starts meanwhile refuses to, and one that
    starts already is asked, and answers when it is ready.

    Raises:
        NothingBeforeError: No release is in use.
        AgentNotAskedError: An agent holds the data folder, and refuses, or is not ready yet.
        DataFolderError: The data folder is another user's.
        StateError: The disk refuses.
    """
    if not config.data_dir.exists():
        raise nothing_before()
    try:
        with held(config.data_dir):
            return _go_back_by_files(config)
    except DataFolderBusyError:
        return RunningAgent(config).ask("POST", "/v1/releases/return", {})


def _go_back_by_files(config: EdgeConfig) -> dict[str, Any]:
    store = SqliteState(folder_of(config.data_dir), SystemClock())
    try:
        facts = store.load()
        if facts.active is None:
            raise nothing_before()
        choice = previous(facts, installed=_has_installed(config))
        store.save(transitions.returned(facts, choice, SystemClock().now_ms()))
        return overview(store.load(), choice)
    finally:
        store.close()


def _has_installed(config: EdgeConfig) -> bool:
    try:
        return (config.model_dir or default_model_dir(config.tenant)).is_dir()
    except ModelError:
        return False


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
