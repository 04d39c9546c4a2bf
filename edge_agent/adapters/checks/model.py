"""The model: loads, answers its golden frames as it should, and is fast enough here."""

import json
import time
from pathlib import Path

import cv2
import numpy as np

from edge_agent.adapters.checks.releases import directory_in_use
from edge_agent.adapters.clock import SystemClock
from edge_agent.checkup import Finding, Verdict, judge_latency
from edge_agent.config import EdgeConfig
from edge_agent.errors import ModelRefusedError
from edge_agent.latency import Bench
from edge_agent.model_slot import ModelSlot
from edge_agent.ports import Model
from inference import Context, FlavourModel, InferenceError, golden
from inference.default_models import default_model_dir

_RUNS = 100
_GOLDEN_FILE = "golden.cbor"


def find_model_dir(config: EdgeConfig) -> Path:
    """Of the release in use, the configured one, or that of this chain. Raises ModelError."""
    return directory_in_use(config) or config.model_dir or default_model_dir(config.tenant)


def check_model(config: EdgeConfig) -> tuple[Finding, ...]:
    """Load, answer, time."""
    try:
        directory = find_model_dir(config)
        model = FlavourModel.load(directory)
        ModelSlot(lambda _: model, tenant=config.tenant).load(directory)  # as the agent does
        timed = Bench(model, SystemClock(), time.sleep).at_cadence(_RUNS, warm_up=True)
    except (InferenceError, ModelRefusedError) as error:
        return (Finding("model", Verdict.FAILED, str(error), error.remedy),)
    assert timed.quantiles is not None
    return (
        _describe(model, config.shop_kind),
        _check_golden_cbor(model, directory)
        if (directory / _GOLDEN_FILE).exists()
        else _check_golden(model, directory),
        judge_latency(timed.quantiles, budget_ms=model.manifest.latency_budget_ms.p99),
    )


def _describe(model: Model, shop_kind: str | None) -> Finding:
    """Which model it is, and whether it knows a shop such as this one."""
    manifest = model.manifest
    said = f"{manifest.name} {manifest.version}, {len(manifest.flavours)} flavours, {model.digest[:12]}"
    if shop_kind is None or not manifest.shop_kinds or shop_kind in manifest.shop_kinds:
        return Finding("model", Verdict.OK, said)
    return Finding(
        "model",
        Verdict.WARNING,
        f"{said}; it knows no shop of kind {shop_kind!r}, so where the till stands counts for nothing",
        f"Set `shop_kind` to one of: {', '.join(manifest.shop_kinds)}.",
    )


def _check_golden(model: Model, directory: Path) -> Finding:
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


def _check_golden_cbor(model: FlavourModel, directory: Path) -> Finding:
    """The same for a release, whose golden frames came with it."""
    try:
        frames = golden.Golden.from_bytes((directory / _GOLDEN_FILE).read_bytes())
        golden.check(model, frames)
    except (OSError, InferenceError) as error:
        remedy = error.remedy if isinstance(error, InferenceError) else "Look at the disk."
        return Finding("golden", Verdict.FAILED, str(error), remedy)
    return Finding(
        "golden", Verdict.OK, f"{len(frames.frames)} golden frames get the flavours that they should"
    )


def _answers(model: Model, folder: Path, row: dict[str, object]) -> bool:
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
