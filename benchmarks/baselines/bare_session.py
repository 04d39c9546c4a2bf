"""The floor: `session.run` of the same network on inputs that are ready, and nothing else.

Tuned as the product's own session: one thread, no spinning, sequential. No picture is resized, no answer
is looked at.
"""

from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


def tuned_session(model_file: Path) -> ort.InferenceSession:
    """A session that runs on the calling thread alone."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(model_file), options, providers=["CPUExecutionProvider"])


class BareSession:
    """A session and one set of inputs."""

    def __init__(self, model_file: Path, frame: NDArray[np.uint8]) -> None:
        self._session = tuned_session(model_file)
        shapes = {entry.name: entry.shape for entry in self._session.get_inputs()}
        self._feeds = {
            "frame": np.ascontiguousarray(frame[None]),
            "context": np.zeros(shapes["context"], np.float32),
            "in_stock": np.ones(shapes["in_stock"], np.bool_),
        }
        if list(self._feeds["frame"].shape) != shapes["frame"]:
            raise ValueError(
                f"the network takes frames of {shapes['frame']}, not {self._feeds['frame'].shape}"
            )

    def run(self) -> None:
        """One run, all outputs."""
        self._session.run(None, self._feeds)
