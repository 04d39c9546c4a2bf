"""`topscoop model quantize`: a trained student becomes a model directory that a till can load."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from inference import Manifest
from model_registry.adapters.atomic_file import write_atomically
from model_registry.adapters.dataset_files import Dataset, Split
from model_registry.adapters.network_runner import run_network
from model_registry.adapters.quantizer import quantize
from model_registry.adapters.training_folder import TrainedStudent, load_student
from model_registry.encoding import encode
from model_registry.graph import student_network
from model_registry.metrics import fit_temperature
from model_registry.progress import ProgressBar

CONTRACT = "topscoop.recommend/1"
NOBODY_THRESHOLD = 0.5
LATENCY_BUDGET_MS = 10.0
"""What the customer does not notice, on the slowest till beside its other work. Not what the network takes:
a release that is slower than its budget on a till goes back by itself, and a busy minute must not do that.
"""
MINIMUM_AGENT = "0.1.0"


def run(args: argparse.Namespace) -> int:
    """Write `<out>/<tenant>/model.onnx` and `manifest.json` for the data set's chain.

    Raises:
        UnusableDataset: The data folder is unfinished.
        UnusableCheckpoint: The student of this chain is not trained yet.
    """
    dataset = Dataset(args.data)
    student = load_student(args.training, dataset.tenant)
    target = args.out / dataset.tenant
    target.mkdir(parents=True, exist_ok=True)
    temperature = _temperature(student, dataset)
    precise, small = _networks(student, dataset.split("calibration"), temperature)
    write_atomically(args.training / dataset.tenant / "fp32.onnx", precise.SerializeToString())
    content = small.SerializeToString()
    write_atomically(target / "model.onnx", content)
    manifest = _manifest(student, dataset, content, args.version, args.created)
    write_atomically(target / "manifest.json", manifest.to_json())
    result = {
        "model": str(target),
        "tenant": dataset.tenant,
        "bytes": len(content),
        "sha256": manifest.model.sha256,
        "temperature": round(temperature, 4),
    }
    print(
        json.dumps(result) if args.json else f"{target}: {len(content)} bytes, temperature {temperature:.3f}"
    )
    return 0


def _networks(
    student: TrainedStudent, calibration: Split, temperature: float
) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    precise = student_network(student.shape, student.weights, len(student.catalogue.flavours), temperature)
    return precise, quantize(precise, _examples(student, calibration))


def _temperature(student: TrainedStudent, dataset: Dataset) -> float:
    """Calibrate what the till will run: the int8 network, on orders that it never learned from."""
    _, small = _networks(student, dataset.split("calibration"), 1.0)
    validation = dataset.split("validation")
    there = np.flatnonzero(validation.orders.somebody)
    bar = ProgressBar(f"calibrating {dataset.tenant}")
    context = encode(validation.orders, dataset.catalogue.context)
    answers = run_network(small.SerializeToString(), validation.frames[there], context[there], bar.update)
    return fit_temperature(answers.scores.astype(float), validation.orders.purchase[there])


def _examples(student: TrainedStudent, calibration: Split) -> Iterator[dict[str, NDArray[np.generic]]]:
    context = encode(calibration.orders, student.catalogue.context)
    everything = np.ones((1, len(student.catalogue.flavours)), np.bool_)
    for row in range(len(calibration)):
        yield {
            "frame": np.ascontiguousarray(calibration.frames[row : row + 1]),
            "context": context[row : row + 1],
            "in_stock": everything,
        }


def _manifest(
    student: TrainedStudent, dataset: Dataset, content: bytes, version: str | None, created: str | None
) -> Manifest:
    ids = student.catalogue.flavour_ids
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) if created is None else created
    value: dict[str, Any] = {
        "contract": CONTRACT,
        "tenant": dataset.tenant,
        "name": f"{dataset.tenant}-small",
        "version": now[:10].replace("-", ".") if version is None else version,
        "created": now,
        "model": {
            "file": "model.onnx",
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
            "precision": "int8",
        },
        "frame": {"size": dataset.size, "colour": "bgr", "resize": "linear"},
        "context": list(student.catalogue.context),
        "flavours": list(student.catalogue.flavours),
        "bestsellers": [ids[index] for index in student.best_sellers],
        "nobody_threshold": NOBODY_THRESHOLD,
        "dataset": {"digest": dataset.digest, "interactions": int(student.note["interactions"])},
        "latency_budget_ms": {"p99": LATENCY_BUDGET_MS},
        "minimum_agent": MINIMUM_AGENT,
    }
    # Through the till's own parser: what it would refuse must not leave the registry.
    return Manifest.from_json(json.dumps(value).encode())
