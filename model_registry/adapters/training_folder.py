"""What training leaves for quantization: weights as plain arrays, and a note of how they came to be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_registry.adapters.atomic_file import write_atomically
from model_registry.errors import UnusableCheckpoint
from model_registry.network import StudentShape
from model_registry.orders import Catalogue


@dataclass(frozen=True)
class TrainedStudent:
    """One chain's student, and the baselines that were learned from the same orders."""

    catalogue: Catalogue
    shape: StudentShape
    weights: Mapping[str, NDArray[np.float32]]
    context_model: NDArray[np.float64]
    best_sellers: tuple[int, ...]
    note: Mapping[str, Any]


def pin_options(folder: Path, part: str, options: Mapping[str, Any]) -> None:
    """Remember what a part of a training, teacher or student, was begun with.

    Raises:
        UnusableCheckpoint: It was begun with something else; going on would mix two trainings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, text = folder / f"options-{part}.json", json.dumps(options, indent=1, sort_keys=True)
    if path.exists() and path.read_text("utf-8") != text:
        raise UnusableCheckpoint(
            f"{folder} was begun with other options or data",
            remedy="Give the same ones to go on, or another --out.",
        )
    write_atomically(path, text.encode())


def steps_in_all(note: Mapping[str, Any]) -> int:
    """Return how many steps a student was trained, those of the trainings that it began with included."""
    before = note.get("begin_with")
    if before is None:
        return int(note["student_steps"])
    path = Path(before) / "options-student.json"
    if not path.exists():
        raise UnusableCheckpoint(f"{before}, where a student began, is gone", remedy="Bring the folder back.")
    return int(note["student_steps"]) + steps_in_all(json.loads(path.read_text("utf-8")))


def save_student(folder: Path, student: TrainedStudent) -> None:
    """Write `<folder>/<tenant>/student.npz` and `student.json`."""
    target = folder / student.catalogue.tenant
    target.mkdir(parents=True, exist_ok=True)
    part = target / ".student.part.npz"
    weights: dict[str, Any] = dict(student.weights)
    np.savez(part, **weights)
    part.replace(target / "student.npz")
    note = {
        "catalogue": student.catalogue.to_json(),
        "shape": asdict(student.shape),
        "context_model": student.context_model.tolist(),
        "best_sellers": list(student.best_sellers),
        "note": dict(student.note),
    }
    write_atomically(target / "student.json", json.dumps(note, indent=1, ensure_ascii=False).encode())


def load_student(folder: Path, tenant: str) -> TrainedStudent:
    """Read what `save_student` wrote.

    Raises:
        UnusableCheckpoint: Training has not finished for this chain.
    """
    path = folder / tenant / "student.json"
    if not path.exists():
        raise UnusableCheckpoint(
            f"{folder} holds no trained student of {tenant}",
            remedy="Run, or go on with: topscoop model train",
        )
    stored = json.loads(path.read_text("utf-8"))
    shape = stored["shape"]
    shape["widths"], shape["depths"] = tuple(shape["widths"]), tuple(shape["depths"])
    with np.load(folder / tenant / "student.npz") as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    return TrainedStudent(
        Catalogue.from_json(stored["catalogue"]),
        StudentShape(**shape),
        weights,
        np.array(stored["context_model"]),
        tuple(stored["best_sellers"]),
        stored["note"],
    )
