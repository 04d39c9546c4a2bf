"""`topscoop model evaluate`: measure models on orders nobody learned from, or check their reports."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference import Manifest
from model_registry.adapters.atomic_file import write_atomically
from model_registry.adapters.dataset_files import Dataset, Split
from model_registry.adapters.golden_files import write_golden
from model_registry.adapters.network_runner import latency_us, run_network
from model_registry.adapters.report_page import report_page
from model_registry.adapters.simulator_process import SimulatorProcesses
from model_registry.adapters.teacher_files import teacher_file, teacher_opinions
from model_registry.adapters.training_folder import TrainedStudent, load_student, steps_in_all
from model_registry.context_model import context_probabilities
from model_registry.encoding import encode
from model_registry.errors import CheckFailed, UnusableDataset
from model_registry.evaluation import (
    BEST,
    BEST_SELLERS,
    BLIND,
    BLIND_LEARNED,
    FORMAT,
    MODEL,
    PRECISE,
    TEACHER,
    Heard,
    differences,
    figures,
    popularity,
)
from model_registry.graph import student_network
from model_registry.make_dataset import make_dataset
from model_registry.metrics import expected_hit, rounded, share_of_gap, softmax, top
from model_registry.orders import plan_evaluation
from model_registry.progress import ProgressBar

_NOT_COMMITTED = (
    "The rows of the teacher and of the fp32 student, what int8 loses against it, and the learning curve are"
    " not checked: their weights are not part of the repository. Latency is not checked: it is the machine's."
)


@dataclass(frozen=True)
class _Model:
    """A model directory and the orders it is measured on."""

    folder: Path
    manifest: Manifest
    content: bytes
    dataset: Dataset

    @property
    def encodings(self) -> list[dict[str, Any]]:
        """The context encodings in the manifest's words."""
        encodings: list[dict[str, Any]] = json.loads(self.manifest.to_json())["context"]
        return encodings


def run(args: argparse.Namespace) -> int:
    """Evaluate or check every model directory given, `models/*` when none is.

    Raises:
        CheckFailed: A figure differs from the committed report.
        UnusableCheckpoint: `--training` or `--curve` holds no student of a chain.
    """
    folders = args.models or sorted(path.parent for path in Path("models").glob("*/manifest.json"))
    if not folders:
        raise UnusableDataset(
            "there is no model to evaluate", remedy="Give model directories, or run beside models/."
        )
    results = [_check(args, folder) if args.check else _evaluate(args, folder) for folder in folders]
    if args.json:
        print(json.dumps(results))
    wrong = [sentence for result in results for sentence in result.get("differences", [])]
    if wrong:
        raise CheckFailed(
            "; ".join(wrong), remedy="Evaluate again, or find out what changed the world or the model."
        )
    return 0


def _open(args: argparse.Namespace, folder: Path) -> _Model:
    manifest = Manifest.from_json((folder / "manifest.json").read_bytes())
    source = SimulatorProcesses(args.processes)
    catalogue = source.catalogue(manifest.tenant)
    bars: dict[str, ProgressBar] = {}

    def progress(split: str, done: int, total: int) -> None:
        bars.setdefault(split, ProgressBar(f"{manifest.tenant} {split} chunks")).update(done, total)

    dataset = make_dataset(
        source,
        manifest.tenant,
        folder=args.data / manifest.tenant,
        size=manifest.frame.size,
        splits=plan_evaluation(len(catalogue.nuisances)),
        progress=progress,
    )
    if dataset.catalogue.flavour_ids != manifest.flavour_ids:
        raise UnusableDataset(f"the chain sells other flavours than {folder} knows", remedy="Train it again.")
    return _Model(folder, manifest, (folder / manifest.model.file).read_bytes(), dataset)


def _hear(model: _Model, others: dict[str, NDArray[np.floating]]) -> Heard:
    splits = {name: model.dataset.split(name) for name in ("test", "nuisance", "style")}
    answers = {}
    for name, split in splits.items():
        bar = ProgressBar(f"{model.manifest.tenant} answers on {name}")
        answers[name] = run_network(model.content, split.frames, _context(model, split), bar.update)
    return Heard(
        test=splits["test"].orders,
        nuisance=splits["nuisance"].orders,
        style=splits["style"].orders,
        nuisances=model.dataset.catalogue.nuisances,
        scores={name: answer.scores for name, answer in answers.items()},
        nobody=answers["test"].nobody,
        others=others,
    )


def _context(model: _Model, split: Split) -> NDArray[np.float32]:
    return encode(split.orders, model.encodings)


def _baselines(model: _Model, context_model: NDArray[np.float64]) -> dict[str, NDArray[np.floating]]:
    """Return what recommenders without a picture say of the test orders with a customer."""
    test = model.dataset.split("test")
    context = _context(model, test)[test.orders.somebody]
    ranks = popularity([model.manifest.index_of(one) for one in model.manifest.bestsellers])
    return {
        BEST_SELLERS: np.tile(ranks, (len(context), 1)),
        BLIND_LEARNED: context_probabilities(context_model, context),
    }


