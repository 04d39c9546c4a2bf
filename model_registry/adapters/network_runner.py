"""Runs a network of the contract over many frames, one by one as a till does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from model_registry.ports import Frames

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Answers:
    """What a network says about N frames: calibrated scores [N, F], `nobody` [N]."""

    scores: NDArray[np.float32]
    nobody: NDArray[np.float32]


def open_network(model: bytes) -> ort.InferenceSession:
    """Open a network with the session options of the till: one thread, no spinning."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_network(
    model: bytes, frames: Frames, context: NDArray[np.float32], progress: Progress | None = None
) -> Answers:
    """Answer every frame [N, S, S, 3] with its encoded context [N, C], everything in stock."""
    session = open_network(model)
    flavours = session.get_inputs()[2].shape[1]
    everything = np.ones((1, flavours), np.bool_)
    scores = np.empty((len(frames), flavours), np.float32)
    nobody = np.empty(len(frames), np.float32)
    for row in range(len(frames)):
        inputs = {
            "frame": np.ascontiguousarray(frames[row : row + 1]),
            "context": context[row : row + 1],
            "in_stock": everything,
        }
        found = session.run(["scores", "nobody"], inputs)
        scores[row], nobody[row] = found[0][0], found[1][0]
        if progress is not None:
            progress(row + 1, len(frames))
    return Answers(scores, nobody)


def latency_us(
    model: bytes, frames: Frames, context: NDArray[np.float32], runs: int = 400
) -> dict[str, float]:
    """Time `session.run` in a hot loop over different frames: p50 and p99 in microseconds."""
    session = open_network(model)
    everything = np.ones((1, session.get_inputs()[2].shape[1]), np.bool_)
    taken = np.empty(runs)
    for number in range(-50, runs):
        row = number % len(frames)
        inputs = {
            "frame": np.ascontiguousarray(frames[row : row + 1]),
            "context": context[row : row + 1],
            "in_stock": everything,
        }
        before = perf_counter_ns()
        session.run(None, inputs)
        taken[number] = (perf_counter_ns() - before) / 1000
    return {
        "p50": round(float(np.percentile(taken, 50)), 1),
        "p99": round(float(np.percentile(taken, 99)), 1),
    }
