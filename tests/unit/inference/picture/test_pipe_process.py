"""A child process, every byte of which has a deadline."""

import sys
from collections.abc import Iterator
from time import monotonic

import psutil
import pytest

from inference.picture.pipe_process import DeadlinePassed, PipeBroken, PipeProcess

ECHO = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer, 1)"


@pytest.fixture
def echo() -> Iterator[PipeProcess]:
    with PipeProcess([sys.executable, "-u", "-c", ECHO], {}) as process:
        yield process


def test_bytes_come_and_go(echo: PipeProcess) -> None:
    echo.write(b"hello", monotonic() + 30)
    answer = bytearray(5)
    echo.read_into(memoryview(answer), monotonic() + 30)
    assert answer == b"hello"


def test_silence_has_an_end(echo: PipeProcess) -> None:
    with pytest.raises(DeadlinePassed):
        echo.read_into(memoryview(bytearray(1)), monotonic() + 0.05)


def test_a_process_that_does_not_read_has_an_end() -> None:
    """Its pipe fills up."""
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    with PipeProcess(sleeper, {}) as process, pytest.raises(DeadlinePassed):
        process.write(bytes(10_000_000), monotonic() + 0.2)


def test_a_process_that_ended_is_noticed_on_both_sides() -> None:
    with PipeProcess([sys.executable, "-c", ""], {}) as process:
        with pytest.raises(PipeBroken):
            process.read_into(memoryview(bytearray(1)), monotonic() + 30)
        with pytest.raises(PipeBroken):
            process.write(bytes(10_000_000), monotonic() + 30)


def test_after_the_block_nothing_is_left() -> None:
    with PipeProcess([sys.executable, "-c", "import time; time.sleep(600)"], {}) as process:
        pid = process.pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_the_child_gets_only_the_environment_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of this process are none of its business."""
    monkeypatch.setenv("SECRET", "x")
    code = "import os; os.write(1, b'1' if 'SECRET' in os.environ else b'0')"
    with PipeProcess([sys.executable, "-c", code], {"PATH": ""}) as process:
        answer = bytearray(1)
        process.read_into(memoryview(answer), monotonic() + 30)
    assert answer == b"0"
