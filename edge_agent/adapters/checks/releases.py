"""The register's releases: trust, metadata, what runs, how the newest update went. Changes nothing."""

from collections.abc import Iterator
from pathlib import Path

from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.updates.beginning import RELEASES, folder_of
from edge_agent.adapters.updates.release_door import facts_of
from edge_agent.adapters.uplink import key_files
from edge_agent.checkup import Finding
from edge_agent.config import EdgeConfig
from edge_agent.updates.checkup import judge_metadata, judge_releases, judge_trust
from edge_agent.updates.choice import candidates


def check_releases(config: EdgeConfig) -> Iterator[Finding]:
    """Every finding."""
    facts = facts_of(config)
    root = config.data_dir / key_files.FOLDER / key_files.ROOT_FILE
    yield judge_trust(facts, root_there=root.exists())
    yield judge_metadata(facts, SystemClock().now_ms())
    yield judge_releases(facts)


def directory_in_use(config: EdgeConfig) -> Path | None:
    """The directory of the release in use; None where it is the installed model, or none at all."""
    if not folder_of(config.data_dir).exists():
        return None
    slot = candidates(facts_of(config))[0].slot
    return None if slot is None else folder_of(config.data_dir) / RELEASES / slot.directory
