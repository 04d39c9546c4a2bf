import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rows.quality import ReportError, figures, quality, read_report
from benchmarks.setting import Setting
from benchmarks.verdict import Verdict


def _report(*, int8: float = 0.70, unchanged: float = 0.97) -> dict[str, Any]:
    hits = {"context_only_optimum": 0.50, "student_fp32": 0.705, "student_int8": int8, "bayes": 0.75}
    return {
        "tenant": "gelateria-sole",
        "model": {"sha256": sha256(b"network").hexdigest()},
        "dataset": {},
        "evaluation": {},
        "recommenders": {name: {"hit_at_3": hit} for name, hit in hits.items()},
        "unchanged": {"all": unchanged, "skin": 0.99, "mood": 0.94},
        "share_of_gap": {"student_int8": 1.0},
    }


def _model_dir(folder: Path, report: dict[str, Any] | None, network: bytes = b"network") -> Path:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(network)
    (folder / "manifest.json").write_text(json.dumps({"model": {"file": "model.onnx"}}), encoding="utf-8")
    if report is not None:
        (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


def test_figures_follow_from_the_hit_rates() -> None:
    """0.20 of a gap of 0.25 is 0.8; what the report itself calls its share is not taken on trust."""
    share, loss, unchanged = figures(_report())
    assert share.value == pytest.approx(0.8)
    assert loss.value == pytest.approx(0.5)
    assert unchanged.value == pytest.approx(97.0)
    assert "mood, 94.0 %" in unchanged.note
    assert {figure.verdict for figure in (share, loss, unchanged)} == {Verdict.PASS}


def test_a_weak_model_misses() -> None:
    """All three goals can be missed."""
    assert {figure.verdict for figure in figures(_report(int8=0.60, unchanged=0.9))} == {Verdict.MISSED}


def test_a_report_of_another_network_is_refused(tmp_path: Path) -> None:
    """A model that was trained again keeps no old praise."""
    with pytest.raises(ReportError, match="another network"):
        read_report(_model_dir(tmp_path / "model", _report(), network=b"trained again"))


def test_a_missing_report_is_no_pass(tmp_path: Path) -> None:
    """Neither a folder without models nor a model without report is passed over."""
    setting = Setting(model_dir=tmp_path, models_dir=tmp_path, work_dir=tmp_path, quick=True, peer="none")
    with pytest.raises(ReportError, match="no model directory"):
        quality(setting)
    _model_dir(tmp_path / "model", None)
    with pytest.raises(ReportError, match="model evaluate"):
        quality(setting)
