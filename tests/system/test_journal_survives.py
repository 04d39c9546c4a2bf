"""What the journal acknowledged is there after the worst: kill -9, and a disk that is really full."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.journal_sqlite import SqliteJournal, WriterLimits
from edge_agent.adapters.randomness import system_randomness
from edge_agent.errors import JournalError
from tests.builders.records import impression, outcome

_WRITER = """
import sys
from pathlib import Path
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.journal_sqlite import SqliteJournal
from edge_agent.adapters.randomness import system_randomness
from tests.builders.records import impression, outcome

journal = SqliteJournal(Path(sys.argv[1]), clock=SystemClock(), randomness=system_randomness)
start = int(sys.argv[2])
for number in range(start, start + 100_000):
    journal.impression(impression(number))
    stored = journal.outcome(outcome(f"key-{number}"))
    sys.stdout.write(f"key-{number} {stored.outcome_id}\\n")
    sys.stdout.flush()
"""
_ROUNDS = 5


def test_kill_9_at_any_moment_loses_no_acknowledged_sale(tmp_path: Path) -> None:
    """T13: a writer is killed in the middle of its work, again and again on one file."""
    path = tmp_path / "journal.db"
    moments = random.Random(7)
    acknowledged: dict[str, str] = {}
    for round_ in range(_ROUNDS):
        words = [sys.executable, "-c", _WRITER, str(path), str(round_ * 100_000)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline()]
            time.sleep(moments.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.readlines()
        acknowledged |= dict(line.split() for line in lines if line.endswith("\n"))
    assert len(acknowledged) >= _ROUNDS
    journal = SqliteJournal(path, clock=SystemClock(), randomness=system_randomness)
    for key, outcome_id in acknowledged.items():
        stored = journal.outcome(outcome(key))
        assert (str(stored.outcome_id), stored.repeated) == (outcome_id, True)
    counts = journal.counts()
    journal.close()
    assert counts["set_aside"] == 0
    assert counts["sales"] >= len(acknowledged)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system needs root; faults are injected in the unit tests")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_refuses_sales_and_recovers_by_itself(small_disk: Path) -> None:
    """T12: nothing that was refused was acknowledged, and nothing acknowledged is lost."""
    filler = small_disk / "filler"
    journal = SqliteJournal(
        small_disk / "journal.db",
        clock=SystemClock(),
        randomness=system_randomness,
        writer=WriterLimits(flush_after_s=0.001, retry_after_s=0.01),
    )
    acknowledged = [journal.outcome(outcome("first"))]
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize
    filler.write_bytes(b"\0" * free)
    refused = []
    for number in range(200):
        journal.impression(impression(number))
        try:
            acknowledged.append(journal.outcome(outcome(f"key-{number}")))
        except JournalError:
            refused.append(f"key-{number}")
    assert refused, "the disk was full"
    filler.unlink()
    stored = [journal.outcome(outcome(key)) for key in refused[:5]]
    assert not any(one.repeated for one in stored)
    journal.close()
    again = SqliteJournal(small_disk / "journal.db", clock=SystemClock(), randomness=system_randomness)
    counts = again.counts()
    assert counts["set_aside"] == 0
    assert counts["sales"] == len(acknowledged) + 5
    assert counts["impressions"] + counts["dropped"] == 200
    again.close()
