"""A child process behind two pipes, every byte of which has a deadline."""

import contextlib
import fcntl
import os
import select
import subprocess
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Self

_CHUNK_BYTES = 1 << 20


class PipeBroken(Exception):
    """The process ended, or closed its side."""


class DeadlinePassed(Exception):
    """The process took longer than it may."""


class PipeProcess:
    """A running child; it inherits two pipes, no other descriptor and only the environment it is given.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            close_fds=True,
            env=dict(environment),
            # Ctrl-C at a terminal is for whoever asked; this process ends when its pipe does.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._sink, self._source = self._process.stdin.fileno(), self._process.stdout.fileno()
        for descriptor in (self._sink, self._source):
            os.set_blocking(descriptor, False)
            # A picture is a megabyte; with the default of 64 KiB the processes would switch fourteen times
            # for it. A user near the kernel's limit on pipes goes on with the default.
            with contextlib.suppress(PermissionError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _CHUNK_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def exit_status(self, deadline: float) -> int | None:
        """How it ended, negative for a signal; None while it runs at the monotonic instant `deadline`."""
        try:
            return self._process.wait(max(0.0, deadline - monotonic()))
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """End it at once and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def write(self, data: bytes, deadline: float) -> None:
        """Send all of `data` before the monotonic instant `deadline`.

        Raises:
            PipeBroken: The process ended.
            DeadlinePassed: It did not read in time.
        """
        left = memoryview(data)
        while left:
            self._wait(self._sink, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._sink, left[:_CHUNK_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise PipeBroken from error

    def read_into(self, buffer: memoryview, deadline: float) -> None:
        """Fill all of `buffer` before the monotonic instant `deadline`.

        Raises:
            PipeBroken: The process ended before.
            DeadlinePassed: It did not answer in time.
        """
        while buffer:
            self._wait(self._source, select.POLLIN, deadline)
            try:
                count = os.readv(self._source, [buffer[:_CHUNK_BYTES]])
            except BlockingIOError:
                continue
            if not count:
                raise PipeBroken
            buffer = buffer[count:]

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        remaining_ms = (deadline - monotonic()) * 1000
        if remaining_ms <= 0 or not poll.poll(remaining_ms):
            raise DeadlinePassed