def _check(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    committed = json.loads((folder / "report.json").read_text("utf-8"))
    model = _open(args, folder)
    heard = _hear(model, _baselines(model, np.array(committed["context_model"])))
    computed = figures(heard, model.manifest.nobody_threshold)
    wrong = [f"{model.manifest.tenant}: {sentence}" for sentence in differences(committed, computed)]
    if committed["model"]["sha256"] != model.manifest.model.sha256:
        wrong.append(f"{model.manifest.tenant}: the report was written for another model")
    if not args.json:
        same = model.dataset.digest == committed["evaluation"]["digest"]
        print(f"{folder}: {'differs' if wrong else 'every checked figure is the same within 0.1 point'}")
        print(f"  frames rendered again are {'identical' if same else 'not identical to the byte'}")
        print(f"  {_NOT_COMMITTED}")
    return {"model": str(folder), "differences": wrong, "not_checked": _NOT_COMMITTED}


def _evaluate(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    model = _open(args, folder)
    tenant = model.manifest.tenant
    student = load_student(args.training, tenant)
    test = model.dataset.split("test")
    there = np.flatnonzero(test.orders.somebody)
    context = _context(model, test)
    precise = (args.training / tenant / "fp32.onnx").read_bytes()
    bar = ProgressBar(f"{tenant} answers of the fp32 student")
    others = _baselines(model, np.array(rounded(student.context_model.tolist(), 4)))
    others |= _teacher(args.teacher or args.training, model, test, context)
    others[PRECISE] = softmax(
        run_network(precise, test.frames[there], context[there], bar.update).scores.astype(float)
    )
    heard = _hear(model, others)
    found = figures(heard, model.manifest.nobody_threshold)
    hits = {name: row["hit_at_3"] for name, row in found["recommenders"].items()}
    report = {
        "format": FORMAT,
        "tenant": tenant,
        "model": {
            "version": model.manifest.version,
            "sha256": model.manifest.model.sha256,
            "bytes": model.manifest.model.bytes,
            "fp32_bytes": len(precise),
        },
        "dataset": {
            "digest": model.manifest.dataset.digest,
            "interactions": model.manifest.dataset.interactions,
        },
        "evaluation": {
            "digest": model.dataset.digest,
            "orders": len(there),
            "nobody_frames": len(test) - len(there),
        },
        **found,
        "int8_loss_points": 100 * (hits[PRECISE] - hits[MODEL]),
        "latency_us": {
            MODEL: latency_us(model.content, test.frames, context),
            PRECISE: latency_us(precise, test.frames, context),
        },
        "learning_curve": _curve(args.curve, model, hits, student),
        "training": dict(student.note),
        "not_checked": _NOT_COMMITTED,
        "context_model": rounded(student.context_model.tolist(), 4),
    }
    report = dict(rounded(report))
    write_atomically(folder / "report.json", (json.dumps(report, indent=1) + "\n").encode())
    write_atomically(folder / "report.html", report_page(report).encode())
    write_golden(folder, SimulatorProcesses(1))
    if not args.json:
        _print(report, time.monotonic() - began)
    return report


def _teacher(
    teacher: Path, model: _Model, test: Split, context: NDArray[np.float32]
) -> dict[str, NDArray[np.floating]]:
    """Ask the teacher where there is one; a report without its row was made without it."""
    path = teacher_file(teacher, model.manifest.tenant)
    if not path.exists():
        return {}
    there = np.flatnonzero(test.orders.somebody)
    bar = ProgressBar(f"{model.manifest.tenant} answers of the teacher")
    opinions = teacher_opinions(path, test.frames[there], context[there], bar.update)
    return {TEACHER: opinions}


def _curve(
    trainings: list[Path],
    model: _Model,
    hits: dict[str, float],
    student: TrainedStudent,
) -> list[dict[str, Any]]:
    """Return the learning curve: students that learned from fewer orders, then this one."""
    test = model.dataset.split("test")
    context = _context(model, test)
    there = np.flatnonzero(test.orders.somebody)
    truth = test.orders.truth
    assert truth is not None
    points = []
    for training in trainings:
        other = load_student(training, model.manifest.tenant)
        network = student_network(other.shape, other.weights, len(other.catalogue.flavours), 1.0)
        bar = ProgressBar(f"{model.manifest.tenant} answers of {training}")
        answers = run_network(network.SerializeToString(), test.frames[there], context[there], bar.update)
        points.append(_point(other, expected_hit(truth[there], top(answers.scores, 3)), hits))
    points.append(_point(student, hits[PRECISE], hits))
    return sorted(points, key=lambda point: (point["interactions"], point["teacher_steps"]))


def _point(student: TrainedStudent, hit: float, hits: dict[str, float]) -> dict[str, Any]:
    return {
        "interactions": student.note["interactions"],
        "teacher_steps": student.note["teacher_steps"],
        "student_steps": steps_in_all(student.note),
        "hit_at_3": hit,
        "share_of_gap": share_of_gap(hit, hits[BLIND], hits[BEST]),
    }


def _print(report: dict[str, Any], seconds: float) -> None:
    orders = report["evaluation"]["orders"]
    print(f"{report['tenant']} {report['model']['version']}: {orders} orders, {seconds:.0f} s")
    for name, row in report["recommenders"].items():
        row_text = "  ".join(f"{figure} {row[figure]:.4f}" for figure in ("hit_at_3", "hit_at_1", "log_loss"))
        print(f"  {name:22} {row_text}")
    shares = ", ".join(f"{name} {share:.3f}" for name, share in report["share_of_gap"].items())
    print(f"  share of the gap: {shares}; int8 loses {report['int8_loss_points']:.2f} points")
    print(f"  nobody: {report['nobody']}; unchanged: {report['unchanged']}")
