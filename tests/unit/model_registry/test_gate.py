"""The release gate: each way to be refused, and that missing evidence is one of them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from model_registry.gate import judge

MODELS = Path(__file__).parents[3] / "models"
CHAINS = ("gelateria-sole", "polar-scoop")


def _files(chain: str = "polar-scoop") -> tuple[bytes, bytes, dict[str, Any]]:
    folder = MODELS / chain
    return (
        (folder / "manifest.json").read_bytes(),
        (folder / "model.onnx").read_bytes(),
        json.loads((folder / "report.json").read_bytes()),
    )


def _changed(**changes: Any) -> tuple[str, ...]:
    """The gate's reasons for a report with figures changed by path (`__` for the dot)."""
    manifest, network, report = _files()
    report = copy.deepcopy(report)
    for path, value in changes.items():
        place = report
        *outer, last = path.split("__")
        for key in outer:
            place = place[key]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return judge(manifest, network, json.dumps(report).encode()).reasons


@pytest.mark.parametrize("chain", CHAINS)
def test_the_committed_models_pass(chain: str) -> None:
    manifest, network, report = _files(chain)
    verdict = judge(manifest, network, json.dumps(report).encode())
    assert verdict.reasons == ()
    assert verdict.passed
    assert verdict.report is not None
    assert verdict.report.hit_at_3 == report["recommenders"]["student_int8"]["hit_at_3"]
    assert verdict.report.context_only == report["recommenders"]["context_only_optimum"]["hit_at_3"]


INT8 = "recommenders__student_int8"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({f"{INT8}__hit_at_3_realised": 0.58}, "not clearly above 57.2% of the best-sellers"),
        ({f"{INT8}__hit_at_3_realised": 0.62}, "the best that anybody could do without a picture"),
        ({"evaluation__orders": 900}, "measured on 900 orders"),
        ({"int8_loss_points": 1.0}, "int8 loses 1.00 points"),
        ({"recommenders__student_fp32__hit_at_3": 0.76}, "int8 loses 1.6"),
        ({f"{INT8}__calibration_error": 0.031}, "off by 0.031"),
        ({"unchanged__head_cover": 0.89}, "head cover changes the three flavours of 11.0% of customers"),
        ({"unchanged__all": 0.94}, "what must not matter changes"),
        ({"latency_us__student_int8__p99": 10_001.0}, "p99 is 10.00 ms; its own budget is 10 ms"),
        ({"model__sha256": "0" * 64}, "written for another network"),
        ({"tenant": "gelateria-sole"}, "about a model of 'gelateria-sole'"),
        ({"dataset__digest": "sha256:" + "0" * 64}, "different data sets"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_model_that_fails_is_told_why(changes: dict[str, Any], words: str) -> None:
    reasons = _changed(**changes)
    assert any(words in reason for reason in reasons), reasons


def test_every_reason_is_told_at_once() -> None:
    reasons = _changed(unchanged__skin=0.5, int8_loss_points=3, latency_us__student_int8__p99=9e4)
    assert len(reasons) == 3


@pytest.mark.parametrize(
    "path",
    [
        "format",
        "tenant",
        "model__sha256",
        "dataset__digest",
        "evaluation__orders",
        f"{INT8}__hit_at_3",
        f"{INT8}__hit_at_3_realised",
        f"{INT8}__calibration_error",
        "recommenders__student_fp32",
        "recommenders__best_sellers",
        "recommenders__context_only_learned",
        "recommenders__context_only_optimum",
        "int8_loss_points",
        "unchanged__skin",
        "unchanged__presentation",
        "unchanged__age",
        "unchanged__mood",
        "unchanged__head_cover",
        "unchanged__all",
        "latency_us__student_int8__p50",
        "latency_us__student_int8__p99",
    ],
)
@pytest.mark.parametrize("value", [..., None, "0.9", True, -1], ids=["gone", "null", "text", "true", "minus"])
def test_missing_evidence_refuses(path: str, value: Any) -> None:
    """A figure that is not there, or is no number that it can be, never counts as good (invariant 8)."""
    if path == "int8_loss_points" and value == -1:
        assert _changed(**{path: value}) == (), "quantization may gain"
        return
    assert _changed(**{path: value})


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_figures_that_are_no_numbers_refuse(word: str) -> None:
    manifest, network, report = _files()
    report["unchanged"]["skin"] = float(word)
    assert "holds" in judge(manifest, network, json.dumps(report).encode()).reasons[0]


@pytest.mark.parametrize(
    "report",
    [None, b"", b"[]", b"{", b"\xff", b"[" * 100_000, b" " * (2 << 20)],
    ids=["none", "empty", "a-list", "half", "bytes", "deep", "long"],
)
def test_an_unreadable_report_refuses(report: bytes | None) -> None:
    manifest, network, _ = _files()
    assert not judge(manifest, network, report).passed


def test_another_network_refuses() -> None:
    manifest, network, report = _files()
    reasons = judge(manifest, network + b"\0", json.dumps(report).encode()).reasons
    assert "the manifest is for another network" in reasons[0]
    assert "the report was written for another network" in reasons[1]


def test_a_network_that_is_too_large_refuses() -> None:
    manifest, network, report = _files()
    reasons = judge(manifest, network + bytes(1 << 20), json.dumps(report).encode()).reasons
    assert any("MB; 2.1 are allowed" in reason for reason in reasons)


def test_a_broken_manifest_refuses() -> None:
    _, network, report = _files()
    assert "manifest.json" in judge(b"{}", network, json.dumps(report).encode()).reasons[0]
