"""The pipe to the agent: the job comes in, needs and progress go out; and the `Source` that asks over it."""

import itertools
import os
import random
import select
from collections.abc import Iterator
from time import monotonic_ns
from typing import Final, Protocol

from edge_agent.updater.transfer import Budget, Transfer, TransferLimits
from edge_agent.updates.errand import AGENT_SAYS, FromUpdater, Job, Piece, Reader, Talk, frame
from wire_protocol.errors import TopscoopError

JOB_WITHIN_MS: Final = 30_000
_READ_BYTES: Final = 1 << 17
_NS_PER_MS: Final = 1_000_000


class AgentGone(TopscoopError):
    """The agent closed the pipe: there is nobody to tell, and what is there stays for the next time."""


def now_ms() -> int:
    """Of a clock that never goes back."""
    return monotonic_ns() // _NS_PER_MS


class AgentPipe:
    """Both ends; blocking, one thread.

    Args:
        source: Descriptor that the agent writes to.
        sink: Descriptor that the agent reads from.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink
        self._reader = Reader(AGENT_SAYS)
        self._signed: tuple[int, int] | None = None

    def job(self) -> Job:
        """The first thing that the agent says.

        Raises:
            AgentGone: It says nothing, or something else.
            BrokenPipeTalk: It is broken.
        """
        deadline = now_ms() + JOB_WITHIN_MS
        while now_ms() < deadline:
            for value in self.hear(deadline):
                if isinstance(value, Job):
                    return value
                raise AgentGone("the agent began with something else than a job")
        raise AgentGone("the agent named no job")

    def say(self, value: FromUpdater) -> None:
        """Tell the agent. Raises AgentGone."""
        left = memoryview(frame(value))
        while left:
            try:
                left = left[os.write(self._sink, left) :]
            except BrokenPipeError as error:
                raise AgentGone("the agent closed the pipe") from error

    def hear(self, until_ms: int) -> list[Talk]:
        """What the agent said, as soon as it says something; nothing after `until_ms`.

        Raises:
            AgentGone: It closed the pipe.
            BrokenPipeTalk: What it says is broken.
        """
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        if not poll.poll(max(0, until_ms - now_ms())):
            return []
        data = os.read(self._source, _READ_BYTES)
        if not data:
            raise AgentGone("the agent closed the pipe")
        values = list(self._reader.feed(data))
        for value in values:
            if isinstance(value, Piece) and value.signed_ms is not None:
                self._signed = max(self._signed or (0, 0), (value.signed_ms, now_ms()))
        return values

    def cloud_ms(self) -> int | None:
        """What the cloud's clock shows now, from the answers that it signed; None before the first."""
        if self._signed is None:
            return None
        signed_ms, heard_ms = self._signed
        return signed_ms + now_ms() - heard_ms


class Talker(Protocol):
    """Whom a source asks: the agent, as `AgentPipe` is its voice."""

    def say(self, value: FromUpdater) -> None:
        """As `AgentPipe.say`."""

    def hear(self, until_ms: int) -> list[Talk]:
        """As `AgentPipe.hear`."""


class PipeSource:
    """The repository behind the agent's connection.

    Args:
        pipe: To the agent.
        budget: Bytes that may be asked for.
        limits: How patient it is.
    """

    def __init__(self, pipe: Talker, budget: Budget, limits: TransferLimits | None = None) -> None:
        self._pipe = pipe
        self._budget = budget
        self._limits = limits or TransferLimits()
        self._ids = itertools.count(1)

    def fetch(self, path: str, *, offset: int, total: int | None, longest: int) -> Iterator[bytes]:
        """As `Source.fetch`."""
        transfer = Transfer(
            path,
            offset,
            total,
            longest,
            now_ms(),
            self._ids,
            self._budget,
            random.random,
            self._limits,
        )
        while not transfer.finished:
            for need in transfer.needs(now_ms()):
                self._pipe.say(need)
            for value in self._pipe.hear(transfer.wake_ms(now_ms())):
                if isinstance(value, Piece) and (ready := transfer.take(value, now_ms())):
                    yield ready
