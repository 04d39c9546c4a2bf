"""The signed metadata that was kept here, verified anew from the root of trust, without any network."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edge_agent.updater.adapters.tuf_trust import TufTrust
from edge_agent.updater.ports import Signed
from edge_agent.updater.transfer import FileMissing
from edge_agent.updates.errand import Job


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


def verify_kept(tenant: str, root: Path, kept: Path, now_ms: int) -> Signed:
    """What the kept metadata says, if it is signed as it must be.

    Args:
        tenant: The chain.
        root: The file that enrolment brought.
        kept: The updater's folder of metadata; it is copied, not touched.
        now_ms: The time to judge expiry by.

    Raises:
        Refusal: It is not.
        OSError: It cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="topscoop-verify-") as folder:
        copy = Path(folder) / "metadata"
        shutil.copytree(kept, copy, symlinks=True)
        job = Job(
            transaction=bytes(16),
            tenant=tenant,
            agent_version="",
            root_file=str(root),
            metadata_dir=str(copy),
            staging_dir=folder,
            releases_dir=folder,
        )
        return TufTrust(job, KeptFiles(kept), lambda: now_ms, lambda: None).refresh()
