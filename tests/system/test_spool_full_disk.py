"""The spool on a disk that is really full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.spooled import Write
from tests.builders.records import StandingClock
from tests.builders.spool_messages import outgoing
from wire_protocol.topics import Up


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root; faults are injected in the unit tests")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_small_lanes_find_room_on_a_full_disk(small_disk: Path) -> None:
    """T12: frames are refused, withdrawals and sales are not; all is well again when there is room."""
    filler = small_disk / "filler"
    spool = SqliteSpool(small_disk / "spool.db", StandingClock())
    refused = []
    for number in range(2000):
        try:
            spool.write(Write(messages=(outgoing(number, size=30_000),)))
        except SpoolError:
            refused.append(number)
        if len(refused) == 5:
            break
    assert len(refused) == 5, "the disk was full"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize
    filler.write_bytes(b"\0" * free)
    small = [outgoing(number, kind) for number in range(100) for kind in (Up.WITHDRAWAL, Up.OUTCOME)]
    for message in small:
        assert spool.write(Write(messages=(message,))) == (True,)
    filler.unlink()
    spool.flush()
    spool.close()
    spool = SqliteSpool(small_disk / "spool.db", StandingClock())
    assert all(spool.load(message.message_id) == message.message for message in small)
    stats = spool.stats()
    assert stats.damaged_files == 0
    assert [lane.account.lost for lane in stats.lanes.values()] == [0] * len(Lane)
    assert spool.write(Write(messages=(outgoing(999, size=30_000),))) == (True,)
    spool.close()
