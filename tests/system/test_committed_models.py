"""What is committed fits together, and says itself that it is good enough to be published."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MODELS = sorted(path.parent for path in (ROOT / "models").glob("*/manifest.json"))
MAX_BYTES = 6 << 20


def report_of(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


def test_there_is_a_model_for_each_chain() -> None:
    assert [folder.name for folder in MODELS] == ["gelateria-sole", "polar-scoop"]


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_report_manifest_and_network_are_of_one_model(folder: Path) -> None:
    report = report_of(folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert manifest["model"]["sha256"] == report["model"]["sha256"] == digest
    assert manifest["dataset"]["digest"] == report["dataset"]["digest"]


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_the_model_passes_its_gate(folder: Path) -> None:
    """Better than any recommender without a picture, fair, calibrated, and int8 costs next to nothing."""
    report = report_of(folder)
    hits = {name: row["hit_at_3"] for name, row in report["recommenders"].items()}
    assert hits["student_int8"] > hits["context_only_optimum"] >= hits["best_sellers"] - 0.01
    assert report["share_of_gap"]["student_int8"] >= 0.75
    assert report["int8_loss_points"] < 1.0
    assert report["unchanged"]["all"] >= 0.95
    assert report["nobody"]["recall"] >= 0.99
    assert report["nobody"]["false_alarms"] <= 0.01
    assert report["recommenders"]["student_int8"]["calibration_error"] <= 0.03


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_no_recommender_beats_knowing_everything(folder: Path) -> None:
    hits = {name: row["hit_at_3"] for name, row in report_of(folder)["recommenders"].items()}
    assert max(hits, key=lambda name: hits[name]) == "bayes"


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_report_page_needs_nothing_else(folder: Path) -> None:
    page = (folder / "report.html").read_text("utf-8")
    assert page.count("<svg") == 3
    assert not re.search(r"<script|<link|<img|src=|@import", page)


def test_models_stay_small_together() -> None:
    files = [path for path in (ROOT / "models").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MAX_BYTES


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_documentation_names_the_data(folder: Path) -> None:
    """The digest in the manifest is that of a data set that docs/models.md tells how to make."""
    documented = (ROOT / "docs" / "models.md").read_text("utf-8")
    assert report_of(folder)["dataset"]["digest"] in documented
