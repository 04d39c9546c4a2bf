"""A finished teacher, asked again; the only part of an evaluation that needs torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model_registry.adapters.torch_teacher import Teacher
from model_registry.adapters.torch_training import Labelled, opinions


def teacher_opinions(
    training: Path,
    tenant: str,
    frames: NDArray[np.uint8],
    context: NDArray[np.float32],
    report: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """Return the teacher's probabilities [N, F] for frames [N, S, S, 3] and encoded contexts [N, C]."""
    described = json.loads((training / "teacher.json").read_text("utf-8"))
    teacher = Teacher(described["size"], described["context"], described["flavours"], None)
    teacher.load_state_dict(torch.load(training / "teacher-final.pt", map_location="cpu", weights_only=True))
    unknown = np.zeros(len(frames), np.int64)
    return opinions(teacher, Labelled(tenant, frames, context, unknown), report)
