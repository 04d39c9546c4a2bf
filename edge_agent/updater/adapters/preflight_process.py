"""Tries a model in a process of its own: `Preflight` of the updater's ports (threat T10)."""

import json
import math
import signal
import sys
from pathlib import Path
from time import monotonic
from typing import Any, Final

import edge_agent
from edge_agent.updater.adapters.preflight_worker import LENGTH, MESSAGE_MAX_BYTES
from edge_agent.updater.refusal import Refusal
from edge_agent.updates.errand import PreflightLimits, Tried
from inference.picture.pipe_process import DeadlinePassed, PipeBroken, PipeProcess
from wire_protocol.fleet_messages import UpdateReason

START_S: Final = 60.0
"""Imports take a quarter of a second here, and much longer on a busy till with a cold disk."""
_END_S: Final = 5.0
COMMAND: Final = [sys.executable, "-P", "-s", "-m", "edge_agent.updater.adapters.preflight_worker"]


class ProcessPreflight:
    """One model per object.

    Args:
        limits: What the process may take.
    """

    def __init__(self, limits: PreflightLimits) -> None:
        self._limits = limits
        self._process: PipeProcess | None = None

    def prepare(self) -> None:
        """As `Preflight.prepare`; a process that cannot be started is told about by `try_model`."""
        if self._process is None:
            # What stands beside this package is imported from the same place, and from nowhere else.
            environment = {
                "PYTHONPATH": str(Path(edge_agent.__file__).parents[1]),
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "MALLOC_ARENA_MAX": "1",
            }
            self._process = PipeProcess(COMMAND, environment)

    def try_model(self, directory: str) -> Tried:
        """As `Preflight.try_model`."""
        started = monotonic()
        try:
            self.prepare()
            answer = self._talk(directory)
        except OSError as error:
            raise Refusal(
                UpdateReason.CRASHED,
                f"the process that tries models cannot be started: {error.strerror}",
                passing=True,
            ) from error
        finally:
            self.close()
        return _tried(answer, (monotonic() - started) * 1000)

    def close(self) -> None:
        """End the process, if there is one; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _talk(self, directory: str) -> dict[str, Any]:
        process = self._process
        assert process is not None
        try:
            self._hear(process, monotonic() + START_S)
        except (DeadlinePassed, PipeBroken) as error:
            raise Refusal(
                UpdateReason.CRASHED, "the process that tries models did not start", passing=True
            ) from error
        deadline = monotonic() + self._limits.wall_s
        task = json.dumps(
            {
                "directory": directory,
                "memory_bytes": self._limits.memory_bytes,
                "cpu_s": self._limits.cpu_s,
            }
        ).encode()
        try:
            process.write(LENGTH.pack(len(task)) + task, deadline)
            return self._hear(process, deadline)
        except DeadlinePassed as error:
            raise Refusal(
                UpdateReason.TOO_SLOW, f"the model took more than {self._limits.wall_s} s to be tried"
            ) from error
        except PipeBroken as error:
            raise _ended(process.exit_status(monotonic() + _END_S), self._limits) from error

    @staticmethod
    def _hear(process: PipeProcess, deadline: float) -> dict[str, Any]:
        head = bytearray(LENGTH.size)
        process.read_into(memoryview(head), deadline)
        (length,) = LENGTH.unpack(head)
        if length > MESSAGE_MAX_BYTES:
            raise PipeBroken
        body = bytearray(length)
        process.read_into(memoryview(body), deadline)
        try:
            value = json.loads(body)
        except ValueError as error:
            raise PipeBroken from error
        if not isinstance(value, dict):
            raise PipeBroken
        return value


def _ended(status: int | None, limits: PreflightLimits) -> Refusal:
    """What it means that the process ended before it said anything."""
    if status == -signal.SIGXCPU:
        return Refusal(
            UpdateReason.TOO_SLOW, f"the model took more than {limits.cpu_s} s of processor time to be tried"
        )
    if status == -signal.SIGKILL:
        return Refusal(UpdateReason.TOO_LARGE, "the system ran out of memory while the model was tried")
    if status is not None and status < 0:
        return Refusal(UpdateReason.CRASHED, f"the model ended its process: {signal.Signals(-status).name}")
    return Refusal(UpdateReason.CRASHED, f"the process that tried the model ended: status {status}")


def _tried(answer: dict[str, Any], took_ms: float) -> Tried:
    reason = answer.get("reason")
    if reason is not None:
        raise Refusal(UpdateReason(reason), str(answer.get("words", "")))
    measures = [answer.get(name) for name in ("p50_ms", "p99_ms", "runs", "memory_bytes")]
    if not all(isinstance(one, int | float) and math.isfinite(one) and one >= 0 for one in measures):
        raise Refusal(UpdateReason.CRASHED, "the process that tries models answered nonsense")
    p50_ms, p99_ms, runs, memory = (float(str(one)) for one in measures)
    return Tried(p50_ms, p99_ms, int(runs), int(memory), took_ms)
