"""The model: loads, answers its golden frames as it should, and is fast enough here."""

import json
import time
from pathlib import Path

import cv2
import numpy as np

from edge_agent.adapters.clock import SystemClock
from edge_agent.checkup import Finding, Verdict, judge_latency
from edge_agent.config import EdgeConfig
from edge_agent.latency import Bench
from inference import Context, FlavourModel, InferenceError
from inference.default_models import default_model_dir

_RUNS = 100


def find_model_dir(config: EdgeConfig) -> Path:
    """The configured directory, or the one that comes with Topscoop for this chain. Raises ModelError."""
    return config.model_dir or default_model_dir(config.tenant)


def check_model(config: EdgeConfig) -> tuple[Finding, ...]:
    """Load, answer, time."""
    try:
        directory = find_model_dir(config)
        model = FlavourModel.load(directory)
    except InferenceError as error:
        return (Finding("model", Verdict.FAILED, str(error), error.remedy),)
    manifest = model.manifest
    if manifest.tenant != config.tenant:
        said = f"{directory} is a model of {manifest.tenant}, this register belongs to {config.tenant}"
        return (Finding("model", Verdict.FAILED, said, "Correct `model_dir` or `tenant`."),)
    said = f"{manifest.name} {manifest.version}, {len(manifest.flavours)} flavours, {model.digest[:12]}"
    timed = Bench(model, SystemClock(), time.sleep).at_cadence(_RUNS, warm_up=True)
    assert timed.quantiles is not None
    return (
        Finding("model", Verdict.OK, said),
        _check_golden(model, directory),
        judge_latency(timed.quantiles, budget_ms=manifest.latency_budget_ms.p99),
    )


def _check_golden(model: FlavourModel, directory: Path) -> Finding:
    """Each golden frame gives the three flavours that it gave where the model was made."""
    path = directory / "golden" / "golden.json"
    try:
        rows = json.loads(path.read_bytes())["frames"]
        wrong = [str(row["file"]) for row in rows if not _answers(model, path.parent, row)]
    except (OSError, ValueError, KeyError, TypeError, InferenceError) as error:
        return Finding(
            "golden",
            Verdict.WARNING,
            f"the golden frames of {directory} cannot be compared: {error}",
            "Fetch the model directory again, whole.",
        )
    if wrong:
        return Finding(
            "golden",
            Verdict.FAILED,
            f"{len(wrong)} of {len(rows)} golden frames get other flavours here: {', '.join(wrong[:3])}",
            "This processor computes otherwise than it should: report it, and show best-sellers meanwhile.",
        )
    return Finding("golden", Verdict.OK, f"{len(rows)} golden frames get the flavours that they should")


def _answers(model: FlavourModel, folder: Path, row: dict[str, object]) -> bool:
    frame = cv2.imread(str(folder / Path(str(row["file"])).name))
    if frame is None:
        raise ValueError(f"{row['file']} is no picture")
    context, in_stock, top3 = row["context"], row["in_stock"], row["top3"]
    if not (isinstance(context, dict) and isinstance(in_stock, list) and isinstance(top3, list)):
        raise TypeError("golden.json has another form")
    ids = model.manifest.flavour_ids
    mask = np.array([flavour in in_stock for flavour in ids], np.bool_)
    found = model.recommend(np.asarray(frame, np.uint8), Context(**context), mask)
    return [ids[index] for index in found.top3] == top3
