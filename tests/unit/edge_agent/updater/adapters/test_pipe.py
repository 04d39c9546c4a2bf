"""The updater's end of the pipe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from edge_agent.updater.adapters.pipe import AgentGone, AgentPipe, now_ms
from edge_agent.updates.errand import UPDATER_SAYS, Job, Piece, PieceStatus, Progress, Reader, frame
from wire_protocol.fleet_messages import UpdateState

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB = Job(b"x" * 16, "gelateria-sole", "1.2.3", "/r", "/m", "/s", "/l")


class Ends:
    def __init__(self) -> None:
        self.source, self.agent_writes = os.pipe()
        self.agent_reads, self.sink = os.pipe()
        self.pipe = AgentPipe(self.source, self.sink)

    def close(self) -> None:
        for descriptor in (self.source, self.agent_writes, self.agent_reads, self.sink):
            if descriptor >= 0:
                os.close(descriptor)

    def agent_goes(self) -> None:
        os.close(self.agent_writes)
        os.close(self.agent_reads)
        self.agent_writes = self.agent_reads = -1


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def test_a_job_comes_in_and_progress_goes_out(ends: Ends) -> None:
    """Whatever the pieces in which it comes."""
    data = frame(JOB)
    os.write(ends.agent_writes, data[:5])
    assert ends.pipe.hear(now_ms()) == []
    os.write(ends.agent_writes, data[5:])
    assert ends.pipe.job() == JOB
    said = Progress(UpdateState.FETCHING, 1, 2)
    ends.pipe.say(said)
    assert list(Reader(UPDATER_SAYS).feed(os.read(ends.agent_reads, 1000))) == [said]


def test_something_else_than_a_job_is_no_beginning(ends: Ends) -> None:
    """The agent is another program."""
    os.write(ends.agent_writes, frame(Piece(1, PieceStatus.AWAY)))
    with pytest.raises(AgentGone):
        ends.pipe.job()


def test_a_closed_pipe_is_the_end(ends: Ends) -> None:
    """In either direction."""
    ends.agent_goes()
    with pytest.raises(AgentGone):
        ends.pipe.job()
    with pytest.raises(AgentGone):
        ends.pipe.say(Progress(UpdateState.FETCHING))


def test_the_clouds_clock_goes_on(ends: Ends) -> None:
    """From the newest answer that it signed."""
    assert ends.pipe.cloud_ms() is None
    for signed_ms in (5_000_000, 4_000_000):
        os.write(ends.agent_writes, frame(Piece(1, PieceStatus.MISSING, signed_ms=signed_ms)))
        ends.pipe.hear(now_ms() + 1000)
    told = ends.pipe.cloud_ms()
    assert told is not None
    assert 5_000_000 <= told < 5_060_000
