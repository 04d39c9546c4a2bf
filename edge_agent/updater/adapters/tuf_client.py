"""python-tuf's client with what it leaves out: durable files, and a clock that somebody else may bound."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Root, Signed, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from edge_agent.adapters.durable import sync_folder, write_durably

MAX_ROOT_ROTATIONS: Final = 1024
"""Roots that one refresh walks over; python-tuf's 256 would end for good a register that slept too long."""
_TOP: Final = (Root.type, Timestamp.type, Snapshot.type, Targets.type)


class DurableUpdater(Updater):
    """The client; what it keeps is on the disk before it goes on.

    python-tuf has no public way to its reference time, to its verified targets metadata as a whole, or to how
    it writes files: this class alone reaches below its surface, and its tests notice when that moves.
    """

    def _persist_file(self, filename: str, data: bytes) -> None:
        write_durably(Path(filename), data)

    def _update_root_symlink(self) -> None:
        # In one step: python-tuf removes the old link first, and an end in between takes the trust away.
        folder = Path(self._dir)
        temporary = folder / ".root.json.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(f"root_history/{self._trusted_set.root.version}.root.json")
        temporary.replace(folder / "root.json")
        sync_folder(folder)

    def judge_by(self, reference: datetime) -> None:
        """Let this be the time that expiry is judged by. Before `refresh`."""
        self._trusted_set.reference_time = reference

    def known(self) -> Iterator[Signed]:
        """The verified top-level metadata, as far as it has come."""
        for role in _TOP:
            if (signed := self._trusted_set.get(role)) is not None:
                yield signed

    def file_name(self, target: TargetFile) -> str:
        """What a target is called in the folder of targets; the same that `find_cached_target` looks for."""
        return Path(self._generate_target_file_path(target)).name

    @property
    def targets(self) -> Targets:
        """The verified targets metadata. After `refresh`."""
        return self._trusted_set.targets


def client(
    metadata_dir: Path, base: str, fetcher: Any, bootstrap: bytes | None, **more: Any
) -> DurableUpdater:
    """A client as all of ours are."""
    return DurableUpdater(
        str(metadata_dir),
        base,
        fetcher=fetcher,
        bootstrap=bootstrap,
        config=UpdaterConfig(max_root_rotations=MAX_ROOT_ROTATIONS),
        **more,
    )


def instant(ms: int) -> datetime:
    """A time in milliseconds since 1970 as python-tuf has it."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def milliseconds(at: datetime) -> int:
    """The other way."""
    return int(at.timestamp() * 1000)
