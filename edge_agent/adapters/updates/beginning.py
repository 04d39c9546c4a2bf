"""The start of an agent that has, or may get, releases: which model it begins with."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from daemon.log_fields import fields
from edge_agent.adapters.updates.release_folders import ReleaseFolders
from edge_agent.adapters.updates.state_sqlite import SqliteState
from edge_agent.errors import ModelRefusedError
from edge_agent.ports import Clock, Model
from edge_agent.updates import transitions
from edge_agent.updates.choice import BESTSELLERS, Choice, Source, candidates
from edge_agent.updates.errors import StateError
from edge_agent.updates.facts import Facts
from edge_agent.updates.model_in_use import load_signed
from inference import ModelError

log = logging.getLogger(__name__)

FOLDER: Final = "updates"
RELEASES: Final = "releases"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the start found and chose.

    Args:
        store: Of the facts.
        facts: As they are now, saved if there were any.
        choice: What is in use.
        model: Loaded; None for best-sellers.
        directory: Where it came from.
        installed: The directory of the installed model; None where that cannot be used.
    """

    store: SqliteState
    facts: Facts
    choice: Choice
    model: Model | None
    directory: Path | None
    installed: Path | None


def folder_of(data_dir: Path) -> Path:
    """Where everything about releases lies."""
    return data_dir / FOLDER


def begin(data_dir: Path, clock: Clock, load: Callable[[Path], Model], installed: Path | None) -> Beginning:
    """Choose and load the model to begin with; whatever is damaged, the next is taken.

    Args:
        data_dir: The agent's.
        clock: Dates what changes.
        load: Reads a model directory; raises ModelRefusedError or ModelError.
        installed: The model that the register was installed with.
    """
    store = SqliteState(folder_of(data_dir), clock)
    kept = store.load()
    facts = transitions.started(kept, clock.now_ms())
    releases = ReleaseFolders(folder_of(data_dir) / RELEASES)
    while True:
        choice = next(
            one for one in candidates(facts) if one.source is not Source.INSTALLED or installed is not None
        )
        if choice.source is Source.BESTSELLERS:
            model, directory = None, None
            break
        slot = choice.slot
        directory = installed if slot is None else releases.path(slot.directory)
        assert directory is not None, "else it is no candidate"
        try:
            model = load(directory) if slot is None else load_signed(load, slot, directory)
        except (ModelRefusedError, ModelError) as error:
            log.error("model.refused", extra=fields(error=str(error), remedy=error.remedy))  # noqa: TRY400 - no defect of ours
            if slot is None:
                installed = None
            else:
                facts = transitions.spoiled(facts, slot, str(error), clock.now_ms())
            continue
        break
    if facts.active != choice.release:
        log.warning(
            "model.returned", extra=fields(left=facts.active, to=choice.release or choice.source.value)
        )
        facts = transitions.settled_on(facts, choice, clock.now_ms())
    if kept != Facts():  # nothing is written where no release was ever heard of
        _save(store, facts)
    if choice == BESTSELLERS:
        log.warning("model.none", extra=fields(shown="best-sellers", floor=facts.floor))
    elif model is not None:
        version = model.manifest.version
        log.info("model.loaded", extra=fields(version=version, digest=model.digest, release=choice.release))
    return Beginning(store, facts, choice, model, directory, installed)


def end(beginning: Beginning) -> None:
    """An agent without a loop for updates ends in order; waits for the disk."""
    if beginning.store.folder.exists():
        _save(beginning.store, transitions.ended(beginning.facts))
    beginning.store.close()


def _save(store: SqliteState, facts: Facts) -> None:
    try:
        store.save(facts)
    except StateError as error:
        log.warning("update.not_noted", extra=fields(error=str(error), remedy=error.remedy))
