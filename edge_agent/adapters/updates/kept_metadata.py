"""The signed metadata that an updater kept here, verified anew from the root of trust, without any network.

Only for commands: python-tuf is imported, which an agent never does.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.updates.beginning import folder_of
from edge_agent.adapters.updates.release_door import Looked
from edge_agent.adapters.uplink import key_files
from edge_agent.config import EdgeConfig
from edge_agent.updater.adapters.tuf_trust import TufTrust
from edge_agent.updater.refusal import Refusal
from edge_agent.updater.transfer import FileMissing
from edge_agent.updates.errand import Job
from edge_agent.updates.facts import Facts, Listing

_WHAT = "metadata"


class KeptFiles:
    """A `Source` of what lies in a metadata folder already."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fetch(self, path: str, *, offset: int, total: int | None, longest: int) -> Iterator[bytes]:
        """As `Source.fetch`."""
        del total
        name = path.rpartition("/")[2]
        number, _, role = name.partition(".")
        if not number.isdecimal():
            place = self._folder / name
        elif role == "root.json":
            place = self._folder / "root_history" / name
        else:
            place = self._folder / role
        try:
            yield place.read_bytes()[offset : offset + longest]
        except FileNotFoundError:
            raise FileMissing(path) from None


def verified_listing(config: EdgeConfig, facts: Facts) -> tuple[Listing | None, Looked]:
    """What the kept metadata says, if it is signed as it must be; and what was found.

    Expired metadata is as good as ever for what it says of the past; the doctor tells of its end.
    """
    kept = folder_of(config.data_dir) / "metadata"
    root = config.data_dir / key_files.FOLDER / key_files.ROOT_FILE
    if facts.listing is None or not kept.is_dir() or not root.is_file():
        return None, Looked(_WHAT, good=facts.listing is None, said="none was verified here yet")
    now_ms = min(SystemClock().now_ms(), facts.listing.metadata.expires_at - 1)
    with tempfile.TemporaryDirectory(prefix="topscoop-verify-") as folder:
        copy = Path(folder) / "metadata"
        shutil.copytree(kept, copy, symlinks=True)
        job = Job(
            transaction=bytes(16),
            tenant=config.tenant,
            agent_version="",
            root_file=str(root),
            metadata_dir=str(copy),
            staging_dir=folder,
            releases_dir=folder,
        )
        try:
            signed = TufTrust(job, KeptFiles(kept), lambda: now_ms, lambda: None).refresh()
        except Refusal as refusal:
            return None, Looked(_WHAT, good=False, said=str(refusal))
    listing = Listing(signed.digests, frozenset(signed.listing.policy.withdrawn), signed.metadata)
    said = f"signed by the chain's keys, targets version {signed.metadata.targets}"
    return listing, Looked(_WHAT, good=True, said=said)
